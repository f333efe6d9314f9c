//! Plain values as what writers read from, while nobody changes them.

use ochre_types::Portion;
use ochre_types::hash::{self, Hash, HashEntry};
use ochre_types::list::{List, SavedNode};
use ochre_types::listpack::{Item, Listpack};
use ochre_types::set::{self, Set};
use ochre_types::stream::{Group, Stream, StreamId};
use ochre_types::zset::{Direction, ZSet, ZSetIter};

use super::parts::{Fields, Members, Nodes, ScoredMembers, StreamFigures, StreamSource};

/// The nodes of a list.
pub(super) struct PlainNodes<'a> {
    nodes: Box<dyn Iterator<Item = SavedNode> + 'a>,
    nodes_len: usize,
    elements_len: usize,
}

impl<'a> PlainNodes<'a> {
    pub(super) fn new(list: &'a List) -> PlainNodes<'a> {
        let nodes_len = if list.encoding_name() == "listpack" { 1 } else { list.quicklist_nodes().count() };
        PlainNodes { nodes: Box::new(list.saved_nodes()), nodes_len, elements_len: list.len() }
    }
}

impl Nodes for PlainNodes<'_> {
    fn nodes_len(&self) -> usize {
        self.nodes_len
    }

    fn elements_len(&self) -> usize {
        self.elements_len
    }

    fn next_node(&mut self) -> Option<SavedNode> {
        self.nodes.next()
    }
}

/// Shows a portion of an iterator, of which `len` tells the bytes of an element; whether there may be others.
fn show<T>(
    items: &mut impl Iterator<Item = T>,
    portion: Portion,
    len: impl Fn(&T) -> usize,
    mut visit: impl FnMut(T),
) -> bool {
    let Portion { mut elements, mut bytes } = portion;
    while elements > 0 && bytes > 0 {
        let Some(item) = items.next() else { return false };
        (elements, bytes) = (elements - 1, bytes.saturating_sub(len(&item)));
        visit(item);
    }
    true
}

/// The members of a set.
pub(crate) struct PlainMembers<'a> {
    members: set::Iter<'a>,
    len: usize,
}

impl<'a> PlainMembers<'a> {
    pub(crate) fn new(set: &'a Set) -> PlainMembers<'a> {
        PlainMembers { members: set.iter(), len: set.len() }
    }
}

impl Members for PlainMembers<'_> {
    fn members_len(&self) -> usize {
        self.len
    }

    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool {
        show(&mut self.members, portion, Item::len, visit)
    }
}

/// The fields of a hash.
pub(crate) struct PlainFields<'a> {
    fields: hash::Fields<'a>,
    len: usize,
    earliest_ms: Option<i64>,
}

impl<'a> PlainFields<'a> {
    pub(crate) fn new(hash: &'a Hash) -> PlainFields<'a> {
        PlainFields { fields: hash.iter(), len: hash.len(), earliest_ms: hash.next_expiry_ms() }
    }
}

impl Fields for PlainFields<'_> {
    fn fields_len(&self) -> usize {
        self.len
    }

    fn earliest_ms(&self) -> Option<i64> {
        self.earliest_ms
    }

    fn next_fields(&mut self, portion: Portion, visit: &mut dyn FnMut(HashEntry<'_>)) -> bool {
        show(&mut self.fields, portion, |field| field.name.len() + field.value.len(), visit)
    }
}

/// The members of a sorted set, the highest score first.
pub(crate) struct PlainScored<'a> {
    members: ZSetIter<'a>,
    len: usize,
}

impl<'a> PlainScored<'a> {
    pub(crate) fn new(zset: &'a ZSet) -> PlainScored<'a> {
        PlainScored { members: zset.range(0..usize::MAX, Direction::Descending), len: zset.len() }
    }
}

impl ScoredMembers for PlainScored<'_> {
    fn members_len(&self) -> usize {
        self.len
    }

    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>, f64)) -> bool {
        show(&mut self.members, portion, |(member, _)| member.len(), |(member, score)| visit(member, score))
    }
}

/// A stream.
pub(super) struct PlainStream<'a> {
    stream: &'a Stream,
    nodes: Box<dyn Iterator<Item = (StreamId, Listpack)> + 'a>,
}

impl<'a> PlainStream<'a> {
    pub(super) fn new(stream: &'a Stream) -> PlainStream<'a> {
        PlainStream { stream, nodes: Box::new(stream.nodes()) }
    }
}

impl StreamSource for PlainStream<'_> {
    fn nodes_len(&self) -> usize {
        self.stream.node_count()
    }

    fn next_node(&mut self, visit: &mut dyn FnMut(StreamId, &Listpack)) -> bool {
        let node = self.nodes.next();
        node.iter().for_each(|(base, listpack)| visit(*base, listpack));
        node.is_some()
    }

    fn figures(&self) -> StreamFigures {
        let stream = self.stream;
        let limits = stream.idempotency_limits();
        StreamFigures {
            len: stream.len(),
            last_id: stream.last_id(),
            first_id: stream.first_entry_id().unwrap_or(StreamId::MIN),
            max_deleted_id: stream.max_deleted_id(),
            entries_added: stream.entries_added(),
            idempotency: limits.map(|limits| (limits, stream.idempotency_figures())),
        }
    }

    fn groups_len(&self) -> usize {
        self.stream.groups_len()
    }

    fn group(&self, index: usize) -> Option<(&[u8], &Group)> {
        self.stream.groups().nth(index)
    }

    fn messages(&self) -> Box<dyn Iterator<Item = (&[u8], &[u8], StreamId)> + '_> {
        Box::new(self.stream.messages().map(|(producer, id, entry, _)| (producer, id, entry)))
    }
}
