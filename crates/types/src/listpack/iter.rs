//! Walking over a pack. Forwards an element's first bytes say where the next one is, backwards its backlen, if it has one.

use std::marker::PhantomData;

use super::encoding::{backlen_len, decode, read_backlen};
use super::form::{Bidirectional, Form, decode_entry};
use super::item::Item;
use super::pack::Pos;

/// The elements of a pack, or of a part of it.
#[derive(Clone, Debug)]
pub struct Iter<'a, F = Bidirectional> {
    form: PhantomData<F>,
    bytes: &'a [u8],
    /// Where the next element begins.
    front: usize,
    /// Where the last element that is still to come ends.
    back: usize,
}

impl<'a, F: Form> Iter<'a, F> {
    pub(super) fn new(bytes: &'a [u8], front: usize, back: usize) -> Iter<'a, F> {
        Iter { form: PhantomData, bytes, front, back }
    }

    /// Where the next element is, to go on from there another time.
    pub fn pos(&self) -> Option<Pos> {
        (self.front < self.back).then_some(Pos(self.front as u32))
    }
}

impl<'a, F: Form> Iterator for Iter<'a, F> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (item, len) = decode_entry::<F>(self.bytes, self.front)?;
        self.front += len;
        Some(item)
    }
}

impl DoubleEndedIterator for Iter<'_, Bidirectional> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let len = read_backlen(self.bytes, self.back);
        self.back = self.back.checked_sub(len + backlen_len(len))?;
        decode(self.bytes, self.back).map(|(item, _)| item)
    }
}
