//! SLOWLOG and COMMANDLOG: the logs of slow commands, large requests and large replies. The first is the older name of
//! one of the three that the second knows.

use super::{BASE, reply_help};
use crate::call::{Call, integer_between};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;
use crate::log::{LogEntry, LogKind};

const NEWEST: usize = 10;

const CONTAINER: Command = Command { arity: -2, complexity: "That of the subcommand.", ..BASE };
const ENTRY: Command = Command { flags: flags::ADMIN | flags::LOADING | flags::STALE, ..BASE };
const GET_TIPS: &[&str] = &["request_policy:all_nodes", "nondeterministic_output"];
const LEN_TIPS: &[&str] = &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"];
const RESET_TIPS: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

pub(super) const SLOW_LOG: Command = Command {
    name: "slowlog",
    summary: "Holds the commands about the log of slow commands.",
    since: "2.2.12",
    subcommands: &[
        Command {
            name: "get",
            summary: "Returns the newest entries of the slow log.",
            since: "2.2.12",
            complexity: "O(N), N being the number of entries that are returned",
            arity: -2,
            tips: GET_TIPS,
            args: &[Arg::new("count", ArgKind::Integer).optional()],
            history: &[("4.0.0", "Entries tell the client's address, port and name.")],
            handler: slow_get,
            ..ENTRY
        },
        Command {
            name: "len",
            summary: "Counts the entries of the slow log.",
            since: "2.2.12",
            arity: 2,
            tips: LEN_TIPS,
            handler: slow_len,
            ..ENTRY
        },
        Command {
            name: "reset",
            summary: "Empties the slow log.",
            since: "2.2.12",
            complexity: "O(N), N being the number of entries in the log",
            arity: 2,
            tips: RESET_TIPS,
            handler: slow_reset,
            ..ENTRY
        },
        Command {
            name: "help",
            summary: "Explains the subcommands.",
            since: "6.2.0",
            arity: 2,
            flags: flags::LOADING | flags::STALE,
            handler: slow_help,
            ..BASE
        },
    ],
    ..CONTAINER
};

const TYPE: Arg = Arg::one_of(
    "type",
    &[
        Arg::word("slow", "SLOW"),
        Arg::word("large-request", "LARGE-REQUEST"),
        Arg::word("large-reply", "LARGE-REPLY"),
    ],
);

pub(super) const COMMAND_LOG: Command = Command {
    name: "commandlog",
    summary: "Holds the commands about the logs of remarkable commands.",
    since: "8.1.0",
    subcommands: &[
        Command {
            name: "get",
            summary: "Returns the newest entries of a log.",
            since: "8.1.0",
            complexity: "O(N), N being the number of entries that are returned",
            arity: 4,
            tips: GET_TIPS,
            args: &[Arg::new("count", ArgKind::Integer), TYPE],
            handler: get,
            ..ENTRY
        },
        Command {
            name: "len",
            summary: "Counts the entries of a log.",
            since: "8.1.0",
            arity: 3,
            tips: LEN_TIPS,
            args: &[TYPE],
            handler: len,
            ..ENTRY
        },
        Command {
            name: "reset",
            summary: "Empties a log.",
            since: "8.1.0",
            complexity: "O(N), N being the number of entries in the log",
            arity: 3,
            tips: RESET_TIPS,
            args: &[TYPE],
            handler: reset,
            ..ENTRY
        },
        Command {
            name: "help",
            summary: "Explains the subcommands.",
            since: "8.1.0",
            arity: 2,
            flags: flags::LOADING | flags::STALE,
            handler: help,
            ..BASE
        },
    ],
    ..CONTAINER
};

fn slow_get(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let count = match call.args.len() {
        2 => NEWEST,
        3 => count(call.args.at(2))?,
        _ => return Err(subcommand_syntax(call)),
    };
    reply_entries(call, LogKind::Slow, count);
    Ok(())
}

fn slow_len(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_len(call, LogKind::Slow);
    Ok(())
}

fn slow_reset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_reset(call, LogKind::Slow);
    Ok(())
}

fn get(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let count = count(call.args.at(2))?;
    let kind = kind(call.args.at(3))?;
    reply_entries(call, kind, count);
    Ok(())
}

fn len(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let kind = kind(call.args.at(2))?;
    reply_len(call, kind);
    Ok(())
}

fn reset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let kind = kind(call.args.at(2))?;
    reply_reset(call, kind);
    Ok(())
}

fn subcommand_syntax(call: &Call<'_, '_>) -> Error {
    let word = String::from_utf8_lossy(call.args.at(1)).into_owned();
    Error::owned(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try SLOWLOG HELP."
    ))
}

/// A number of entries; -1 stands for all.
fn count(arg: &[u8]) -> Result<usize, Error> {
    let text = "ERR count should be greater than or equal to -1";
    let count = integer_between(arg, -1, i64::MAX, Some(text))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

fn kind(arg: &[u8]) -> Result<LogKind, Error> {
    match arg.to_ascii_lowercase().as_slice() {
        b"slow" => Ok(LogKind::Slow),
        b"large-request" => Ok(LogKind::LargeRequest),
        b"large-reply" => Ok(LogKind::LargeReply),
        _ => Err(Error::new("ERR type should be one of the following: slow, large-request, large-reply")),
    }
}

fn reply_entries(call: &mut Call<'_, '_>, kind: LogKind, count: usize) {
    let entries = call.engine.logs.newest(kind, count);
    call.reply.array(entries.len());
    for LogEntry { id, time_s, value, args, address, name } in entries {
        call.reply.array(6);
        call.reply.integer(id as i64);
        call.reply.integer(time_s);
        call.reply.integer(value);
        call.reply.array(args.len());
        args.iter().for_each(|arg| call.reply.bulk(arg));
        call.reply.bulk(address.as_bytes());
        call.reply.bulk(&name);
    }
}

fn reply_len(call: &mut Call<'_, '_>, kind: LogKind) {
    call.reply.integer(call.engine.logs.len(kind) as i64);
}

fn reply_reset(call: &mut Call<'_, '_>, kind: LogKind) {
    call.engine.logs.reset(kind);
    call.reply.ok();
}

fn slow_help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "GET [<count>]",
        "    Return the newest <count> entries (default: 10, -1: all). Each is made of:",
        "    number, unix time, duration in microseconds, arguments, client address and",
        "    port, client name",
        "LEN",
        "    Count the entries.",
        "RESET",
        "    Remove all entries.",
    ];
    reply_help(call, "SLOWLOG", LINES)
}

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "GET <count> <type>",
        "    Return the newest <count> entries of a log (-1: all). Each is made of:",
        "    number, unix time, value, arguments, client address and port, client name.",
        "    The value of type slow is the duration in microseconds, that of",
        "    large-request and large-reply the size in bytes.",
        "LEN <type>",
        "    Count the entries of a log.",
        "RESET <type>",
        "    Remove all entries of a log.",
    ];
    reply_help(call, "COMMANDLOG", LINES)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use crate::testing::Harness;

    #[test]
    fn logs_are_read_counted_and_emptied() {
        let mut client = Harness::new();
        let engine = std::sync::Arc::clone(&client.executor.engine);
        engine.settings.slower_than_us.store(0, Relaxed);
        engine.settings.request_larger_than.store(20, Relaxed);
        engine.settings.reply_larger_than.store(20, Relaxed);
        engine.settings.refresh_remarks();
        client.run("echo 0123456789012345678901234567890");
        client.run("ping");
        let entry = client.run("slowlog get 2");
        assert!(entry.starts_with("*2|*6|:1|:") && entry.contains("|*1|$4|ping|$11|127.0.0.1:1|$0||*6|:0|"));
        let entry = client.run("commandlog get -1 large-request");
        assert!(entry.starts_with("*1|*6|:0|:") && entry.contains("|:35|*2|$4|echo|$31|"), "{entry}");
        engine.settings.slower_than_us.store(-1, Relaxed);
        engine.settings.request_larger_than.store(-1, Relaxed);
        engine.settings.reply_larger_than.store(-1, Relaxed);
        engine.settings.refresh_remarks();
        let cases = [
            ("slowlog len", ":4|"),
            ("commandlog len slow", ":4|"),
            ("commandlog len large-reply", ":3|"),
            ("commandlog reset LARGE-REPLY", "+OK|"),
            ("commandlog len large-reply", ":0|"),
            ("slowlog reset", "+OK|"),
            ("slowlog get", "*0|"),
            (
                "slowlog get 1 2",
                "-ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.|",
            ),
            ("slowlog get -2", "-ERR count should be greater than or equal to -1|"),
            ("slowlog get x", "-ERR count should be greater than or equal to -1|"),
            (
                "commandlog get 1 y",
                "-ERR type should be one of the following: slow, large-request, large-reply|",
            ),
            ("commandlog get x slow", "-ERR count should be greater than or equal to -1|"),
        ];
        for (request, reply) in cases {
            assert_eq!(client.run(request), reply, "{request}");
        }
    }
}
