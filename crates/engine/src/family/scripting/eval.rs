//! EVAL, EVALSHA and their read-only forms.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ochre_script::{Debugger, Script};

use super::{ARG, KEY, NUMKEYS, RUNS, RUNS_TO_READ, keys};
use crate::call::{Args, Call, integer};
use crate::client::Debugging;
use crate::command::{Arg, ArgKind, Command, key_flags};
use crate::error::Error;
use crate::execute::{Program, run_program};
use crate::monitor;
use crate::scripting::{NO_SCRIPT, with_stage};

const WRITES: u32 = key_flags::RW | key_flags::ACCESS | key_flags::UPDATE;
const READS: u32 = key_flags::RO | key_flags::ACCESS;
/// Digits of a script's digest.
const DIGEST_LEN: usize = 40;
const COMPLEXITY: &str = "Depends on the script that is executed.";

pub(super) const EVAL: Command = Command {
    name: "eval",
    summary: "Runs a Lua script.",
    since: "2.6.0",
    complexity: COMPLEXITY,
    keys: &[keys(WRITES, "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE")],
    args: &[Arg::new("script", ArgKind::String), NUMKEYS, KEY, ARG],
    handler: |call| eval(call, false),
    ..RUNS
};

pub(super) const EVAL_RO: Command = Command {
    name: "eval_ro",
    summary: "Runs a Lua script that must not write.",
    since: "7.0.0",
    flags: RUNS_TO_READ,
    keys: &[keys(READS, "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS")],
    handler: |call| eval(call, true),
    ..EVAL
};

pub(super) const EVALSHA: Command = Command {
    name: "evalsha",
    summary: "Runs a Lua script that the server knows, by its digest.",
    keys: &[keys(WRITES, "")],
    args: &[Arg::new("sha1", ArgKind::String), NUMKEYS, KEY, ARG],
    handler: |call| evalsha(call, false),
    ..EVAL
};

pub(super) const EVALSHA_RO: Command = Command {
    name: "evalsha_ro",
    summary: "Runs a Lua script that the server knows, by its digest; it must not write.",
    since: "7.0.0",
    flags: RUNS_TO_READ,
    keys: &[keys(READS, "")],
    handler: |call| evalsha(call, true),
    ..EVALSHA
};

/// Shows a request to those who monitor before the commands that it leads to.
pub(super) fn show(call: &Call<'_, '_>) {
    if call.engine.monitor_count.load(Relaxed) != 0 {
        monitor::feed(call.engine, call.client, call.args);
    }
}

/// How many of the arguments from index 3 on are keys.
pub(super) fn key_count(args: Args<'_>, number: i64) -> Result<usize, Error> {
    match usize::try_from(number) {
        Err(_) => Err(Error::new("ERR Number of keys can't be negative")),
        Ok(count) if count > args.len() - 3 => {
            Err(Error::new("ERR Number of keys can't be greater than number of args"))
        }
        Ok(count) => Ok(count),
    }
}

const NOT_APART: Error =
    Error::new("ERR A transaction's scripts can be debugged with SCRIPT DEBUG SYNC only");
/// How long a script that is debugged runs before it is stopped, where there is no setting for what is long.
const LONG: Duration = Duration::from_secs(5);

fn eval(call: &mut Call<'_, '_>, is_read_only: bool) -> Result<(), Error> {
    show(call);
    match call.client.debugging {
        Debugging::No => eval_in(call, is_read_only, &mut None),
        Debugging::Sync => debug(call, is_read_only),
        // What is not in a transaction is run elsewhere.
        Debugging::Yes if call.engine.original.get().is_none() => Err(NOT_APART),
        Debugging::Yes => debug(call, is_read_only),
    }
}

/// Lets the client go through the script. With that its connection ends, whatever came of it.
fn debug(call: &mut Call<'_, '_>, is_read_only: bool) -> Result<(), Error> {
    let long = match call.engine.settings.busy_after_ms.load(Relaxed) {
        0 => LONG,
        ms => Duration::from_millis(ms),
    };
    let mut debugger = Some(Box::new(Debugger::new(call.args.at(1), long)));
    let result = eval_in(call, is_read_only, &mut debugger);
    if let (Some(debugger), Some(attendant)) = (&mut debugger, call.stage.attendant) {
        attendant.show(&debugger.end());
    }
    call.client.close_after_reply();
    result
}

fn eval_in(
    call: &mut Call<'_, '_>,
    is_read_only: bool,
    debugger: &mut Option<Box<Debugger>>,
) -> Result<(), Error> {
    let count = key_count(call.args, integer(call.args.at(2))?)?;
    let text = call.args.at(1);
    let script = with_stage(call.engine, |stage| stage.script_of(call.engine, text, false))??;
    run(call, &script, count, is_read_only, debugger)
}

fn evalsha(call: &mut Call<'_, '_>, is_read_only: bool) -> Result<(), Error> {
    show(call);
    if call.client.is_debugging() {
        return Err(Error::new("ERR Please use EVAL instead of EVALSHA for debugging"));
    }
    let digest = call.args.at(1);
    if digest.len() != DIGEST_LEN {
        return Err(NO_SCRIPT);
    }
    let count = key_count(call.args, integer(call.args.at(2))?)?;
    let script = with_stage(call.engine, |stage| stage.script(call.engine, digest).cloned())?;
    let script = script.ok_or(NO_SCRIPT)?;
    run(call, &script, count, is_read_only, &mut None)
}

fn run(
    call: &mut Call<'_, '_>,
    script: &Arc<Script>,
    count: usize,
    is_read_only: bool,
    debugger: &mut Option<Box<Debugger>>,
) -> Result<(), Error> {
    let digest = script.digest();
    let (keys, args) = (call.args.from(3).take(count), call.args.from(3 + count));
    let program = Program {
        is_function: false,
        name: digest.as_bytes(),
        declared: script.flags(),
        is_read_only,
        is_debugged: debugger.is_some(),
    };
    run_program(call, program, |stage, host, reply| match debugger {
        None => stage.interpreter.eval(script, keys, args, host, reply),
        Some(_) => stage.interpreter.debug(script, keys, args, debugger, host, reply),
    })
}
