//! What the journal gets of changes to groups: what came of a command, in words with which nothing is left to choose.
//!
//! An entry that was delivered or claimed is an XCLAIM that sets everything there is to set. Where a group has read on, an
//! XGROUP SETID follows. A consumer that got nothing is an XGROUP CREATECONSUMER.

use ochre_types::stream::{Claim, Stream, StreamId};

use super::*;

/// A consumer of a group of a stream.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) key: &'a [u8],
    pub(super) group: &'a [u8],
    pub(super) consumer: &'a [u8],
}

/// How far a group has read.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    id: StreamId,
    entries_read: Option<u64>,
}

impl Progress {
    /// Of this group of a stream.
    pub(super) fn of(stream: &Stream, group: &[u8]) -> Progress {
        stream.group(group).map_or(Progress { id: StreamId::MIN, entries_read: None }, |group| Progress {
            id: group.last_delivered_id(),
            entries_read: group.entries_read(),
        })
    }

    /// The ID up to which it has read.
    pub(super) fn id(self) -> StreamId {
        self.id
    }
}

impl Reader<'_> {
    /// The consumer was made.
    pub(super) fn propagate_creation(&self, call: &mut Call<'_, '_>) {
        call.propagate(&[b"XGROUP", b"CREATECONSUMER", self.key, self.group, self.consumer]);
    }

    /// An entry is pending for the consumer now, as `claim` says; the group has read up to `last_id`.
    pub(super) fn propagate_claim(&self, call: &mut Call<'_, '_>, claim: &Claim, last_id: StreamId) {
        call.propagate(&[
            b"XCLAIM",
            self.key,
            self.group,
            self.consumer,
            b"0",
            claim.id.to_string().as_bytes(),
            b"TIME",
            itoa::Buffer::new().format(claim.delivered_ms).as_bytes(),
            b"RETRYCOUNT",
            itoa::Buffer::new().format(claim.deliveries).as_bytes(),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            last_id.to_string().as_bytes(),
        ]);
    }

    /// Entries are not pending any more because they do not exist: to claim one again has the same effect.
    pub(super) fn propagate_drop(&self, call: &mut Call<'_, '_>, id: StreamId, last_id: StreamId) {
        let claim = Claim { id, delivered_ms: call.now_ms(), deliveries: 0 };
        self.propagate_claim(call, &claim, last_id);
    }

    /// The group has read so far.
    pub(super) fn propagate_progress(&self, call: &mut Call<'_, '_>, progress: Progress) {
        let entries_read = progress.entries_read.map_or("-1".to_owned(), |read| read.to_string());
        call.propagate(&[
            b"XGROUP",
            b"SETID",
            self.key,
            self.group,
            progress.id.to_string().as_bytes(),
            b"ENTRIESREAD",
            entries_read.as_bytes(),
        ]);
    }
}
