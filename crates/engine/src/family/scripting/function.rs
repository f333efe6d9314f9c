//! FUNCTION: libraries come and go, and the end of a function that takes long.

use super::script::{FLUSH_TYPES, is_flush_mode};
use super::{BASE, dump, list};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;
use crate::family::server::reply_help;
use crate::scripting::FunctionsChange;

pub(super) const FUNCTION: Command = Command {
    name: "function",
    summary: "Holds the commands about functions.",
    since: "7.0.0",
    complexity: "Depends on subcommand.",
    arity: -2,
    acl: 0,
    subcommands: &[DELETE, dump::DUMP, FLUSH, HELP, KILL, list::LIST, LOAD, dump::RESTORE, list::STATS],
    ..BASE
};

/// What the subcommands have in common that change the libraries.
pub(super) const CHANGES: Command = Command {
    since: "7.0.0",
    flags: flags::NOSCRIPT | flags::WRITE | flags::WHOLE_KEYSPACE,
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    ..BASE
};

/// Changes the libraries, which counts as a change of the data.
pub(super) fn change(call: &mut Call<'_, '_>, change: FunctionsChange) -> Result<(), Error> {
    call.engine.scripting.change_functions(change).map_err(with_code)?;
    call.view.note_change();
    Ok(())
}

/// The error of a subcommand that has too many arguments.
pub(super) fn wrong_number(call: &Call<'_, '_>) -> Error {
    let before = "ERR unknown subcommand or wrong number of arguments for '";
    Error::quoting(before, call.args.at(1), "'. Try FUNCTION HELP.")
}

/// An error with a text that lacks its code. Line ends become blanks, as in Redis, also at its end.
pub(super) fn with_code(mut text: Vec<u8>) -> Error {
    text.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
    Error::of_bytes([b"ERR ", text.as_slice()].concat())
}

const LOAD: Command = Command {
    name: "load",
    summary: "Brings a library.",
    complexity: "O(1) (considering compilation time is redundant)",
    arity: -3,
    flags: CHANGES.flags | flags::DENYOOM,
    args: &[Arg::word("replace", "REPLACE").optional(), Arg::new("function-code", ArgKind::String)],
    handler: load,
    ..CHANGES
};

fn load(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut replaces = false;
    let code_at = call.args.len() - 1;
    for index in 2..code_at {
        if !call.args.is(index, "replace") {
            return Err(Error::quoting("ERR Unknown option given: ", call.args.at(index), ""));
        }
        replaces = true;
    }
    let code = call.args.at(code_at);
    let library = call.engine.scripting.make_library(call.engine, code, replaces).map_err(with_code)?;
    let name = library.name().to_vec();
    change(call, FunctionsChange::Load(library))?;
    call.reply.bulk(&name);
    Ok(())
}

const DELETE: Command = Command {
    name: "delete",
    summary: "Removes a library with its functions.",
    arity: 3,
    args: &[Arg::new("library-name", ArgKind::String)],
    handler: |call| {
        change(call, FunctionsChange::Delete(call.args.at(2).to_vec()))?;
        call.reply.ok();
        Ok(())
    },
    ..CHANGES
};

const FLUSH: Command = Command {
    name: "flush",
    summary: "Removes all libraries.",
    complexity: "O(N) where N is the number of functions deleted",
    arity: -2,
    args: &[Arg::one_of("flush-type", &FLUSH_TYPES).optional()],
    handler: |call| {
        if call.args.len() > 3 {
            return Err(wrong_number(call));
        }
        if !is_flush_mode(call) {
            return Err(Error::new("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
        }
        change(call, FunctionsChange::Flush)?;
        call.reply.ok();
        Ok(())
    },
    ..CHANGES
};

const KILL: Command = Command {
    name: "kill",
    summary: "Ends the function that is running.",
    since: "7.0.0",
    arity: 2,
    flags: flags::NOSCRIPT | flags::ALLOW_BUSY,
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    handler: |call| {
        call.engine.scripting.standing.kill(true)?;
        call.reply.ok();
        Ok(())
    },
    ..BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "7.0.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: |call| reply_help(call, "FUNCTION", HELP_LINES),
    ..BASE
};

const HELP_LINES: &[&str] = &[
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Bring a library; its first line says its name and engine.",
    "DELETE <LIBRARY NAME>",
    "    Remove a library.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    List the libraries, each with",
    "    * its name,",
    "    * the engine that runs it,",
    "    * its functions,",
    "    * its text, with WITHCODE.",
    "    LIBRARYNAME lists only those whose names match.",
    "STATS",
    "    Tell about the function that is running: its name, the command that called it, and for how many milliseconds",
    "    it has run. Also which engines there are.",
    "KILL",
    "    End the function that is running, if it has not written yet.",
    "FLUSH [ASYNC|SYNC]",
    "    Remove all libraries.",
    "DUMP",
    "    Show all libraries as bytes that FUNCTION RESTORE takes.",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Bring all libraries of a payload.",
    "    * FLUSH: those that are there go first.",
    "    * APPEND: they stay; one with the name of another is an error. This is what happens without a policy.",
    "    * REPLACE: those with the names of others take their place.",
];
