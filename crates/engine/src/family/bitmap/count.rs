//! Counting bits and searching for one.

use ochre_types::{count_ones, counted_bits, find_bit, searched_bits};

use super::*;
use crate::command::flags;
use crate::family::strings::StringRef;

pub(super) const BITCOUNT: Command = Command {
    name: "bitcount",
    summary: "Counts the set bits of a string or of a part of it.",
    since: "2.6.0",
    complexity: "O(N), N being the length of the string or its part.",
    arity: -2,
    flags: flags::READONLY,
    keys: READS,
    args: &[
        KEY,
        Arg::block("range", &[START, Arg::block("end-unit-block", &[END, UNIT]).optional()]).optional(),
    ],
    history: &[("7.0.0", "The units `BYTE` and `BIT`.")],
    handler: bitcount,
    ..BASE
};

/// A start without an end is Valkey's.
fn bitcount(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let RangeArgs { start, end, unit } = RangeArgs::parse(call.args.cursor(2), false)?;
    let value = call.view.read(call.client.db, call.keys[0]).map(StringRef::of).transpose()?;
    let count = value.map_or(0, |value| {
        value.with(|bytes| {
            let range = counted_bits(bytes.len(), start.unwrap_or(0), end.unwrap_or(-1), unit);
            count_ones(bytes, range)
        })
    });
    call.reply.integer(count as i64);
    Ok(())
}

pub(super) const BITPOS: Command = Command {
    name: "bitpos",
    summary: "Returns where the first set or clear bit of a string or of a part of it is.",
    since: "2.8.7",
    complexity: "O(N), N being the length of the string or its part.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    args: &[
        KEY,
        Arg::new("bit", ArgKind::Integer),
        Arg::block("range", &[START, Arg::block("end-unit-block", &[END, UNIT]).optional()]).optional(),
    ],
    history: &[("7.0.0", "The units `BYTE` and `BIT`.")],
    handler: bitpos,
    ..BASE
};

fn bitpos(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let bit = match integer(call.args.at(2))? {
        0 => false,
        1 => true,
        _ => return Err(Error::new("ERR The bit argument must be 1 or 0.")),
    };
    let range = RangeArgs::parse(call.args.cursor(3), true)?;
    let position = match call.view.read(call.client.db, call.keys[0]).map(StringRef::of).transpose()? {
        Some(value) => value.with(|bytes| position(bytes, bit, range)),
        // A missing key is a string of zeros without an end.
        None => (!bit).then_some(0),
    };
    call.reply.integer(position.map_or(-1, |position| position as i64));
    Ok(())
}

/// Where the bit is. If no end was given, the zeros behind the string are searched, too.
fn position(bytes: &[u8], bit: bool, args: RangeArgs) -> Option<u64> {
    let range = searched_bits(bytes.len(), args.start.unwrap_or(0), args.end.unwrap_or(-1), args.unit);
    let behind = (!bit && args.end.is_none() && !range.is_empty()).then_some(range.end);
    find_bit(bytes, bit, range).or(behind)
}
