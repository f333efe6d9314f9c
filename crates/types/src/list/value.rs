//! A list: a listpack as long as it is within `list-max-listpack-size`, a quicklist beyond.
//!
//! It becomes a quicklist just before it would exceed the limit, and a listpack again once a single node is left with
//! at most half of what is allowed: both as in Redis, where OBJECT ENCODING tells. In memory it is one word.
//!
//! Elements are shown to closures: in a compressed node they exist for as long as they are looked at. To go on with a
//! walk another time, start it at the index it stopped at, which is cheap anywhere in a list of any length.

use std::ops::ControlFlow;

use super::chain::{Chain, End};
use super::limits::ListLimits;
use super::node::{Node, SavedNode, Wanted, listpack_of};
use super::quicklist::Quicklist;
use crate::listpack::{Compact, CompactMut, CompactRef, Item, Listpack, allocated_bytes};

/// A list of texts.
#[derive(Clone)]
pub struct List(Compact<Quicklist>);

/// Nodes that LTRIM has cut off, to be dropped where it disturbs nobody.
pub struct TrimmedNodes([Chain; 2]);

impl TrimmedNodes {
    pub(super) fn new(nodes: [Chain; 2]) -> TrimmedNodes {
        TrimmedNodes(nodes)
    }

    /// How many allocations freeing them takes.
    pub fn free_effort(&self) -> usize {
        self.0.iter().map(Chain::nodes).sum()
    }
}

impl std::fmt::Debug for TrimmedNodes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("TrimmedNodes").field(&self.free_effort()).finish()
    }
}

impl List {
    /// An empty list.
    pub fn new() -> List {
        List(Compact::pack(Listpack::new()))
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of elements. O(1), but for a listpack of more than 65534 elements.
    #[inline]
    pub fn len(&self) -> usize {
        match self.0.get() {
            CompactRef::Pack(listpack) => listpack.len(),
            CompactRef::Boxed(quicklist) => quicklist.chain.len(),
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self.0.get() {
            CompactRef::Pack(_) => "listpack",
            CompactRef::Boxed(_) => "quicklist",
        }
    }

    /// How many allocations freeing the list takes, roughly.
    pub fn free_effort(&self) -> usize {
        match self.0.get() {
            CompactRef::Pack(_) => 1,
            CompactRef::Boxed(quicklist) => quicklist.chain.nodes(),
        }
    }

    /// Bytes allocated. O(nodes).
    pub fn heap_bytes(&self) -> usize {
        match self.0.get() {
            CompactRef::Pack(listpack) => listpack.heap_bytes(),
            CompactRef::Boxed(quicklist) => {
                allocated_bytes(size_of::<Quicklist>()) + quicklist.chain.heap_bytes()
            }
        }
    }

    /// The quicklist, which the list becomes if it is not one yet.
    pub(super) fn become_quicklist(&mut self, limits: &ListLimits) {
        if let CompactRef::Pack(listpack) = self.0.get() {
            let quicklist = Quicklist::of_listpack(listpack, limits);
            self.0 = Compact::boxed(Box::new(quicklist));
        }
    }

    /// Makes the list a quicklist if `added` elements with texts of `bytes` in sum would exceed the limits.
    pub(super) fn before_growing(&mut self, bytes: usize, added: usize, limits: &ListLimits) {
        if let CompactRef::Pack(listpack) = self.0.get()
            && (limits.exceeded_by(listpack.bytes().saturating_add(bytes), listpack.len() + added)
                || !listpack.fits(bytes))
        {
            self.become_quicklist(limits);
        }
    }

    /// Makes the list a listpack if it has become small.
    pub(super) fn after_shrinking(&mut self, limits: &ListLimits) {
        if let CompactRef::Boxed(quicklist) = self.0.get()
            && let Some(listpack) = small_listpack(quicklist, limits)
        {
            self.0 = Compact::pack(listpack);
        }
    }

    /// Either of the two, to be changed.
    pub(super) fn parts(&mut self) -> CompactMut<'_, Quicklist> {
        self.0.get_mut()
    }

    /// Either of the two.
    pub(super) fn view(&self) -> CompactRef<'_, Quicklist> {
        self.0.get()
    }

    /// Adds texts at an end, one after the other: of several pushed at the head, the last is the first element.
    pub fn push<'a>(
        &mut self,
        end: End,
        values: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
        limits: &ListLimits,
    ) {
        let values = values.into_iter();
        if let CompactRef::Pack(_) = self.0.get() {
            let (count, bytes) = values
                .clone()
                .fold((0, 0usize), |(count, bytes), value| (count + 1, bytes.saturating_add(value.len())));
            self.before_growing(bytes, count, limits);
        }
        match (self.0.get_mut(), end) {
            (CompactMut::Pack(listpack), End::Head) => values.for_each(|value| listpack.push_front(value)),
            (CompactMut::Pack(listpack), End::Tail) => values.for_each(|value| listpack.push_back(value)),
            (CompactMut::Boxed(quicklist), _) => values.for_each(|value| quicklist.push(end, value, limits)),
        }
    }

    /// Removes up to `count` elements at an end, outermost first, each after `take` has seen it. O(count).
    pub fn pop(&mut self, end: End, count: usize, limits: &ListLimits, mut take: impl FnMut(Item<'_>)) {
        match self.0.get_mut() {
            CompactMut::Pack(listpack) => pop_listpack(listpack, end, count, &mut take),
            CompactMut::Boxed(quicklist) => {
                quicklist.pop(end, count, limits, &mut take);
                self.after_shrinking(limits);
            }
        }
    }

    /// Calls `take` with element number `index`; `None` if there is none.
    pub fn get<R>(&self, index: usize, take: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        match self.0.get() {
            CompactRef::Pack(listpack) => {
                let pos = listpack.seek(isize::try_from(index).ok()?)?;
                Some(take(listpack.get(pos)))
            }
            CompactRef::Boxed(quicklist) => {
                let (place, offset) = quicklist.chain.seek(index)?;
                Some(quicklist.chain.get(place)?.get(offset, take))
            }
        }
    }

    /// Shows the elements from number `from` on until `visit` breaks.
    #[inline]
    pub fn walk(&self, from: usize, mut visit: impl FnMut(Item<'_>) -> ControlFlow<()>) {
        let _ = match self.0.get() {
            CompactRef::Pack(listpack) => match isize::try_from(from).ok().and_then(|at| listpack.seek(at)) {
                Some(pos) => listpack.iter_from(pos).try_for_each(visit),
                None => ControlFlow::Continue(()),
            },
            CompactRef::Boxed(quicklist) => quicklist.walk(from, &mut visit),
        };
    }

    /// Shows up to `count` elements from number `from` on.
    #[inline]
    pub fn range(&self, from: usize, count: usize, mut visit: impl FnMut(Item<'_>)) {
        let mut left = count;
        if left == 0 {
            return;
        }
        self.walk(from, |item| {
            visit(item);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    /// Shows the elements before number `end`, last to first, until `visit` breaks.
    pub fn walk_back(&self, end: usize, mut visit: impl FnMut(Item<'_>) -> ControlFlow<()>) {
        let end = end.min(self.len());
        let _ = match self.0.get() {
            CompactRef::Pack(listpack) => {
                let skipped = listpack.len() - end;
                listpack.iter().rev().skip(skipped).try_for_each(visit)
            }
            CompactRef::Boxed(quicklist) => quicklist.walk_back(end, &mut visit),
        };
    }

    /// Looks at up to `compared` elements from an end on for `value`; tells the indexes of those that are until `hit`
    /// breaks.
    pub fn find(
        &self,
        value: &[u8],
        from: End,
        compared: usize,
        mut hit: impl FnMut(usize) -> ControlFlow<()>,
    ) {
        let _ = match (self.0.get(), from) {
            (CompactRef::Pack(listpack), End::Head) => listpack.find_all(value, compared, &mut hit),
            (CompactRef::Pack(listpack), End::Tail) => {
                let indexes = (0..listpack.len()).rev();
                let mut found = indexes.zip(listpack.iter().rev()).take(compared);
                found.try_for_each(|(index, item)| match item.eq_bytes(value) {
                    true => hit(index),
                    false => ControlFlow::Continue(()),
                })
            }
            (CompactRef::Boxed(quicklist), End::Head) => {
                quicklist.find(&Wanted::new(value), compared, &mut hit)
            }
            (CompactRef::Boxed(quicklist), End::Tail) => {
                quicklist.find_back(&Wanted::new(value), compared, &mut hit)
            }
        };
    }

    /// Adds a node's elements at the tail, as they come from a file.
    pub fn push_saved(&mut self, node: &SavedNode, limits: &ListLimits) {
        // A small list has one node, which is then all of it.
        if let SavedNode::Listpack(listpack) = node
            && self.is_empty()
            && !limits.exceeded_by(listpack.bytes(), listpack.len())
        {
            self.0 = Compact::pack(listpack.clone());
            return;
        }
        self.become_quicklist(limits);
        if let CompactMut::Boxed(quicklist) = self.0.get_mut() {
            match node {
                SavedNode::Listpack(listpack) => quicklist.append_listpack(listpack, limits),
                SavedNode::Plain(value) => quicklist.push(End::Tail, value, limits),
            }
        }
    }

    /// Chooses the encoding of a list that has been put together from a file.
    pub fn loaded(&mut self, limits: &ListLimits) {
        if let CompactRef::Boxed(quicklist) = self.0.get()
            && let Some(listpack) = only_listpack(quicklist)
            && !limits.exceeded_by(listpack.bytes(), listpack.len())
        {
            self.0 = Compact::pack(listpack);
        }
    }

    /// The nodes in the form that files have, one after the other; a small list has one.
    pub fn saved_nodes(&self) -> impl Iterator<Item = SavedNode> {
        let (small, nodes) = match self.0.get() {
            CompactRef::Pack(listpack) => (Some(SavedNode::Listpack(listpack.clone())), None),
            CompactRef::Boxed(quicklist) => (None, Some(quicklist.chain.iter().map(Node::saved))),
        };
        small.into_iter().chain(nodes.into_iter().flatten())
    }
}

/// The listpack of a quicklist that has a single, packed node.
fn only_listpack(quicklist: &Quicklist) -> Option<Listpack> {
    if quicklist.chain.nodes() > 1 {
        return None;
    }
    match quicklist.chain.iter().next() {
        Some(Node::Packed(packed)) => Some(listpack_of(packed)),
        Some(Node::Plain(_) | Node::Compressed(_)) => None,
        None => Some(Listpack::new()),
    }
}

/// The listpack that a quicklist is to become because it has shrunk, if so.
fn small_listpack(quicklist: &Quicklist, limits: &ListLimits) -> Option<Listpack> {
    if quicklist.chain.nodes() == 1
        && let Some(Node::Packed(packed)) = quicklist.chain.iter().next()
        && !limits.allows_listpack(packed.elements_len() + packed.len() + 7, packed.len())
    {
        // It has at least as many bytes as these, so there is no need to count.
        return None;
    }
    only_listpack(quicklist).filter(|listpack| limits.allows_listpack(listpack.bytes(), listpack.len()))
}

fn pop_listpack(listpack: &mut Listpack, end: End, count: usize, take: &mut impl FnMut(Item<'_>)) {
    match end {
        End::Head => {
            listpack.iter().take(count).for_each(&mut *take);
            if let Some(first) = listpack.first() {
                listpack.remove_range(first, count);
            }
        }
        End::Tail => {
            listpack.iter().rev().take(count).for_each(&mut *take);
            let count = count.min(listpack.len());
            if let Some(pos) = listpack.seek(-(count as isize)) {
                listpack.remove_range(pos, count);
            }
        }
    }
}

impl Default for List {
    fn default() -> List {
        List::new()
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        let mut index = 0;
        let mut equal = self.len() == other.len();
        self.walk(0, |item| {
            equal = equal && other.get(index, |other| other == item) == Some(true);
            index += 1;
            if equal { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        equal
    }
}

impl Eq for List {}

impl std::fmt::Debug for List {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut list = formatter.debug_list();
        self.walk(0, |item| {
            list.entry(&item);
            ControlFlow::Continue(())
        });
        list.finish()
    }
}
