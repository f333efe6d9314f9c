//! What is applied as a whole: a command, or the commands of a transaction.

use super::command::{ArgSpan, Command};

/// Where a command of a unit is, and which arguments are its.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommandSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) args_end: usize,
}

/// A command, or the commands between MULTI and EXEC.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) commands: &'a [CommandSpan],
    pub(super) args: &'a [ArgSpan],
    /// Where it begins in the file.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Whether it is a transaction. MULTI and EXEC are not among its commands; there may be none.
    pub is_transaction: bool,
    /// The last timestamp before it, in seconds.
    pub timestamp_s: Option<u64>,
}

impl<'a> Unit<'a> {
    /// Its commands in order.
    pub fn commands(&self) -> impl Iterator<Item = Command<'a>> + use<'a> {
        let (bytes, args) = (self.bytes, self.args);
        let mut args_start = 0;
        self.commands.iter().map(move |span| {
            let own = args.get(args_start..span.args_end).unwrap_or_default();
            args_start = span.args_end;
            Command::new(bytes.get(span.start..span.end).unwrap_or_default(), own)
        })
    }
}
