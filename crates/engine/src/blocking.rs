//! Waiting for keys: what a handler says when there is nothing to reply yet.
//!
//! The request is parked in the stripes of its keys (see `ochre_keyspace`'s waiters) while they are still locked, so no
//! change of them goes by unseen. Whoever makes one of them ready runs the request again, handler and all, with a stand-in
//! for the client (`execute::serve`): a handler need not know which of the two it is, and nothing is kept but the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use ochre_keyspace::Wish;
use ochre_types::LongDouble;

use crate::call::Call;
use crate::client::{Blocked, BlockedOn, OwnedRequest, Parked};
use crate::command::{Command, CommandId, key_flags};
use crate::error::Error;

/// What a request waits for.
#[derive(Debug)]
pub struct Await {
    /// How many of its keys, from the first on. The others are only used.
    pub keys: usize,
    /// For a value of this type, as TYPE names it.
    pub wanted: &'static str,
    /// Or, too, for there being none of this type any more.
    pub on_no_key: bool,
    /// Until when, unix time in ms; `i64::MAX` for ever.
    pub deadline_ms: i64,
    /// The request to run then, if it is another one than has come: what referred to this moment (XREAD's `$`) is replaced.
    pub request: Option<OwnedRequest>,
}

impl Await {
    /// A value of a type under one of the first `keys` keys.
    pub fn value(keys: usize, wanted: &'static str, deadline_ms: i64) -> Await {
        Await { keys, wanted, on_no_key: false, deadline_ms, request: None }
    }
}

impl Call<'_, '_> {
    /// Has the client wait. The handler writes no reply, and has changed nothing. Not within a transaction.
    pub fn block_on_keys(&mut self, what: Await) {
        debug_assert!(!self.in_transaction, "a transaction waits for nothing");
        if self.is_retry {
            self.client.blocked = Some(Blocked { on: BlockedOn::Keys, deadline_ms: what.deadline_ms });
            return;
        }
        let client = &self.client;
        let parked = Parked {
            shared: Arc::clone(&client.shared),
            user: Arc::clone(&client.user),
            command: self.engine.commands.entry_of(self.command).map_or(CommandId::MAX, |entry| entry.id),
            request: what.request.unwrap_or_else(|| OwnedRequest::copy(self.args)),
            protocol: client.protocol,
            no_touch: client.no_touch,
            notes_reads: client.listening.as_ref().is_some_and(|listening| listening.tracking.notes_reads()),
            import_source: client.import_source,
            spent_ns: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        };
        let wish = Wish {
            db: client.db,
            wanted: what.wanted,
            on_no_key: what.on_no_key,
            inserts: inserts(self.command),
            who: Box::new(parked),
        };
        let (awaited, others) = self.keys.split_at(what.keys.min(self.keys.len()));
        self.client.waiter = Some(self.view.wait(wish, awaited, others));
        self.client.block(BlockedOn::Keys, what.deadline_ms);
    }
}

/// Whether a command may put something under one of its keys, which others may wait for.
fn inserts(command: &Command) -> bool {
    command.keys.iter().any(|spec| spec.flags & (key_flags::INSERT | key_flags::OW) != 0)
}

const OUT_OF_RANGE: Error = Error::new("ERR timeout is out of range");
const NEGATIVE: Error = Error::new("ERR timeout is negative");

/// The end of a timeout in seconds, which may be a fraction; 0 for none.
///
/// # Errors
/// Redis's, for what is no time.
pub fn deadline(arg: &[u8], now_ms: i64) -> Result<i64, Error> {
    let seconds = ochre_types::parse_f64(arg).filter(|seconds| !seconds.is_nan());
    let seconds = seconds.or_else(|| beyond_doubles(arg));
    let seconds = seconds.ok_or(Error::new("ERR timeout is not a float or out of range"))?;
    let timeout_ms = (seconds * 1000.0).ceil();
    if timeout_ms >= i64::MAX as f64 {
        return Err(OUT_OF_RANGE);
    }
    // What is below all integers becomes the smallest.
    end_of(timeout_ms as i64, now_ms)
}

/// Redis reads a timeout as an extended double: one that is too large or too small for a double, as one that means the same.
#[cold]
fn beyond_doubles(arg: &[u8]) -> Option<f64> {
    let seconds = LongDouble::parse(arg).filter(|seconds| !seconds.is_nan())?;
    let magnitude = if seconds < LongDouble::ZERO { -seconds } else { seconds };
    let one = LongDouble::parse(b"1")?;
    let scale = if magnitude > one { f64::MAX } else { f64::MIN_POSITIVE };
    Some(if seconds < LongDouble::ZERO { -scale } else { scale })
}

/// The end of a timeout in milliseconds; 0 for none.
///
/// # Errors
/// Redis's, for what is no time.
pub fn deadline_in_ms(arg: &[u8], now_ms: i64) -> Result<i64, Error> {
    let timeout_ms = ochre_types::parse_i64(arg);
    end_of(timeout_ms.ok_or(Error::new("ERR timeout is not an integer or out of range"))?, now_ms)
}

fn end_of(timeout_ms: i64, now_ms: i64) -> Result<i64, Error> {
    match timeout_ms {
        ..0 => Err(NEGATIVE),
        0 => Ok(i64::MAX),
        timeout_ms => timeout_ms.checked_add(now_ms).ok_or(OUT_OF_RANGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_seconds_with_fractions() {
        let text = |arg: &str| match deadline(arg.as_bytes(), 1_000) {
            Ok(at) => at.to_string(),
            Err(error) => error.text().into_owned(),
        };
        assert_eq!(text("0"), i64::MAX.to_string());
        assert_eq!(text("-0.0001"), i64::MAX.to_string());
        assert_eq!([text("1"), text("0.0001"), text("2.5")], ["2000", "1001", "3500"]);
        assert_eq!(text("-1"), "ERR timeout is negative");
        assert_eq!(text("-inf"), "ERR timeout is negative");
        assert_eq!([text("1e-400"), text("-1e-400")], ["1001", &i64::MAX.to_string()]);
        assert_eq!(
            [text("1e400"), text("-1e400")],
            ["ERR timeout is out of range", "ERR timeout is negative"]
        );
        for arg in ["1e300", "inf", "9223372036854775807", "9223372036854775.807"] {
            assert_eq!(text(arg), "ERR timeout is out of range", "{arg}");
        }
        for arg in ["", "x", "nan", "1 "] {
            assert_eq!(text(arg), "ERR timeout is not a float or out of range", "{arg}");
        }
    }
}
