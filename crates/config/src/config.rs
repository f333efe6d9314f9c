//! The current value of every directive.

use std::sync::Arc;

use crate::Directive;
use crate::choices::Choice;
use crate::number::Refusal;
use crate::special::{KeyspaceEvents, OutputBufferLimit, ReplicaOf, SavePoint};
use crate::table::TABLE;
use crate::value::Value;

/// All values. A clone copies a few kilobytes and no text, so "try on a copy, then swap" is the way to change several
/// directives or none.
///
/// The typed readers below panic when a directive is asked for a type that it is not: the table says which it is, the
/// directive is a constant in the source, and so the first test that reaches the line finds the mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    values: Vec<Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

/// `maxmemory-clients`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientMemoryLimit {
    /// No limit.
    None,
    /// So many bytes.
    Bytes(u64),
    /// So many percent of `maxmemory`.
    Percent(u8),
}

impl Config {
    /// Every directive at its default.
    #[must_use]
    pub fn new() -> Config {
        Config { values: TABLE.iter().map(Value::default_of).collect() }
    }

    /// The value of a directive.
    #[must_use]
    pub fn value(&self, id: Directive) -> &Value {
        &self.values[id as usize]
    }

    /// The value as CONFIG GET shows it.
    #[must_use]
    pub fn shown(&self, id: Directive) -> Vec<u8> {
        self.value(id).print(id.record())
    }

    /// Whether the value is the default.
    #[must_use]
    pub fn is_default(&self, id: Directive) -> bool {
        *self.value(id) == Value::default_of(id.record())
    }

    /// Sets a directive as a file would, whatever its mutability. The server uses it for what it learns or does itself:
    /// the absolute `dir`, the master it was told by REPLICAOF.
    ///
    /// # Errors
    /// The text of the refusal.
    pub fn assign(&mut self, id: Directive, args: &[&[u8]]) -> Result<(), String> {
        let value = Value::parse(id.record(), args, self.value(id)).map_err(Refusal::into_owned)?;
        self.put(id, value);
        Ok(())
    }

    pub(crate) fn put(&mut self, id: Directive, value: Value) {
        self.values[id as usize] = value;
    }

    /// A yes or no.
    #[must_use]
    pub fn bool(&self, id: Directive) -> bool {
        match self.value(id) {
            Value::Bool(value) => *value,
            _ => mistaken(id, "a bool"),
        }
    }

    /// A number; one above 63 bits comes out as the largest of them.
    #[must_use]
    pub fn int(&self, id: Directive) -> i64 {
        i64::try_from(self.integer(id)).unwrap_or(i64::MAX)
    }

    /// A number as an unsigned one; a negative number comes out as 0.
    #[must_use]
    pub fn uint(&self, id: Directive) -> u64 {
        u64::try_from(self.integer(id).max(0)).unwrap_or(u64::MAX)
    }

    fn integer(&self, id: Directive) -> i128 {
        match self.value(id) {
            Value::Integer(value) => *value,
            _ => mistaken(id, "a number"),
        }
    }

    /// A text; one that is not set is empty.
    #[must_use]
    pub fn text(&self, id: Directive) -> &[u8] {
        match self.value(id) {
            Value::Text(text) => text,
            _ => mistaken(id, "a text"),
        }
    }

    /// A text that is shared, not copied.
    #[must_use]
    pub fn shared_text(&self, id: Directive) -> Arc<[u8]> {
        match self.value(id) {
            Value::Text(text) => Arc::clone(text),
            _ => mistaken(id, "a text"),
        }
    }

    /// A word of an enumeration.
    #[must_use]
    pub fn choice<T: Choice>(&self, id: Directive) -> T {
        T::from_code(self.flags(id))
    }

    /// Words that are combined bit by bit, such as `SHUTDOWN_NOW | SHUTDOWN_FORCE`.
    #[must_use]
    pub fn flags(&self, id: Directive) -> u32 {
        match self.value(id) {
            Value::Code(code) => *code,
            _ => mistaken(id, "an enumeration"),
        }
    }

    /// `save`.
    #[must_use]
    pub fn save_points(&self) -> &[SavePoint] {
        match self.value(Directive::Save) {
            Value::Save(points) => points,
            _ => mistaken(Directive::Save, "a list of save points"),
        }
    }

    /// `bind`, as written: a leading `-` tolerates an address that does not exist.
    #[must_use]
    pub fn bind_addresses(&self) -> &[Vec<u8>] {
        match self.value(Directive::Bind) {
            Value::Addresses(addresses) => addresses,
            _ => mistaken(Directive::Bind, "a list of addresses"),
        }
    }

    /// `client-output-buffer-limit`, in the order of [`crate::ClientClass::ALL`].
    #[must_use]
    pub fn output_buffer_limits(&self) -> &[OutputBufferLimit; 3] {
        match self.value(Directive::ClientOutputBufferLimit) {
            Value::Limits(limits) => limits,
            _ => mistaken(Directive::ClientOutputBufferLimit, "a list of limits"),
        }
    }

    /// `oom-score-adj-values`: of a master, a replica, a background child.
    #[must_use]
    pub fn oom_score_adj_values(&self) -> [i32; 3] {
        match self.value(Directive::OomScoreAdjValues) {
            Value::Scores(scores) => *scores,
            _ => mistaken(Directive::OomScoreAdjValues, "a list of scores"),
        }
    }

    /// `latency-tracking-info-percentiles`, each from 0 to 100.
    #[must_use]
    pub fn latency_percentiles(&self) -> &[f64] {
        match self.value(Directive::LatencyTrackingInfoPercentiles) {
            Value::Percentiles(percentiles) => percentiles,
            _ => mistaken(Directive::LatencyTrackingInfoPercentiles, "a list of percentiles"),
        }
    }

    /// `replicaof`.
    #[must_use]
    pub fn replica_of(&self) -> Option<&ReplicaOf> {
        match self.value(Directive::Replicaof) {
            Value::ReplicaOf(master) => master.as_deref(),
            _ => mistaken(Directive::Replicaof, "a master"),
        }
    }

    /// `notify-keyspace-events`.
    #[must_use]
    pub fn keyspace_events(&self) -> KeyspaceEvents {
        match self.value(Directive::NotifyKeyspaceEvents) {
            Value::Events(events) => *events,
            _ => mistaken(Directive::NotifyKeyspaceEvents, "a set of events"),
        }
    }

    /// `maxmemory-clients`.
    #[must_use]
    pub fn maxmemory_clients(&self) -> ClientMemoryLimit {
        match self.int(Directive::MaxmemoryClients) {
            0 => ClientMemoryLimit::None,
            bytes @ 1.. => ClientMemoryLimit::Bytes(bytes.unsigned_abs()),
            percent => ClientMemoryLimit::Percent(u8::try_from(percent.unsigned_abs()).unwrap_or(100)),
        }
    }

    /// `io-threads`: how many workers to start on a machine with so many cores.
    #[must_use]
    pub fn workers(&self, cores: usize) -> usize {
        match usize::try_from(self.int(Directive::IoThreads)) {
            Ok(workers) if workers > 0 => workers,
            _ => cores.clamp(1, 256),
        }
    }
}

#[cold]
fn mistaken(id: Directive, expected: &str) -> ! {
    panic!("{} is not {expected}", id.name())
}
