//! Counting bits and finding the first one.

use std::ops::Range;

use crate::wide::{Work, widely};

/// The number of set bits among those of `range`, which has to lie within the string (what lies behind it counts
/// nothing). O(range).
pub fn count_ones(bytes: &[u8], range: Range<u64>) -> u64 {
    let Some(edges) = Edges::of(bytes, range) else { return 0 };
    let first = u64::from((edges.first & edges.first_mask).count_ones());
    match edges.rest {
        None => first,
        Some((middle, last, last_mask)) => {
            first + widely(Count(middle)) + u64::from((last & last_mask).count_ones())
        }
    }
}

/// Where the first bit with the value of `bit` is among those of `range`. O(range).
pub fn find_bit(bytes: &[u8], bit: bool, range: Range<u64>) -> Option<u64> {
    // Clear bits are found as the set ones of the complement.
    let flip = if bit { 0 } else { u8::MAX };
    let start = range.start / 8 * 8;
    let edges = Edges::of(bytes, range)?;
    let at = |byte: usize, bits: u8| start + byte as u64 * 8 + u64::from(bits.leading_zeros());
    let first = (edges.first ^ flip) & edges.first_mask;
    if first != 0 {
        return Some(at(0, first));
    }
    let (middle, last, last_mask) = edges.rest?;
    if let Some(index) = widely(FindOther { bytes: middle, than: flip }) {
        return Some(at(1 + index, middle[index] ^ flip));
    }
    let last = (last ^ flip) & last_mask;
    (last != 0).then(|| at(1 + middle.len(), last))
}

/// A range of bits as the bytes that it touches: the first and the last count only where their masks are set.
struct Edges<'a> {
    first: u8,
    first_mask: u8,
    /// What comes after the first byte, unless that is the last, too: the bytes in between, the last one and its mask.
    rest: Option<(&'a [u8], u8, u8)>,
}

impl<'a> Edges<'a> {
    /// `None` if the range is empty.
    fn of(bytes: &'a [u8], range: Range<u64>) -> Option<Edges<'a>> {
        if range.is_empty() {
            return None;
        }
        let (start, end) = (range.start, range.end.min(bytes.len() as u64 * 8));
        let byte = |bit: u64| usize::try_from(bit / 8).unwrap_or(usize::MAX);
        let touched = bytes.get(byte(start)..end.div_ceil(8) as usize)?;
        let (first_mask, last_mask) = (u8::MAX >> (start % 8), u8::MAX << ((8 - end % 8) % 8));
        match touched {
            [] => None,
            [only] => Some(Edges { first: *only, first_mask: first_mask & last_mask, rest: None }),
            [first, middle @ .., last] => {
                Some(Edges { first: *first, first_mask, rest: Some((middle, *last, last_mask)) })
            }
        }
    }
}

/// Counts the set bits of whole bytes.
///
/// Each byte's bits are added to one of many lanes of a byte, which are summed up before they could overflow: so the
/// sums, which are what is slow about counting in vectors, are few.
struct Count<'a>(&'a [u8]);

impl Work for Count<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        const LANES: usize = 128;
        const ROWS: usize = u8::MAX as usize / u8::BITS as usize;
        let (rows, rest) = self.0.as_chunks::<LANES>();
        let mut count = rest.iter().map(|byte| u64::from(byte.count_ones())).sum();
        for rows in rows.chunks(ROWS) {
            let mut lanes = [0u8; LANES];
            for row in rows {
                lanes.iter_mut().zip(row).for_each(|(lane, byte)| *lane += byte.count_ones() as u8);
            }
            count += lanes.iter().map(|lane| u64::from(*lane)).sum::<u64>();
        }
        count
    }
}

/// Finds the first byte that is not `than`.
struct FindOther<'a> {
    bytes: &'a [u8],
    than: u8,
}

impl Work for FindOther<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self) -> Option<usize> {
        const BLOCK: usize = 256;
        let (blocks, _) = self.bytes.as_chunks::<BLOCK>();
        let differs = |block: &[u8; BLOCK]| {
            block.iter().fold(0, |difference, byte| difference | (byte ^ self.than)) != 0
        };
        let start = blocks.iter().position(differs).unwrap_or(blocks.len()) * BLOCK;
        let found = self.bytes.get(start..)?.iter().position(|byte| *byte != self.than)?;
        Some(start + found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::wide::in_every_way;

    fn bit(bytes: &[u8], at: u64) -> bool {
        bytes[(at / 8) as usize] >> (7 - at % 8) & 1 == 1
    }

    #[test]
    fn agrees_with_looking_at_every_bit() {
        let mut rng = Rng::new(11);
        for round in 0..2000 {
            let len = rng.below(if round % 8 == 0 { 1500 } else { 40 }) as usize;
            let fill = [0u8, 0xff, 0x55][rng.below(3) as usize];
            let mut bytes = vec![fill; len];
            for _ in 0..rng.below(4) {
                if let Some(byte) = bytes.get_mut(rng.below(len as u64) as usize) {
                    *byte = rng.next_u64() as u8;
                }
            }
            let start = rng.below(len as u64 * 8 + 1);
            let end = start + rng.below(len as u64 * 8 - start + 1);
            let count = in_every_way(|| count_ones(&bytes, start..end));
            assert_eq!(count, (start..end).filter(|at| bit(&bytes, *at)).count() as u64);
            for value in [false, true] {
                let found = in_every_way(|| find_bit(&bytes, value, start..end));
                assert_eq!(found, (start..end).find(|at| bit(&bytes, *at) == value), "{start}..{end}");
            }
        }
    }

    #[test]
    fn ranges_that_are_empty_or_too_far() {
        assert_eq!(count_ones(&[255; 3], 5..5), 0);
        assert_eq!(count_ones(&[255; 3], 20..100), 4);
        assert_eq!(count_ones(&[255; 3], 24..u64::MAX), 0);
        assert_eq!(count_ones(&[255; 3], u64::MAX - 1..u64::MAX), 0);
        assert_eq!(find_bit(&[255; 3], false, 0..u64::MAX), None);
        assert_eq!(find_bit(&[], true, 0..0), None);
    }
}
