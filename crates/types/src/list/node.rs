//! A node of a long list: several packed elements, one large one, or either of them compressed.

use std::ops::ControlFlow;

use super::limits::ListLimits;
use super::packed::{Element, Packed, Room};
use crate::listpack::{Encoded, Item, Listpack, allocated_bytes};
use crate::lzf;

/// Fewer bytes than these are not worth compressing.
const COMPRESS_FROM: usize = 48;
/// What compressing has to save at least.
const SAVED_MIN: usize = 8;
/// What a node at an end begins with, as a share of what it may become.
const FIRST_SHARE: usize = 8;

/// One node.
#[derive(Clone)]
pub(super) enum Node {
    /// Elements of usual size.
    Packed(Packed),
    /// One element that is too large to share a node.
    Plain(Box<[u8]>),
    /// One of the above, compressed; never at the ends.
    Compressed(Box<Compressed>),
}

/// What is in a compressed node.
#[derive(Clone)]
pub(super) struct Compressed {
    lzf: Box<[u8]>,
    raw_len: usize,
    /// Number of elements.
    len: usize,
    plain: bool,
}

/// A node to read in, decompressed where that was necessary.
pub(super) enum Opened<'a> {
    AsItIs(&'a Node),
    Decompressed(Node),
}

impl std::ops::Deref for Opened<'_> {
    type Target = Node;

    #[inline]
    fn deref(&self) -> &Node {
        match self {
            Opened::AsItIs(node) => node,
            Opened::Decompressed(node) => node,
        }
    }
}

impl Node {
    /// A node for `value` alone, of the kind that the limits want, to stand in the middle.
    pub(super) fn with(value: &[u8], limits: &ListLimits) -> Node {
        if limits.is_plain(value.len()) {
            return Node::Plain(value.into());
        }
        let encoded = Encoded::of(value);
        Node::with_element(Element::of(&encoded), Room::Snug, limits)
    }

    /// A packed node for one element, which is not too large for it, with room for more where `room` says.
    pub(super) fn with_element(element: Element<'_>, room: Room, limits: &ListLimits) -> Node {
        let like_this = limits.node_len_max() * (element.len() + 2);
        let bytes = match room {
            Room::Snug => element.len() + 2,
            _ => like_this.min(limits.node_bytes_max() / FIRST_SHARE),
        };
        let mut packed = Packed::with_room(bytes);
        let pushed = packed.push_back(element, room, limits.node_bytes_max());
        debug_assert!(pushed, "an element that is not plain fits into an empty node");
        Node::Packed(packed)
    }

    /// Number of elements.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Node::Packed(packed) => packed.len(),
            Node::Plain(_) => 1,
            Node::Compressed(compressed) => compressed.len,
        }
    }

    /// Bytes of the elements with their index, uncompressed.
    pub(super) fn raw_bytes(&self) -> usize {
        match self {
            Node::Packed(packed) => packed.used_bytes(),
            Node::Plain(value) => value.len(),
            Node::Compressed(compressed) => compressed.raw_len,
        }
    }

    /// Bytes allocated.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Node::Packed(packed) => allocated_bytes(packed.capacity()),
            Node::Plain(value) => allocated_bytes(value.len()),
            Node::Compressed(compressed) => {
                allocated_bytes(size_of::<Compressed>()) + allocated_bytes(compressed.lzf.len())
            }
        }
    }

    /// Whether it is one element that is too large to share a node, compressed or not.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Node::Packed(_) => false,
            Node::Plain(_) => true,
            Node::Compressed(compressed) => compressed.plain,
        }
    }

    /// Bytes of the compressed form, if it is compressed.
    pub(super) fn compressed_bytes(&self) -> Option<usize> {
        match self {
            Node::Compressed(compressed) => Some(compressed.lzf.len()),
            _ => None,
        }
    }

    /// Compresses the node, if that saves something.
    pub(super) fn compress(&mut self) {
        let (raw, plain) = match self {
            Node::Packed(packed) => (packed.elements(), false),
            Node::Plain(value) => (&**value, true),
            Node::Compressed(_) => return,
        };
        if raw.len() < COMPRESS_FROM {
            return;
        }
        if let Some(lzf) = lzf::compress(raw, raw.len() - SAVED_MIN) {
            let compressed = Compressed { lzf: lzf.into(), raw_len: raw.len(), len: self.len(), plain };
            *self = Node::Compressed(Box::new(compressed));
        }
    }

    /// Undoes [`Node::compress`]. Gives whether there was something to undo.
    pub(super) fn decompress(&mut self) -> bool {
        let Node::Compressed(compressed) = self else { return false };
        *self = compressed.raw();
        true
    }

    /// The node, decompressed if need be.
    #[inline]
    pub(super) fn open(&self) -> Opened<'_> {
        match self {
            Node::Compressed(compressed) => Opened::Decompressed(compressed.raw()),
            _ => Opened::AsItIs(self),
        }
    }

    /// Shows the elements from number `from` on until `visit` breaks.
    #[inline]
    pub(super) fn walk(
        &self,
        from: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &*self.open() {
            Node::Packed(packed) => packed.elements_from(from).try_for_each(|(item, _)| visit(item)),
            Node::Plain(value) if from == 0 => visit(Item::Bytes(value)),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Shows the elements before number `end`, last to first, until `visit` breaks.
    pub(super) fn walk_back(
        &self,
        end: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &*self.open() {
            Node::Packed(packed) => packed.walk_back(end, visit),
            Node::Plain(value) if end > 0 => visit(Item::Bytes(value)),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Calls `take` with element number `index`.
    #[inline]
    pub(super) fn get<R>(&self, index: usize, take: impl FnOnce(Item<'_>) -> R) -> R {
        match &*self.open() {
            Node::Packed(packed) => take(packed.get(index)),
            Node::Plain(value) => take(Item::Bytes(value)),
            Node::Compressed(_) => take(Item::Bytes(&[])),
        }
    }

    /// Numbers of the elements that are `wanted`, among the `limit` ones from `from` on, until `hit` breaks.
    pub(super) fn find(
        &self,
        wanted: &Wanted<'_>,
        from: usize,
        limit: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &*self.open() {
            Node::Packed(packed) => packed.find(&wanted.encoded, from, limit, hit),
            Node::Plain(value) if from == 0 && limit > 0 && **value == *wanted.text => hit(0),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Removes up to `most` elements that are `wanted`, from the head or the tail on; gives how many there were. An
    /// element alone in its node is left there: the node is what has to be removed.
    pub(super) fn remove_matching(&mut self, wanted: &Wanted<'_>, most: usize, from_tail: bool) -> usize {
        match self {
            Node::Packed(packed) => {
                let removed = packed.remove_matching(&wanted.encoded, most, from_tail);
                packed.trim();
                removed
            }
            _ => 0,
        }
    }

    /// The node as RDB has it. The listpack is a new one.
    pub(super) fn saved(&self) -> SavedNode {
        match &*self.open() {
            Node::Packed(packed) => SavedNode::Listpack(listpack_of(packed)),
            Node::Plain(value) => SavedNode::Plain(value.clone()),
            Node::Compressed(_) => SavedNode::Listpack(Listpack::new()),
        }
    }
}

impl Compressed {
    fn raw(&self) -> Node {
        // What we compressed ourselves decompresses; if memory has gone bad, an empty node is what is left of it.
        let raw = lzf::decompress(&self.lzf, self.raw_len).unwrap_or_default();
        debug_assert_eq!(raw.len(), self.raw_len);
        if self.plain { Node::Plain(raw.into()) } else { Node::Packed(Packed::of_elements(&raw, self.len)) }
    }
}

/// A value to look for, with its encoding.
pub(super) struct Wanted<'a> {
    text: &'a [u8],
    encoded: Encoded<'a>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(text: &'a [u8]) -> Wanted<'a> {
        Wanted { text, encoded: Encoded::of(text) }
    }
}

/// A node in the form that RDB has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedNode {
    /// Several elements.
    Listpack(Listpack),
    /// One large element.
    Plain(Box<[u8]>),
}

/// The elements of a packed node as a listpack.
pub(super) fn listpack_of(packed: &Packed) -> Listpack {
    let mut listpack = Listpack::with_capacity(packed.elements_len() + packed.len() + 7);
    packed.elements_from(0).for_each(|(_, element)| listpack.push_back_encoded(element));
    listpack
}
