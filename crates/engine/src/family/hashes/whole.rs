//! All fields of a hash at once.

use ochre_types::hash::{Hash, HashEntry};

use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;
use crate::family::sequels::FieldsSequel;
use crate::sequel::ELEMENTS_AT_ONCE;

pub(super) const HGETALL: Command = Command {
    name: "hgetall",
    summary: "Returns all fields of a hash and their values.",
    complexity: "O(N), N being the number of fields.",
    arity: 2,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output_order"],
    args: &[KEY],
    handler: |call| {
        each(
            call,
            |reply, len| reply.map(len),
            |reply, field| {
                reply_item(reply, field.name);
                reply_item(reply, field.value);
            },
        )
    },
    ..BASE
};

pub(super) const HKEYS: Command = Command {
    name: "hkeys",
    summary: "Returns the names of all fields of a hash.",
    handler: |call| each(call, |reply, len| reply.array(len), |reply, field| reply_item(reply, field.name)),
    ..HGETALL
};

pub(super) const HVALS: Command = Command {
    name: "hvals",
    summary: "Returns the values of all fields of a hash.",
    handler: |call| each(call, |reply, len| reply.array(len), |reply, field| reply_item(reply, field.value)),
    ..HGETALL
};

/// Replies something of every field, behind a `header` for their number.
#[inline]
fn each(
    call: &mut Call<'_, '_>,
    header: impl FnOnce(&mut ReplyWriter<'_>, usize),
    show: impl Fn(&mut ReplyWriter<'_>, HashEntry<'_>) + Send + 'static,
) -> Result<(), Error> {
    let now_ms = call.view.field_clock_ms();
    let Some(hash) = call.view.read_as::<Hash>(call.client.db, call.keys[0])? else {
        header(&mut call.reply, 0);
        return Ok(());
    };
    header(&mut call.reply, hash.live_len(now_ms));
    let is_whole = hash.len() <= ELEMENTS_AT_ONCE
        && match hash.may_have_expired(now_ms) {
            true => show_all(&mut call.reply, hash.live(now_ms), &show),
            false => show_all(&mut call.reply, hash.iter(), &show),
        };
    if !is_whole && let Some(fields) = call.view.pin(call.client.db, call.keys[0], Hash::pin) {
        call.promise(Box::new(FieldsSequel { fields, now_ms, show }));
    }
    Ok(())
}

/// Shows fields, unless that gets too long: then none. Whether they are shown.
#[inline]
fn show_all<'h>(
    reply: &mut ReplyWriter<'_>,
    fields: impl Iterator<Item = HashEntry<'h>>,
    show: &impl Fn(&mut ReplyWriter<'_>, HashEntry<'_>),
) -> bool {
    let room = Room::behind(reply);
    for field in fields {
        if !room.has(reply, field.value) {
            room.take_back(reply);
            return false;
        }
        show(reply, field);
    }
    true
}
