//! RENAME and RENAMENX.

use ochre_keyspace::event_class;

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::{Error, NO_SUCH_KEY};

const SOURCE: KeySpec = KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::DELETE);

pub(super) const RENAME: Command = Command {
    name: "rename",
    summary: "Gives a key another name; what had that name is overwritten.",
    arity: 3,
    flags: flags::WRITE,
    keys: &[SOURCE, KeySpec::at(2, key_flags::OW | key_flags::UPDATE)],
    args: &[Arg::key("key", 0), Arg::key("newkey", 1)],
    handler: |call| {
        rename(call, false)?;
        call.reply.ok();
        Ok(())
    },
    ..BASE
};

pub(super) const RENAMENX: Command = Command {
    name: "renamenx",
    summary: "Gives a key another name unless that is in use.",
    flags: flags::WRITE | flags::FAST,
    keys: &[SOURCE, KeySpec::at(2, key_flags::OW | key_flags::INSERT)],
    history: &[("3.2.0", "The same name for source and destination is no longer an error.")],
    handler: |call| {
        let renamed = rename(call, true)?;
        call.reply.integer(i64::from(renamed));
        Ok(())
    },
    ..RENAME
};

/// Whether the key has another name now.
fn rename(call: &mut Call<'_, '_>, only_if_free: bool) -> Result<bool, Error> {
    let (db, from, to) = (call.db(), call.keys[0], call.keys[1]);
    if call.view.read_to_write(db, from).is_none() {
        return Err(NO_SUCH_KEY);
    }
    if from.bytes == to.bytes || (only_if_free && call.view.read_to_write(db, to).is_some()) {
        return Ok(false);
    }
    let Some(overwritten) = call.view.transfer((db, from), (db, to)) else { return Ok(false) };
    call.notify(event_class::GENERIC, "rename_from", from);
    call.notify(event_class::GENERIC, "rename_to", to);
    call.view.notify_overwritten(db, to, overwritten);
    Ok(true)
}
