//! A node: up to a hundred or so consecutive entries in one allocation.
//!
//! ```text
//!   bytes:  head                          entries
//!           number of names, names        header, ms, seq, [number of pairs,] values or pairs     header, ..
//! ```
//!
//! The names of the first entry are kept once; an entry with the same ones stores only its values. An entry's header is
//! a variable-length number: the length of what follows, doubled, plus one if the entry has names of its own. So
//! skipping an entry takes a few instructions and a node is searched from its front in well under a microsecond.
//! `ms` is the distance from the node's first ID, `seq` too if `ms` is 0, and as it is otherwise. Removing an entry
//! closes the gap; how many were removed is counted, because a node is full by what it ever held.
//!
//! Redis keeps nodes as listpacks. Rejected, because the same entries take 26 bytes there that take 16 here (four short
//! values; every element of a listpack has its length at both ends, and every entry has five elements more than its
//! values), and because a listpack is walked element by element. The form for files and peers is made when it is
//! needed (`listpack_form`).

use super::id::StreamId;
use super::ordered::Keyed;
use super::sizes::{LISTPACK_FRAME, int_element, text_element};
use super::value::{as_integer, push_bytes, push_int, push_varint, take_value, take_varint, varint_at};
use crate::listpack::Item;

/// Where an entry has its own names.
const OWN_NAMES: u64 = 1;

/// Consecutive entries.
#[derive(Debug)]
pub(super) struct Node {
    base: StreamId,
    /// The greatest ID that was ever in the node.
    last: StreamId,
    bytes: Vec<u8>,
    head_len: u32,
    count: u32,
    /// How many entries were removed.
    deleted: u32,
    /// Bytes of the node as a listpack with all it ever held, without frame and counts.
    listpack_bytes: u32,
}

/// An entry, borrowed from its stream.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    id: StreamId,
    /// The node's names, if the entry has the same.
    names: Option<&'a [u8]>,
    body: &'a [u8],
    len: usize,
}

/// The names and values of an entry, in order.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    names: Option<&'a [u8]>,
    body: &'a [u8],
    left: usize,
}

impl Clone for Node {
    /// A node with as much room as this one.
    fn clone(&self) -> Node {
        let mut bytes = Vec::with_capacity(self.bytes.capacity());
        bytes.extend_from_slice(&self.bytes);
        Node { bytes, ..*self }
    }
}

impl Keyed for Node {
    type Key = StreamId;
    type Low = ();
    const HIGHEST: () = ();

    fn key(&self) -> StreamId {
        self.base
    }

    fn low(&self) {}
}

impl Node {
    /// A node with one entry, `fields` being names and values in turn, and room for about `bytes` in all.
    pub(super) fn new(id: StreamId, fields: &[&[u8]], bytes: usize) -> Node {
        let names = fields.chunks_exact(2).map(|pair| Item::Bytes(pair[0]));
        let mut node = Node::with_names(id, names);
        let entry = fields.iter().map(|text| text.len() + 1).sum::<usize>() + 4;
        node.bytes.reserve_exact(entry.max(bytes.saturating_sub(node.bytes.len())));
        node.append(id, fields);
        node
    }

    /// A node with these names and no entries yet.
    pub(super) fn with_names<'a>(base: StreamId, names: impl ExactSizeIterator<Item = Item<'a>>) -> Node {
        let mut bytes = Vec::new();
        let count = names.len();
        let mut listpack_bytes = int_element(count as i64) + int_element(0);
        push_varint(&mut bytes, count as u64);
        for name in names {
            listpack_bytes += push_sized(&mut bytes, name);
        }
        let head_len = bytes.len() as u32;
        let listpack_bytes = u32::try_from(listpack_bytes).unwrap_or(u32::MAX);
        Node { base, last: base, bytes, head_len, count: 0, deleted: 0, listpack_bytes }
    }

    pub(super) fn base(&self) -> StreamId {
        self.base
    }

    /// The greatest ID that was ever in the node.
    pub(super) fn last_ever(&self) -> StreamId {
        self.last
    }

    pub(super) fn count(&self) -> u64 {
        u64::from(self.count)
    }

    pub(super) fn deleted(&self) -> u64 {
        u64::from(self.deleted)
    }

    /// Bytes used, which is the offset behind the last entry.
    pub(super) fn used(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// The node's size as a listpack, in bytes, were its removed entries only marked.
    pub(super) fn listpack_len(&self) -> usize {
        let counts = int_element(i64::from(self.count)) + int_element(i64::from(self.deleted));
        LISTPACK_FRAME + counts + self.listpack_bytes as usize
    }

    /// The node's names.
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        let mut head = self.head();
        let count = take_varint(&mut head) as usize;
        (0..count).map(move |_| take_value(&mut head))
    }

    fn head(&self) -> &[u8] {
        &self.bytes[..self.head_len as usize]
    }

    fn has_names_of(&self, fields: &[&[u8]]) -> bool {
        let mut head = self.head();
        take_varint(&mut head) == (fields.len() / 2) as u64
            && fields.iter().step_by(2).all(|name| take_value(&mut head).eq_bytes(name))
    }

    /// Adds an entry behind all others. Its ID must be greater than theirs.
    pub(super) fn append(&mut self, id: StreamId, fields: &[&[u8]]) {
        let own = !self.has_names_of(fields);
        let start = self.bytes.len();
        let mut size = self.begin_entry(id, own, fields.len() / 2);
        for pair in fields.chunks_exact(2) {
            if own {
                size += push_sized(&mut self.bytes, Item::Bytes(pair[0]));
            }
            size += push_sized(&mut self.bytes, Item::Bytes(pair[1]));
        }
        self.end_entry(id, start, own, size);
    }

    /// Adds an entry from its parts: values, or names and values in turn if it has its `own` names.
    pub(super) fn append_items<'a>(
        &mut self,
        id: StreamId,
        own: bool,
        pairs: usize,
        items: &mut dyn Iterator<Item = Item<'a>>,
    ) {
        let start = self.bytes.len();
        let size = self.begin_entry(id, own, pairs);
        let size = items.fold(size, |size, item| size + push_sized(&mut self.bytes, item));
        self.end_entry(id, start, own, size);
    }

    /// Takes note of an entry that was removed before the node came here.
    pub(super) fn note_deleted(&mut self, id: StreamId) {
        self.deleted = self.deleted.saturating_add(1);
        self.last = id;
    }

    /// Writes what comes before the values; returns how much it is in a listpack, the entry's last element included.
    fn begin_entry(&mut self, id: StreamId, own: bool, pairs: usize) -> usize {
        let ms = id.ms.wrapping_sub(self.base.ms);
        let seq = id.seq.wrapping_sub(self.base.seq);
        self.bytes.push(0);
        push_varint(&mut self.bytes, ms);
        push_varint(&mut self.bytes, if ms == 0 { seq } else { id.seq });
        let mut size = int_element(0) + int_element(ms as i64) + int_element(seq as i64);
        let mut elements = pairs + 3;
        if own {
            push_varint(&mut self.bytes, pairs as u64);
            size += int_element(pairs as i64);
            elements += pairs + 1;
        }
        size + int_element(elements as i64)
    }

    /// Writes the header of the entry that begins at `start`, for which one byte was left, and counts it.
    fn end_entry(&mut self, id: StreamId, start: usize, own: bool, listpack_bytes: usize) {
        let len = (self.bytes.len() - start - 1) as u64;
        let header = len << 1 | if own { OWN_NAMES } else { 0 };
        if header < 0x80 {
            self.bytes[start] = header as u8;
        } else {
            let mut longer = Vec::with_capacity(5);
            push_varint(&mut longer, header);
            self.bytes.splice(start..=start, longer);
        }
        let total = self.listpack_bytes as usize + listpack_bytes;
        self.listpack_bytes = u32::try_from(total).unwrap_or(u32::MAX);
        self.count += 1;
        self.last = id;
    }

    /// The entry at an offset, and the offset of the next.
    #[inline]
    fn entry_at(&self, at: usize) -> (Entry<'_>, usize) {
        let mut rest = &self.bytes[at..];
        let header = take_varint(&mut rest);
        let (mut body, behind) = rest.split_at((header >> 1) as usize);
        let ms = take_varint(&mut body);
        let seq = take_varint(&mut body);
        let seq = if ms == 0 { self.base.seq.wrapping_add(seq) } else { seq };
        let id = StreamId { ms: self.base.ms.wrapping_add(ms), seq };
        let mut names = self.head();
        let shared = take_varint(&mut names) as usize;
        let (names, len) = match header & OWN_NAMES {
            0 => (Some(names), shared),
            _ => (None, take_varint(&mut body) as usize),
        };
        (Entry { id, names, body, len }, self.bytes.len() - behind.len())
    }

    /// The node's entries with their offsets, in order.
    #[inline]
    pub(super) fn entries(&self) -> NodeEntries<'_> {
        self.entries_from(self.head_len as usize)
    }

    /// How many of its entries have IDs from `start` to `end`, both included. O(1) if all of them have.
    pub(super) fn count_between(&self, start: StreamId, end: StreamId) -> u64 {
        if start <= self.base && self.last_ever() <= end {
            return self.count();
        }
        let entries = self.entries_from(self.seek(start));
        entries.take_while(|(_, entry)| entry.id() <= end).count() as u64
    }

    /// The entries from an offset on.
    #[inline]
    pub(super) fn entries_from(&self, at: usize) -> NodeEntries<'_> {
        NodeEntries { node: self, at }
    }

    /// The offset of the first entry whose ID is at least `id`, or of the end. Looks at nothing but IDs.
    pub(super) fn seek(&self, id: StreamId) -> usize {
        let mut at = self.head_len as usize;
        if id <= self.base {
            return at;
        }
        let ms = id.ms - self.base.ms;
        let seq = if ms == 0 { id.seq - self.base.seq } else { id.seq };
        while at < self.bytes.len() {
            let entry = at;
            let header = varint_at(&self.bytes, &mut at);
            let end = at + (header >> 1) as usize;
            let entry_ms = varint_at(&self.bytes, &mut at);
            if entry_ms > ms || entry_ms == ms && varint_at(&self.bytes, &mut at) >= seq {
                return entry;
            }
            at = end;
        }
        at
    }

    /// The offsets of the entries before the one at `end`.
    pub(super) fn offsets(&self, end: usize) -> impl Iterator<Item = usize> + '_ {
        let mut at = self.head_len as usize;
        std::iter::from_fn(move || {
            let entry = at;
            if entry >= end {
                return None;
            }
            let header = varint_at(&self.bytes, &mut at);
            at += (header >> 1) as usize;
            Some(entry)
        })
    }

    /// The entry at an offset that [`Node::entries`] gave.
    pub(super) fn entry(&self, at: usize) -> Entry<'_> {
        self.entry_at(at).0
    }

    /// The entry with this ID, and where it is.
    pub(super) fn find(&self, id: StreamId) -> Option<(usize, Entry<'_>)> {
        if id > self.last {
            return None;
        }
        self.entries_from(self.seek(id)).next().filter(|(_, entry)| entry.id == id)
    }

    /// Removes the entry at an offset.
    pub(super) fn remove_at(&mut self, at: usize) {
        let (_, end) = self.entry_at(at);
        self.cut(at, end, 1);
    }

    /// Removes up to `count` entries from the front; returns how many.
    pub(super) fn remove_front(&mut self, count: u64) -> u64 {
        let count = count.min(self.count());
        let start = self.head_len as usize;
        let end = self.offsets(self.bytes.len()).nth(count as usize).unwrap_or(self.bytes.len());
        self.cut(start, end, count as u32);
        count
    }

    fn cut(&mut self, start: usize, end: usize, count: u32) {
        self.bytes.drain(start..end);
        self.count -= count;
        self.deleted = self.deleted.saturating_add(count);
        if self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(self.bytes.len());
        }
    }
}

/// Appends a name or value; returns its size as an element of a listpack.
#[inline]
fn push_sized(out: &mut Vec<u8>, item: Item<'_>) -> usize {
    let text = match item {
        Item::Int(int) => return push_sized_int(out, int),
        Item::Bytes(text) => text,
    };
    if let Some(int) = as_integer(text) {
        return push_sized_int(out, int);
    }
    push_bytes(out, text);
    text_element(text.len())
}

fn push_sized_int(out: &mut Vec<u8>, int: i64) -> usize {
    push_int(out, int);
    int_element(int)
}

/// The entries of a node with their offsets.
#[derive(Clone, Debug)]
pub(super) struct NodeEntries<'a> {
    node: &'a Node,
    at: usize,
}

impl<'a> Iterator for NodeEntries<'a> {
    type Item = (usize, Entry<'a>);

    #[inline]
    fn next(&mut self) -> Option<(usize, Entry<'a>)> {
        let at = self.at;
        if at >= self.node.bytes.len() {
            return None;
        }
        let (entry, next) = self.node.entry_at(at);
        self.at = next;
        Some((at, entry))
    }
}

impl<'a> Entry<'a> {
    /// The entry's ID.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// How many pairs of name and value it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none, which XADD does not allow.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its names and values, in the order in which they were added.
    pub fn fields(&self) -> Fields<'a> {
        Fields { names: self.names, body: self.body, left: self.len }
    }

    /// Bytes that its names and values are packed in, about.
    pub(super) fn packed_bytes(&self) -> usize {
        self.body.len() + self.names.map_or(0, <[u8]>::len)
    }

    /// Whether it shares the names of its node.
    pub(super) fn has_node_names(&self) -> bool {
        self.names.is_some()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Item<'a>, Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<(Item<'a>, Item<'a>)> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => take_value(names),
            None => take_value(&mut self.body),
        };
        Some((name, take_value(&mut self.body)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}
