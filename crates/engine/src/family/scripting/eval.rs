//! EVAL, EVALSHA and their read-only forms.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_script::Script;

use super::{ARG, KEY, NUMKEYS, RUNS, RUNS_TO_READ, keys};
use crate::call::{Args, Call, integer};
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

fn eval(call: &mut Call<'_, '_>, is_read_only: bool) -> Result<(), Error> {
    show(call);
    let count = key_count(call.args, integer(call.args.at(2))?)?;
    let text = call.args.at(1);
    let script = with_stage(call.engine, |stage| stage.script_of(call.engine, text, false))??;
    run(call, &script, count, is_read_only)
}

fn evalsha(call: &mut Call<'_, '_>, is_read_only: bool) -> Result<(), Error> {
    show(call);
    let digest = call.args.at(1);
    if digest.len() != DIGEST_LEN {
        return Err(NO_SCRIPT);
    }
    let count = key_count(call.args, integer(call.args.at(2))?)?;
    let script = with_stage(call.engine, |stage| stage.script(call.engine, digest).cloned())?;
    let script = script.ok_or(NO_SCRIPT)?;
    run(call, &script, count, is_read_only)
}

fn run(call: &mut Call<'_, '_>, script: &Arc<Script>, count: usize, is_read_only: bool) -> Result<(), Error> {
    let digest = script.digest();
    let (keys, args) = (call.args.from(3).take(count), call.args.from(3 + count));
    let program =
        Program { is_function: false, name: digest.as_bytes(), declared: script.flags(), is_read_only };
    run_program(call, program, |stage, host, reply| stage.interpreter.eval(script, keys, args, host, reply))
}
