//! XLEN, XRANGE, XREVRANGE.

use ochre_types::stream::Stream;

use super::arguments::{end, start};
use super::reply::reply_entries;
use super::wanted::Wanted;
use super::*;
use crate::command::flags;
use crate::error::SYNTAX;

pub(super) const XLEN: Command = Command {
    name: "xlen",
    summary: "Returns how many entries a stream has.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO)],
    args: &[KEY],
    handler: xlen,
    ..BASE
};

fn xlen(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let len = call.view.read_as(call.client.db, call.key())?.map_or(0, Stream::len);
    call.reply.integer(len as i64);
    Ok(())
}

const FROM: Arg = Arg::new("start", ArgKind::String);
const TO: Arg = Arg::new("end", ArgKind::String);

pub(super) const XRANGE: Command = Command {
    name: "xrange",
    summary: "Returns the entries of a stream from one ID to another.",
    complexity: "O(N), N being the number of entries returned.",
    arity: -4,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, FROM, TO, COUNT],
    history: &[("6.2.0", "Added exclusive ranges.")],
    handler: |call| range(call, false),
    ..BASE
};

pub(super) const XREVRANGE: Command = Command {
    name: "xrevrange",
    summary: "Returns the entries of a stream from one ID to another, the last one first.",
    args: &[KEY, TO, FROM, COUNT],
    handler: |call| range(call, true),
    ..XRANGE
};

fn range(call: &mut Call<'_, '_>, back: bool) -> Result<(), Error> {
    let (first, last) = if back { (3, 2) } else { (2, 3) };
    let (first, last) = (start(call.args.at(first))?, end(call.args.at(last))?);
    let mut cursor = call.args.cursor(4);
    let mut count = usize::MAX;
    while !cursor.is_at_end() {
        if !cursor.eat_with_value("COUNT") {
            return Err(SYNTAX);
        }
        count = usize::try_from(cursor.next_i64()?).unwrap_or(0);
    }
    let Some(stream) = call.view.read_as::<Stream>(call.client.db, call.keys[0])? else {
        call.reply.array(0);
        return Ok(());
    };
    let wanted = Wanted { first, last, back, count };
    match (count, back) {
        (0, _) => call.reply.null_array(),
        _ if wanted.are_many(stream) => wanted.reply_in_parts(call, call.keys[0]),
        (_, false) => reply_entries(&mut call.reply, stream.range(first, last).take(count)),
        (_, true) => reply_entries(&mut call.reply, stream.range_back(first, last).take(count)),
    }
    Ok(())
}
