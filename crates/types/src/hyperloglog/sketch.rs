//! A HyperLogLog as a whole, whatever its encoding.

use super::dense::{self, DENSE_LEN};
use super::estimate::estimate;
use super::hash::Observation;
use super::header::{self, Encoding, HEADER_LEN, NotAHyperLogLog};
use super::registers::{Registers, SketchUnion};
use super::sparse::{self, Corrupt, Opcode, Place, Raised};

/// Bytes of a dense one.
const DENSE_STRING_LEN: usize = HEADER_LEN + DENSE_LEN;

/// A string that has the header and the length of a HyperLogLog. Its registers may still make no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HyperLogLog<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

impl<'a> HyperLogLog<'a> {
    /// Takes a string for a HyperLogLog.
    ///
    /// # Errors
    /// It is none.
    pub fn new(bytes: &'a [u8]) -> Result<HyperLogLog<'a>, NotAHyperLogLog> {
        let encoding = header::encoding(bytes).ok_or(NotAHyperLogLog)?;
        if encoding == Encoding::Dense && bytes.len() != DENSE_STRING_LEN {
            return Err(NotAHyperLogLog);
        }
        Ok(HyperLogLog { bytes, encoding })
    }

    /// How its registers are stored.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The number of elements that was counted last, if nothing has been added since.
    pub fn known_count(&self) -> Option<u64> {
        header::cardinality(self.bytes)
    }

    /// The estimated number of elements. O(1), but of 16,384 registers.
    ///
    /// # Errors
    /// The registers make no sense.
    pub fn count(&self) -> Result<u64, Corrupt> {
        let registers = &self.bytes[HEADER_LEN..];
        let histogram = match self.encoding {
            Encoding::Dense => dense::histogram(registers),
            Encoding::Sparse => sparse::histogram(registers)?,
        };
        Ok(estimate(&histogram))
    }

    /// Adds its elements to those of a union.
    ///
    /// # Errors
    /// The registers make no sense; the union is of no use then.
    pub fn merge_into(&self, union: &mut SketchUnion<'a>) -> Result<(), Corrupt> {
        match self.encoding {
            Encoding::Dense => {
                let preceded = self.bytes[HEADER_LEN - 1..].as_array().ok_or(Corrupt)?;
                union.add_dense(preceded);
                Ok(())
            }
            Encoding::Sparse => sparse::merge_into(&self.bytes[HEADER_LEN..], &mut union.sparse.0),
        }
    }

    /// The runs of a sparse one, as they are; none for a dense one.
    pub fn opcodes(&self) -> impl Iterator<Item = Opcode> + use<'a> {
        let sparse = match self.encoding {
            Encoding::Sparse => &self.bytes[HEADER_LEN..],
            Encoding::Dense => &[],
        };
        sparse::opcodes(sparse)
    }

    /// The string of the empty set.
    pub fn empty() -> Vec<u8> {
        // Room for some elements.
        let mut string = Vec::with_capacity(2 * HEADER_LEN);
        string.extend_from_slice(&header::new(Encoding::Sparse));
        string.extend_from_slice(&sparse::EMPTY);
        string
    }

    /// Notes in a string that is a HyperLogLog how many elements it has.
    pub fn set_count(string: &mut [u8], count: u64) {
        header::set_cardinality(string, count);
    }

    /// Notes in a string that is a HyperLogLog that the number of its elements is no longer known.
    pub fn invalidate(string: &mut [u8]) {
        header::invalidate(string);
    }

    /// Adds an element to a string that is a HyperLogLog; whether that changed a register. A sparse one that would get
    /// longer than `sparse_len_max` becomes dense. O(1) for a dense one, O(its length) for a sparse one.
    ///
    /// # Errors
    /// The registers make no sense.
    pub fn add(string: &mut Vec<u8>, element: &[u8], sparse_len_max: usize) -> Result<bool, Corrupt> {
        raise(string, Observation::of(element), sparse_len_max, &mut Place::default())
    }

    /// Makes a string that is a HyperLogLog dense; whether it was sparse.
    ///
    /// # Errors
    /// The registers make no sense.
    pub fn make_dense(string: &mut Vec<u8>) -> Result<bool, Corrupt> {
        if header::encoding(string) != Some(Encoding::Sparse) {
            return Ok(false);
        }
        let mut dense = Vec::with_capacity(DENSE_STRING_LEN);
        dense.extend_from_slice(&string[..HEADER_LEN]);
        header::set_encoding(&mut dense, Encoding::Dense);
        dense.resize(DENSE_STRING_LEN, 0);
        sparse::to_dense(&string[HEADER_LEN..], &mut dense[HEADER_LEN..])?;
        *string = dense;
        Ok(true)
    }

    /// Raises the registers of a string that is a HyperLogLog to those of a union that it is part of.
    ///
    /// # Errors
    /// The registers make no sense.
    pub fn raise_to(string: &mut Vec<u8>, union: &Registers, sparse_len_max: usize) -> Result<(), Corrupt> {
        if header::encoding(string) == Some(Encoding::Dense) {
            dense::compress(&union.0, &mut string[HEADER_LEN..]);
            return Ok(());
        }
        let mut place = Place::default();
        for (index, &rank) in union.0.iter().enumerate().filter(|(_, rank)| **rank > 0) {
            raise(string, Observation { index, rank }, sparse_len_max, &mut place)?;
        }
        Ok(())
    }
}

/// Raises one register, in whichever encoding; whether it had been lower. `place` as in [`sparse::raise`].
fn raise(
    string: &mut Vec<u8>,
    observed: Observation,
    sparse_len_max: usize,
    place: &mut Place,
) -> Result<bool, Corrupt> {
    if header::encoding(string) == Some(Encoding::Dense) {
        return Ok(dense::raise(&mut string[HEADER_LEN..], observed));
    }
    match sparse::raise(string, HEADER_LEN, observed, sparse_len_max, place)? {
        Raised::Unchanged => return Ok(false),
        Raised::Changed => {}
        Raised::TooLarge => {
            HyperLogLog::make_dense(string)?;
            dense::raise(&mut string[HEADER_LEN..], observed);
        }
    }
    header::invalidate(string);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Rng};

    const LIMIT: usize = 3000;

    /// What PFADD makes of these elements.
    fn sketch(name: &str, elements: std::ops::Range<usize>, sparse_len_max: usize) -> Vec<u8> {
        let mut string = HyperLogLog::empty();
        HyperLogLog::invalidate(&mut string);
        for element in elements {
            let element = format!("{name}{element}");
            if HyperLogLog::add(&mut string, element.as_bytes(), sparse_len_max).expect("whole") {
                HyperLogLog::invalidate(&mut string);
            }
        }
        string
    }

    fn count(string: &[u8]) -> u64 {
        HyperLogLog::new(string).expect("a HyperLogLog").count().expect("whole")
    }

    fn digest(string: &[u8]) -> String {
        String::from_utf8_lossy(Digest::of(string).as_bytes()).into_owned()
    }

    #[test]
    fn the_bytes_are_those_of_redis() {
        // Limit of the sparse encoding, elements; the digest and the length of the string, and the count, of Redis 8.6.
        let cases: [(usize, usize, &str, usize, u64); 22] = [
            (0, 1, "ed90bc9144ac0b24", 12304, 1),
            (0, 1000, "53dd8e015e90d3e6", 12304, 997),
            (100, 1, "384509d82e838532", 21, 1),
            (100, 10, "868135208c818e2c", 48, 10),
            (100, 100, "42dd1c84ff127290", 12304, 99),
            (100, 500, "23f3435f4f265f11", 12304, 502),
            (3000, 1, "384509d82e838532", 21, 1),
            (3000, 10, "868135208c818e2c", 48, 10),
            (3000, 100, "bbd26fbba82bfe6f", 285, 99),
            (3000, 500, "97de48c23055ca3a", 1050, 502),
            (3000, 1000, "1bf87987b1147db4", 1897, 997),
            (3000, 2000, "32bd0fab0c52f2d4", 12304, 2004),
            (3000, 5000, "827e4e00771020a1", 12304, 5005),
            (3000, 50000, "805c634d4e750708", 12304, 49716),
            (16000, 1, "384509d82e838532", 21, 1),
            (16000, 10, "868135208c818e2c", 48, 10),
            (16000, 100, "bbd26fbba82bfe6f", 285, 99),
            (16000, 500, "97de48c23055ca3a", 1050, 502),
            (16000, 1000, "1bf87987b1147db4", 1897, 997),
            (16000, 2000, "14fae6e63fcc2af4", 3495, 2004),
            (16000, 5000, "74bd066aa04c0a80", 7205, 5005),
            (16000, 50000, "75d817b7d348c12d", 13740, 49716),
        ];
        for (limit, elements, expected, len, expected_count) in cases {
            let string = sketch("element:", 0..elements, limit);
            assert_eq!((digest(&string).as_str(), string.len()), (expected, len), "{limit} {elements}");
            assert_eq!(count(&string), expected_count, "{limit} {elements}");
        }
    }

    #[test]
    fn unions_are_those_of_redis() {
        let merge = |destination: &[u8], sources: &[&[u8]]| {
            let mut union = SketchUnion::new();
            let all = || sources.iter().copied().chain([destination]).map(HyperLogLog::new);
            all().for_each(|source| source.expect("one").merge_into(&mut union).expect("whole"));
            let union = union.finish();
            let mut string = destination.to_vec();
            if all().any(|source| source.is_ok_and(|source| source.encoding() == Encoding::Dense)) {
                HyperLogLog::make_dense(&mut string).expect("whole");
            }
            HyperLogLog::raise_to(&mut string, &union, LIMIT).expect("whole");
            HyperLogLog::invalidate(&mut string);
            assert_eq!(count(&string), union.count());
            string
        };
        let of = |name, last: usize| sketch(name, 1..last + 1, LIMIT);
        let (a, b, c, d) = (of("a", 300), of("b", 400), of("c", 900), of("d", 5000));
        let empty = HyperLogLog::empty();
        let checked = |string: &[u8], expected: &str, expected_count| {
            assert_eq!((digest(string).as_str(), count(string)), (expected, expected_count));
        };
        checked(&merge(&empty, &[&a, &b]), "a5165a6de360d89d", 704);
        let a = merge(&a, &[&b, &c]);
        checked(&a, "7a4f705cc141b503", 1605);
        checked(&merge(&empty, &[&b, &c, &a]), "7a4f705cc141b503", 1605);
        checked(&merge(&b, &[&d]), "959d1338b50f86b3", 5460);
    }

    #[test]
    fn strings_that_are_none() {
        let mut dense = sketch("x", 0..10, 0);
        assert!(HyperLogLog::new(&dense).is_ok_and(|one| one.encoding() == Encoding::Dense));
        dense.push(0);
        let mut wrong_encoding = HyperLogLog::empty();
        wrong_encoding[4] = 2;
        for string in [&b""[..], b"HYLL", b"hyll\x01aaaaaaaaaaa", &dense, &wrong_encoding] {
            assert_eq!(HyperLogLog::new(string), Err(NotAHyperLogLog));
        }
        let header = &HyperLogLog::empty()[..HEADER_LEN];
        assert_eq!(HyperLogLog::new(header).map(|one| one.count()), Ok(Err(Corrupt)));
    }

    #[test]
    fn counts_are_kept_until_something_is_added() {
        let mut string = sketch("x", 0..100, LIMIT);
        assert_eq!(HyperLogLog::new(&string).map(|one| one.known_count()), Ok(None));
        HyperLogLog::set_count(&mut string, 99);
        assert_eq!(HyperLogLog::new(&string).map(|one| one.known_count()), Ok(Some(99)));
        assert_eq!(HyperLogLog::add(&mut string, b"x5", LIMIT), Ok(false));
        assert_eq!(HyperLogLog::new(&string).map(|one| one.known_count()), Ok(Some(99)));
        assert_eq!(HyperLogLog::add(&mut string, b"other", LIMIT), Ok(true));
        assert_eq!(HyperLogLog::new(&string).map(|one| one.known_count()), Ok(None));
    }

    #[test]
    fn nothing_that_a_client_stores_is_believed() {
        let mut rng = Rng::new(43);
        let whole = [sketch("x", 0..500, LIMIT), sketch("x", 0..500, 0)];
        for round in 0..4000 {
            let mut string = whole[round % 2].clone();
            for _ in 0..1 + rng.below(8) {
                let at = rng.below(string.len() as u64) as usize;
                match rng.below(3) {
                    0 if string.len() > 1 => string.truncate(at),
                    _ => string[at] = rng.next_u64() as u8,
                }
                if string.is_empty() {
                    break;
                }
            }
            let Ok(one) = HyperLogLog::new(&string) else { continue };
            let opcodes = one.opcodes().count();
            assert!(opcodes <= string.len());
            let counted = one.count();
            let mut dense = string.clone();
            assert_eq!(HyperLogLog::make_dense(&mut dense).is_err(), counted.is_err());
            let len = string.len();
            if HyperLogLog::add(&mut string, &rng.next_u64().to_le_bytes(), LIMIT).is_ok() {
                assert!(string.len() <= len + 4 || string.len() == DENSE_STRING_LEN);
            }
        }
    }
}
