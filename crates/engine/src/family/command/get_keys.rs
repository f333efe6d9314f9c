//! COMMAND GETKEYS and GETKEYSANDFLAGS: the keys of a request that is given, not run.

use crate::call::{Args, Call};
use crate::client::OwnedRequest;
use crate::command::{Begin, Command, KeyIndexes, find_keys, flags, key_flags, told_key_uses};
use crate::error::Error;

use super::info::key_flag_words;

const NO_SUCH_COMMAND: Error = Error::new("ERR Invalid command specified");
const NO_KEYS: Error = Error::new("ERR The command has no key arguments");
const WRONG_NUMBER: Error = Error::new("ERR Invalid number of arguments specified for command");
const WRONG_ARGUMENTS: Error = Error::new("ERR Invalid arguments specified for command");

pub(super) fn get_keys(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let request = given(call);
    let keys = keys_of(call, request.args())?;
    call.reply.array(keys.len());
    keys.iter().for_each(|(index, _)| call.reply.bulk(request.args().at(*index)));
    Ok(())
}

pub(super) fn get_keys_and_flags(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let request = given(call);
    let keys = keys_of(call, request.args())?;
    call.reply.array(keys.len());
    for (index, bits) in keys {
        call.reply.array(2);
        call.reply.bulk(request.args().at(index));
        // Here they are all told.
        key_flag_words(&mut call.reply, bits & !key_flags::INCOMPLETE);
    }
    Ok(())
}

fn given(call: &Call<'_, '_>) -> OwnedRequest {
    let parts: Vec<Vec<u8>> = call.args.from(2).map(<[u8]>::to_vec).collect();
    OwnedRequest::from_parts(&parts)
}

/// The argument indexes of a request's keys, each with what happens to it.
fn keys_of(call: &Call<'_, '_>, args: Args<'_>) -> Result<Vec<(usize, u32)>, Error> {
    let table = &call.engine.commands;
    let entry = table.resolve(args, 0, &mut crate::command::Latest::default()).ok_or(NO_SUCH_COMMAND)?;
    let command = entry.command;
    if !command.subcommands.is_empty() && args.len() > 1 {
        return Err(NO_SUCH_COMMAND);
    }
    if command.keys.iter().all(|spec| spec.flags & key_flags::NOT_KEY != 0) {
        return Err(NO_KEYS);
    }
    if !command.accepts(args.len()) {
        return Err(WRONG_NUMBER);
    }
    match told_key_uses(command, args) {
        Some(keys) if !keys.is_empty() && !lacks_keys(command, args) => Ok(keys),
        _ if command.is(flags::NO_MANDATORY_KEYS) => Ok(Vec::new()),
        _ => Err(WRONG_ARGUMENTS),
    }
}

/// Whether a specification that says where its keys are finds none. Others of the command's keys may be there (PFMERGE
/// without sources): peers count it as an error.
fn lacks_keys(command: &Command, args: Args<'_>) -> bool {
    let specs = command.keys.iter().filter(|spec| spec.flags & key_flags::NOT_KEY == 0);
    specs.filter(|spec| matches!(spec.begin, Begin::Index(_))).any(|spec| {
        let mut indexes = KeyIndexes::new();
        find_keys(spec, args, &mut indexes).is_some() && indexes.is_empty()
    })
}
