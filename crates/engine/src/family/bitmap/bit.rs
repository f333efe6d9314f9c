//! Single bits.

use ochre_keyspace::event_class;
use ochre_types::{get_bit, set_bit};

use super::*;
use crate::command::flags;
use crate::error::WRONG_TYPE;
use crate::family::strings::StringRef;

const NOT_A_BIT: Error = Error::new("ERR bit is not an integer or out of range");

pub(super) const SETBIT: Command = Command {
    name: "setbit",
    summary: "Sets or clears one bit of a string, which grows if need be; a missing key is created.",
    since: "2.2.0",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE)],
    args: &[KEY, OFFSET, Arg::new("value", ArgKind::Integer)],
    handler: setbit,
    ..BASE
};

fn setbit(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let offset = bit_offset(call, call.args.at(2), None)?;
    let bit = match integer(call.args.at(3)) {
        Ok(0) => false,
        Ok(1) => true,
        _ => return Err(NOT_A_BIT),
    };
    let (db, key) = (call.db(), call.key());
    let mut old = false;
    let edit = |bytes: &mut [u8], is_longer: bool| {
        old = set_bit(bytes, offset, bit);
        u64::from(is_longer || old != bit)
    };
    let changes = call.view.edit_string(db, key, len_up_to(offset), edit).ok_or(WRONG_TYPE)?;
    if changes > 0 {
        call.notify(event_class::STRING, "setbit", key);
    }
    call.reply.integer(i64::from(old));
    Ok(())
}

pub(super) const GETBIT: Command = Command {
    name: "getbit",
    summary: "Returns one bit of a string.",
    since: "2.2.0",
    arity: 3,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, OFFSET],
    handler: getbit,
    ..BASE
};

fn getbit(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let offset = bit_offset(call, call.args.at(2), None)?;
    let value = call.view.read(call.client.db, call.keys[0]).map(StringRef::of).transpose()?;
    let bit = value.is_some_and(|value| value.with(|bytes| get_bit(bytes, offset)));
    call.reply.integer(i64::from(bit));
    Ok(())
}
