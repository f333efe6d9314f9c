//! Replying what a value is made of, and how much of it at once.
//!
//! Few elements can be as long as many: what has been written is looked at on the way, element by element, and if the
//! next one would make it too much, all of it is taken back and left to a [`Sequel`](crate::Sequel). To know before would
//! cost a look at each element that nobody else needs.

use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;

use crate::sequel::BYTES_AT_ONCE;

/// An element, a member, a field or its value.
#[inline]
pub(super) fn reply_item(reply: &mut ReplyWriter<'_>, item: Item<'_>) {
    match item {
        Item::Int(number) => reply.bulk_int(number),
        Item::Bytes(bytes) => reply.bulk(bytes),
    }
}

/// How far a reply may grow before the rest of it is made in parts.
#[derive(Clone, Copy)]
pub(super) struct Room {
    begin: usize,
}

impl Room {
    /// For what is written from here on.
    #[inline]
    pub(super) fn behind(reply: &ReplyWriter<'_>) -> Room {
        Room { begin: reply.len() }
    }

    /// Whether this may be written as well.
    #[inline]
    pub(super) fn has(self, reply: &ReplyWriter<'_>, item: Item<'_>) -> bool {
        let bytes = if let Item::Bytes(bytes) = item { bytes.len() } else { 0 };
        reply.len() - self.begin + bytes < BYTES_AT_ONCE
    }

    /// Takes back what was written.
    #[cold]
    pub(super) fn take_back(self, reply: &mut ReplyWriter<'_>) {
        reply.truncate(self.begin);
    }
}
