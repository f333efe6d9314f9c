//! Removing a string: after returning it, or if it is what one thinks it is.

use ochre_keyspace::event_class;

use super::condition::Condition;
use super::long::StringReply;
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;

pub(super) const GETDEL: Command = Command {
    name: "getdel",
    summary: "Returns the string of a key and removes the key.",
    since: "6.2.0",
    arity: 2,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::DELETE)],
    args: &[KEY],
    handler: getdel,
    ..BASE
};

fn getdel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let Some(entry) = call.view.read(call.client.db, call.keys[0]) else {
        call.reply.null();
        return Ok(());
    };
    match StringReply::of(entry)? {
        StringReply::AtOnce(value) => value.reply(&mut call.reply),
        StringReply::Later(string) => call.promise_string(string),
    }
    remove(call);
    call.propagate(&[b"DEL", call.key().bytes]);
    Ok(())
}

/// Removes the first key; whether it was there.
fn remove(call: &mut Call<'_, '_>) -> bool {
    let (db, key) = (call.db(), call.key());
    let removed = call.view.remove(db, key);
    if removed {
        call.notify(event_class::GENERIC, "del", key);
    }
    removed
}

pub(super) const DELEX: Command = Command {
    name: "delex",
    summary: "Removes a key, on conditions about its string if so asked.",
    since: "8.4.0",
    complexity: "O(1) for IFEQ and IFNE; O(N) for IFDEQ and IFDNE, N being the length of the string.",
    arity: -2,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::DELETE | key_flags::VARIABLE_FLAGS)],
    args: &[KEY, Arg::one_of("condition", &[IFEQ, IFNE, IFDEQ, IFDNE]).optional()],
    handler: delex,
    ..BASE
};

fn delex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let removed = match call.args.len() {
        2 => remove(call),
        4 => delex_if(call)?,
        _ => return Err(call.wrong_arity()),
    };
    call.reply.integer(i64::from(removed));
    Ok(())
}

fn delex_if(call: &mut Call<'_, '_>) -> Result<bool, Error> {
    let Some(entry) = call.view.read(call.client.db, call.keys[0]) else { return Ok(false) };
    StringRef::of(entry)
        .map_err(|_| Error::new("ERR Key should be of string type if conditions are specified"))?;
    let condition = Condition::of_word(call.args.at(2), call.args.at(3))
        .ok_or(Error::new("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"))?;
    let removed = condition.holds(Some(entry))? && remove(call);
    if removed {
        call.propagate(&[b"DEL", call.key().bytes]);
    }
    Ok(removed)
}

/// Valkey's; Redis has DELEX with IFEQ.
pub(super) const DELIFEQ: Command = Command {
    name: "delifeq",
    summary: "Removes a key if its string is the given one.",
    since: "9.0.0",
    arity: 3,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RM | key_flags::DELETE)],
    args: &[KEY, VALUE],
    handler: delifeq,
    ..BASE
};

fn delifeq(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let entry = call.view.read_to_write(call.client.db, call.keys[0]);
    let equal = Condition::Equal(call.args.at(2)).holds(entry)?;
    let removed = equal && remove(call);
    if removed {
        call.propagate(&[b"DEL", call.key().bytes]);
    }
    call.reply.integer(i64::from(removed));
    Ok(())
}
