//! PFDEBUG: a look into a HyperLogLog.

use std::fmt::Write;

use ochre_types::{Encoding, Opcode, use_wide_instructions};

use super::*;
use crate::command::flags;

pub(super) const PFDEBUG: Command = Command {
    name: "pfdebug",
    summary: "Shows what is in a HyperLogLog.",
    complexity: "O(N), N being what is shown.",
    arity: 3,
    flags: flags::WRITE | flags::DENYOOM | flags::ADMIN,
    keys: &[KeySpec::at(2, key_flags::RW | key_flags::ACCESS)],
    args: &[Arg::new("subcommand", ArgKind::String), KEY],
    handler: pfdebug,
    ..BASE
};

fn pfdebug(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.is(1, "SIMD") {
        return simd(call);
    }
    let (db, key) = (call.db(), call.key());
    let entry = call.view.read_to_write(db, key).ok_or(Error::new("ERR The specified key does not exist"))?;
    let sketch = sketch_of(entry)?;
    if call.args.is(1, "GETREG") {
        return registers(call);
    } else if call.args.is(1, "DECODE") {
        match sketch.encoding() {
            Encoding::Sparse => call.reply.bulk(decoded(sketch).as_bytes()),
            Encoding::Dense => return Err(Error::new("ERR HLL encoding is not sparse")),
        }
    } else if call.args.is(1, "ENCODING") {
        call.reply.simple(sketch.encoding().name());
    } else if call.args.is(1, "TODENSE") {
        let was_sparse = make_dense(call)?;
        call.reply.integer(i64::from(was_sparse));
    } else {
        return Err(Error::quoting("ERR Unknown PFDEBUG subcommand '", call.args.at(1), "'"));
    }
    Ok(())
}

/// Whether instructions are used that not every processor has. Here, as in Redis, that is for all clients.
fn simd(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let enabled = match (call.args.is(2, "ON"), call.args.is(2, "OFF")) {
        (true, _) => use_wide_instructions(true),
        (_, true) => use_wide_instructions(false),
        _ => return Err(Error::new("ERR Argument must be ON or OFF")),
    };
    call.reply.simple(if enabled { "enabled" } else { "disabled" });
    Ok(())
}

fn make_dense(call: &mut Call<'_, '_>) -> Result<bool, Error> {
    let changes = edit(call, |string| match HyperLogLog::make_dense(string) {
        Ok(was_sparse) => (u64::from(was_sparse), Ok(())),
        Err(corrupt) => (0, Err(corrupt)),
    })?;
    Ok(changes.is_some_and(|changes| changes > 0))
}

fn registers(call: &mut Call<'_, '_>) -> Result<(), Error> {
    make_dense(call)?;
    let (db, key) = (call.db(), call.key());
    let mut union = SketchUnion::new();
    if let Some(entry) = call.view.peek(db, key) {
        sketch_of(entry)?.merge_into(&mut union)?;
    }
    let registers = union.finish();
    call.reply.array(registers.as_bytes().len());
    registers.as_bytes().iter().for_each(|register| call.reply.integer(i64::from(*register)));
    Ok(())
}

/// The runs in words: `z:` and `Z:` are short and long ones of zeros, `v:` others with their value.
fn decoded(sketch: HyperLogLog<'_>) -> String {
    let mut text = String::new();
    for opcode in sketch.opcodes() {
        let separator = if text.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = match opcode {
            Opcode::Zero { run } => write!(text, "{separator}z:{run}"),
            Opcode::LongZero { run } => write!(text, "{separator}Z:{run}"),
            Opcode::Value { value, run } => write!(text, "{separator}v:{value},{run}"),
        };
    }
    text
}
