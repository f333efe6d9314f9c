//! Sparse registers: runs of equal ones, as a sequence of opcodes.
//!
//! ```text
//! 00llllll             ZERO    1 to 64 registers are zero (l + 1)
//! 01llllll llllllll    XZERO   1 to 16,384 registers are zero (l + 1)
//! 1vvvvvll             VAL     1 to 4 registers (l + 1) have the value 1 to 32 (v + 1)
//! ```
//!
//! Together the opcodes describe all registers, no more and no fewer. A register is raised by splitting the opcode that
//! it is in and then joining equal neighbours; how far that looks for neighbours is part of the format in so far as the
//! bytes that come out are compared with those of Redis.
//!
//! To find a register's opcode all opcodes before it are added up: up to some thousand. Which comes next cannot be
//! predicted, so many at a time are added without a branch on any of them.

use super::dense::{self, COUNT, REGISTER_MAX};
use super::hash::Observation;
use super::registers::Histogram;
use crate::wide::{Work, widely};

/// The largest value that a VAL can have.
pub(super) const VALUE_MAX: u8 = 32;
const VAL_RUN_MAX: usize = 4;
const ZERO_RUN_MAX: usize = 64;
/// How many opcodes, from that before the change on, are tried to be joined with their successors.
const JOINED_MAX: usize = 5;

/// Bytes that a string grows ahead at most.
const GROWTH_MAX: usize = 300;

/// The registers of a HyperLogLog make no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupt;

/// A run of equal registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opcode {
    /// Zeros, in one byte.
    Zero {
        /// How many.
        run: usize,
    },
    /// Zeros, in two bytes.
    LongZero {
        /// How many.
        run: usize,
    },
    /// Others.
    Value {
        /// What they are.
        value: u8,
        /// How many.
        run: usize,
    },
}

impl Opcode {
    /// The first opcode of `bytes`; the second byte of one that is cut off counts as zero.
    pub(super) fn first(bytes: &[u8]) -> Option<Opcode> {
        let byte = *bytes.first()?;
        Some(match byte >> 6 {
            0 => Opcode::Zero { run: usize::from(byte & 0x3f) + 1 },
            1 => {
                let low = bytes.get(1).copied().unwrap_or(0);
                Opcode::LongZero { run: usize::from(u16::from_be_bytes([byte & 0x3f, low])) + 1 }
            }
            _ => Opcode::Value { value: (byte >> 2 & 0x1f) + 1, run: usize::from(byte & 3) + 1 },
        })
    }

    /// How many registers it describes.
    pub(super) fn run(self) -> usize {
        match self {
            Opcode::Zero { run } | Opcode::LongZero { run } | Opcode::Value { run, .. } => run,
        }
    }

    /// What they are.
    fn value(self) -> u8 {
        match self {
            Opcode::Value { value, .. } => value,
            _ => 0,
        }
    }

    /// Bytes that it takes.
    pub(super) fn len(self) -> usize {
        if matches!(self, Opcode::LongZero { .. }) { 2 } else { 1 }
    }

    /// `run` registers of a value, none of them if that is 0 registers; a run of others than zeros is short.
    fn push(out: &mut Replacement, value: u8, run: usize) {
        match (value, run) {
            (_, 0) => {}
            (0, 1..=ZERO_RUN_MAX) => out.push(run as u8 - 1),
            (0, _) => {
                let [high, low] = (run as u16 - 1).to_be_bytes();
                out.push(high | 0x40);
                out.push(low);
            }
            _ => out.push(value_byte(value, run)),
        }
    }
}

fn value_byte(value: u8, run: usize) -> u8 {
    0x80 | (value - 1) << 2 | (run as u8 - 1)
}

/// What takes an opcode's place: at most XZERO, VAL, XZERO.
#[derive(Default)]
struct Replacement {
    bytes: [u8; 5],
    len: usize,
}

impl Replacement {
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The opcodes of all registers that are none: one XZERO.
pub(super) const EMPTY: [u8; 2] = [0x7f, 0xff];

/// The opcodes in order, whatever they are.
pub(super) fn opcodes(bytes: &[u8]) -> impl Iterator<Item = Opcode> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let opcode = Opcode::first(rest)?;
        rest = rest.get(opcode.len()..).unwrap_or_default();
        Some(opcode)
    })
}

/// Calls `visit` with the first register, the length and the value of every run of others than zeros.
///
/// # Errors
/// The opcodes do not describe exactly all registers.
fn each_run(bytes: &[u8], mut visit: impl FnMut(usize, usize, u8)) -> Result<(), Corrupt> {
    let mut index = 0;
    let mut rest = bytes;
    while let Some(opcode) = Opcode::first(rest) {
        let end = index + opcode.run();
        if end > COUNT {
            return Err(Corrupt);
        }
        if opcode.value() > 0 {
            visit(index, opcode.run(), opcode.value());
        }
        index = end;
        rest = rest.get(opcode.len()..).unwrap_or_default();
    }
    if index == COUNT { Ok(()) } else { Err(Corrupt) }
}

/// Raises registers of a byte each to those of a sparse HyperLogLog.
///
/// # Errors
/// The opcodes make no sense; the registers before are raised all the same.
pub(super) fn merge_into(bytes: &[u8], maxima: &mut [u8; COUNT]) -> Result<(), Corrupt> {
    each_run(bytes, |index, run, value| {
        maxima[index..index + run].iter_mut().for_each(|max| *max = (*max).max(value));
    })
}

/// How many registers have each value.
///
/// # Errors
/// The opcodes make no sense.
pub(super) fn histogram(bytes: &[u8]) -> Result<Histogram, Corrupt> {
    let mut histogram = [0; REGISTER_MAX as usize + 1];
    let mut counted = 0;
    let mut rest = bytes;
    while let Some((&byte, behind)) = rest.split_first() {
        let is_long = byte >> 6 == 1;
        let (run, value) = match is_long {
            true => (Opcode::first(rest).map_or(0, Opcode::run), 0),
            // Not a branch: zeros and values take turns at random.
            false => (short_run(byte), ((byte >> 2 & 0x1f) + 1) & 0u8.wrapping_sub(byte >> 7)),
        };
        histogram[usize::from(value)] += run as u32;
        counted += run;
        rest = if is_long { behind.get(1..).unwrap_or_default() } else { behind };
    }
    if counted == COUNT { Ok(histogram) } else { Err(Corrupt) }
}

/// The same registers, dense.
///
/// # Errors
/// The opcodes make no sense.
pub(super) fn to_dense(bytes: &[u8], registers: &mut [u8]) -> Result<(), Corrupt> {
    each_run(bytes, |index, run, value| {
        (index..index + run).for_each(|index| dense::set(registers, index, value));
    })
}

/// What came of an attempt to raise a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Raised {
    /// It was that high already.
    Unchanged,
    /// It is raised.
    Changed,
    /// It cannot be, or not within the limit: the registers have to become dense.
    TooLarge,
}

/// Where a search for a register may begin: the start of an opcode and the register that it describes first.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    at: usize,
    register: usize,
}

/// An opcode that was found.
struct Found {
    opcode: Opcode,
    place: Place,
    /// Where the opcode before it begins, and the one before that, as far as the search has passed them.
    before: Place,
    two_before: Place,
}

/// The registers of an opcode of one byte, less one. Without a branch: which opcode is next cannot be predicted.
#[inline(always)]
fn short_run_less_one(byte: u8) -> u8 {
    let is_value = (byte.cast_signed() >> 7).cast_unsigned();
    byte & (0x3f ^ is_value & 0x3c)
}

fn short_run(byte: u8) -> usize {
    usize::from(short_run_less_one(byte)) + 1
}

/// Registers and bytes of several opcodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stride {
    registers: usize,
    len: usize,
}

const LONG_STRIDE: usize = 32;

/// So many opcodes of one byte; `None` if one of them is an XZERO.
#[inline(always)]
fn long_stride(bytes: &[u8; LONG_STRIDE]) -> Option<Stride> {
    let longs = bytes.iter().fold(0, |longs, byte| longs | !byte & byte << 1);
    let registers: u16 = bytes.iter().map(|byte| u16::from(short_run_less_one(*byte))).sum();
    let registers = usize::from(registers) + LONG_STRIDE;
    (longs & 0x80 == 0).then_some(Stride { registers, len: LONG_STRIDE })
}

const SHORT_STRIDE: usize = 8;
/// A one in every byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Which of eight bytes begin an XZERO, all of their bits set, by which of them look like it. Every other one of some
/// that follow one another is a second byte.
const STARTS: [u64; 256] = {
    let mut starts = [0; 256];
    let mut looks = 0;
    while looks < 256 {
        let mut byte = 0;
        while byte < 8 {
            if looks >> byte & 1 == 1 {
                starts[looks] |= 0xff << (8 * byte);
                byte += 1;
            }
            byte += 1;
        }
        looks += 1;
    }
    starts
};

/// The opcodes of eight bytes, of whatever kinds; but not an XZERO whose second byte is not among them.
#[inline(always)]
fn short_stride(bytes: &[u8; SHORT_STRIDE]) -> Stride {
    let word = u64::from_le_bytes(*bytes);
    let looks = (!word & word << 1) >> 7 & EACH;
    // The product moves the eight bits next to each other.
    let starts = STARTS[(looks.wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize];
    let is_cut = starts >> 63;
    let taken = u64::MAX >> (8 * is_cut);
    let starts = starts & taken;
    let seconds = starts << 8;
    let opcodes = taken & !seconds;
    let values = (word >> 7 & EACH) * 0x3c;
    let short = word & (EACH * 0x3f) & !values & opcodes & !starts;
    let registers = sum_of_bytes(short)
        + (sum_of_bytes(word & starts & (EACH * 0x3f)) << 8)
        + sum_of_bytes(word & seconds)
        + sum_of_bytes(opcodes & EACH);
    Stride { registers, len: SHORT_STRIDE - is_cut as usize }
}

#[inline(always)]
fn sum_of_bytes(word: u64) -> usize {
    let pairs = (word & 0x00ff_00ff_00ff_00ff) + (word >> 8 & 0x00ff_00ff_00ff_00ff);
    (pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}

/// The opcode that describes a register. `from` lies before it.
fn find(bytes: &[u8], index: usize, from: Place) -> Result<Found, Corrupt> {
    let place = widely(Approach { bytes, index, from });
    let (mut place, mut before, mut two_before) = (place, place, place);
    loop {
        let opcode = Opcode::first(bytes.get(place.at..).ok_or(Corrupt)?).ok_or(Corrupt)?;
        let register = place.register + opcode.run();
        if index < register {
            return Ok(Found { opcode, place, before, two_before });
        }
        two_before = before;
        before = place;
        place = Place { at: place.at + opcode.len(), register };
    }
}

/// Comes close to the opcode of a register: so that it can be reached in a few steps, but is not one of the next two,
/// unless there are no more before it.
struct Approach<'a> {
    bytes: &'a [u8],
    index: usize,
    from: Place,
}

impl Work for Approach<'_> {
    type Output = Place;

    #[inline(always)]
    fn run(self) -> Place {
        let Approach { bytes, index, from } = self;
        let (mut place, mut last) = (from, from);
        while let Some(rest) = bytes.get(place.at..) {
            let after = |stride: Stride| {
                let after = Place { at: place.at + stride.len, register: place.register + stride.registers };
                (after.register <= index).then_some(after)
            };
            let long = rest.first_chunk().and_then(long_stride).and_then(after);
            let Some(next) = long.or_else(|| rest.first_chunk().map(short_stride).and_then(after)) else {
                break;
            };
            last = place;
            place = next;
        }
        last
    }
}

/// The same, and the next search may begin where this one came by.
fn search(bytes: &[u8], index: usize, from: &mut Place) -> Result<Found, Corrupt> {
    let mut found = find(bytes, index, *from)?;
    if found.place.at == from.at {
        // What comes before it has not been seen.
        found = find(bytes, index, Place::default())?;
    }
    *from = found.two_before;
    Ok(found)
}

/// Raises a register of the opcodes that begin at `start` of `string` to what was observed, if the string stays within
/// `len_max` bytes. `from` is a place for the search to begin; then it is one for registers that come after this one.
///
/// # Errors
/// No opcode describes the register.
pub(super) fn raise(
    string: &mut Vec<u8>,
    start: usize,
    observed: Observation,
    len_max: usize,
    from: &mut Place,
) -> Result<Raised, Corrupt> {
    if observed.rank > VALUE_MAX {
        return Ok(Raised::TooLarge);
    }
    let found = search(&string[start..], observed.index, from)?;
    if found.opcode.value() >= observed.rank {
        return Ok(Raised::Unchanged);
    }
    let (at, end) = (start + found.place.at, start + found.place.at + found.opcode.len());
    let replacement = split(&found, observed);
    let len = string.len().max(end);
    let grown_len = len - found.opcode.len() + replacement.len;
    if replacement.len > found.opcode.len() && grown_len > len_max {
        return Ok(Raised::TooLarge);
    }
    // A second byte that is cut off counts as zero; now it is needed. (Peers write behind the string here, and read that later.)
    string.resize(len, 0);
    replace(string, at, end, replacement.as_bytes());
    join(string, start + found.before.at);
    Ok(Raised::Changed)
}

/// What takes the place of an opcode when one of its registers is raised.
fn split(found: &Found, observed: Observation) -> Replacement {
    let (first, value) = (found.place.register, found.opcode.value());
    let mut replacement = Replacement::default();
    Opcode::push(&mut replacement, value, observed.index - first);
    Opcode::push(&mut replacement, observed.rank, 1);
    Opcode::push(&mut replacement, value, first + found.opcode.run() - 1 - observed.index);
    replacement
}

/// Exchanges a few bytes for a few others, which may be more or fewer. (`Vec::splice` is slower by far.)
fn replace(string: &mut Vec<u8>, at: usize, end: usize, with: &[u8]) {
    let (old_len, after) = (string.len(), at + with.len());
    if after > end {
        if old_len + (after - end) > string.capacity() {
            // Doubling would waste half of what is sparse to be small.
            string.reserve_exact(after - end + old_len.min(GROWTH_MAX));
        }
        string.resize(old_len + (after - end), 0);
    }
    string.copy_within(end..old_len, after);
    string[at..after].copy_from_slice(with);
    string.truncate(old_len - end + after);
}

/// Joins neighbours of the same value, from the opcode at `at` on.
fn join(string: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOINED_MAX {
        let Some(opcode) = string.get(at..).and_then(Opcode::first) else { return };
        let next = string.get(at + opcode.len()..).and_then(Opcode::first);
        match (opcode, next) {
            (Opcode::Value { value, run }, Some(Opcode::Value { value: same, run: more }))
                if value == same && run + more <= VAL_RUN_MAX =>
            {
                string[at] = value_byte(value, run + more);
                string.remove(at + 1);
            }
            _ => at += opcode.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    const NO_LIMIT: usize = 1 << 20;

    fn values(bytes: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let mut registers = [0; COUNT];
        merge_into(bytes, &mut registers).map(|()| registers.to_vec())
    }

    /// No two neighbours that raising a register would have joined.
    fn assert_tidy(bytes: &[u8]) {
        let all: Vec<Opcode> = opcodes(bytes).collect();
        for pair in all.windows(2) {
            if let [Opcode::Value { value: a, run: x }, Opcode::Value { value: b, run: y }] = pair {
                assert!(a != b || x + y > VAL_RUN_MAX, "{pair:?}");
            }
        }
    }

    #[test]
    fn raising_is_taking_the_greater() {
        let mut rng = Rng::new(31);
        for spread in [40, 600, COUNT as u64] {
            let (mut string, mut model) = (EMPTY.to_vec(), vec![0; COUNT]);
            for round in 0..3000 {
                let index = (rng.below(spread) * 7 % COUNT as u64) as usize;
                let observed = Observation { index, rank: 1 + rng.below(4) as u8 };
                let expected = if model[index] < observed.rank { Raised::Changed } else { Raised::Unchanged };
                let raised = raise(&mut string, 0, observed, NO_LIMIT, &mut Place::default());
                assert_eq!(raised, Ok(expected));
                model[index] = model[index].max(observed.rank);
                if round % 100 == 0 {
                    assert_eq!(values(&string).as_ref(), Ok(&model));
                }
            }
            assert!(string.capacity() <= string.len() + GROWTH_MAX + 8);
            let counted = histogram(&string).expect("whole");
            let is = |value: usize| model.iter().filter(|register| usize::from(**register) == value).count();
            assert!((0..64).all(|value| counted[value] as usize == is(value)));
            let mut registers = vec![0; dense::DENSE_LEN];
            to_dense(&string, &mut registers).expect("whole");
            assert!((0..COUNT).all(|index| dense::get(&registers, index) == model[index]));
        }
    }

    #[test]
    fn a_search_that_goes_on_finds_the_same() {
        let mut rng = Rng::new(37);
        for round in 0..40 {
            let (mut resumed, mut anew, mut place) = (EMPTY.to_vec(), EMPTY.to_vec(), Place::default());
            for index in 0..COUNT {
                if rng.below(1 + round) == 0 {
                    let observed = Observation { index, rank: 1 + rng.below(2 + round / 10) as u8 };
                    raise(&mut resumed, 0, observed, NO_LIMIT, &mut place).expect("whole");
                    raise(&mut anew, 0, observed, NO_LIMIT, &mut Place::default()).expect("whole");
                }
            }
            assert!(resumed == anew);
            assert_tidy(&anew);
        }
    }

    #[test]
    fn strides_are_opcodes() {
        let mut rng = Rng::new(61);
        let mut long = 0;
        for round in 0..20_000 {
            // Hardly any XZERO in every other round, or there would hardly be a long stride.
            let bytes: [u8; LONG_STRIDE] = std::array::from_fn(|_| match rng.below(40) {
                1..20 if round % 2 == 0 => rng.next_u64() as u8 | 0x80,
                20.. if round % 2 == 0 => rng.next_u64() as u8 & 0x3f,
                _ => rng.next_u64() as u8,
            });
            let whole = |len: usize| {
                let mut stride = Stride { registers: 0, len: 0 };
                for opcode in opcodes(&bytes) {
                    if stride.len + opcode.len() > len {
                        break;
                    }
                    stride.registers += opcode.run();
                    stride.len += opcode.len();
                }
                stride
            };
            let first = bytes.first_chunk().expect("eight of them");
            assert_eq!(short_stride(first), whole(SHORT_STRIDE), "{first:x?}");
            if let Some(stride) = long_stride(&bytes) {
                long += 1;
                assert_eq!(stride, whole(LONG_STRIDE));
            }
        }
        assert!(long > 100);
    }

    #[test]
    fn limits() {
        let mut string = EMPTY.to_vec();
        let mut raise = |index, rank, len_max| {
            raise(&mut string, 0, Observation { index, rank }, len_max, &mut Place::default())
        };
        assert_eq!(raise(100, 33, NO_LIMIT), Ok(Raised::TooLarge));
        assert_eq!(raise(100, 1, 4), Ok(Raised::TooLarge));
        assert_eq!(raise(100, 1, 5), Ok(Raised::Changed));
        assert_eq!(raise(100, 2, 0), Ok(Raised::Changed));
        assert_eq!(raise(100, 2, 0), Ok(Raised::Unchanged));
        assert_eq!(raise(16384, 2, NO_LIMIT), Err(Corrupt));
    }

    #[test]
    fn nonsense_is_found_out() {
        for bytes in [&[][..], &[0x7f, 0xfe], &[0x7f, 0xff, 0], &[0x7f], &[0x7f; 9], &[0xff; 5000]] {
            assert_eq!(values(bytes), Err(Corrupt));
        }
        let mut rng = Rng::new(41);
        let mut wrong = 0;
        for _ in 0..3000 {
            let mut string: Vec<u8> = (0..rng.below(300)).map(|_| rng.next_u64() as u8).collect();
            wrong += u32::from(values(&string).is_err());
            assert_eq!(histogram(&string).is_err(), values(&string).is_err());
            let observed =
                Observation { index: rng.below(COUNT as u64) as usize, rank: 1 + rng.below(40) as u8 };
            let before = string.clone();
            match raise(&mut string, 0, observed, 290, &mut Place::default()) {
                Ok(Raised::Changed) => assert!(string.len() <= (before.len() + 1).max(290)),
                _ => assert_eq!(string, before),
            }
        }
        assert_eq!(wrong, 3000);
        // The second byte of a long run that is cut off counts as zero, until it is written.
        let mut cut = vec![0x40, 0xfe, 0x7f];
        assert_eq!(values(&cut), Ok(vec![0; COUNT]));
        let observed = Observation { index: 300, rank: 1 };
        assert_eq!(raise(&mut cut, 0, observed, 100, &mut Place::default()), Ok(Raised::Changed));
        assert_eq!(values(&cut).map(|registers| (registers[300], registers.iter().sum())), Ok((1, 1u8)));
    }
}
