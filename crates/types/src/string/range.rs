//! Indexes, sizes and sums of the string commands, with every overflow decided here.

use std::ops::Range;

/// A write would make a string longer than the configured limit (or than a length can say).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StringTooLong;

/// The bytes that GETRANGE answers: `start` and `end` are both included, negative ones count from the end.
///
/// Indexes before the first byte count as the first one, also for `end`: from "hello", the range 0 to -100 is "h".
/// The exception is a range whose ends are both negative and in the wrong order, which is empty.
pub fn get_range(value_len: usize, start: i64, end: i64) -> Range<usize> {
    let both_negative = start < 0 && end < 0;
    if value_len == 0 || (both_negative && start > end) {
        return 0..0;
    }
    let start = from_index(value_len, start);
    let end = from_index(value_len, end).min(value_len - 1);
    if start > end { 0..0 } else { start..end + 1 }
}

/// The position an index means, 0 for all that lie before the first byte; can lie behind the last one.
fn from_index(value_len: usize, index: i64) -> usize {
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 { value_len.saturating_sub(distance) } else { distance }
}

/// The length of a string after SETRANGE (or, with its own length as the offset, APPEND) wrote `written_len` bytes at
/// `offset`. Writing nothing changes nothing, wherever it is. The limit holds for the end of what is written: a
/// string that is longer already stays as it is.
pub fn set_range_len(
    value_len: usize,
    offset: u64,
    written_len: usize,
    len_max: u64,
) -> Result<usize, StringTooLong> {
    if written_len == 0 {
        return Ok(value_len);
    }
    let end = offset.checked_add(written_len as u64).ok_or(StringTooLong)?;
    if end > len_max || end > i64::MAX as u64 {
        return Err(StringTooLong);
    }
    usize::try_from(end).map(|end| end.max(value_len)).map_err(|_| StringTooLong)
}

/// The sum of INCRBY and HINCRBY, `None` when it would overflow.
pub fn increment(value: i64, by: i64) -> Option<i64> {
    value.checked_add(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_hello() {
        let cases: &[(i64, i64, &str)] = &[
            (0, 4, "hello"),
            (0, -1, "hello"),
            (1, 3, "ell"),
            (-3, -1, "llo"),
            (-100, 2, "hel"),
            (2, 100, "llo"),
            (4, 4, "o"),
            (5, 5, ""),
            (5, 100, ""),
            (3, 1, ""),
            (-1, -5, ""),
            (-6, -100, ""),
            (-100, -100, "h"),
            (-100, -6, "h"),
            (0, -100, "h"),
            (0, -6, "h"),
            (1, -100, ""),
            (i64::MIN, i64::MAX, "hello"),
            (i64::MIN, i64::MIN, "h"),
            (i64::MAX, i64::MIN, ""),
            (i64::MAX, i64::MAX, ""),
        ];
        for (start, end, expected) in cases {
            assert_eq!(&"hello"[get_range(5, *start, *end)], *expected, "{start} {end}");
            assert!(get_range(0, *start, *end).is_empty());
        }
    }

    /// The same rules in wide integers, step by step.
    fn model(len: i128, start: i128, end: i128) -> Range<usize> {
        if len == 0 || (start < 0 && end < 0 && start > end) {
            return 0..0;
        }
        let clamp = |index: i128| if index < 0 { (len + index).max(0) } else { index };
        let (start, end) = (clamp(start), clamp(end).min(len - 1));
        if start > end { 0..0 } else { start as usize..end as usize + 1 }
    }

    #[test]
    fn ranges_of_all_small_strings() {
        for len in 0..7 {
            for start in -9..9 {
                for end in -9..9 {
                    let expected = model(len as i128, start as i128, end as i128);
                    assert_eq!(get_range(len, start, end), expected, "{len} {start} {end}");
                }
            }
        }
    }

    #[test]
    fn lengths_after_a_write() {
        type Case = (usize, u64, usize, u64, Result<usize, StringTooLong>);
        let cases: &[Case] = &[
            (0, 0, 1, 512, Ok(1)),
            (5, 3, 1, 512, Ok(5)),
            (5, 5, 3, 512, Ok(8)),
            (5, 100, 3, 512, Ok(103)),
            (5, 511, 1, 512, Ok(512)),
            (5, 512, 1, 512, Err(StringTooLong)),
            (5, 600, 0, 512, Ok(5)),
            (600, 3, 1, 512, Ok(600)),
            (5, u64::MAX, 1, u64::MAX, Err(StringTooLong)),
            (5, i64::MAX as u64, 1, u64::MAX, Err(StringTooLong)),
        ];
        for (len, offset, written, max, expected) in cases {
            assert_eq!(set_range_len(*len, *offset, *written, *max), *expected, "{len} {offset} {written}");
        }
    }

    #[test]
    fn sums_do_not_wrap() {
        assert_eq!(increment(i64::MAX - 1, 1), Some(i64::MAX));
        assert_eq!(increment(i64::MAX, 1), None);
        assert_eq!(increment(i64::MIN, -1), None);
        assert_eq!(increment(i64::MIN, i64::MAX), Some(-1));
    }
}
