//! Values to other keys and databases: COPY, MOVE. Big values are copied aside (see [`crate::aside`]); big streams are shared.

use ochre_keyspace::{Key, OwnedValue, ValueRef, event_class, object_of};
use ochre_types::stream::Stream;
use ochre_types::{DataType as _, ObjectRef};

use super::{BASE, database::database_argument};
use crate::aside::Compute;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, KeySpec, flags, key_flags};
use crate::error::{Error, SYNTAX};
use crate::sequel::ELEMENTS_AT_ONCE;

const SAME_OBJECT: Error = Error::new("ERR source and destination objects are the same");

pub(super) const COPY: Command = Command {
    name: "copy",
    summary: "Copies the value of a key to another key.",
    since: "6.2.0",
    complexity: "O(N) where N is the number of elements of a collection; O(1) for strings.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[
        KeySpec::first(key_flags::RO | key_flags::ACCESS),
        KeySpec::at(2, key_flags::OW | key_flags::UPDATE),
    ],
    args: &[
        Arg::key("source", 0),
        Arg::key("destination", 1),
        Arg::new("destination-db", ArgKind::Integer).token("DB").optional(),
        Arg::word("replace", "REPLACE").optional(),
    ],
    handler: copy,
    ..BASE
};

fn copy(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, from, to) = (call.db(), call.keys[0], call.keys[1]);
    let (to_db, replace) = copy_options(call)?;
    if db == to_db && from.bytes == to.bytes {
        return Err(SAME_OBJECT);
    }
    let is_there = call.view.read(db, from).is_some();
    if !is_there || (call.view.read_to_write(to_db, to).is_some() && !replace) {
        call.reply.integer(0);
        return Ok(());
    }
    let made = call.make(&[from], |call| copied_aside(call, from), |call| Ok(copied_at_once(call, from)))?;
    let Some(value) = made else { return Ok(()) };
    if let Some(value) = value {
        let expire_ms = call.view.peek(db, from).and_then(|entry| entry.expire_ms());
        let overwritten = call.view.put(to_db, to, value, expire_ms);
        call.view.notify(event_class::GENERIC, "copy_to", to_db, to.bytes);
        call.view.notify_overwritten(to_db, to, overwritten);
    }
    call.reply.integer(1);
    Ok(())
}

/// A stream in more pieces of memory shares them with its copy.
const PIECES_COPIED_AT_ONCE: usize = if cfg!(debug_assertions) { 4 } else { 256 };

fn copied_at_once(call: &mut Call<'_, '_>, from: Key<'_>) -> Option<OwnedValue> {
    let db = call.db();
    let value = call.view.peek(db, from)?.value();
    if let ValueRef::Object(object @ ObjectRef::Stream(_)) = value
        && object.free_effort() > PIECES_COPIED_AT_ONCE
    {
        let shared = |stream: &mut Stream| stream.pin().into_stream();
        return call.view.pin(db, from, shared).map(|copy| OwnedValue::Object(copy.into_object()));
    }
    Some(value.into())
}

/// Values with more elements are copied aside.
const ELEMENTS_COPIED_AT_ONCE: usize =
    if cfg!(debug_assertions) { ELEMENTS_AT_ONCE } else { 4 * ELEMENTS_AT_ONCE };

/// Whether a value is so big that it is copied without its stripe being locked. Lists are not: copying their nodes takes a
/// hundredth of the time per element. Nor are streams, which share with their copies, and hashes with fields that expire.
pub(crate) fn is_copied_aside(object: ObjectRef<'_>) -> bool {
    let is_worth_it = match object {
        ObjectRef::Set(_) | ObjectRef::ZSet(_) => true,
        ObjectRef::Hash(hash) => hash.next_expiry_ms().is_none(),
        _ => false,
    };
    is_worth_it && object.size() > ELEMENTS_COPIED_AT_ONCE
}

/// Has a big value copied aside.
fn copied_aside(call: &mut Call<'_, '_>, from: Key<'_>) -> Option<Compute<Option<OwnedValue>>> {
    let db = call.db();
    if !object_of(call.view.peek(db, from)?).is_some_and(is_copied_aside) {
        return None;
    }
    let pinned = call.view.pin_any(db, from)?;
    Some(Box::new(move || pinned.to_object().map(OwnedValue::Object)))
}

/// The database of the destination, and whether to replace what it has.
fn copy_options(call: &Call<'_, '_>) -> Result<(u32, bool), Error> {
    let (mut db, mut replace) = (call.db(), false);
    let mut cursor = call.args.cursor(3);
    while !cursor.is_at_end() {
        if cursor.eat("replace") {
            replace = true;
        } else if cursor.eat_with_value("db") {
            db = database_argument(call, cursor.next_arg()?)?;
        } else {
            return Err(SYNTAX);
        }
    }
    Ok((db, replace))
}

pub(super) const MOVE: Command = Command {
    name: "move",
    summary: "Moves a key to another database.",
    arity: 3,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE)],
    args: &[Arg::key("key", 0), Arg::new("db", ArgKind::Integer)],
    handler: move_key,
    ..BASE
};

fn move_key(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let to_db = database_argument(call, call.args.at(2))?;
    if db == to_db {
        return Err(SAME_OBJECT);
    }
    let moves = call.view.read_to_write(db, key).is_some() && call.view.read_to_write(to_db, key).is_none();
    if moves {
        call.view.transfer((db, key), (to_db, key));
        call.notify(event_class::GENERIC, "move_from", key);
        call.view.notify(event_class::GENERIC, "move_to", to_db, key.bytes);
    }
    call.reply.integer(i64::from(moves));
    Ok(())
}
