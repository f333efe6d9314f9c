//! A client that writes until its server is gone, and remembers what it sent and what it was told.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ochre_differential::{Client, Reply, encode};

use crate::operation::{Draw, Operation, Span};
use crate::state::receive;

/// Errors with which a server refuses to write.
const REFUSALS: [&[u8]; 2] = [b"MISCONF", b"EXECABORT"];

/// What became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The server says that it was done.
    Acknowledged {
        /// When that was known.
        at: Instant,
        /// What it said.
        reply: Reply,
    },
    /// The server says that it was not done.
    Refused,
    /// Nothing is known.
    InFlight,
}

/// An operation, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What was asked for.
    pub operation: Operation,
    /// When it was sent.
    pub sent: Instant,
    /// When it was done, if it was.
    pub span: Span,
    /// What came of it.
    pub outcome: Outcome,
}

/// The wall clock, unix time in ms.
pub(crate) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Writes until the server does not answer, or until `stop`.
pub(crate) fn record(address: SocketAddr, draw: &mut Draw, stop: &AtomicBool) -> Vec<Event> {
    let mut events = Vec::new();
    let Ok(mut client) = Client::connect(address) else { return events };
    while !stop.load(Relaxed) {
        let first = events.len();
        let operations: Vec<Operation> = (0..draw.burst()).map(|_| draw.operation()).collect();
        let mut request = Vec::new();
        for command in operations.iter().flat_map(Operation::commands) {
            encode(&command, &mut request);
        }
        let (sent, from_ms) = (Instant::now(), unix_ms());
        let span = Span { from_ms, to_ms: i64::MAX / 2 };
        events.extend(operations.into_iter().map(|operation| Event {
            operation,
            sent,
            span,
            outcome: Outcome::InFlight,
        }));
        let burst = &mut events[first..];
        if client.send(&request).is_err() || take_replies(&mut client, burst).is_err() {
            break;
        }
    }
    // What was in flight was done before now, if at all.
    let now_ms = unix_ms();
    events.iter_mut().for_each(|event| event.span.to_ms = event.span.to_ms.min(now_ms));
    events
}

fn take_replies(client: &mut Client, burst: &mut [Event]) -> io::Result<()> {
    for event in burst {
        let mut reply = Reply::Null;
        for _ in event.operation.commands() {
            reply = receive(client)?;
        }
        event.span.to_ms = unix_ms();
        event.outcome = match &reply {
            Reply::Error(text) if REFUSALS.iter().any(|refusal| text.starts_with(refusal)) => {
                Outcome::Refused
            }
            _ => Outcome::Acknowledged { at: Instant::now(), reply },
        };
    }
    Ok(())
}
