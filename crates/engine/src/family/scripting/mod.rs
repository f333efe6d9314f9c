//! Scripts and functions: EVAL and its like, SCRIPT, FCALL, FUNCTION.
//!
//! What there is to run and who runs it is `crate::scripting`'s; the commands that scripts call take the way of
//! `crate::execute`. All of these but the questions lock every stripe: a script may call for any key, and what functions there are
//! changes at one place of the journal.

mod dump;
mod eval;
mod fcall;
mod function;
mod list;
mod script;
#[cfg(test)]
mod tests;

use crate::command::{Arg, ArgKind, Begin, Command, Find, Group, KeySpec, acl, flags};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    eval::EVAL,
    eval::EVAL_RO,
    eval::EVALSHA,
    eval::EVALSHA_RO,
    fcall::FCALL,
    fcall::FCALL_RO,
    function::FUNCTION,
    script::SCRIPT,
];

const BASE: Command = Command { group: Group::Scripting, acl: acl::SCRIPTING, ..Command::BASE };

/// What all commands have in common that run something.
const RUNS: Command = Command {
    arity: -3,
    flags: flags::NOSCRIPT
        | flags::STALE
        | flags::SKIP_MONITOR
        | flags::MAY_REPLICATE
        | flags::NO_MANDATORY_KEYS
        | flags::WHOLE_KEYSPACE
        | flags::RUNS_SCRIPT,
    ..BASE
};

/// The same for those that let nothing be written.
const RUNS_TO_READ: u64 = RUNS.flags & !flags::MAY_REPLICATE | flags::READONLY;

/// Keys behind their number, at index 2.
const fn keys(flags: u32, notes: &'static str) -> KeySpec {
    KeySpec { begin: Begin::Index(2), find: Find::KeyNum { number: 0, first: 1, step: 1 }, flags, notes }
}

/// The arguments behind the word for what is to run.
const NUMKEYS: Arg = Arg::new("numkeys", ArgKind::Integer);
const KEY: Arg = Arg::key("key", 0).optional().multiple();
const ARG: Arg = Arg::new("arg", ArgKind::String).optional().multiple();
