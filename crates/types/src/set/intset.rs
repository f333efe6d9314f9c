//! Integers in ascending order, in one run of bytes behind a header of four (see `block`): little-endian, of one to eight bytes
//! each.
//!
//! All elements have the width that the largest one ever needed; nothing makes them narrower again. Looking for one is a
//! binary search, putting one in or taking one out moves those above it.
//!
//! Files and DUMP have Redis's layout, which knows the widths 2, 4 and 8 only:
//!
//! ```text
//! | width: u32 | number: u32 | element | element | ...      little-endian
//! ```
//!
//! With widths in between, and a header of half the size, small numbers take half as much memory, numbers of up to sixteen
//! million three quarters, and times in ms, too.

use super::block::{Block, LEN_MAX, Shape};
use crate::listpack::Corrupt;

const FILE_HEADER_LEN: usize = 8;

/// Sorted integers behind one word.
#[repr(transparent)]
pub(super) struct Intset(Block);

/// The smallest number of bytes that holds a value.
fn width_of(value: i64) -> u32 {
    // One bit more for the sign.
    let bits = u64::BITS + 1 - (value ^ (value >> 63)).leading_zeros();
    bits.div_ceil(8)
}

/// The width that files have for ours.
fn file_width(width: u32) -> u32 {
    width.next_power_of_two().max(2)
}

#[inline]
fn read(element: &[u8]) -> i64 {
    match *element {
        [a] => i64::from(a as i8),
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c] => i64::from(i32::from_le_bytes([0, a, b, c]) >> 8),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e] => i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) >> 24,
        [a, b, c, d, e, f] => i64::from_le_bytes([0, 0, a, b, c, d, e, f]) >> 16,
        [a, b, c, d, e, f, g] => i64::from_le_bytes([0, a, b, c, d, e, f, g]) >> 8,
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

fn write(element: &mut [u8], value: i64) {
    // The lower bytes of a value are the value itself wherever it fits.
    let len = element.len();
    element.copy_from_slice(&value.to_le_bytes()[..len]);
}

/// Where a value is among elements of W bytes, or where it belongs.
#[inline]
fn search<const W: usize>(elements: &[u8], value: i64) -> Result<usize, usize> {
    elements.as_chunks::<W>().0.binary_search_by(|element| read(element).cmp(&value))
}

impl Intset {
    /// No integers.
    pub(super) fn new() -> Intset {
        Intset(Block::new(Shape { width: 1, len: 0 }))
    }

    /// What the bytes of a file hold. Errors unless they are in order, without any twice.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Intset, Corrupt> {
        let (header, elements) = bytes.split_first_chunk::<FILE_HEADER_LEN>().ok_or(Corrupt)?;
        let [a, b, c, d, e, f, g, h] = *header;
        let (width, len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let is_whole = elements.len() as u64 == u64::from(width) * u64::from(len);
        if !matches!(width, 2 | 4 | 8) || !is_whole || !(1..=LEN_MAX).contains(&len) {
            return Err(Corrupt);
        }
        let values = || elements.chunks(width as usize).map(read);
        if !values().is_sorted_by(|one, next| one < next) {
            return Err(Corrupt);
        }
        // Never so narrow that a file would be written with another width than this one.
        let needed = values().map(width_of).fold(width / 2, |needed, of| needed.max(of));
        let narrowest = if width == 2 { needed } else { needed.max(width / 2 + 1) };
        let mut block = Block::new(Shape { width: narrowest, len });
        let places = block.elements_mut().chunks_mut(narrowest as usize);
        places.zip(values()).for_each(|(place, value)| write(place, value));
        Ok(Intset(block))
    }

    /// The bytes as files and DUMP have them.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Shape { width, len } = self.0.shape();
        let width = file_width(width);
        let mut bytes = Vec::with_capacity(FILE_HEADER_LEN + width as usize * self.len());
        bytes.extend_from_slice(&width.to_le_bytes());
        bytes.extend_from_slice(&len.to_le_bytes());
        self.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()[..width as usize]));
        bytes
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.shape().len as usize
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.shape().allocated()
    }

    #[inline]
    fn width(&self) -> usize {
        self.0.shape().width as usize
    }

    /// The n-th smallest.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<i64> {
        let width = self.width();
        self.0.elements().get(index.checked_mul(width)?..)?.get(..width).map(read)
    }

    /// Where a value is, or where it belongs.
    #[inline]
    fn find(&self, value: i64) -> Result<usize, usize> {
        let elements = self.0.elements();
        match self.width() {
            1 => search::<1>(elements, value),
            2 => search::<2>(elements, value),
            3 => search::<3>(elements, value),
            4 => search::<4>(elements, value),
            5 => search::<5>(elements, value),
            6 => search::<6>(elements, value),
            7 => search::<7>(elements, value),
            _ => search::<8>(elements, value),
        }
    }

    #[inline]
    pub(super) fn contains(&self, value: i64) -> bool {
        self.find(value).is_ok()
    }

    /// All values, ascending.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = i64> + DoubleEndedIterator + Clone + '_ {
        self.0.elements().chunks_exact(self.width()).map(read)
    }

    /// Puts a value in; whether it was not there.
    pub(super) fn add(&mut self, value: i64) -> bool {
        if width_of(value) > self.0.shape().width {
            self.widen(width_of(value));
        }
        match self.find(value) {
            Ok(_) => false,
            Err(index) => {
                self.insert_at(index, value);
                true
            }
        }
    }

    fn insert_at(&mut self, index: usize, value: i64) {
        let Shape { width, len } = self.0.shape();
        self.0.reshape(Shape { width, len: len + 1 });
        let (from, width) = (index * width as usize, width as usize);
        let elements = self.0.elements_mut();
        let end = elements.len() - width;
        elements.copy_within(from..end, from + width);
        write(&mut elements[from..from + width], value);
    }

    fn widen(&mut self, width: u32) {
        let Shape { width: old, len } = self.0.shape();
        self.0.reshape(Shape { width, len });
        let (old, width, elements) = (old as usize, width as usize, self.0.elements_mut());
        // From the last one on, so that none is overwritten before it was read.
        for index in (0..len as usize).rev() {
            let value = read(&elements[index * old..(index + 1) * old]);
            write(&mut elements[index * width..(index + 1) * width], value);
        }
    }

    /// Takes a value out; whether it was there.
    pub(super) fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.find(value) else { return false };
        let from = index * self.width();
        let end = from + self.width();
        self.0.elements_mut().copy_within(end.., from);
        self.truncate(self.len() - 1);
        true
    }

    fn truncate(&mut self, len: usize) {
        let shape = self.0.shape();
        self.0.reshape(Shape { len: len as u32, ..shape });
    }

    /// Keeps the values that `keep` agrees to; it is asked for each, in ascending order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let width = self.width();
        let elements = self.0.elements_mut();
        let mut kept = 0;
        for from in (0..elements.len()).step_by(width) {
            if keep(read(&elements[from..from + width])) {
                elements.copy_within(from..from + width, kept);
                kept += width;
            }
        }
        self.truncate(kept / width);
    }
}

impl Clone for Intset {
    fn clone(&self) -> Intset {
        let mut block = Block::new(self.0.shape());
        block.elements_mut().copy_from_slice(self.0.elements());
        Intset(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use std::collections::BTreeSet;

    fn bytes(width: u32, len: u32, elements: &[u8]) -> Vec<u8> {
        [&width.to_le_bytes(), &len.to_le_bytes(), elements].concat()
    }

    #[test]
    fn files_have_the_published_layout() {
        let mut set = Intset::new();
        [3, -1, 3, 258].into_iter().for_each(|value| {
            set.add(value);
        });
        assert_eq!(set.to_bytes(), bytes(2, 3, &[0xff, 0xff, 3, 0, 2, 1]));
        assert!(set.add(70_000));
        assert_eq!((set.width(), &set.to_bytes()[..8]), (3, &bytes(4, 4, &[])[..]));
        assert!(set.add(i64::MIN) && set.remove(70_000) && set.remove(i64::MIN));
        let wide: Vec<u8> = [-1i64, 3, 258].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(set.to_bytes(), bytes(8, 3, &wide), "never narrower again");
        assert_eq!(set.heap_bytes(), 32);
    }

    #[test]
    fn values_are_as_wide_as_they_have_to_be() {
        for width in 1..=8 {
            let (most, least) = (i64::MAX >> (64 - 8 * width), i64::MIN >> (64 - 8 * width));
            for value in [most, least] {
                assert_eq!(width_of(value), width, "{value}");
                let mut set = Intset::new();
                assert!(set.add(0) && set.add(value) && set.contains(value) && !set.contains(value ^ 1));
                assert_eq!(set.width(), width as usize);
                let again = Intset::from_bytes(&set.to_bytes()).expect("well-formed");
                assert_eq!((again.width(), again.to_bytes()), (width as usize, set.to_bytes()), "{value}");
            }
        }
        assert_eq!([0, -1, 1].map(width_of), [1; 3]);
        // What a file has in wide elements stays so there.
        for width in [2, 4, 8] {
            let mut elements = vec![0; width as usize];
            elements[0] = 5;
            let file = bytes(width, 1, &elements);
            assert_eq!(Intset::from_bytes(&file).map(|set| set.to_bytes()), Ok(file));
        }
    }

    #[test]
    fn random_operations_agree_with_a_sorted_set() {
        for seed in 0..40 {
            let (mut rng, mut set, mut model) = (Rng::new(seed), Intset::new(), BTreeSet::new());
            for step in 0..400 {
                let shift = if step < 100 { 54 } else { rng.below(64) };
                let value = (rng.next_u64() as i64) >> shift;
                match rng.below(3) {
                    0 => assert_eq!(set.remove(value), model.remove(&value)),
                    _ => assert_eq!(set.add(value), model.insert(value)),
                }
                if rng.below(50) == 0 {
                    set.retain(|value| value % 3 != 0);
                    model.retain(|value| value % 3 != 0);
                }
                assert_eq!(set.contains(value), model.contains(&value));
            }
            assert!(set.iter().eq(model.iter().copied()));
            assert!((0..set.len()).all(|index| set.get(index) == model.iter().nth(index).copied()));
            assert_eq!(set.get(set.len()), None);
            let again = Intset::from_bytes(&set.to_bytes()).map(|again| again.to_bytes());
            assert_eq!(again, if model.is_empty() { Err(Corrupt) } else { Ok(set.clone().to_bytes()) });
        }
    }

    #[test]
    fn bytes_from_outside_are_checked() {
        assert!(Intset::from_bytes(&bytes(2, 2, &[1, 0, 2, 0])).is_ok());
        for wrong in [
            vec![],
            bytes(2, 0, &[]),
            bytes(3, 1, &[1, 0, 0]),
            bytes(2, 2, &[2, 0, 1, 0]),
            bytes(2, 2, &[1, 0, 1, 0]),
            bytes(2, 2, &[1, 0]),
            bytes(2, 1, &[1, 0, 0]),
            bytes(8, u32::MAX, &[1; 8]),
        ] {
            assert!(Intset::from_bytes(&wrong).is_err(), "{wrong:?}");
        }
    }
}
