//! The one ordered stream of effects.
//!
//! Every change is appended as the command that reproduces it (RESP arrays of bulk strings, as in a replication
//! stream), while the stripes it touched are still locked: so the order of the stream is the order of the history.
//! What one client step changed is one *unit*; a unit of several commands is wrapped into MULTI and EXEC, so that a
//! reader never sees half of it. The offset counts bytes and is what replicas and log readers acknowledge.
//!
//! Nobody listening costs one load of a flag: no bytes are built.

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Receives the stream. Called with the journal locked: hand the bytes over, do nothing slow.
pub trait JournalSink: Send {
    /// Takes `bytes`, which begin at `offset` of the stream.
    fn append(&mut self, offset: u64, bytes: &[u8]);
}

/// The commands of one unit, already encoded.
#[derive(Debug, Default)]
pub struct Unit {
    bytes: Vec<u8>,
    commands: Vec<(u32, usize)>,
}

impl Unit {
    /// Adds a command that runs in database `db`.
    pub fn push<'a>(&mut self, db: u32, args: impl ExactSizeIterator<Item = &'a [u8]>) {
        encode(&mut self.bytes, args);
        self.commands.push((db, self.bytes.len()));
    }

    /// Whether there is nothing to append.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The number of commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Forgets all commands but keeps the memory, unless it grew large.
    pub fn clear(&mut self) {
        self.commands.clear();
        clear(&mut self.bytes);
    }
}

/// Empties a buffer that is used again, unless it has grown large.
fn clear(bytes: &mut Vec<u8>) {
    bytes.clear();
    if bytes.capacity() > 64 * 1024 {
        *bytes = Vec::new();
    }
}

fn encode<'a>(out: &mut Vec<u8>, args: impl ExactSizeIterator<Item = &'a [u8]>) {
    let header = |out: &mut Vec<u8>, kind: u8, number: usize| {
        out.push(kind);
        out.extend_from_slice(number.to_string().as_bytes());
        out.extend_from_slice(b"\r\n");
    };
    header(out, b'*', args.len());
    for arg in args {
        header(out, b'$', arg.len());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

/// The stream.
#[derive(Default)]
pub struct Journal {
    active: AtomicBool,
    offset: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    selected: Option<u32>,
    buffer: Vec<u8>,
    sinks: Vec<(u64, Box<dyn JournalSink>)>,
    next_sink: u64,
}

impl Journal {
    /// Whether anybody listens: if not, effects need not be described.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    /// The number of bytes appended so far.
    pub fn offset(&self) -> u64 {
        self.offset.load(Ordering::Acquire)
    }

    /// Adds a listener, which gets everything from the returned offset on, and its number. The stream begins for it
    /// with a SELECT.
    pub fn attach(&self, sink: Box<dyn JournalSink>) -> (u64, u64) {
        let mut state = self.state.lock();
        let number = state.next_sink;
        state.next_sink += 1;
        state.sinks.push((number, sink));
        state.selected = None;
        self.active.store(true, Ordering::Release);
        (number, self.offset())
    }

    /// Has the next unit begin with a SELECT: who reads the stream from here on does not know what was selected.
    pub fn reselect(&self) {
        self.state.lock().selected = None;
    }

    /// Removes a listener.
    pub fn detach(&self, number: u64) -> Option<Box<dyn JournalSink>> {
        let mut state = self.state.lock();
        let index = state.sinks.iter().position(|(of, _)| *of == number)?;
        let (_, sink) = state.sinks.remove(index);
        self.active.store(!state.sinks.is_empty(), Ordering::Release);
        Some(sink)
    }

    /// Appends a unit. The caller holds the locks of all stripes that the unit changed.
    #[inline]
    pub fn append(&self, unit: &Unit) -> u64 {
        if unit.is_empty() || !self.is_active() { self.offset() } else { self.append_for_sinks(unit) }
    }

    fn append_for_sinks(&self, unit: &Unit) -> u64 {
        let mut guard = self.state.lock();
        let State { selected, buffer, sinks, .. } = &mut *guard;
        let bytes = match unit.commands[..] {
            // Most are of this kind.
            [(db, _)] if *selected == Some(db) => &unit.bytes[..],
            _ => {
                compose(buffer, selected, unit);
                &buffer[..]
            }
        };
        let offset = self.offset.load(Ordering::Relaxed);
        for (_, sink) in sinks.iter_mut() {
            sink.append(offset, bytes);
        }
        let end = offset + bytes.len() as u64;
        self.offset.store(end, Ordering::Release);
        clear(buffer);
        end
    }
}

fn compose(buffer: &mut Vec<u8>, selected: &mut Option<u32>, unit: &Unit) {
    let wrapped = unit.len() > 1;
    if wrapped {
        encode(buffer, [&b"MULTI"[..]].into_iter());
    }
    let mut start = 0;
    for (db, end) in &unit.commands {
        if *selected != Some(*db) {
            let number = db.to_string();
            encode(buffer, [&b"SELECT"[..], number.as_bytes()].into_iter());
            *selected = Some(*db);
        }
        buffer.extend_from_slice(&unit.bytes[start..*end]);
        start = *end;
    }
    if wrapped {
        encode(buffer, [&b"EXEC"[..]].into_iter());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Default, Clone)]
    struct Collect(Arc<Mutex<Vec<u8>>>);

    impl JournalSink for Collect {
        fn append(&mut self, offset: u64, bytes: &[u8]) {
            assert_eq!(offset as usize, self.0.lock().len());
            self.0.lock().extend_from_slice(bytes);
        }
    }

    fn unit(commands: &[(u32, &[&str])]) -> Unit {
        let mut unit = Unit::default();
        for (db, args) in commands {
            unit.push(*db, args.iter().map(|arg| arg.as_bytes()));
        }
        unit
    }

    #[test]
    fn units_are_whole_and_select_their_database() {
        let (journal, sink) = (Journal::default(), Collect::default());
        assert_eq!(journal.append(&unit(&[(0, &["SET", "a", "1"])])), 0, "nobody listens");
        let (number, offset) = journal.attach(Box::new(sink.clone()));
        assert_eq!(offset, 0);
        journal.append(&unit(&[(0, &["DEL", "a"])]));
        journal.append(&unit(&[(0, &["DEL", "b"]), (9, &["DEL", "c"])]));
        let expected = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*1\r\n$5\r\nMULTI\r\n\
            *2\r\n$3\r\nDEL\r\n$1\r\nb\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n9\r\n*2\r\n$3\r\nDEL\r\n$1\r\nc\r\n*1\r\n$4\r\nEXEC\r\n";
        assert_eq!(String::from_utf8_lossy(&sink.0.lock()), expected);
        assert_eq!(journal.offset(), expected.len() as u64);
        assert!(journal.detach(number).is_some() && !journal.is_active());
    }
}
