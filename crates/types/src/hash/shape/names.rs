//! The names of a shape, and how one of them is found without looking at the others.
//!
//! Each name has a tag of one byte, made of its length and of its first, middle and last byte. Tags are compared eight
//! at a time, within a word; a name is looked at only where its tag fits.

use ochre_table::same_bytes;

const TAGS_IN_WORD: usize = 8;
const EVERY_BYTE: u64 = 0x0101_0101_0101_0101;
const TOP_BITS: u64 = 0x8080_8080_8080_8080;

/// Field names in their order. Immutable.
#[derive(Debug)]
pub(in crate::hash) struct Shape {
    names: Box<[u8]>,
    ends: Box<[u16]>,
    tags: Box<[u64]>,
    shard: u8,
    node: u32,
}

impl Shape {
    /// No names: where everything starts in a shard.
    pub(super) fn root(shard: u8) -> Shape {
        Shape { names: Box::default(), ends: Box::default(), tags: Box::default(), shard, node: 0 }
    }

    /// The names of `self` and another one; `None` when the names would be too long together.
    pub(super) fn with(&self, name: &[u8], node: u32) -> Option<Shape> {
        let names: Box<[u8]> = [&self.names, name].concat().into();
        let end = u16::try_from(names.len()).ok()?;
        let mut tags = self.tags.to_vec();
        let index = self.len();
        if index.is_multiple_of(TAGS_IN_WORD) {
            tags.push(0);
        }
        tags[index / TAGS_IN_WORD] |= u64::from(tag(name)) << (8 * (index % TAGS_IN_WORD));
        let ends = self.ends.iter().copied().chain([end]).collect();
        Some(Shape { names, ends, tags: tags.into(), shard: self.shard, node })
    }

    /// Number of names.
    #[inline]
    pub(in crate::hash) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A name; empty when there are not as many.
    #[inline]
    pub(in crate::hash) fn name(&self, index: usize) -> &[u8] {
        let start = match index {
            0 => 0,
            _ => self.ends.get(index - 1).copied().unwrap_or(0),
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.names.get(usize::from(start)..usize::from(end)).unwrap_or_default()
    }

    /// All names.
    pub(in crate::hash) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        (0..self.len()).map(|index| self.name(index))
    }

    /// The last name.
    #[inline]
    pub(super) fn last(&self) -> &[u8] {
        self.name(self.len().wrapping_sub(1))
    }

    /// Where a name is.
    #[inline]
    pub(in crate::hash) fn find(&self, name: &[u8]) -> Option<usize> {
        let wanted = EVERY_BYTE * u64::from(tag(name));
        for (word, tags) in self.tags.iter().enumerate() {
            let differing = tags ^ wanted;
            // The classic test for a zero byte: exact for the lowest one, and above that a name decides.
            let mut zeros = differing.wrapping_sub(EVERY_BYTE) & !differing & TOP_BITS;
            while zeros != 0 {
                let index = word * TAGS_IN_WORD + zeros.trailing_zeros() as usize / 8;
                if index < self.len() && same_bytes(self.name(index), name) {
                    return Some(index);
                }
                zeros &= zeros - 1;
            }
        }
        None
    }

    /// The shard it belongs to.
    #[inline]
    pub(super) fn shard(&self) -> usize {
        usize::from(self.shard)
    }

    /// Its number in its shard.
    #[inline]
    pub(super) fn node(&self) -> u32 {
        self.node
    }

    /// Bytes allocated behind it.
    pub(super) fn heap_bytes(&self) -> usize {
        self.names.len() + size_of_val(&*self.ends) + size_of_val(&*self.tags)
    }
}

#[inline]
fn tag(name: &[u8]) -> u8 {
    let byte = |at: usize| name.get(at).copied().unwrap_or(0);
    let len = name.len();
    (len as u8)
        .wrapping_mul(29)
        .wrapping_add(byte(0).wrapping_mul(7))
        .wrapping_add(byte(len / 2).wrapping_mul(13))
        .wrapping_add(byte(len.wrapping_sub(1)).wrapping_mul(131))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn every_name_is_found_where_it_is() {
        let mut rng = Rng::new(1);
        for _ in 0..200 {
            let mut shape = Shape::root(3);
            let mut names: Vec<Vec<u8>> = Vec::new();
            for node in 0..rng.below(40) as u32 {
                // Few letters, so that tags and parts of names are often the same.
                let name: Vec<u8> = (0..rng.below(20)).map(|_| b"ab"[rng.below(2) as usize]).collect();
                if shape.find(&name).is_none() {
                    shape = shape.with(&name, node).expect("short names");
                    names.push(name);
                }
            }
            assert_eq!(shape.len(), names.len());
            assert!(shape.iter().eq(names.iter().map(Vec::as_slice)));
            for (index, name) in names.iter().enumerate() {
                assert_eq!(shape.find(name), Some(index));
            }
            assert_eq!(shape.find(b"c"), None);
            assert_eq!(shape.last(), names.last().map_or(&b""[..], |name| name));
        }
    }

    #[test]
    fn names_that_are_too_long_together_make_no_shape() {
        let shape = Shape::root(0).with(&[b'a'; 65_535], 1).expect("just short enough");
        assert!(shape.with(b"b", 2).is_none());
        assert!(shape.with(b"", 2).is_some());
    }
}
