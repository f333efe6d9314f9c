//! DEBUG: what test suites and people who look for bugs need. Off unless `enable-debug-command` allows it.
//!
//! Every subcommand runs with all stripes locked, as in a server with one thread: it may look at and change any key,
//! and nothing changes meanwhile. (So a crash report made by DEBUG SEGFAULT lacks what needs these locks, INFO above
//! all.) What steers parts that Ochre does not have is accepted where test suites switch it ([`ACCEPTED`]); what belongs
//! to parts that are not there yet (the append-only file, replication) is refused with an error that says so.

mod allocator;
mod crash;
mod digest;
mod look;
mod populate;
mod protocol;
mod reload;
mod switches;

pub use switches::DebugSwitches;

use super::{ADMIN, BASE};
use crate::call::{Call, Handler};
use crate::command::{Command, flags};
use crate::error::Error;
use crate::family::server::reply_help;

pub(super) const DEBUG: Command = Command {
    name: "debug",
    summary: "Helps to test and to find bugs.",
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: ADMIN | flags::PROTECTED | flags::WHOLE_KEYSPACE,
    handler: debug,
    ..BASE
};

/// A subcommand: its word, how many arguments may follow the word, what runs it.
struct Subcommand {
    word: &'static str,
    least: usize,
    most: usize,
    run: Handler,
}

const fn sub(word: &'static str, least: usize, most: usize, run: Handler) -> Subcommand {
    Subcommand { word, least, most, run }
}

const ANY: usize = usize::MAX;

const SUBCOMMANDS: &[Subcommand] = &[
    sub("assert", 0, ANY, crash::crash),
    sub("change-repl-id", 0, 0, no_replication),
    sub("client-eviction", 0, 0, look::client_eviction),
    sub("config-rewrite-force-all", 0, 0, switches::rewrite_all),
    sub("crash-and-recover", 0, ANY, crash::restart),
    sub("digest", 0, 0, digest::whole),
    sub("digest-value", 0, ANY, digest::values),
    sub("error", 1, 1, protocol::error),
    sub("help", 0, 0, help),
    sub("htstats", 1, ANY, look::table_figures),
    sub("htstats-key", 1, ANY, look::table_figures_of_key),
    sub("leak", 1, 1, leak),
    sub("listpack", 1, 1, look::listpack),
    sub("loadaof", 0, ANY, reload::load_log),
    sub("log", 1, 1, log_line),
    sub("mallctl", 1, 2, allocator::number),
    sub("mallctl-str", 1, 1, allocator::text),
    sub("object", 1, 2, look::object),
    sub("oom", 0, ANY, crash::crash),
    sub("panic", 0, ANY, crash::crash),
    sub("pause-cron", 1, 1, switches::pause_cron),
    sub("populate", 1, 3, populate::populate),
    sub("protocol", 1, 1, protocol::protocol),
    sub("quicklist", 1, 2, look::quicklist),
    sub("quicklist-packed-threshold", 1, 1, switches::packed_threshold),
    sub("reload", 0, ANY, reload::reload),
    sub("replicate", 1, ANY, no_replication),
    sub("replybuffer", 2, 2, switches::reply_buffer),
    sub("restart", 0, ANY, crash::restart),
    sub("sdslen", 1, 1, look::string_sizes),
    sub("segfault", 0, ANY, crash::crash),
    sub("set-active-expire", 1, 1, switches::active_expire),
    sub("set-allow-access-expired", 1, 1, switches::access_expired),
    sub("set-disable-deny-scripts", 1, 1, switches::disable_deny_scripts),
    sub("set-skip-checksum-validation", 1, 1, switches::skip_checksums),
    sub("sleep", 1, 1, crash::sleep),
    sub("stringmatch-test", 0, 0, look::try_patterns),
    sub("structsize", 0, 0, look::sizes),
];

/// Switches of parts that Ochre does not have, or that need no switch here: each takes one argument and does nothing.
///
/// - `aof-flush-sleep`, `pause-after-fork`, `delay-rdb-client-free-second(s)`: of processes that fork, of one thread that
///   writes the log.
/// - `dict-resizing`, `hashtable-can-abort-shrink`: the table grows and shrinks a line at a time.
/// - `client-enforce-reply-list`, `reply-copy-avoidance`: replies have one buffer.
/// - `keysizes-hist-assert`: there is no such histogram yet.
const ACCEPTED: &[&str] = &[
    "aof-flush-sleep",
    "client-enforce-reply-list",
    "delay-rdb-client-free-second",
    "delay-rdb-client-free-seconds",
    "dict-resizing",
    "hashtable-can-abort-shrink",
    "keysizes-hist-assert",
    "pause-after-fork",
    "reply-copy-avoidance",
];

fn debug(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (word, count) = (call.args.at(1), call.args.len() - 2);
    let is_it = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let found = SUBCOMMANDS.iter().find(|sub| is_it(sub.word) && (sub.least..=sub.most).contains(&count));
    if let Some(sub) = found {
        return (sub.run)(call);
    }
    if count == 1 && ACCEPTED.iter().any(|name| is_it(name)) {
        call.reply.ok();
        return Ok(());
    }
    Err(unknown(call))
}

/// The error for a subcommand that does not exist, or not with so many arguments.
fn unknown(call: &Call<'_, '_>) -> Error {
    let word = call.args.at(1);
    Error::quoting(
        "ERR unknown subcommand or wrong number of arguments for '",
        &word[..word.len().min(128)],
        "'. Try DEBUG HELP.",
    )
}

fn leak(call: &mut Call<'_, '_>) -> Result<(), Error> {
    std::mem::forget(call.args.at(2).to_vec());
    call.reply.ok();
    Ok(())
}

fn log_line(call: &mut Call<'_, '_>) -> Result<(), Error> {
    log::error!("DEBUG LOG: {}", String::from_utf8_lossy(call.args.at(2)));
    call.reply.ok();
    Ok(())
}

fn no_replication(_call: &mut Call<'_, '_>) -> Result<(), Error> {
    Err(Error::new("ERR not available yet: this version of Ochre has no replication"))
}

const HELP_LINES: &[&str] = &[
    "ASSERT",
    "    Crash by a failed assertion.",
    "CLIENT-EVICTION",
    "    Show how many clients use how much memory, in the classes that client eviction looks at.",
    "CONFIG-REWRITE-FORCE-ALL",
    "    Do as CONFIG REWRITE does, but write every directive.",
    "CRASH-AND-RECOVER [<milliseconds>]",
    "    Start the program anew after a pause, without a graceful end.",
    "DIGEST",
    "    Show a signature of the whole data set.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Show a signature of each key's value.",
    "ERROR <string>",
    "    Reply with this error.",
    "HTSTATS <dbid> [full]",
    "    Show the figures of a database's table.",
    "HTSTATS-KEY <key> [full]",
    "    Show the figures of the table that a value is made of.",
    "LEAK <string>",
    "    Leak memory of this string's size.",
    "LISTPACK <key>",
    "    Tell whether a value is of the listpack encoding.",
    "LOG <message>",
    "    Write a line to the server's log.",
    "MALLCTL <key> [<val>]",
    "    Show a number of the allocator, and set it if it can be set.",
    "MALLCTL-STR <key>",
    "    Show a text of the allocator.",
    "OBJECT <key> [fast]",
    "    Show what a value is like inside.",
    "OOM",
    "    Crash as if memory had run out.",
    "PANIC",
    "    Crash by a panic.",
    "PAUSE-CRON <0|1>",
    "    Stop the work of the main thread's timer, or let it go on: nobody acts on SIGTERM meanwhile.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create string keys <prefix>:<number> ('key' without a prefix) that do not exist yet, with values of <size>",
    "    bytes. They are not replicated.",
    "PROTOCOL <type>",
    "    Reply with a value of a type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "QUICKLIST <key> [<0|1>]",
    "    Tell whether a value is of the quicklist encoding.",
    "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>",
    "    How often the peak of a reply buffer's use is taken anew.",
    "REPLYBUFFER RESIZING <0|1>",
    "    Whether reply buffers shrink.",
    "RESTART [<milliseconds>]",
    "    Write the configuration and start the program anew after a pause.",
    "SDSLEN <key>",
    "    Show the lengths of a key and its string value, and the memory they take.",
    "SEGFAULT",
    "    Crash by a bad access to memory.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether expired keys are removed in the background.",
    "SET-ALLOW-ACCESS-EXPIRED <0|1>",
    "    Whether expired keys can be read and are kept.",
    "SET-DISABLE-DENY-SCRIPTS <0|1>",
    "    Whether scripts may run commands that are not for scripts.",
    "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
    "    Whether RESTORE takes payloads with wrong checksums.",
    "SLEEP <seconds>",
    "    Stop serving for that time.",
    "STRINGMATCH-TEST",
    "    Try many random patterns.",
    "STRUCTSIZE",
    "    Show the sizes of important structures.",
];

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_help(call, "DEBUG", HELP_LINES)
}
