//! Which bits the indexes and offsets of the bitmap commands mean.

use std::ops::Range;

use crate::{get_range, parse_i64};

/// What an index counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RangeUnit {
    /// Bytes.
    #[default]
    Byte,
    /// Bits.
    Bit,
}

impl RangeUnit {
    fn bits(self) -> u64 {
        match self {
            RangeUnit::Byte => 8,
            RangeUnit::Bit => 1,
        }
    }

    /// How many of these a string of `len` bytes has. A string is never so long that its bits could not be counted.
    fn count(self, len: usize) -> usize {
        match self {
            RangeUnit::Byte => len,
            RangeUnit::Bit => len.saturating_mul(8),
        }
    }

    fn range(self, range: Range<usize>) -> Range<u64> {
        range.start as u64 * self.bits()..range.end as u64 * self.bits()
    }
}

/// The bits that BITCOUNT counts of a string of `len` bytes: from `start` to `end`, both included, negative ones from the
/// end, as GETRANGE has it.
pub fn counted_bits(len: usize, start: i64, end: i64, unit: RangeUnit) -> Range<u64> {
    unit.range(get_range(unit.count(len), start, end))
}

/// The bits that BITPOS searches. As [`counted_bits`], but a range that lies before the string altogether is its first
/// byte or bit, in whatever order its ends are.
pub fn searched_bits(len: usize, start: i64, end: i64, unit: RangeUnit) -> Range<u64> {
    let count = unit.count(len);
    let from_end = |index: i64| {
        let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { count.saturating_sub(distance) } else { distance }
    };
    let (start, end) = (from_end(start), from_end(end).saturating_add(1).min(count));
    if start < end { unit.range(start..end) } else { 0..0 }
}

/// Reads the offset of a bit. `#` before it, if `field_bits` says how wide a field is, counts fields rather than bits.
/// `None` if it is no offset within strings of up to `len_max` bytes.
pub fn bit_offset(text: &[u8], field_bits: Option<u32>, len_max: u64) -> Option<u64> {
    let (digits, factor) = match (text, field_bits) {
        ([b'#', digits @ ..], Some(bits)) => (digits, i64::from(bits)),
        _ => (text, 1),
    };
    let offset = u64::try_from(parse_i64(digits)?.checked_mul(factor)?).ok()?;
    (offset / 8 < len_max).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_three_bytes() {
        use RangeUnit::{Bit, Byte};
        let cases = [
            (0, -1, Byte, 0..24, 0..24),
            (1, 1, Byte, 8..16, 8..16),
            (-2, -1, Byte, 8..24, 8..24),
            (3, 10, Byte, 0..0, 0..0),
            (2, 1, Byte, 0..0, 0..0),
            (-1, -2, Byte, 0..0, 0..0),
            (-6, -7, Byte, 0..0, 0..8),
            (-7, -6, Byte, 0..8, 0..8),
            (0, i64::MAX, Byte, 0..24, 0..24),
            (i64::MIN, i64::MIN, Byte, 0..8, 0..8),
            (9, -3, Bit, 9..22, 9..22),
            (-100, 4, Bit, 0..5, 0..5),
            (24, 24, Bit, 0..0, 0..0),
            (i64::MAX, i64::MAX, Bit, 0..0, 0..0),
        ];
        for (start, end, unit, counted, searched) in cases {
            let is = |found: Range<u64>, wanted: &Range<u64>| {
                found == *wanted || (found.is_empty() && wanted.is_empty())
            };
            assert!(is(counted_bits(3, start, end, unit), &counted), "{start} {end} {unit:?}");
            assert!(is(searched_bits(3, start, end, unit), &searched), "{start} {end} {unit:?}");
            assert!(counted_bits(0, start, end, unit).is_empty());
            assert!(searched_bits(0, start, end, unit).is_empty());
        }
    }

    #[test]
    fn offsets() {
        let max = 512 << 20;
        let cases: [(&str, Option<u32>, Option<u64>); 12] = [
            ("0", None, Some(0)),
            ("4294967295", None, Some(4294967295)),
            ("4294967296", None, None),
            ("-1", None, None),
            ("01", None, None),
            ("", Some(8), None),
            ("#", Some(8), None),
            ("#3", Some(8), Some(24)),
            ("#3", None, None),
            ("#-1", Some(8), None),
            ("#536870911", Some(8), Some(4294967288)),
            ("#9223372036854775807", Some(64), None),
        ];
        for (text, bits, expected) in cases {
            assert_eq!(bit_offset(text.as_bytes(), bits, max), expected, "{text}");
        }
    }
}
