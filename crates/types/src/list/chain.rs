//! The nodes of a long list, in order, with their numbers of elements summed up.
//!
//! ```text
//! chunks:   [ 44 nodes, 31,680 elements ]  [ 64 nodes, 46,080 elements ]  [ 7 nodes, 4,900 elements ]
//! ```
//!
//! A chunk is a deque of up to 64 nodes with the sum of their elements, and chunks stand in a deque. Both ends are
//! O(1). An element's node is found by passing whole chunks from the closer end, then nodes: about a hundred steps
//! through few cache lines for a list of ten million. A node more in the middle moves half a chunk.
//!
//! Chunks can be shared with pins of the list; a node that is changed through [`Chain::edit`] is copied first if it is.
//!
//! Rejected: a linked list, as Redis has, where a seek passes every node and misses the cache with each; a balanced
//! tree, whose pushes cost more than its seeks save at these sizes.

use std::collections::VecDeque;

use super::node::Node;
use crate::listpack::allocated_bytes;
use crate::shared_deque::{SharedDeque, Slot};

const CHUNK_NODES: usize = 64;

#[derive(Clone, Default)]
struct Chunk {
    nodes: SharedDeque<Node>,
    /// Elements of all its nodes.
    len: usize,
}

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    chunk: usize,
    node: usize,
}

/// One of the two ends of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where LPUSH pushes, the side of index 0.
    Head,
    /// Where RPUSH pushes.
    Tail,
}

/// All nodes of a list. No chunk is empty, and no node is, outside of an edit.
#[derive(Clone, Default)]
pub(super) struct Chain {
    chunks: VecDeque<Chunk>,
    nodes: usize,
    len: usize,
}

impl Chain {
    /// Number of elements.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Number of nodes.
    #[inline]
    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    /// Bytes allocated.
    pub(super) fn heap_bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| {
            allocated_bytes(chunk.nodes.capacity() * size_of::<Slot<Node>>())
                + chunk.nodes.iter().map(Node::heap_bytes).sum::<usize>()
        });
        chunks.sum::<usize>() + allocated_bytes(self.chunks.capacity() * size_of::<Chunk>())
    }

    /// The node at an end.
    #[inline]
    pub(super) fn end_node(&self, end: End) -> Option<&Node> {
        match end {
            End::Head => self.chunks.front()?.nodes.first(),
            End::Tail => self.chunks.back()?.nodes.last(),
        }
    }

    /// Changes the node at an end, and counts again what it has.
    #[inline]
    pub(super) fn edit_end<R>(&mut self, end: End, change: impl FnOnce(&mut Node) -> R) -> Option<R> {
        let (chunk, node) = match end {
            End::Head => {
                let chunk = self.chunks.front_mut()?;
                (&mut chunk.len, chunk.nodes.first_mut()?)
            }
            End::Tail => {
                let chunk = self.chunks.back_mut()?;
                (&mut chunk.len, chunk.nodes.last_mut()?)
            }
        };
        let before = node.len();
        let result = change(node);
        let after = node.len();
        *chunk = *chunk - before + after;
        self.len = self.len - before + after;
        Some(result)
    }

    /// Lets `remove` take `count` elements, which are not all, off the node at an end. False, and nothing happens, if there
    /// are no more, or the node is shared.
    #[inline]
    pub(super) fn remove_at_end(&mut self, end: End, count: usize, remove: impl FnOnce(&mut Node)) -> bool {
        let Some(chunk) = (match end {
            End::Head => self.chunks.front_mut(),
            End::Tail => self.chunks.back_mut(),
        }) else {
            return false;
        };
        let node = match end {
            End::Head => chunk.nodes.own_first_mut(),
            End::Tail => chunk.nodes.own_last_mut(),
        };
        let Some(node) = node.filter(|node| node.len() > count) else { return false };
        remove(node);
        chunk.len -= count;
        self.len -= count;
        true
    }

    /// Where the node at an end is.
    pub(super) fn end(&self, end: End) -> Option<Place> {
        let chunk = match end {
            End::Head => 0,
            End::Tail => self.chunks.len().checked_sub(1)?,
        };
        let nodes = self.chunks.get(chunk)?.nodes.len();
        Some(Place { chunk, node: if end == End::Head { 0 } else { nodes.checked_sub(1)? } })
    }

    /// The node after `place`, or the one that is there now if `place` is past its chunk.
    pub(super) fn next(&self, place: Place) -> Option<Place> {
        self.at_or_after(Place { node: place.node + 1, ..place })
    }

    /// The node at `place`, which may be just past its chunk.
    pub(super) fn at_or_after(&self, place: Place) -> Option<Place> {
        if place.node < self.chunks.get(place.chunk)?.nodes.len() {
            return Some(place);
        }
        (place.chunk + 1 < self.chunks.len()).then_some(Place { chunk: place.chunk + 1, node: 0 })
    }

    /// The node before `place`.
    pub(super) fn prev(&self, place: Place) -> Option<Place> {
        if let Some(node) = place.node.checked_sub(1) {
            return Some(Place { node, ..place });
        }
        let chunk = place.chunk.checked_sub(1)?;
        Some(Place { chunk, node: self.chunks.get(chunk)?.nodes.len().checked_sub(1)? })
    }

    /// The node at `place`.
    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<&Node> {
        self.chunks.get(place.chunk)?.nodes.get(place.node)
    }

    /// Changes the node at `place`, and counts again what it has.
    #[inline]
    pub(super) fn edit<R>(&mut self, place: Place, change: impl FnOnce(&mut Node) -> R) -> Option<R> {
        let chunk = self.chunks.get_mut(place.chunk)?;
        let node = chunk.nodes.get_mut(place.node)?;
        let before = node.len();
        let result = change(node);
        let after = node.len();
        chunk.len = chunk.len - before + after;
        self.len = self.len - before + after;
        Some(result)
    }

    /// The node that has element number `index`, and which of its elements that is.
    pub(super) fn seek(&self, index: usize) -> Option<(Place, usize)> {
        if index >= self.len {
            return None;
        }
        let (chunk, offset) = if index < self.len / 2 {
            pass(self.chunks.iter().map(|chunk| chunk.len), index)?
        } else {
            let (passed, left) =
                pass_back(self.chunks.iter().rev().map(|chunk| chunk.len), self.len - index)?;
            (self.chunks.len() - 1 - passed, left)
        };
        let Chunk { nodes, len } = self.chunks.get(chunk)?;
        let (node, offset) = if offset < len / 2 {
            pass(nodes.iter().map(Node::len), offset)?
        } else {
            let (passed, left) = pass_back(nodes.iter().rev().map(Node::len), len - offset)?;
            (nodes.len() - 1 - passed, left)
        };
        Some((Place { chunk, node }, offset))
    }

    /// The node with this number, from an end.
    pub(super) fn node_from(&self, end: End, number: usize) -> Option<Place> {
        let counts = self.chunks.iter().map(|chunk| chunk.nodes.len());
        match end {
            End::Head => pass(counts, number).map(|(chunk, node)| Place { chunk, node }),
            End::Tail => {
                let (passed, node) = pass_back(counts.rev(), number + 1)?;
                Some(Place { chunk: self.chunks.len() - 1 - passed, node })
            }
        }
    }

    /// How many nodes are before `place`.
    pub(super) fn number_of(&self, place: Place) -> usize {
        self.chunks.iter().take(place.chunk).map(|chunk| chunk.nodes.len()).sum::<usize>() + place.node
    }

    /// Puts a node in the place of the one at `place`, which is not copied for that.
    pub(super) fn replace(&mut self, place: Place, node: Node) {
        let Some(chunk) = self.chunks.get_mut(place.chunk) else { return };
        let after = node.len();
        if let Some(before) = chunk.nodes.replace(place.node, Slot::new(node)) {
            chunk.len = chunk.len - before.len() + after;
            self.len = self.len - before.len() + after;
        }
    }

    /// Adds a node at an end.
    pub(super) fn push(&mut self, end: End, node: impl Into<Slot<Node>>) {
        let last = match end {
            End::Head => self.chunks.front(),
            End::Tail => self.chunks.back(),
        };
        if last.is_none_or(|chunk| chunk.nodes.len() >= CHUNK_NODES) {
            match end {
                End::Head => self.chunks.push_front(Chunk::default()),
                End::Tail => self.chunks.push_back(Chunk::default()),
            }
        }
        let place = match end {
            End::Head => Place { chunk: 0, node: 0 },
            End::Tail => {
                let chunk = self.chunks.len() - 1;
                Place { chunk, node: self.chunks[chunk].nodes.len() }
            }
        };
        self.put(place, node.into());
    }

    /// Adds a node before the one at `place`, or at the end of its chunk; gives where it is.
    pub(super) fn insert(&mut self, mut place: Place, node: impl Into<Slot<Node>>) -> Place {
        let chunk = &mut self.chunks[place.chunk];
        if chunk.nodes.len() >= CHUNK_NODES {
            let nodes = chunk.nodes.split_off(CHUNK_NODES / 2);
            let len = nodes.iter().map(Node::len).sum();
            chunk.len -= len;
            self.chunks.insert(place.chunk + 1, Chunk { nodes, len });
            if place.node > CHUNK_NODES / 2 {
                place = Place { chunk: place.chunk + 1, node: place.node - CHUNK_NODES / 2 };
            }
        }
        self.put(place, node.into());
        place
    }

    fn put(&mut self, place: Place, node: Slot<Node>) {
        let chunk = &mut self.chunks[place.chunk];
        chunk.len += node.len();
        self.len += node.len();
        self.nodes += 1;
        chunk.nodes.insert(place.node, node);
    }

    /// Adds a node after the one at `place`; gives where it is.
    pub(super) fn insert_after(&mut self, place: Place, node: impl Into<Slot<Node>>) -> Place {
        self.insert(Place { node: place.node + 1, ..place }, node)
    }

    /// Takes the node at `place` out. What was after it is [`Chain::at_or_after`] `place` now: if its chunk goes with it,
    /// it was the first there, and the next chunk takes the number.
    pub(super) fn remove(&mut self, place: Place) -> Option<Slot<Node>> {
        let chunk = self.chunks.get_mut(place.chunk)?;
        let node = chunk.nodes.remove(place.node)?;
        chunk.len -= node.len();
        self.len -= node.len();
        self.nodes -= 1;
        if chunk.nodes.is_empty() {
            self.chunks.remove(place.chunk);
        }
        Some(node)
    }

    /// Cuts off whole nodes at an end, as long as they have `most` elements at most in sum; gives them.
    pub(super) fn cut(&mut self, end: End, most: usize) -> Chain {
        let mut gone = Chain::default();
        while let Some(chunk) = self.take_chunk(end, most - gone.len) {
            gone.nodes += chunk.nodes.len();
            gone.len += chunk.len;
            gone.chunks.push_back(chunk);
        }
        while let Some(place) = self.end(end)
            && self.get(place).is_some_and(|node| node.len() <= most - gone.len)
            && let Some(node) = self.remove(place)
        {
            gone.push(End::Tail, node);
        }
        gone
    }

    /// Drops whole chunks at the head, as long as they have `most` elements at most in sum; gives how many they had.
    pub(super) fn drop_chunks(&mut self, most: usize) -> usize {
        let before = self.len;
        while self.take_chunk(End::Head, most - (before - self.len)).is_some() {}
        before - self.len
    }

    /// The chunks that have the elements from number `from` up to `to`, as they are now, for somebody else; and how many
    /// elements come before them. A word or two are moved for each chunk.
    pub(super) fn share(&mut self, from: usize, to: usize) -> (Chain, usize) {
        let (mut shared, mut before, mut end) = (Chain::default(), 0, 0);
        for chunk in &mut self.chunks {
            let start = end;
            end += chunk.len;
            if end <= from {
                before = end;
            } else if start < to {
                shared.nodes += chunk.nodes.len();
                shared.len += chunk.len;
                shared.chunks.push_back(Chunk { nodes: chunk.nodes.share(), len: chunk.len });
            } else {
                break;
            }
        }
        (shared, before)
    }

    fn take_chunk(&mut self, end: End, most: usize) -> Option<Chunk> {
        let fits = |chunk: &mut Chunk| chunk.len <= most;
        let chunk = match end {
            End::Head => self.chunks.pop_front_if(fits),
            End::Tail => self.chunks.pop_back_if(fits),
        }?;
        self.len -= chunk.len;
        self.nodes -= chunk.nodes.len();
        Some(chunk)
    }

    /// Joins chunks that have become sparse.
    pub(super) fn join_sparse_chunks(&mut self) {
        let mut joined: VecDeque<Chunk> = VecDeque::new();
        for chunk in std::mem::take(&mut self.chunks) {
            match joined.back_mut() {
                Some(last) if last.nodes.len() + chunk.nodes.len() <= CHUNK_NODES / 2 => {
                    last.len += chunk.len;
                    last.nodes.append(chunk.nodes);
                }
                _ => joined.push_back(chunk),
            }
        }
        self.chunks = joined;
    }

    /// All nodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.chunks.iter().flat_map(|chunk| chunk.nodes.iter())
    }
}

/// Which of `counts` number `index` falls into, and which in it that is.
fn pass(counts: impl Iterator<Item = usize>, mut index: usize) -> Option<(usize, usize)> {
    for (number, count) in counts.enumerate() {
        if index < count {
            return Some((number, index));
        }
        index -= count;
    }
    None
}

/// The same from the end, where the last has the distance 1; the place in it is from its start.
fn pass_back(counts: impl Iterator<Item = usize>, mut distance: usize) -> Option<(usize, usize)> {
    for (number, count) in counts.enumerate() {
        if distance <= count {
            return Some((number, count - distance));
        }
        distance -= count;
    }
    None
}
