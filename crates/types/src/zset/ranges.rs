//! Ranges of a sorted set: by index, by score, by bytes.
//!
//! Every one of them is a range of *ranks* in the end (0 is the lowest member), whatever the direction it is walked in; the
//! sorted set finds out which. LIMIT cuts a range of ranks.

use std::ops::{Bound, Range};

use super::limits::Direction;

/// From one score to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The lowest score.
    pub min: Bound<f64>,
    /// The highest score.
    pub max: Bound<f64>,
}

impl ScoreRange {
    /// Reads the bounds as commands write them: a double, or `(` and a double that is not included. More is taken than as a
    /// score: what is too large is infinite, what is too small is zero, and so is the empty text; but nothing hexadecimal. A text
    /// ends before its first NUL.
    pub fn parse(min: &[u8], max: &[u8]) -> Option<ScoreRange> {
        Some(ScoreRange { min: parse_score(min)?, max: parse_score(max)? })
    }

    /// Whether a score is not below the range.
    pub(super) fn reaches_min(&self, score: f64) -> bool {
        match self.min {
            Bound::Included(min) => score >= min,
            Bound::Excluded(min) => score > min,
            Bound::Unbounded => true,
        }
    }

    /// Whether a score is not above the range.
    pub(super) fn keeps_max(&self, score: f64) -> bool {
        match self.max {
            Bound::Included(max) => score <= max,
            Bound::Excluded(max) => score < max,
            Bound::Unbounded => true,
        }
    }
}

fn parse_score(text: &[u8]) -> Option<Bound<f64>> {
    match text {
        [b'(', rest @ ..] => parse_bound(rest).map(Bound::Excluded),
        _ => parse_bound(text).map(Bound::Included),
    }
}

fn parse_bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next()?;
    if text.is_empty() {
        return Some(0.0);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (!value.is_nan()).then_some(value)
}

/// One end of a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Below everything (`-`).
    Lowest,
    /// Above everything (`+`).
    Highest,
    /// This member and what is beyond (`[member`).
    Included(&'a [u8]),
    /// What is beyond this member (`(member`).
    Excluded(&'a [u8]),
}

impl<'a> LexBound<'a> {
    fn parse(text: &'a [u8]) -> Option<LexBound<'a>> {
        match text {
            b"-" => Some(LexBound::Lowest),
            b"+" => Some(LexBound::Highest),
            [b'[', member @ ..] => Some(LexBound::Included(member)),
            [b'(', member @ ..] => Some(LexBound::Excluded(member)),
            _ => None,
        }
    }
}

/// From one member to another, in the order of their bytes; for sorted sets whose scores are all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    /// The lowest member.
    pub min: LexBound<'a>,
    /// The highest member.
    pub max: LexBound<'a>,
}

impl<'a> LexRange<'a> {
    /// Reads the bounds as commands write them: `-`, `+`, `[member` or `(member`.
    pub fn parse(min: &'a [u8], max: &'a [u8]) -> Option<LexRange<'a>> {
        Some(LexRange { min: LexBound::parse(min)?, max: LexBound::parse(max)? })
    }

    /// Whether a member is not below the range.
    pub(super) fn reaches_min(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::Lowest => true,
            LexBound::Highest => false,
            LexBound::Included(min) => member >= min,
            LexBound::Excluded(min) => member > min,
        }
    }

    /// Whether a member is not above the range.
    pub(super) fn keeps_max(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Included(max) => member <= max,
            LexBound::Excluded(max) => member < max,
        }
    }
}

/// The ranks that the indices `start` to `stop` (the last one included; negative ones count from the end) mean in a
/// sorted set of `len` members. With [`Direction::Descending`] index 0 is the highest member.
pub fn ranks_of_indices(start: i64, stop: i64, len: usize, direction: Direction) -> Range<usize> {
    let count = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |index: i64| if index < 0 { (index + count).max(0) } else { index };
    let start = from_start(start);
    let stop = if stop < 0 { stop + count } else { stop.min(count - 1) };
    if start > stop || start >= count {
        return 0..0;
    }
    let (first, after) = (start as usize, stop as usize + 1);
    match direction {
        Direction::Ascending => first..after,
        Direction::Descending => len - after..len - first,
    }
}

/// What LIMIT leaves of a range of ranks: `count` of them (all, if negative) after `offset`, in the direction in which they are
/// walked. A negative offset leaves nothing.
pub fn limit_ranks(ranks: Range<usize>, offset: i64, count: i64, direction: Direction) -> Range<usize> {
    let Ok(offset) = usize::try_from(offset) else { return ranks.start..ranks.start };
    let offset = offset.min(ranks.len());
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(ranks.len() - offset);
    match direction {
        Direction::Ascending => ranks.start + offset..ranks.start + offset + count,
        Direction::Descending => ranks.end - offset - count..ranks.end - offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Ascending, Descending};

    #[test]
    fn indices_of_every_size() {
        let cases = [
            ((0, -1), 0..5, 0..5),
            ((0, 0), 0..1, 4..5),
            ((1, 2), 1..3, 2..4),
            ((-2, -1), 3..5, 0..2),
            ((-100, 1), 0..2, 3..5),
            ((3, 100), 3..5, 0..2),
            ((5, 9), 0..0, 0..0),
            ((3, 2), 0..0, 0..0),
            ((0, -6), 0..0, 0..0),
            ((i64::MIN, i64::MAX), 0..5, 0..5),
            ((i64::MAX, i64::MIN), 0..0, 0..0),
            ((i64::MIN, i64::MIN), 0..0, 0..0),
            ((i64::MAX, i64::MAX), 0..0, 0..0),
        ];
        for ((start, stop), ascending, descending) in cases {
            assert_eq!(ranks_of_indices(start, stop, 5, Ascending), ascending, "{start} {stop}");
            assert_eq!(ranks_of_indices(start, stop, 5, Descending), descending, "{start} {stop}");
            assert_eq!(ranks_of_indices(start, stop, 0, Ascending), 0..0);
        }
    }

    #[test]
    fn limits_of_every_size() {
        let cases = [
            ((0, -1), 10..20, 10..20),
            ((0, 3), 10..13, 17..20),
            ((2, 3), 12..15, 15..18),
            ((8, 5), 18..20, 10..12),
            ((10, 5), 20..20, 10..10),
            ((i64::MAX, i64::MAX), 20..20, 10..10),
            ((0, i64::MAX), 10..20, 10..20),
            ((0, i64::MIN), 10..20, 10..20),
            ((3, 0), 13..13, 17..17),
            ((-1, 5), 10..10, 10..10),
            ((i64::MIN, -1), 10..10, 10..10),
        ];
        for ((offset, count), ascending, descending) in cases {
            assert_eq!(limit_ranks(10..20, offset, count, Ascending), ascending, "{offset} {count}");
            assert_eq!(limit_ranks(10..20, offset, count, Descending), descending, "{offset} {count}");
        }
    }

    #[test]
    fn bounds_as_commands_write_them() {
        let range = ScoreRange::parse(b"(1.5", b"+inf");
        assert_eq!(
            range,
            Some(ScoreRange { min: Bound::Excluded(1.5), max: Bound::Included(f64::INFINITY) })
        );
        let texts = "+5 . - + 1e 1e+ .5 5. -.5 infinity INF infin -infinity +infinity (- (+inf ((1 1e5x 00005 1_0 --1 \
            +-1 e5 .e5 1.5.2 nan -nan nan(1) 1f 0x 0x2 (+5 1e99999999999999999999 -1e400 ( 1e-400 [1 x";
        let included = |text: &str| match ScoreRange::parse(b"1", text.as_bytes())?.max {
            Bound::Included(score) => Some(score.to_string()),
            Bound::Excluded(score) => Some(format!("({score}")),
            Bound::Unbounded => None,
        };
        let read: Vec<String> =
            texts.split(' ').map(|text| included(text).unwrap_or("refused".to_owned())).collect();
        assert_eq!(
            read.join(" "),
            "5 refused refused refused refused refused 0.5 5 -0.5 inf inf refused -inf inf refused (inf refused \
             refused 5 refused refused refused refused refused refused refused refused refused refused refused refused \
             (5 inf -inf (0 0 refused refused"
        );
        assert_eq!(included(""), Some("0".to_owned()));
        let range = LexRange::parse(b"[a", b"(b");
        assert_eq!(range, Some(LexRange { min: LexBound::Included(b"a"), max: LexBound::Excluded(b"b") }));
        let range = LexRange::parse(b"-", b"+");
        assert_eq!(range, Some(LexRange { min: LexBound::Lowest, max: LexBound::Highest }));
        for text in ["", "a", "-a", "+a"] {
            assert_eq!(LexRange::parse(text.as_bytes(), b"+"), None, "{text}");
        }
    }
}
