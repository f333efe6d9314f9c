//! FUNCTION DUMP and FUNCTION RESTORE: all libraries as bytes, which the peers take, too.

use ochre_persist::rdb::{self, Payload, RestoreError, VersionCheck};
use ochre_script::RestorePolicy;

use super::BASE;
use super::function::{CHANGES, change, with_code, wrong_number};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;
use crate::scripting::FunctionsChange;

pub(super) const DUMP: Command = Command {
    name: "dump",
    summary: "Returns all libraries as bytes that FUNCTION RESTORE takes.",
    since: "7.0.0",
    complexity: "O(N) where N is the number of functions",
    arity: 2,
    flags: flags::NOSCRIPT,
    handler: |call| {
        let libraries = call.engine.scripting.libraries();
        call.reply.bulk(&rdb::dump_functions(libraries.iter().map(|library| library.code())));
        Ok(())
    },
    ..BASE
};

pub(super) const RESTORE: Command = Command {
    name: "restore",
    summary: "Brings all libraries of a payload.",
    complexity: "O(N) where N is the number of functions on the payload",
    arity: -3,
    flags: CHANGES.flags | flags::DENYOOM,
    args: &[
        Arg::new("serialized-value", ArgKind::String),
        Arg::one_of(
            "policy",
            &[Arg::word("flush", "FLUSH"), Arg::word("append", "APPEND"), Arg::word("replace", "REPLACE")],
        )
        .optional(),
    ],
    handler: restore,
    ..CHANGES
};

fn restore(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 4 {
        return Err(wrong_number(call));
    }
    let policy = call.args.get(3).map_or(Ok(RestorePolicy::Append), RestorePolicy::parse);
    let policy = policy.map_err(|text| with_code(text.into()))?;
    let payload = Payload::verify(call.args.at(2), VersionCheck::Strict, true);
    let codes = payload.and_then(|payload| payload.functions()).map_err(|error| match error {
        RestoreError::VersionOrChecksum => with_code(error.to_string().into_bytes()),
        RestoreError::Value(error) => with_code(text_of(error)),
    })?;
    let engine = call.engine;
    let libraries = codes.iter().map(|code| engine.scripting.make_library(engine, code, true));
    let libraries = libraries.collect::<Result<_, _>>().map_err(with_code)?;
    change(call, FunctionsChange::Restore(libraries, policy))?;
    call.reply.ok();
    Ok(())
}

/// What is wrong with a payload, in the words of the peers.
fn text_of(error: rdb::RdbError) -> Vec<u8> {
    let text = match error {
        rdb::RdbError::Type(_) => "given type is not a function",
        rdb::RdbError::FunctionPreRelease => "Pre-GA function format not supported",
        _ => "Failed loading library code",
    };
    text.into()
}
