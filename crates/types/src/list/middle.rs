//! Changes in the middle of a long list.
//!
//! A node that is full is cut in two where something is inserted. Neighbours are joined once both of them fit into three
//! quarters of a node, so that a list that is cut and emptied all the time neither falls to pieces nor has nodes that
//! are cut again by the next insertion.

use std::ops::ControlFlow;

use super::chain::{End, Place};
use super::limits::ListLimits;
use super::node::{Node, Wanted};
use super::packed::{Element, Packed};
use super::quicklist::Quicklist;
use crate::listpack::Encoded;

impl Quicklist {
    /// Adds a text before element number `index`, or at the tail.
    pub(super) fn insert(&mut self, index: usize, value: &[u8], limits: &ListLimits) {
        let Some((place, offset)) = self.chain.seek(index) else {
            return self.push(End::Tail, value, limits);
        };
        if offset == 0 && index > 0 && self.append_to_previous(place, value, limits) {
            return;
        }
        self.change_at(place, limits, |quicklist| {
            if !quicklist.insert_into(place, offset, value, limits) {
                quicklist.insert_splitting(place, offset, value, limits);
            }
        });
    }

    /// Adds a text as the last one of the node before `place`, if it has room.
    fn append_to_previous(&mut self, place: Place, value: &[u8], limits: &ListLimits) -> bool {
        let Some(previous) = self.chain.prev(place) else { return false };
        let Some(Node::Packed(packed)) = self.chain.get(previous) else { return false };
        let len = packed.len();
        self.insert_into(previous, len, value, limits)
    }

    /// Adds a text to the node at `place`, before its element number `offset`, if it has room.
    fn insert_into(&mut self, place: Place, offset: usize, value: &[u8], limits: &ListLimits) -> bool {
        if limits.is_plain(value.len()) || !self.is_packed(place) {
            return false;
        }
        let encoded = Encoded::of(value);
        let inserted = self.chain.edit(place, |node| match node {
            Node::Packed(packed) if packed.len() < limits.node_len_max() => {
                packed.insert(offset, Element::of(&encoded), limits.node_bytes_max())
            }
            _ => false,
        });
        inserted == Some(true)
    }

    fn is_packed(&self, place: Place) -> bool {
        matches!(self.chain.get(place), Some(Node::Packed(_)))
    }

    /// Adds a text where there is no room: the node at `place` is cut before its element number `offset`, the text put
    /// between, and neighbours joined where they fit.
    fn insert_splitting(&mut self, place: Place, offset: usize, value: &[u8], limits: &ListLimits) {
        let after = (offset > 0 && self.is_packed(place)).then(|| {
            self.chain.edit(place, |node| match node {
                Node::Packed(packed) => Some(Node::Packed(packed.split_off(offset))),
                _ => None,
            })
        });
        let place = match after.flatten().flatten() {
            Some(after) => {
                let place = self.chain.insert_after(place, after);
                let before = self.chain.prev(place).unwrap_or(place);
                self.chain.insert_after(before, Node::with(value, limits))
            }
            None => self.chain.insert(place, Node::with(value, limits)),
        };
        self.join_around(place, limits);
    }

    /// Joins the node at `place` with its neighbours, as far as they are small.
    fn join_around(&mut self, place: Place, limits: &ListLimits) {
        if let Some(next) = self.chain.next(place) {
            self.join(place, next, limits);
        }
        if let Some(previous) = self.chain.prev(place) {
            self.join(previous, place, limits);
        }
    }

    /// Takes the elements of the node at `next` into the one before it, at `place`, if both are packed and small.
    fn join(&mut self, place: Place, next: Place, limits: &ListLimits) -> bool {
        let (Some(Node::Packed(first)), Some(Node::Packed(second))) =
            (self.chain.get(place), self.chain.get(next))
        else {
            return false;
        };
        if first.len() + second.len() > limits.node_len_max()
            || first.used_bytes() + second.used_bytes() > limits.joined_bytes_max()
        {
            return false;
        }
        let Some(second) = self.chain.remove(next) else { return false };
        let taken = self.chain.edit(place, |first| match (first, &*second) {
            (Node::Packed(first), Node::Packed(second)) => {
                let taken = first.append(second, limits.node_bytes_max());
                first.trim();
                taken
            }
            _ => false,
        });
        if taken != Some(true) {
            self.chain.insert_after(place, second);
        }
        taken == Some(true)
    }

    /// Changes the list at and around `place` with the nodes there decompressed.
    fn change_at(&mut self, place: Place, limits: &ListLimits, change: impl FnOnce(&mut Quicklist)) {
        self.decompress(place);
        let number = self.chain.number_of(place);
        change(self);
        if limits.compress_depth > 0 {
            (number.saturating_sub(1)..number + 3).for_each(|number| self.compress_middle(number, limits));
        }
        self.settle(limits);
    }

    /// Puts a text in the place of element number `index`. False if there is none.
    pub(super) fn set(&mut self, index: usize, value: &[u8], limits: &ListLimits) -> bool {
        let Some((place, offset)) = self.chain.seek(index) else { return false };
        self.change_at(place, limits, |quicklist| {
            if !quicklist.replace_in(place, offset, value, limits) {
                quicklist.replace_splitting(place, offset, value, limits);
            }
        });
        true
    }

    fn replace_in(&mut self, place: Place, offset: usize, value: &[u8], limits: &ListLimits) -> bool {
        if self.chain.get(place).is_some_and(Node::is_plain) {
            self.chain.replace(place, Node::with(value, limits));
            return true;
        }
        if limits.is_plain(value.len()) {
            return false;
        }
        let encoded = Encoded::of(value);
        let replaced = self.chain.edit(place, |node| match node {
            Node::Packed(packed) => packed.replace(offset, Element::of(&encoded), limits.node_bytes_max()),
            _ => false,
        });
        replaced == Some(true)
    }

    /// Replaces an element of a packed node by one that does not fit there.
    fn replace_splitting(&mut self, place: Place, offset: usize, value: &[u8], limits: &ListLimits) {
        let left = self.chain.edit(place, |node| {
            if let Node::Packed(packed) = node {
                packed.remove(offset, 1);
            }
            node.len()
        });
        if left == Some(0) {
            self.chain.replace(place, Node::with(value, limits));
        } else if left == Some(offset) {
            let place = self.chain.insert_after(place, Node::with(value, limits));
            self.join_around(place, limits);
        } else {
            self.insert_splitting(place, offset, value, limits);
        }
    }

    /// Removes up to `most` elements that are `value`, from an end on; gives how many there were.
    pub(super) fn remove_value(
        &mut self,
        value: &[u8],
        most: usize,
        from: End,
        limits: &ListLimits,
    ) -> usize {
        let (wanted, nodes) = (Wanted::new(value), self.chain.nodes());
        let (mut removed, mut at) = (0, self.chain.end(from));
        while removed < most
            && let Some(place) = at
        {
            let found = self.remove_in(place, &wanted, most - removed, from);
            removed += found;
            at = match from {
                End::Head if found > 0 => self.after_removal(place, limits),
                End::Head => self.chain.next(place),
                End::Tail => {
                    let previous = self.chain.prev(place);
                    if found > 0 {
                        self.after_removal(place, limits);
                    }
                    previous
                }
            };
        }
        if self.chain.nodes() < nodes {
            self.chain.join_sparse_chunks();
            self.decompress_ends(limits);
        }
        removed
    }

    /// Removes what is `wanted` in the node at `place`, and all of it if it is the only one.
    fn remove_in(&mut self, place: Place, wanted: &Wanted<'_>, most: usize, from: End) -> usize {
        let Some(node) = self.chain.get(place) else { return 0 };
        if node.find(wanted, 0, usize::MAX, &mut |_| ControlFlow::Break(())).is_continue() {
            return 0;
        }
        if node.is_plain() {
            // A large element's node goes with it: an empty one is what `after_removal` takes out.
            self.chain.replace(place, Node::Packed(Packed::with_room(0)));
            return 1;
        }
        let removed = self.chain.edit(place, |node| {
            let compressed = node.decompress();
            let removed = node.remove_matching(wanted, most, from == End::Tail);
            if compressed && node.len() > 0 {
                node.compress();
            }
            removed
        });
        removed.unwrap_or(0)
    }

    /// Takes the node at `place` out if it is empty, or joins it with the one before; gives what comes after it.
    fn after_removal(&mut self, place: Place, limits: &ListLimits) -> Option<Place> {
        if self.chain.get(place).is_none_or(|node| node.len() == 0) {
            self.chain.remove(place);
            return self.chain.at_or_after(place);
        }
        match self.chain.prev(place) {
            Some(previous) if self.join(previous, place, limits) => self.chain.at_or_after(place),
            _ => self.chain.next(place),
        }
    }
}
