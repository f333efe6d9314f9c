//! A range of a stream that is replied: at once, or in parts where it is long.

use ochre_keyspace::Key;
use ochre_resp::ReplyWriter;
use ochre_types::Portion;
use ochre_types::stream::{PinnedEntries, Stream, StreamId};

use super::reply::reply_entry;
use crate::call::Call;
use crate::sequel::{ELEMENTS_AT_ONCE, Sequel};

/// Entries of which a part has at most so many: an ID and some headers are more than short values.
const ENTRIES_MAX: usize = 1024;

/// Which entries of a stream are wanted.
pub(super) struct Wanted {
    pub(super) first: StreamId,
    pub(super) last: StreamId,
    /// Whether the last one comes first.
    pub(super) back: bool,
    /// The most of them.
    pub(super) count: usize,
}

impl Wanted {
    /// Whether there are too many of them for one go.
    pub(super) fn are_many(&self, stream: &Stream) -> bool {
        let most = ELEMENTS_AT_ONCE as u64 + 1;
        self.count > ELEMENTS_AT_ONCE
            && stream.len() >= most
            && stream.count_between(self.first, self.last, most) >= most
    }

    /// Replies how many there are in the stream of a key, and promises them.
    pub(super) fn reply_in_parts(&self, call: &mut Call<'_, '_>, key: Key<'_>) {
        let pin = |stream: &mut Stream| EntriesSequel {
            left: stream.count_between(self.first, self.last, self.count as u64) as usize,
            entries: stream.pin_range(self.first, self.last, self.back),
        };
        let pinned = call.view.pin(call.client.db, key, pin);
        call.reply.array(pinned.as_ref().map_or(0, |sequel| sequel.left));
        pinned.into_iter().for_each(|sequel| call.promise(Box::new(sequel)));
    }
}

/// Entries of a stream.
struct EntriesSequel {
    entries: PinnedEntries,
    /// Entries still to be shown.
    left: usize,
}

impl Sequel for EntriesSequel {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        let (portion, left) = (Portion { elements: self.left.min(ENTRIES_MAX), bytes }, &mut self.left);
        let more = self.entries.read(portion, &mut |entry| {
            reply_entry(reply, entry);
            *left -= 1;
        });
        more && self.left > 0
    }
}
