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
struct Count<'a>(&'a [u8]);

impl Work for Count<'_> {
    type Output = u64;

    /// Sixteen vectors are added up, bit by bit, to a number whose digits are vectors, of which only the one that stands for
    /// sixteen is counted: the Harley-Seal method (Mula, Kurz, Lemire, "Faster population counts using AVX2 instructions",
    /// 2018). Counting the bits of each vector, which takes a look-up for each half of a byte, takes 1.4 times as long.
    #[inline(always)]
    fn run(self) -> u64 {
        let (groups, rest) = self.0.as_chunks::<{ 16 * size_of::<Vector>() }>();
        let zero: Vector = [0; 4];
        let (mut ones, mut twos, mut fours, mut eights) = (zero, zero, zero, zero);
        let mut sixteens = zero;
        // Plain variables and one line after the other: compilers turn this into vector instructions, but not structures
        // and functions of larger steps.
        for group in groups {
            let vectors = group.as_chunks::<{ size_of::<Vector>() }>().0;
            let at = |index: usize| load(&vectors[index]);
            let (two_a, one) = add(ones, at(0), at(1));
            let (two_b, one) = add(one, at(2), at(3));
            let (four_a, two) = add(twos, two_a, two_b);
            let (two_a, one) = add(one, at(4), at(5));
            let (two_b, one) = add(one, at(6), at(7));
            let (four_b, two) = add(two, two_a, two_b);
            let (eight_a, four) = add(fours, four_a, four_b);
            let (two_a, one) = add(one, at(8), at(9));
            let (two_b, one) = add(one, at(10), at(11));
            let (four_a, two) = add(two, two_a, two_b);
            let (two_a, one) = add(one, at(12), at(13));
            let (two_b, one) = add(one, at(14), at(15));
            let (four_b, two) = add(two, two_a, two_b);
            let (eight_b, four) = add(four, four_a, four_b);
            let (sixteen, eight) = add(eights, eight_a, eight_b);
            ones = one;
            twos = two;
            fours = four;
            eights = eight;
            let counts = count_lanes(sixteen);
            for lane in 0..4 {
                sixteens[lane] += counts[lane];
            }
        }
        let count = |vector: Vector| count_lanes(vector).iter().sum::<u64>();
        let digits = 8 * count(eights) + 4 * count(fours) + 2 * count(twos) + count(ones);
        16 * sixteens.iter().sum::<u64>() + digits + count_rest(rest)
    }

    /// Where counting bits is an instruction of vectors, it takes less than adding them up.
    #[inline(always)]
    fn run_counting(self) -> u64 {
        count_each(self.0)
    }
}

/// Counts the bits of each byte. They are added to one of many lanes of a byte, which are summed up before they could
/// overflow: so the sums, which are what is slow about counting in vectors, are few.
#[inline(always)]
fn count_each(bytes: &[u8]) -> u64 {
    const LANES: usize = 128;
    const ROWS: usize = u8::MAX as usize / u8::BITS as usize;
    let (rows, rest) = bytes.as_chunks::<LANES>();
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

/// Bits that are worked on at once.
type Vector = [u64; 4];

#[inline(always)]
fn load(bytes: &[u8; size_of::<Vector>()]) -> Vector {
    let words = bytes.as_chunks::<8>().0;
    std::array::from_fn(|lane| u64::from_le_bytes(words[lane]))
}

#[inline(always)]
fn xor(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|lane| a[lane] ^ b[lane])
}

#[inline(always)]
fn and(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|lane| a[lane] & b[lane])
}

#[inline(always)]
fn or(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|lane| a[lane] | b[lane])
}

/// The sum of three bits for each bit of three vectors: the upper digit, and the lower.
#[inline(always)]
fn add(a: Vector, b: Vector, c: Vector) -> (Vector, Vector) {
    let either = xor(a, b);
    (or(and(a, b), and(either, c)), xor(either, c))
}

#[inline(always)]
fn count_lanes(vector: Vector) -> Vector {
    std::array::from_fn(|lane| u64::from(vector[lane].count_ones()))
}

/// What is too short for a vector.
#[inline(always)]
fn count_rest(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(byte.count_ones())).sum()
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
            let len = rng.below(if round % 8 == 0 { 12_000 } else { 40 }) as usize;
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
            assert_eq!(Count(&bytes).run_counting(), Count(&bytes).run());
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
