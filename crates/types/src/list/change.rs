//! Changes in the middle of a list: LSET, LINSERT, LREM, LTRIM.

use std::ops::ControlFlow;

use super::chain::End;
use super::limits::ListLimits;
use super::value::{List, TrimmedNodes};
use crate::listpack::{CompactMut, Listpack};

impl List {
    /// Puts `value` in the place of element number `index`. False if there is none.
    pub fn set(&mut self, index: usize, value: &[u8], limits: &ListLimits) -> bool {
        self.before_growing(value.len(), 1, limits);
        if index >= self.len() {
            return false;
        }
        match self.parts() {
            CompactMut::Pack(listpack) => {
                let pos = isize::try_from(index).ok().and_then(|index| listpack.seek(index));
                pos.map(|pos| listpack.replace(pos, value)).is_some()
            }
            CompactMut::Boxed(quicklist) => {
                let set = quicklist.set(index, value, limits);
                self.after_shrinking(limits);
                set
            }
        }
    }

    /// Adds `value` before element number `index`, or at the tail if there is none.
    pub fn insert(&mut self, index: usize, value: &[u8], limits: &ListLimits) {
        self.before_growing(value.len(), 1, limits);
        match self.parts() {
            CompactMut::Pack(listpack) => {
                match isize::try_from(index).ok().and_then(|index| listpack.seek(index)) {
                    Some(pos) => _ = listpack.insert_before(pos, value),
                    None => listpack.push_back(value),
                }
            }
            CompactMut::Boxed(quicklist) => quicklist.insert(index, value, limits),
        }
    }

    /// Adds `value` before or after the first element that is `pivot`. False if there is none. O(n) for looking, O(1)
    /// beside that.
    pub fn insert_beside(&mut self, pivot: &[u8], after: bool, value: &[u8], limits: &ListLimits) -> bool {
        self.before_growing(value.len(), 1, limits);
        let mut found = None;
        self.find(pivot, End::Head, usize::MAX, |index| {
            found = Some(index);
            ControlFlow::Break(())
        });
        if let Some(index) = found {
            self.insert(index + usize::from(after), value, limits);
        }
        found.is_some()
    }

    /// Removes up to `most` elements that are `value`, from an end on; gives how many there were.
    pub fn remove(&mut self, value: &[u8], most: usize, from: End, limits: &ListLimits) -> usize {
        match self.parts() {
            CompactMut::Pack(listpack) => remove_from_listpack(listpack, value, most, from),
            CompactMut::Boxed(quicklist) => {
                let removed = quicklist.remove_value(value, most, from, limits);
                self.after_shrinking(limits);
                removed
            }
        }
    }

    /// Keeps `count` elements from number `from` on. Gives the nodes that have gone, which may be many to free.
    pub fn trim(&mut self, from: usize, count: usize, limits: &ListLimits) -> Option<TrimmedNodes> {
        let head = from.min(self.len());
        let tail = (self.len() - head).saturating_sub(count);
        match self.parts() {
            CompactMut::Pack(listpack) => {
                if let Some(pos) = isize::try_from(head + count.min(listpack.len()))
                    .ok()
                    .and_then(|index| listpack.seek(index))
                {
                    listpack.remove_range(pos, tail);
                }
                if let Some(first) = listpack.first() {
                    listpack.remove_range(first, head);
                }
                None
            }
            CompactMut::Boxed(quicklist) => {
                let gone = TrimmedNodes::new(quicklist.trim(head, tail, limits));
                self.after_shrinking(limits);
                Some(gone)
            }
        }
    }
}

fn remove_from_listpack(listpack: &mut Listpack, value: &[u8], most: usize, from: End) -> usize {
    let mut removed = 0;
    match from {
        End::Head => {
            let mut at = listpack.first();
            while removed < most
                && let Some(pos) = at.and_then(|pos| listpack.find(pos, value, 0))
            {
                at = listpack.remove(pos);
                removed += 1;
            }
        }
        End::Tail => {
            let mut at = listpack.last();
            while removed < most
                && let Some(pos) = at
            {
                at = listpack.prev(pos);
                if listpack.get(pos).eq_bytes(value) {
                    listpack.remove(pos);
                    removed += 1;
                }
            }
        }
    }
    removed
}
