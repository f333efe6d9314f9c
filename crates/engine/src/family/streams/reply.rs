//! Entries and IDs in replies.

use ochre_resp::{Deferred, Protocol, ReplyWriter};
use ochre_types::stream::{Entry, StreamId};

use crate::family::reply_item::reply_item;

/// An ID.
#[inline]
pub(super) fn reply_id(reply: &mut ReplyWriter<'_>, id: StreamId) {
    id.with_bytes(|text| reply.bulk(text));
}

/// An entry: its ID, and its names and values in turn.
pub(super) fn reply_entry(reply: &mut ReplyWriter<'_>, entry: &Entry<'_>) {
    reply.array(2);
    reply_parts(reply, entry);
}

/// The two parts of an entry.
#[inline]
pub(super) fn reply_parts(reply: &mut ReplyWriter<'_>, entry: &Entry<'_>) {
    reply_id(reply, entry.id());
    reply.array(2 * entry.len());
    for (name, value) in entry.fields() {
        reply_item(reply, name);
        reply_item(reply, value);
    }
}

/// Entries of which nobody knows yet how many there are.
pub(super) fn reply_entries<'a>(reply: &mut ReplyWriter<'_>, entries: impl Iterator<Item = Entry<'a>>) {
    let place = reply.defer_array();
    let mut count = 0;
    for entry in entries {
        reply_entry(reply, &entry);
        count += 1;
    }
    reply.finish_array(place, count);
}

/// The entries of several streams by their keys: a map, or pairs where there are no maps. Streams with nothing are left
/// out, and if that is all of them, nothing is written.
pub(super) struct Replies {
    /// How many there may be.
    streams: usize,
    /// Whether there will be so many: what comes later can then be promised, as nothing behind the header will move.
    is_exact: bool,
    place: Option<Deferred>,
    served: usize,
}

impl Replies {
    /// Of up to so many streams.
    pub(super) fn of(streams: usize) -> Replies {
        Replies { streams, is_exact: false, place: None, served: 0 }
    }

    /// Of just so many streams.
    pub(super) fn of_exactly(streams: usize) -> Replies {
        Replies { is_exact: true, ..Replies::of(streams) }
    }

    /// Begins with the next stream; its entries have to follow.
    pub(super) fn begin(&mut self, reply: &mut ReplyWriter<'_>, key: &[u8]) {
        let has_maps = reply.protocol() == Protocol::Resp3;
        let is_known = self.is_exact || self.streams == 1;
        match (self.served, is_known, has_maps) {
            (0, true, true) => reply.map(self.streams),
            (0, true, false) => reply.array(self.streams),
            (0, false, true) => self.place = Some(reply.defer_map()),
            (0, false, false) => self.place = Some(reply.defer_array()),
            _ => {}
        }
        self.served += 1;
        if !has_maps {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Ends the reply; whether there is one.
    pub(super) fn end(self, reply: &mut ReplyWriter<'_>) -> bool {
        debug_assert!(!self.is_exact || self.served == self.streams, "the header has told another number");
        match self.place {
            Some(place) if reply.protocol() == Protocol::Resp3 => reply.finish_map(place, self.served),
            Some(place) => reply.finish_array(place, self.served),
            None => {}
        }
        self.served > 0
    }
}
