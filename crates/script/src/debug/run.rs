//! A run of a script with a debugger.

use std::time::Duration;

use ochre_resp::ReplyWriter;

use super::Debugger;
use crate::host::Host;
use crate::interpreter::{Finished, Interpreter};
use crate::script::Script;

impl Interpreter {
    /// Runs a script as [`Interpreter::eval`] does, for a client that goes through it.
    pub fn debug<'a>(
        &mut self,
        script: &Script,
        keys: impl ExactSizeIterator<Item = &'a [u8]>,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        debugger: &mut Option<Box<Debugger>>,
        host: &mut dyn Host,
        reply: &mut ReplyWriter<'_>,
    ) -> Finished {
        self.shared().is_debugged.set(debugger.is_some());
        *self.shared().debugger.borrow_mut() = debugger.take();
        let finished = self.eval(script, keys, args, host, reply);
        self.shared().is_debugged.set(false);
        *debugger = self.shared().debugger.borrow_mut().take();
        if debugger.is_none() {
            // It is gone with the machine, which was made anew; what is left is to tell of the end.
            *debugger = Some(Box::new(Debugger::new(b"", Duration::ZERO)));
        }
        finished
    }
}
