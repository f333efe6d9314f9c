//! FCALL and FCALL_RO.

use ochre_types::parse_i64;

use super::eval::{key_count, show};
use super::{ARG, KEY, NUMKEYS, RUNS, RUNS_TO_READ, keys};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, key_flags};
use crate::error::Error;
use crate::execute::{Program, run_program};

pub(super) const FCALL: Command = Command {
    name: "fcall",
    summary: "Calls a function.",
    since: "7.0.0",
    complexity: "Depends on the function that is executed.",
    keys: &[keys(
        key_flags::RW | key_flags::ACCESS | key_flags::UPDATE,
        "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE",
    )],
    args: &[Arg::new("function", ArgKind::String), NUMKEYS, KEY, ARG],
    handler: |call| fcall(call, false),
    ..RUNS
};

pub(super) const FCALL_RO: Command = Command {
    name: "fcall_ro",
    summary: "Calls a function that must not write.",
    flags: RUNS_TO_READ,
    keys: &[keys(
        key_flags::RO | key_flags::ACCESS,
        "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS",
    )],
    handler: |call| fcall(call, true),
    ..FCALL
};

fn fcall(call: &mut Call<'_, '_>, is_read_only: bool) -> Result<(), Error> {
    show(call);
    let function = call.engine.scripting.function(call.args.at(1));
    let function = function.ok_or(Error::new("ERR Function not found"))?;
    let number = parse_i64(call.args.at(2)).ok_or(Error::new("ERR Bad number of keys provided"))?;
    let count = key_count(call.args, number)?;
    let (keys, args) = (call.args.from(3).take(count), call.args.from(3 + count));
    let (library, record) = (function.library(), function.record());
    let program = Program {
        is_function: true,
        name: &record.name,
        declared: Some(record.flags),
        is_read_only,
        is_debugged: false,
    };
    run_program(call, program, |stage, host, reply| {
        stage.interpreter.call_function(library, &record.name, keys, args, host, reply)
    })
}
