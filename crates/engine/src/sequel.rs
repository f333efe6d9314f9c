//! Replies that are made in parts.
//!
//! A reply of a million elements takes tens of milliseconds to write. Written in one go, it would keep all other clients of
//! its worker waiting, and all other keys of its stripe. So the handler of a command that replies much *pins* the value (a
//! view of it as it is now, which later changes leave alone), writes the header, and promises the rest: a [`Sequel`]. The
//! command is over then, its locks are released; the worker has the sequel write part after part between its other work,
//! and runs nothing more of that client until the reply is complete. What the client gets is what it would have got.
//!
//! EXEC may leave several promises, each with its place in the output. Where nobody could come back to a promise (a client
//! that is served after it waited), or the reply is dropped anyway, the sequel is written, or dropped, at once.
//!
//! What a command costs is known once its last part is written; so it is counted and logged then.

use ochre_resp::{Protocol, ReplyWriter};

use crate::command::CommandId;
use crate::error::Error;
use crate::log::LogEntry;

/// So many elements are replied at once; more are worth a pin and a sequel. Fewer in debug builds, so that tests take both
/// ways.
pub const ELEMENTS_AT_ONCE: usize = if cfg!(debug_assertions) { 24 } else { 4096 };
/// So many bytes of a value are replied at once, likewise.
pub const BYTES_AT_ONCE: usize = if cfg!(debug_assertions) { 32 * 1024 } else { 512 * 1024 };

/// The rest of a reply.
pub trait Sequel: Send {
    /// Writes the next part, of not many more than `bytes` bytes; whether there is more.
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool;

    /// The error that the reply turned out to be.
    fn error(&self) -> Option<&Error> {
        None
    }
}

/// The rest of a reply, with its place.
pub struct Promise {
    /// Where it belongs in the output of its request.
    pub at: usize,
    /// The protocol it was promised in.
    protocol: Protocol,
    sequel: Box<dyn Sequel>,
    /// What is to be accounted for at its end, unless another promise of the same command comes behind it.
    pub(crate) bill: Option<Bill>,
    spent_ns: u64,
    bytes: usize,
}

/// What is known of a command whose reply is not complete.
pub(crate) struct Bill {
    pub(crate) command: CommandId,
    /// So many calls, of which this is the last.
    pub(crate) count: u64,
    pub(crate) request_bytes: usize,
    /// Bytes of the reply that are in the output.
    pub(crate) reply_bytes: usize,
    pub(crate) took_ns: u64,
    /// The entry that the logs get, if there is anything to log.
    pub(crate) entry: LogEntry,
    /// The error that the reply turned out to be.
    pub(crate) error: Option<Error>,
}

impl Promise {
    pub(crate) fn new(at: usize, protocol: Protocol, sequel: Box<dyn Sequel>) -> Promise {
        Promise { at, protocol, sequel, bill: None, spent_ns: 0, bytes: 0 }
    }

    /// Writes the next part, of not many more than `bytes` bytes; whether there is more.
    pub fn write(&mut self, out: &mut Vec<u8>, bytes: usize) -> bool {
        let (start_ns, before) = (crate::tick::now_ns(), out.len());
        let more = self.sequel.write(&mut ReplyWriter::new(out, self.protocol), bytes);
        self.bytes += out.len() - before;
        self.spent_ns += crate::tick::now_ns().saturating_sub(start_ns);
        more
    }

    /// Leaves what it cost to the next promise of the same command, if it is not the last.
    pub fn leave_costs_to(&mut self, next: &mut Promise) {
        if self.bill.is_none() {
            next.spent_ns += std::mem::take(&mut self.spent_ns);
            next.bytes += std::mem::take(&mut self.bytes);
        }
    }

    /// What it kept of the value, to be freed.
    pub(crate) fn into_kept(self) -> Box<dyn Sequel> {
        self.sequel
    }

    /// What the command cost, once this was its last part or nobody wants another.
    pub(crate) fn settle(&mut self) -> Option<Bill> {
        let mut bill = self.bill.take()?;
        bill.took_ns += self.spent_ns;
        bill.reply_bytes += self.bytes;
        bill.error = self.sequel.error().cloned();
        Some(bill)
    }
}
