//! The entries of a stream: nodes in the order of their first IDs.
//!
//! New entries go into the last node, which is reached without a search. Nodes are bounded in bytes and entries; the
//! bound in bytes is that of the node as a listpack, so that nodes end where Redis's would.

use super::id::StreamId;
use super::node::{Entry, Node, NodeEntries};
use super::ordered::{At, Iter, IterBack, Ordered};

/// The largest listpack there is.
const LISTPACK_BYTES_MAX: usize = 1 << 30;
/// The most that is allocated for a node before there is something to put into it.
const NEW_NODE_BYTES_MAX: usize = 4096;
/// How much larger than its text an element of a listpack may be.
const ELEMENT_OVERHEAD_MAX: usize = 10;
/// Elements of a node and of an entry besides names and values.
const EXTRA_ELEMENTS: usize = 16;

/// Bounds of a node, from `stream-node-max-bytes` and `stream-node-max-entries`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Bytes of a node as a listpack; 0 is a gibibyte. A node always takes its first entry.
    pub bytes: usize,
    /// Entries of a node, those removed from it included; 0 is no limit.
    pub entries: u64,
}

impl Default for NodeLimits {
    fn default() -> NodeLimits {
        NodeLimits { bytes: 4096, entries: 100 }
    }
}

/// The entries of a stream.
#[derive(Clone, Debug)]
pub(super) struct Log {
    nodes: Ordered<Node>,
    len: u64,
    /// Sum of the nodes' capacities.
    node_bytes: usize,
}

impl Log {
    pub(super) fn new() -> Log {
        Log { nodes: Ordered::new(), len: 0, node_bytes: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn nodes(&self) -> Iter<'_, Node> {
        self.nodes.iter()
    }

    pub(super) fn first_node(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// Bytes allocated.
    pub(super) fn heap_bytes(&self) -> usize {
        self.node_bytes + self.nodes.heap_bytes()
    }

    #[cfg(test)]
    pub(super) fn node_tree_bytes(&self) -> usize {
        self.nodes.heap_bytes()
    }

    /// How many allocations there are, roughly.
    pub(super) fn allocations(&self) -> usize {
        self.nodes.len() + self.nodes.allocations()
    }

    /// Whether an entry of these names and values can be stored at all: even in a node of its own, no listpack could
    /// hold more.
    pub(super) fn can_store(fields: &[&[u8]]) -> bool {
        listpack_bytes_max(0, fields) <= LISTPACK_BYTES_MAX
    }

    /// Adds an entry behind all others. Its ID must be greater than any that was here.
    pub(super) fn append(&mut self, id: StreamId, fields: &[&[u8]], limits: NodeLimits) {
        match self.nodes.last_mut() {
            Some(node) if has_room(node, fields, limits) => {
                let before = node.capacity();
                node.append(id, fields);
                self.node_bytes += node.capacity() - before;
            }
            Some(full) => {
                self.node_bytes -= full.capacity();
                full.shrink_to_fit();
                self.node_bytes += full.capacity();
                // The next node will be like this one, so it need not grow step by step.
                let bytes = full.used().min(NEW_NODE_BYTES_MAX);
                self.push_node(Node::new(id, fields, bytes));
            }
            None => self.push_node(Node::new(id, fields, 0)),
        }
        self.len += 1;
    }

    fn push_node(&mut self, node: Node) {
        self.node_bytes += node.capacity();
        self.nodes.insert(node);
    }

    /// Adds a node with entries behind all others; false if it does not belong there.
    pub(super) fn append_node(&mut self, mut node: Node) -> bool {
        if node.count() == 0 || self.nodes.last().is_some_and(|last| last.last_ever() >= node.base()) {
            return false;
        }
        node.shrink_to_fit();
        self.len += node.count();
        self.push_node(node);
        true
    }

    /// The entry with this ID.
    pub(super) fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.nodes.floor(id)?.find(id).map(|(_, entry)| entry)
    }

    pub(super) fn contains(&self, id: StreamId) -> bool {
        self.get(id).is_some()
    }

    /// The smallest ID.
    pub(super) fn first_id(&self) -> Option<StreamId> {
        self.nodes.first()?.entries().next().map(|(_, entry)| entry.id())
    }

    /// The greatest ID.
    pub(super) fn last_id(&self) -> Option<StreamId> {
        let node = self.nodes.last()?;
        node.offsets(node.used()).last().map(|at| node.entry(at).id())
    }

    /// Removes the entry with this ID; false if there is none.
    pub(super) fn remove(&mut self, id: StreamId) -> bool {
        let Some(place) = self.nodes.floor_at(id) else {
            return false;
        };
        let Some((at, _)) = self.nodes.get_at(place).and_then(|node| node.find(id)) else {
            return false;
        };
        self.change_node(place, |node| {
            node.remove_at(at);
            1
        });
        true
    }

    /// Removes the first node with all its entries; returns how many those were.
    pub(super) fn remove_first_node(&mut self) -> u64 {
        self.remove_node(self.nodes.first_at())
    }

    /// Removes the first `count` entries of the first node, which has more than that or all of them.
    pub(super) fn remove_from_first_node(&mut self, count: u64) {
        self.change_node(self.nodes.first_at(), |node| node.remove_front(count));
    }

    /// Lets `remove` remove entries, whose number it returns, of the node at `place`, which goes with its last one.
    fn change_node(&mut self, place: At, remove: impl FnOnce(&mut Node) -> u64) {
        let Some(node) = self.nodes.get_at_mut(place) else {
            return;
        };
        let before = node.capacity();
        self.len -= remove(node);
        self.node_bytes -= before - node.capacity();
        if node.count() == 0 {
            self.remove_node(place);
        }
    }

    /// Removes a node; returns how many entries it had.
    fn remove_node(&mut self, place: At) -> u64 {
        let Some(node) = self.nodes.remove_at(place) else {
            return 0;
        };
        self.node_bytes -= node.capacity();
        self.len -= node.count();
        node.count()
    }

    /// All entries as they are now, for somebody else.
    pub(super) fn share(&mut self) -> Log {
        Log { nodes: self.nodes.share(), ..*self }
    }

    /// The nodes with the entries from `start` to `end`, as they are now, for somebody else, who must not ask for figures.
    pub(super) fn share_range(&mut self, start: StreamId, end: StreamId) -> Log {
        Log { nodes: self.nodes.share_range(start, end), len: 0, node_bytes: 0 }
    }

    /// Lets go of what need not be read any more of a range.
    pub(super) fn drop_outside(&mut self, start: StreamId, end: StreamId) {
        self.nodes.drop_below(start);
        self.nodes.drop_above(end);
    }

    /// The entries from `start` to `end`, both included, in order.
    pub(super) fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        let mut nodes = self.nodes.iter_from_floor(start);
        let mut first = nodes.next();
        if first.is_some_and(|node| node.last_ever() < start) {
            first = nodes.next();
        }
        let entries = first.map(|node| node.entries_from(node.seek(start)));
        Range { nodes, entries, end }
    }

    /// How many entries there are from `start` to `end`, both included, counted up to `most`. O(nodes).
    pub(super) fn count_between(&self, start: StreamId, end: StreamId, most: u64) -> u64 {
        let mut count = 0;
        for node in self.nodes.iter_from_floor(start).take_while(|node| node.base() <= end) {
            count += node.count_between(start, end);
            if count >= most {
                return most;
            }
        }
        count
    }

    /// The same entries, the last one first.
    pub(super) fn range_back(&self, start: StreamId, end: StreamId) -> RangeBack<'_> {
        RangeBack { nodes: self.nodes.iter_back(end), node: None, offsets: Vec::new(), start, end }
    }

    /// The nodes from the one on that `id` is or would be in.
    pub(super) fn nodes_from(&self, id: StreamId) -> Iter<'_, Node> {
        self.nodes.iter_from_floor(id)
    }
}

fn has_room(node: &Node, fields: &[&[u8]], limits: NodeLimits) -> bool {
    let size = node.listpack_len();
    let bytes = fields.iter().fold(size, |sum, text| sum.saturating_add(text.len()));
    (limits.bytes == 0 || bytes < limits.bytes)
        && (limits.entries == 0 || node.count() + node.deleted() < limits.entries)
        && (bytes < LISTPACK_BYTES_MAX / 2 || listpack_bytes_max(size, fields) <= LISTPACK_BYTES_MAX)
}

/// How many bytes a listpack of `size` may have with another entry, if names are stored twice.
fn listpack_bytes_max(size: usize, fields: &[&[u8]]) -> usize {
    let element = |text: &&[u8]| text.len() + ELEMENT_OVERHEAD_MAX;
    let all = fields.iter().map(element).fold(size, usize::saturating_add);
    let names = fields.iter().step_by(2).map(element).fold(all, usize::saturating_add);
    names.saturating_add(EXTRA_ELEMENTS * ELEMENT_OVERHEAD_MAX)
}

/// Entries in ascending order.
pub struct Range<'a> {
    nodes: Iter<'a, Node>,
    entries: Option<NodeEntries<'a>>,
    end: StreamId,
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if let Some((_, entry)) = self.entries.as_mut()?.next() {
                if entry.id() <= self.end {
                    return Some(entry);
                }
                self.entries = None;
                return None;
            }
            self.entries = self.nodes.next().map(Node::entries);
        }
    }
}

/// Entries in descending order. A node is walked forwards once to know where its entries begin.
pub struct RangeBack<'a> {
    nodes: IterBack<'a, Node>,
    node: Option<&'a Node>,
    offsets: Vec<u32>,
    start: StreamId,
    end: StreamId,
}

impl<'a> Iterator for RangeBack<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if let (Some(node), Some(at)) = (self.node, self.offsets.pop()) {
                let entry = node.entry(at as usize);
                if entry.id() < self.start {
                    self.offsets.clear();
                    return None;
                }
                return Some(entry);
            }
            let node = self.nodes.next()?;
            if node.last_ever() < self.start {
                return None;
            }
            self.node = Some(node);
            let end = self.end.next().map_or(usize::MAX, |behind| node.seek(behind));
            self.offsets.extend(node.offsets(end.min(node.used())).map(|at| at as u32));
        }
    }
}
