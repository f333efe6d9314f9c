//! Sixteen members that are asked for at once: what one answer has to fetch from memory is fetched for all.

use ochre_table::{Key, KeyHash, Seen, hasher};

use super::value::Set;
use super::word::Repr;
use crate::listpack::Item;
use crate::parse_i64;

const BATCH: usize = 16;

/// Up to sixteen members, and what was found out about them.
pub(super) struct Batch<'a> {
    items: [Item<'a>; BATCH],
    digits: [Digits; BATCH],
    hashes: [KeyHash; BATCH],
    len: usize,
    has_hashes: bool,
}

/// The text of an integer.
#[derive(Clone, Copy)]
struct Digits {
    bytes: [u8; 20],
    len: u8,
}

impl Digits {
    const NONE: Digits = Digits { bytes: [0; 20], len: 0 };

    fn of(int: i64) -> Digits {
        let (mut buffer, mut digits) = (itoa::Buffer::new(), Digits::NONE);
        let text = buffer.format(int).as_bytes();
        digits.bytes[..text.len()].copy_from_slice(text);
        digits.len = text.len() as u8;
        digits
    }
}

/// The numbers of the bits that are set, from the lowest on.
pub(super) fn bits(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (index < u32::BITS as usize).then_some(index)
    })
}

impl<'a> Batch<'a> {
    pub(super) fn new() -> Batch<'a> {
        Batch {
            items: [Item::Int(0); BATCH],
            digits: [Digits::NONE; BATCH],
            hashes: [KeyHash(0); BATCH],
            len: 0,
            has_hashes: false,
        }
    }

    /// Takes the next members in place of those that are there; whether there are any.
    pub(super) fn fill(&mut self, members: &mut impl Iterator<Item = Item<'a>>) -> bool {
        self.len = 0;
        self.has_hashes = false;
        for (place, item) in self.items.iter_mut().zip(members) {
            *place = item;
            self.len += 1;
        }
        self.len > 0
    }

    /// A bit for each member.
    pub(super) fn all(&self) -> u32 {
        (1 << self.len) - 1
    }

    #[inline]
    pub(super) fn item(&self, index: usize) -> Item<'a> {
        self.items[index % BATCH]
    }

    #[inline]
    fn text(&self, index: usize) -> &[u8] {
        match &self.items[index] {
            Item::Bytes(bytes) => bytes,
            Item::Int(_) => &self.digits[index].bytes[..usize::from(self.digits[index].len)],
        }
    }

    fn hash_all(&mut self) {
        for index in 0..self.len {
            if let Item::Int(int) = self.items[index] {
                self.digits[index] = Digits::of(int);
            }
            self.hashes[index] = hasher().hash(self.text(index));
        }
        self.has_hashes = true;
    }

    /// A bit for each of the `wanted` members that a set has.
    pub(super) fn contained(&mut self, set: &Set, wanted: u32) -> u32 {
        if wanted == 0 {
            return 0;
        }
        match set.0.get() {
            Repr::Table(_) => self.contained_in_table(set, wanted),
            Repr::Intset(intset) => found(wanted, |index| {
                let int = match self.items[index] {
                    Item::Int(int) => Some(int),
                    Item::Bytes(bytes) => parse_i64(bytes),
                };
                int.is_some_and(|int| intset.contains(int))
            }),
            Repr::Pack(_) => {
                found(wanted, |index| self.items[index].with_bytes(|member| set.contains(member)))
            }
        }
    }

    fn contained_in_table(&mut self, set: &Set, wanted: u32) -> u32 {
        let Repr::Table(map) = set.0.get() else { return 0 };
        if !self.has_hashes {
            self.hash_all();
        }
        let mut keys: [Key<'_>; BATCH] = std::array::from_fn(|index| Key {
            bytes: self.text(index),
            hash: self.hashes[index],
            seen: Seen::NOWHERE,
        });
        bits(wanted).for_each(|index| map.prefetch_line(keys[index]));
        let likely = found(wanted, |index| map.prefetch_item(&mut keys[index]));
        found(likely, |index| map.get_hashed(keys[index]).is_some())
    }
}

/// A bit for each of the `wanted` for which `is_there` says so.
#[inline]
fn found(wanted: u32, mut is_there: impl FnMut(usize) -> bool) -> u32 {
    bits(wanted).fold(0, |mask, index| mask | u32::from(is_there(index)) << index)
}
