//! What a stream's commands say of several entries at once: that they are pending alike, or deleted. Redis writes a command for
//! each; entries that were delivered by one command share all but the ID.

use ochre_types::stream::{PendingEntry, StreamId};

use super::encoder::CommandEncoder;
use super::runs::ELEMENTS_MAX;

/// IDs that share a command, and are not written yet.
#[derive(Default)]
pub(super) struct Batch<'a> {
    same: Option<Same<'a>>,
    ids: Vec<StreamId>,
}

/// What they share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Same<'a> {
    /// Pending for a consumer.
    Claimed { group: &'a [u8], consumer: &'a [u8], delivered_ms: i64, deliveries: u64 },
    /// Pending for nobody.
    GivenBack { group: &'a [u8], deliveries: u64 },
    /// To go again.
    Deleted,
}

impl<'a> Same<'a> {
    pub(super) fn pending(group: &'a [u8], entry: &PendingEntry<'a>) -> Same<'a> {
        let PendingEntry { delivered_ms, deliveries, .. } = *entry;
        match entry.consumer {
            Some(consumer) => Same::Claimed { group, consumer, delivered_ms, deliveries },
            None => Same::GivenBack { group, deliveries },
        }
    }
}

impl<'a> Batch<'a> {
    /// Adds an ID, and writes those before it if it does not belong to them.
    pub(super) fn push(&mut self, out: &mut CommandEncoder, key: &[u8], same: Same<'a>, id: StreamId) {
        if self.same != Some(same) || self.ids.len() == ELEMENTS_MAX {
            self.write(out, key);
            self.same = Some(same);
        }
        self.ids.push(id);
    }

    /// Writes what there is.
    pub(super) fn write(&mut self, out: &mut CommandEncoder, key: &[u8]) {
        let ids = self.ids.len();
        let push_ids = |out: &mut CommandEncoder| self.ids.iter().for_each(|id| out.push_id(*id));
        match self.same.take() {
            None => {}
            Some(Same::Claimed { group, consumer, delivered_ms, deliveries }) => {
                out.begin(11 + ids, "XCLAIM");
                [key, group, consumer, b"0"].iter().for_each(|arg| out.push_text(arg));
                push_ids(out);
                out.push_word("TIME");
                out.push_int(delivered_ms);
                out.push_word("RETRYCOUNT");
                out.push_count(deliveries);
                out.push_word("JUSTID");
                out.push_word("FORCE");
            }
            Some(Same::GivenBack { group, deliveries }) => {
                out.begin(9 + ids, "XNACK");
                [key, group, b"FAIL", b"IDS"].iter().for_each(|arg| out.push_text(arg));
                out.push_count(ids as u64);
                push_ids(out);
                out.push_word("RETRYCOUNT");
                out.push_count(deliveries);
                out.push_word("FORCE");
            }
            Some(Same::Deleted) => {
                out.begin(2 + ids, "XDEL");
                out.push_text(key);
                push_ids(out);
            }
        }
        self.ids.clear();
    }
}
