//! A list as it was at one moment, to be read bit by bit, on any thread, while the list goes on changing.
//!
//! A pin shares the chunks of the nodes that it covers, so it takes about a microsecond for a hundred thousand short
//! elements, whatever they are, and copies nothing but a listpack. What it has passed it lets go, chunk by chunk; what is
//! left goes when it is dropped, which frees what the list itself has meanwhile replaced.

use std::ops::ControlFlow;

use super::node::SavedNode;
use super::quicklist::Quicklist;
use super::value::List;
use crate::listpack::{CompactMut, Item, Listpack};
use crate::portion::Portion;

/// Elements of a list as they were when it was pinned.
pub struct PinnedList {
    held: Held,
    /// The element to read next, counted in what is held.
    at: usize,
    /// Elements still to be read.
    left: usize,
}

enum Held {
    Small(Listpack),
    Long(Quicklist),
}

impl List {
    /// The whole list as it is now.
    pub fn pin(&mut self) -> PinnedList {
        self.pin_range(0, usize::MAX)
    }

    /// Up to `count` elements from number `from` on, as they are now. O(nodes / 64); what is changed later costs a copy of
    /// the node the first time.
    pub fn pin_range(&mut self, from: usize, count: usize) -> PinnedList {
        let from = from.min(self.len());
        let left = (self.len() - from).min(count);
        match self.parts() {
            CompactMut::Pack(listpack) => PinnedList { held: Held::Small(listpack.clone()), at: from, left },
            CompactMut::Boxed(quicklist) => {
                let (chain, before) = quicklist.chain.share(from, from + left);
                PinnedList { held: Held::Long(Quicklist { chain }), at: from - before, left }
            }
        }
    }
}

impl PinnedList {
    /// How many elements are still to be read.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether all have been read.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// How many nodes [`PinnedList::next_node`] has still to give, of a whole list that is only read so.
    pub fn nodes_len(&self) -> usize {
        match &self.held {
            _ if self.left == 0 => 0,
            Held::Small(_) => 1,
            Held::Long(Quicklist { chain }) => {
                chain.nodes() - chain.seek(self.at).map_or(0, |(place, _)| chain.number_of(place))
            }
        }
    }

    /// How many allocations dropping the pin may free, roughly.
    pub fn free_effort(&self) -> usize {
        match &self.held {
            Held::Small(_) => 1,
            Held::Long(quicklist) => quicklist.chain.nodes(),
        }
    }

    /// Calls `visit` for the next elements; whether there are more. O(nodes of a chunk) to begin, O(1) per element.
    pub fn read(&mut self, mut portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool {
        let (mut left, from) = (self.left, self.at);
        if left > 0 && !portion.is_used_up() {
            let mut counted = |item: Item<'_>| {
                left -= 1;
                portion.use_for(item.len());
                visit(item);
                if left == 0 || portion.is_used_up() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            match &self.held {
                Held::Small(listpack) => walk_listpack(listpack, from, &mut counted),
                Held::Long(quicklist) => _ = quicklist.walk(from, &mut counted),
            }
        }
        self.pass(self.left - left);
        self.left > 0
    }

    /// The next node in the form that files have, if it is read from its beginning on.
    pub fn next_node(&mut self) -> Option<SavedNode> {
        if self.left == 0 {
            return None;
        }
        let (saved, len) = match &self.held {
            Held::Small(listpack) => (SavedNode::Listpack(listpack.clone()), listpack.len()),
            Held::Long(Quicklist { chain }) => {
                let node = chain.get(chain.seek(self.at)?.0)?;
                (node.saved(), node.len())
            }
        };
        self.pass(len.min(self.left));
        Some(saved)
    }

    /// Goes on by `count` elements, and lets go of the chunks behind.
    fn pass(&mut self, count: usize) {
        self.at += count;
        self.left -= count;
        match &mut self.held {
            Held::Long(quicklist) if self.left == 0 => *quicklist = Quicklist::default(),
            Held::Long(quicklist) => self.at -= quicklist.chain.drop_chunks(self.at),
            Held::Small(_) => {}
        }
    }
}

fn walk_listpack(listpack: &Listpack, from: usize, visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>) {
    if let Some(pos) = isize::try_from(from).ok().and_then(|at| listpack.seek(at)) {
        let _ = listpack.iter_from(pos).try_for_each(visit);
    }
}

impl std::fmt::Debug for PinnedList {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PinnedList").field("left", &self.left).finish_non_exhaustive()
    }
}
