//! Scripts and functions: what there is to run, who runs it, and what is known of one that takes long.
//!
//! - `programs`: the texts that all workers share: scripts by digest, libraries by name
//! - `interpreter`: a thread's own interpreter, made when it first runs a script
//! - `declared`: what a script declares about itself, as the flags of the command that runs it
//! - `rehearsal`: sessions of the debugger on an engine of their own
//! - `standstill`: the script that holds everything up, and who may end it
//!
//! A script may call any command for any key, declared or not. So it runs with all stripes locked, as one step: the time
//! stands still, its effects are one unit of the journal, and those whom it wakes are served before anybody else. Its
//! commands take the way of all others from the handler on (`execute::script`), on the client that called the script; what
//! differs is set for the time of the script and put back at its end.
//!
//! Rejected: locks for declared keys first, more on demand. Where the order of locks forbids waiting the script would have to be
//! undone, and most keys of scripts are computed.

mod declared;
mod interpreter;
mod programs;
mod rehearsal;
mod standstill;

pub use programs::Scripting;
pub use rehearsal::Rehearsal;
pub use standstill::{Attendant, Said};

pub(crate) use declared::effective_flags;
pub(crate) use interpreter::{Stage, log_line, report_memory, with_stage};
pub(crate) use programs::{FunctionsChange, NO_SCRIPT};
pub(crate) use rehearsal::Original;
pub(crate) use standstill::Run;

/// What a step that runs scripts is given beyond the client and its keys.
#[derive(Clone, Copy, Default)]
pub struct ScriptStage<'s> {
    /// Serves others while a script takes long; `None` where nobody can (tests of the engine alone).
    pub(crate) attendant: Option<&'s dyn Attendant>,
    /// Whether memory had run out when the step began.
    pub(crate) is_out_of_memory: bool,
}
