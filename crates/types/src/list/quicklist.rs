//! A long list: a chain of nodes, each within the limits, the middle ones compressed if the limits say so.
//!
//! Nodes are filled as they come. One that is full is split where something is inserted; neighbours that have become
//! small by removals are joined. Nodes nearer to an end than `compress_depth` are never compressed; those behind are
//! as soon as they get there, and only decompressed for as long as something in them changes.

use std::ops::ControlFlow;

use super::chain::{Chain, End, Place};
use super::limits::ListLimits;
use super::node::{Node, Wanted};
use super::packed::{Element, Room};
use crate::listpack::{Encoded, Item, Listpack};

/// How many nodes a change can bring closer to an end.
const SETTLED: usize = 3;

/// A list too long for a listpack.
#[derive(Clone, Default)]
pub(super) struct Quicklist {
    pub(super) chain: Chain,
}

impl Quicklist {
    /// What `listpack` holds.
    pub(super) fn of_listpack(listpack: &Listpack, limits: &ListLimits) -> Quicklist {
        let mut quicklist = Quicklist::default();
        quicklist.append_listpack(listpack, limits);
        quicklist
    }

    /// Adds the elements of a listpack at the tail.
    pub(super) fn append_listpack(&mut self, listpack: &Listpack, limits: &ListLimits) {
        let mut next = listpack.first();
        while let Some(pos) = next {
            match listpack.get(pos) {
                Item::Bytes(text) if limits.is_plain(text.len()) => self.push(End::Tail, text, limits),
                _ => self.push_element(End::Tail, Element::stored(listpack.encoded(pos)), limits),
            }
            next = listpack.next(pos);
        }
    }

    /// Adds a text at an end.
    #[inline]
    pub(super) fn push(&mut self, end: End, value: &[u8], limits: &ListLimits) {
        if limits.is_plain(value.len()) {
            return self.push_node(end, Node::Plain(value.into()), limits);
        }
        let encoded = Encoded::of(value);
        self.push_element(end, Element::of(&encoded), limits);
    }

    #[inline]
    fn push_element(&mut self, end: End, element: Element<'_>, limits: &ListLimits) {
        let room = match end {
            _ if self.chain.nodes() == 1 => Room::Both,
            End::Head => Room::Head,
            End::Tail => Room::Tail,
        };
        let pushed = self.chain.end(end).and_then(|place| {
            self.chain.edit(place, |node| match node {
                Node::Packed(packed) if packed.len() < limits.node_len_max() => match end {
                    End::Head => packed.push_front(element, room, limits.node_bytes_max()),
                    End::Tail => packed.push_back(element, room, limits.node_bytes_max()),
                },
                _ => false,
            })
        });
        if pushed != Some(true) {
            self.push_node(end, Node::with_element(element, limits), limits);
        }
    }

    fn push_node(&mut self, end: End, node: Node, limits: &ListLimits) {
        if self.chain.nodes() > 1
            && let Some(place) = self.chain.end(end)
        {
            self.chain.edit(place, |node| {
                if let Node::Packed(packed) = node {
                    packed.trim();
                }
            });
        }
        self.chain.push(end, node);
        self.settle(limits);
    }

    /// Removes up to `count` elements at an end, each after `take` has seen it.
    pub(super) fn pop(
        &mut self,
        end: End,
        mut count: usize,
        limits: &ListLimits,
        take: &mut impl FnMut(Item<'_>),
    ) {
        while count > 0
            && let Some(place) = self.chain.end(end)
        {
            let len = self.chain.get(place).map_or(0, Node::len);
            let popped = len.min(count);
            self.chain.edit(place, |node| pop_of(node, end, popped, take));
            if popped == len {
                self.remove_node(place, limits);
            }
            count -= popped;
        }
    }

    fn remove_node(&mut self, place: Place, limits: &ListLimits) {
        self.chain.remove(place);
        self.settle(limits);
    }

    /// Removes elements at both ends; gives the nodes that were removed as they were.
    pub(super) fn trim(&mut self, head: usize, tail: usize, limits: &ListLimits) -> [Chain; 2] {
        let gone = [(End::Head, head), (End::Tail, tail)].map(|(end, count)| {
            let gone = self.chain.cut(end, count);
            self.pop(end, count - gone.len(), limits, &mut |_| {});
            gone
        });
        self.chain.join_sparse_chunks();
        self.decompress_ends(limits);
        gone
    }

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
        if limits.is_plain(value.len()) {
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

    /// Adds a text where there is no room: the node at `place` is cut before its element number `offset`, the text put
    /// between, and neighbours joined where they fit.
    fn insert_splitting(&mut self, place: Place, offset: usize, value: &[u8], limits: &ListLimits) {
        let after = self.chain.edit(place, |node| match node {
            Node::Packed(packed) if offset > 0 => Some(Node::Packed(packed.split_off(offset))),
            _ => None,
        });
        let place = match after.flatten() {
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
        let taken = self.chain.edit(place, |first| match (first, &second) {
            (Node::Packed(first), Node::Packed(second)) => first.append(second, limits.node_bytes_max()),
            _ => false,
        });
        if taken != Some(true) {
            self.chain.insert_after(place, second);
        }
        taken == Some(true)
    }

    /// Changes the list at and around `place` with the nodes there decompressed.
    fn change_at(&mut self, place: Place, limits: &ListLimits, change: impl FnOnce(&mut Quicklist)) {
        self.chain.edit(place, Node::decompress);
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
        let plain = limits.is_plain(value.len());
        let encoded = Encoded::of(value);
        let replaced = self.chain.edit(place, |node| match node {
            Node::Packed(packed) if !plain => {
                packed.replace(offset, Element::of(&encoded), limits.node_bytes_max())
            }
            Node::Plain(_) => {
                *node = Node::with(value, limits);
                true
            }
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
            self.chain.edit(place, |node| *node = Node::with(value, limits));
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
        let wanted = Wanted::new(value);
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
        if removed > 0 {
            self.chain.join_sparse_chunks();
            self.decompress_ends(limits);
        }
        removed
    }

    /// Removes what is `wanted` in the node at `place`, and all of it if it is the only one.
    fn remove_in(&mut self, place: Place, wanted: &Wanted<'_>, most: usize, from: End) -> usize {
        let found = self
            .chain
            .get(place)
            .map(|node| node.find(wanted, 0, usize::MAX, &mut |_| ControlFlow::Break(())).is_break());
        if found != Some(true) {
            return 0;
        }
        let removed = self.chain.edit(place, |node| {
            let compressed = node.decompress();
            if matches!(node, Node::Plain(_)) {
                return None;
            }
            let removed = node.remove_matching(wanted, most, from == End::Tail);
            if compressed && node.len() > 0 {
                node.compress();
            }
            Some(removed)
        });
        match removed {
            Some(Some(removed)) => removed,
            _ => {
                // A large element's node goes with it: an empty one is what `after_removal` takes out.
                self.chain.edit(place, |node| *node = Node::Packed(super::packed::Packed::new(0)));
                1
            }
        }
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

    /// Sees to it that what a step or two at an end have brought there is not compressed, and what they have brought to
    /// the middle is.
    fn settle(&mut self, limits: &ListLimits) {
        let depth = limits.compress_depth as usize;
        if depth == 0 {
            return;
        }
        for number in depth.saturating_sub(SETTLED)..depth {
            for end in [End::Head, End::Tail] {
                if let Some(place) = self.chain.node_from(end, number) {
                    self.chain.edit(place, Node::decompress);
                }
            }
        }
        self.compress_middle(depth, limits);
        if let Some(number) = self.chain.nodes().checked_sub(depth + 1) {
            self.compress_middle(number, limits);
        }
    }

    /// Sees to it after any change that the ends are not compressed.
    fn decompress_ends(&mut self, limits: &ListLimits) {
        for end in [End::Head, End::Tail] {
            let mut at = self.chain.end(end);
            for _ in 0..limits.compress_depth {
                let Some(place) = at else { break };
                self.chain.edit(place, Node::decompress);
                at = match end {
                    End::Head => self.chain.next(place),
                    End::Tail => self.chain.prev(place),
                };
            }
        }
    }

    /// Compresses the node with this number, if it is not too close to an end.
    fn compress_middle(&mut self, number: usize, limits: &ListLimits) {
        let depth = limits.compress_depth as usize;
        if number < depth || number + depth >= self.chain.nodes() {
            return;
        }
        if let Some(place) = self.chain.node_from(End::Head, number) {
            self.chain.edit(place, Node::compress);
        }
    }

    /// Shows the elements from number `from` on until `visit` breaks.
    #[inline]
    pub(super) fn walk(
        &self,
        from: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut at, mut offset) = self.chain.seek(from).unzip();
        while let Some(place) = at
            && let Some(node) = self.chain.get(place)
        {
            node.walk(offset.take().unwrap_or(0), visit)?;
            at = self.chain.next(place);
        }
        ControlFlow::Continue(())
    }

    /// Shows the elements before number `end`, last to first, until `visit` breaks.
    pub(super) fn walk_back(
        &self,
        end: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut at, mut offset) = end.checked_sub(1).and_then(|last| self.chain.seek(last)).unzip();
        while let Some(place) = at
            && let Some(node) = self.chain.get(place)
        {
            let end = offset.take().map_or(node.len(), |last| last + 1);
            node.walk_back(end, visit)?;
            at = self.chain.prev(place);
        }
        ControlFlow::Continue(())
    }

    /// Looks at the first `compared` elements for what is `wanted`; tells their indexes, first to last.
    pub(super) fn find(
        &self,
        wanted: &Wanted<'_>,
        compared: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut passed = 0;
        for node in self.chain.iter() {
            if passed >= compared {
                break;
            }
            node.find(wanted, 0, compared - passed, &mut |index| hit(passed + index))?;
            passed += node.len();
        }
        ControlFlow::Continue(())
    }

    /// Looks at the last `compared` elements for what is `wanted`; tells their indexes, last to first.
    pub(super) fn find_back(
        &self,
        wanted: &Wanted<'_>,
        compared: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut end, least) = (self.chain.len(), self.chain.len().saturating_sub(compared));
        let mut found = Vec::new();
        let mut at = self.chain.end(End::Tail);
        while end > least
            && let Some(place) = at
            && let Some(node) = self.chain.get(place)
        {
            let start = end - node.len();
            let _ = node.find(wanted, least.saturating_sub(start), usize::MAX, &mut |index| {
                found.push(start + index);
                ControlFlow::Continue(())
            });
            found.drain(..).rev().try_for_each(&mut *hit)?;
            end = start;
            at = self.chain.prev(place);
        }
        ControlFlow::Continue(())
    }
}

/// Shows the outer `count` elements of a node at an end, outermost first, and removes them unless they are all.
fn pop_of(node: &mut Node, end: End, count: usize, take: &mut impl FnMut(Item<'_>)) {
    node.decompress();
    let Node::Packed(packed) = node else {
        return node.get(0, take);
    };
    let from = packed.len() - count;
    match end {
        _ if count == 1 && end == End::Head => packed.pop_front(take),
        _ if count == 1 => packed.pop_back(take),
        End::Head => {
            packed.elements_from(0).take(count).for_each(|(item, _)| take(item));
            packed.remove(0, count);
        }
        End::Tail => {
            let mut left = count;
            let _ = packed.walk_back(packed.len(), &mut |item| {
                take(item);
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            packed.remove(from, count);
        }
    }
}
