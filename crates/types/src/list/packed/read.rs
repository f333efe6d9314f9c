//! Reading a packed node.

use std::ops::ControlFlow;

use super::node::{GROUP, Packed};
use crate::listpack::{Encoded, Item, decode, encoded_len};

/// The elements of a node from some place on, with their encodings.
pub(in crate::list) struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = (Item<'a>, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (item, len) = decode(self.bytes, self.at)?;
        let encoding = &self.bytes[self.at..self.at + len];
        self.at += len;
        Some((item, encoding))
    }
}

impl Packed {
    /// The elements from number `index` on.
    #[inline]
    pub(in crate::list) fn elements_from(&self, index: usize) -> Elements<'_> {
        Elements { bytes: &self.bytes[..usize::from(self.end)], at: self.offset(index) }
    }

    /// The encodings of all elements.
    pub(in crate::list) fn elements(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }

    /// The element at an offset.
    #[inline]
    fn item_at(&self, at: usize) -> Item<'_> {
        decode(&self.bytes[..usize::from(self.end)], at).map_or(Item::Bytes(&[]), |(item, _)| item)
    }

    /// Element number `index`.
    #[inline]
    pub(in crate::list) fn get(&self, index: usize) -> Item<'_> {
        self.item_at(self.offset(index))
    }

    /// Shows the elements before number `end`, last to first, until `visit` breaks.
    pub(in crate::list) fn walk_back(
        &self,
        end: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut end = end.min(self.len());
        while end > 0 {
            let from = self.group_before(end);
            let mut offsets = [0usize; GROUP];
            let mut at = self.offset(from);
            for offset in &mut offsets[..end - from] {
                *offset = at;
                at += encoded_len(&self.bytes, at);
            }
            for offset in offsets[..end - from].iter().rev() {
                visit(self.item_at(*offset))?;
            }
            end = from;
        }
        ControlFlow::Continue(())
    }

    /// The first element of the group that the one before `end` is in.
    fn group_before(&self, end: usize) -> usize {
        let phase = usize::from(self.phase);
        ((phase + end - 1) / GROUP * GROUP).saturating_sub(phase)
    }

    /// Numbers of the elements that are `wanted`, among the `limit` ones from `from` on, first to last until `hit`
    /// breaks.
    pub(in crate::list) fn find(
        &self,
        wanted: &Encoded<'_>,
        from: usize,
        limit: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let bytes = &self.bytes[..usize::from(self.end)];
        let mut at = self.offset(from);
        for index in from..self.len().min(from.saturating_add(limit)) {
            if wanted.is_at(bytes, at) {
                hit(index)?;
            }
            at += encoded_len(bytes, at);
        }
        ControlFlow::Continue(())
    }
}
