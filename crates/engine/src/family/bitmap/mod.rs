//! Bitmaps: strings whose bits are read, set, counted, searched and combined.
//!
//! The arithmetic is that of `ochre_types`; strings are stored and changed in place as the other string commands do it.

mod bit;
mod count;
mod field;
mod operation;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::Relaxed;

use ochre_types::RangeUnit;

use crate::call::{Call, Cursor, integer};
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::error::{Error, SYNTAX};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    bit::GETBIT,
    bit::SETBIT,
    count::BITCOUNT,
    count::BITPOS,
    field::BITFIELD,
    field::BITFIELD_RO,
    operation::BITOP,
];

const BASE: Command = Command { group: Group::Bitmap, acl: acl::BITMAP, ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];

const KEY: Arg = Arg::key("key", 0);
const OFFSET: Arg = Arg::new("offset", ArgKind::Integer);
const START: Arg = Arg::new("start", ArgKind::Integer);
const END: Arg = Arg::new("end", ArgKind::Integer);
const UNIT: Arg =
    Arg::one_of("unit", &[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")]).since("7.0.0").optional();

const NOT_AN_OFFSET: Error = Error::new("ERR bit offset is not an integer or out of range");

/// Reads the offset of a bit; see [`ochre_types::bit_offset`].
fn bit_offset(call: &Call<'_, '_>, text: &[u8], field_bits: Option<u32>) -> Result<u64, Error> {
    let len_max = call.engine.settings.bulk_len_max.load(Relaxed);
    ochre_types::bit_offset(text, field_bits, len_max).ok_or(NOT_AN_OFFSET)
}

/// The bytes that a string needs for its bits up to that of an offset.
fn len_up_to(offset: u64) -> usize {
    usize::try_from(offset / 8).map_or(usize::MAX, |byte| byte + 1)
}

/// The start, the end and the unit that end a request: BITCOUNT's and BITPOS's.
#[derive(Clone, Copy, Default)]
struct RangeArgs {
    start: Option<i64>,
    end: Option<i64>,
    unit: RangeUnit,
}

impl RangeArgs {
    /// Reads what is left. Redis finds fault with BITPOS's unit before it looks at the end, with BITCOUNT's after that.
    fn parse(mut cursor: Cursor<'_>, unit_first: bool) -> Result<RangeArgs, Error> {
        if cursor.left() > 3 {
            return Err(SYNTAX);
        }
        let mut range = RangeArgs::default();
        if !cursor.is_at_end() {
            range.start = Some(cursor.next_i64()?);
        }
        if !cursor.is_at_end() {
            let end = cursor.next_arg()?;
            let unit = if cursor.is_at_end() { Ok(RangeUnit::Byte) } else { parse_unit(cursor) };
            let end = integer(end);
            if unit_first || end.is_ok() {
                range.unit = unit?;
            }
            range.end = Some(end?);
        }
        Ok(range)
    }
}

fn parse_unit(mut cursor: Cursor<'_>) -> Result<RangeUnit, Error> {
    if cursor.eat("BIT") {
        Ok(RangeUnit::Bit)
    } else if cursor.eat("BYTE") {
        Ok(RangeUnit::Byte)
    } else {
        Err(SYNTAX)
    }
}
