//! SCRIPT: what scripts the server knows, and the end of one that takes long.

use ochre_script::ScriptDigest;

use super::BASE;
use crate::call::Call;
use crate::client::Debugging;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;
use crate::family::server::reply_help;
use crate::scripting::with_stage;

pub(super) const SCRIPT: Command = Command {
    name: "script",
    summary: "Holds the commands about Lua scripts.",
    since: "2.6.0",
    complexity: "Depends on subcommand.",
    arity: -2,
    acl: 0,
    subcommands: &[DEBUG, EXISTS, FLUSH, HELP, KILL, LOAD, SHOW],
    ..BASE
};

/// The words after which everything is forgotten, in the background or not.
pub(super) const FLUSH_TYPES: [Arg; 2] = [Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")];

/// Whether the mode of a flush is one, or there is none.
pub(super) fn is_flush_mode(call: &Call<'_, '_>) -> bool {
    match call.args.len() {
        2 => true,
        3 => call.args.is(2, "sync") || call.args.is(2, "async"),
        _ => false,
    }
}

const DEBUG: Command = Command {
    name: "debug",
    summary: "Chooses how the next scripts are debugged.",
    since: "3.2.0",
    arity: -3,
    flags: flags::NOSCRIPT,
    args: &[
        Arg::one_of("mode", &[Arg::word("yes", "YES"), Arg::word("sync", "SYNC"), Arg::word("no", "NO")]),
        // Valkey's; its command line client gives it.
        Arg { since: "9.1.0", ..Arg::new("engine", ArgKind::String).optional() },
    ],
    handler: debug,
    ..BASE
};

fn debug(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if !call.reply.is_empty() {
        // What the session shows would come before the replies that wait.
        return Err(Error::new("ERR SCRIPT DEBUG must be called outside a pipeline"));
    }
    if call.args.len() > 4 {
        let text = "ERR unknown subcommand or wrong number of arguments for 'debug'. Try SCRIPT HELP.";
        return Err(Error::new(text));
    }
    let modes = [("no", Debugging::No), ("sync", Debugging::Sync), ("yes", Debugging::Yes)];
    let mode = modes.into_iter().find(|(word, _)| call.args.is(2, word));
    let (_, mode) = mode.ok_or(Error::new("ERR Use SCRIPT DEBUG YES/SYNC/NO"))?;
    if let Some(engine) = call.args.get(3).filter(|engine| !engine.eq_ignore_ascii_case(b"lua")) {
        return Err(Error::quoting("ERR No scripting engine found with name '", engine, "' to enable debug"));
    }
    call.client.debugging = mode;
    call.reply.ok();
    Ok(())
}

const EXISTS: Command = Command {
    name: "exists",
    summary: "Tells which scripts the server knows.",
    since: "2.6.0",
    complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
    arity: -3,
    flags: flags::NOSCRIPT,
    tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
    args: &[Arg::new("sha1", ArgKind::String).multiple()],
    handler: |call| {
        call.reply.array(call.args.len() - 2);
        for name in call.args.from(2) {
            let digest = ScriptDigest::parse(name);
            let is_known = digest.is_some_and(|digest| call.engine.scripting.has_script(&digest));
            call.reply.integer(i64::from(is_known));
        }
        Ok(())
    },
    ..BASE
};

const FLUSH: Command = Command {
    name: "flush",
    summary: "Forgets all scripts.",
    since: "2.6.0",
    complexity: "O(N) with N being the number of scripts in cache",
    arity: -2,
    flags: flags::NOSCRIPT,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    args: &[Arg { since: "6.2.0", ..Arg::one_of("flush-type", &FLUSH_TYPES).optional() }],
    history: &[("6.2.0", "The modes `ASYNC` and `SYNC` came.")],
    handler: |call| {
        if !is_flush_mode(call) {
            return Err(Error::new("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
        }
        call.engine.scripting.flush_scripts();
        call.reply.ok();
        Ok(())
    },
    ..BASE
};

const KILL: Command = Command {
    name: "kill",
    summary: "Ends the script that is running.",
    since: "2.6.0",
    arity: 2,
    flags: flags::NOSCRIPT | flags::ALLOW_BUSY,
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    handler: |call| {
        call.engine.scripting.standing.kill(false)?;
        call.reply.ok();
        Ok(())
    },
    ..BASE
};

const LOAD: Command = Command {
    name: "load",
    summary: "Has the server know a script.",
    since: "2.6.0",
    complexity: "O(N) with N being the length in bytes of the script body.",
    arity: 3,
    flags: flags::NOSCRIPT | flags::STALE,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    args: &[Arg::new("script", ArgKind::String)],
    handler: |call| {
        let text = call.args.at(2);
        let script = with_stage(call.engine, |stage| stage.script_of(call.engine, text, true))??;
        call.reply.bulk(script.digest().as_bytes());
        Ok(())
    },
    ..BASE
};

const SHOW: Command = Command {
    name: "show",
    summary: "Returns the text of a script that the server knows.",
    since: "8.0.0",
    arity: 3,
    flags: flags::NOSCRIPT,
    args: &[Arg::new("sha1", ArgKind::String)],
    handler: |call| {
        let digest = ScriptDigest::parse(call.args.at(2));
        let script = digest.and_then(|digest| call.engine.scripting.script(&digest));
        let script = script.ok_or(Error::new("NOSCRIPT No matching script."))?;
        call.reply.bulk(script.body());
        Ok(())
    },
    ..BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "5.0.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: |call| reply_help(call, "SCRIPT", HELP_LINES),
    ..BASE
};

const HELP_LINES: &[&str] = &[
    "DEBUG (YES|SYNC|NO) [<engine>]",
    "    Have the next script of EVAL debugged: on a copy of the data, or with everybody else waiting (SYNC).",
    "EXISTS <sha1> [<sha1> ...]",
    "    Tell of each script whether the server knows it.",
    "FLUSH [ASYNC|SYNC]",
    "    Forget all scripts. Who calls them by digest has to load them again.",
    "KILL",
    "    End the script that is running, if it has not written yet.",
    "LOAD <script>",
    "    Have the server know a script without running it.",
    "SHOW <sha1>",
    "    Show the text of a script.",
];
