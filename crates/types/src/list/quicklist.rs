//! A long list: a chain of nodes, each within the limits, the middle ones compressed if the limits say so.
//!
//! Nodes are filled as they come. One that is full is split where something is inserted; neighbours that have become
//! small by removals are joined. Nodes nearer to an end than `compress_depth` are never compressed; those behind are
//! as soon as they get there, and only decompressed for as long as something in them changes.

use std::ops::ControlFlow;

use super::chain::{Chain, End, Place};
use super::limits::ListLimits;
use super::node::Node;
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
            End::Head if self.chain.nodes() == 1 => Room::Both,
            End::Head => Room::Head,
            End::Tail => Room::Tail,
        };
        let pushed = self.chain.edit_end(end, |node| match node {
            Node::Packed(packed) if packed.len() < limits.node_len_max() => match end {
                End::Head => packed.push_front(element, room, limits.node_bytes_max()),
                End::Tail => packed.push_back(element, room, limits.node_bytes_max()),
            },
            _ => false,
        });
        if pushed != Some(true) {
            self.push_node(end, Node::with_element(element, room, limits), limits);
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
    #[inline]
    pub(super) fn pop(
        &mut self,
        end: End,
        count: usize,
        limits: &ListLimits,
        take: &mut impl FnMut(Item<'_>),
    ) {
        if count > 0 && !self.chain.remove_at_end(end, count, |node| pop_of(node, end, count, take)) {
            self.pop_nodes(end, count, limits, take);
        }
    }

    /// The same, where nodes go or are shared.
    #[inline(never)]
    fn pop_nodes(
        &mut self,
        end: End,
        mut count: usize,
        limits: &ListLimits,
        take: &mut impl FnMut(Item<'_>),
    ) {
        while count > 0
            && let Some(node) = self.chain.end_node(end)
        {
            let len = node.len();
            if len > count {
                self.chain.edit_end(end, |node| pop_of(node, end, count, take));
                return;
            }
            show(node, end, take);
            self.remove_end(end, limits);
            count -= len;
        }
    }

    /// Decompresses the node at `place`, if it is compressed.
    pub(super) fn decompress(&mut self, place: Place) {
        if self.chain.get(place).is_some_and(|node| matches!(node, Node::Compressed(_))) {
            self.chain.edit(place, Node::decompress);
        }
    }

    fn remove_end(&mut self, end: End, limits: &ListLimits) {
        if let Some(place) = self.chain.end(end) {
            self.chain.remove(place);
        }
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

    /// Sees to it that what a step or two at an end have brought there is not compressed, and what they have brought to
    /// the middle is.
    pub(super) fn settle(&mut self, limits: &ListLimits) {
        let depth = limits.compress_depth as usize;
        if depth == 0 {
            return;
        }
        for number in depth.saturating_sub(SETTLED)..depth {
            for end in [End::Head, End::Tail] {
                if let Some(place) = self.chain.node_from(end, number) {
                    self.decompress(place);
                }
            }
        }
        self.compress_middle(depth, limits);
        if let Some(number) = self.chain.nodes().checked_sub(depth + 1) {
            self.compress_middle(number, limits);
        }
    }

    /// Sees to it after any change that the ends are not compressed.
    pub(super) fn decompress_ends(&mut self, limits: &ListLimits) {
        for end in [End::Head, End::Tail] {
            let mut at = self.chain.end(end);
            for _ in 0..limits.compress_depth {
                let Some(place) = at else { break };
                self.decompress(place);
                at = match end {
                    End::Head => self.chain.next(place),
                    End::Tail => self.chain.prev(place),
                };
            }
        }
    }

    /// Compresses the node with this number, if it is not too close to an end.
    pub(super) fn compress_middle(&mut self, number: usize, limits: &ListLimits) {
        let depth = limits.compress_depth as usize;
        if number < depth || number + depth >= self.chain.nodes() {
            return;
        }
        if let Some(place) = self.chain.node_from(End::Head, number)
            && self.chain.get(place).is_some_and(|node| !matches!(node, Node::Compressed(_)))
        {
            self.chain.edit(place, Node::compress);
        }
    }
}

/// Shows the elements of a node, the one closest to the end first.
fn show(node: &Node, end: End, take: &mut impl FnMut(Item<'_>)) {
    let mut visit = |item: Item<'_>| {
        take(item);
        ControlFlow::Continue(())
    };
    let _ = match end {
        End::Head => node.walk(0, &mut visit),
        End::Tail => node.walk_back(node.len(), &mut visit),
    };
}

/// Shows the outer `count` elements of a node at an end, which has more, outermost first, and removes them.
#[inline]
fn pop_of(node: &mut Node, end: End, count: usize, take: &mut impl FnMut(Item<'_>)) {
    node.decompress();
    let Node::Packed(packed) = node else { return };
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
