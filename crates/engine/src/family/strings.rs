//! Strings.

use ochre_keyspace::{EntryRef, Expiry, NewValue, ValueRef};
use ochre_types::StrEncoding;

use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, flags, key_flags};
use crate::error::{Error, WRONG_TYPE};

/// The family's commands.
pub const COMMANDS: &[Command] = &[GET, SET];

const BASE: Command = Command { group: Group::String, acl: acl::STRING, ..Command::BASE };

const GET: Command = Command {
    name: "get",
    summary: "Returns the string value of a key.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO | key_flags::ACCESS)],
    args: &[Arg::key("key", 0)],
    handler: get,
    ..BASE
};

fn get(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.view.read(call.client.db, call.key()) {
        None => call.reply.null(),
        Some(entry) => match entry.value() {
            ValueRef::Bytes { bytes, .. } => call.reply.bulk(bytes),
            ValueRef::Int(number) => call.reply.bulk_int(number),
            ValueRef::Object(ochre_types::Object::String(bytes)) => call.reply.bulk(bytes),
        },
    }
    Ok(())
}

const SET: Command = Command {
    name: "set",
    summary: "Sets the string value of a key, whatever it held.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::first(key_flags::OW | key_flags::UPDATE)],
    args: &[Arg::key("key", 0), Arg::new("value", ArgKind::String)],
    handler: set,
    ..BASE
};

fn set(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (key, value) = (call.key(), call.args.at(2));
    call.view.set(call.client.db, key, new_string(key.bytes.len(), value), Expiry::Clear);
    call.reply.ok();
    Ok(())
}

/// A string value in the encoding that SET gives it.
pub(super) fn new_string(key_len: usize, value: &[u8]) -> NewValue<'_> {
    match StrEncoding::of_new(key_len, value) {
        StrEncoding::Int => ochre_types::is_int_encodable(value)
            .map_or(NewValue::Bytes { bytes: value, raw: false }, NewValue::Int),
        encoding => NewValue::Bytes { bytes: value, raw: encoding == StrEncoding::Raw },
    }
}

/// Runs `f` on the bytes of a string entry; another type is an error.
#[allow(dead_code, reason = "used by the commands that follow")]
pub(super) fn with_bytes<R>(entry: EntryRef<'_>, f: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
    match entry.value() {
        ValueRef::Bytes { bytes, .. } => Ok(f(bytes)),
        ValueRef::Int(number) => Ok(f(itoa::Buffer::new().format(number).as_bytes())),
        ValueRef::Object(ochre_types::Object::String(bytes)) => Ok(f(bytes)),
        #[allow(unreachable_patterns, reason = "other types are to come")]
        ValueRef::Object(_) => Err(WRONG_TYPE),
    }
}
