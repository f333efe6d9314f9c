//! Reading in the name of a group: what is new, what is pending for oneself, and what others have had for too long.
//!
//! New entries delivered are a contiguous part of the stream, so the answer is where it begins and ends, and the
//! caller replies from [`Stream::range`]. The other two answer with IDs.

use super::consumer::ConsumerIndex;
use super::group::Group;
use super::groups::NoGroup;
use super::id::StreamId;
use super::log::Log;
use super::node::Entry;
use super::pending::Pending;
use super::state::Stream;

/// Entries that were delivered to a consumer: all from `first` to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The first one.
    pub first: StreamId,
    /// The last one, which is now the group's last delivered ID.
    pub last: StreamId,
    /// How many.
    pub count: u64,
}

/// A pending entry that was taken over because it had been idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleClaim {
    /// The entry. It exists.
    pub id: StreamId,
    /// Milliseconds since it was last delivered.
    pub idle_ms: i64,
    /// How often it had been delivered before.
    pub deliveries: u64,
}

impl Stream {
    /// Delivers up to `count` entries (all, if there is no count) that the group has not read to a consumer, which is
    /// made if needed. With `no_ack` they do not become pending. Nothing if there are none. O(log n) per entry.
    pub fn deliver(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        count: Option<u64>,
        no_ack: bool,
        now_ms: i64,
    ) -> Result<Option<Delivery>, NoGroup> {
        let history = self.history();
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let (consumer, _) = group.see(consumer, now_ms);
        let Some(start) = group.last_delivered.next() else {
            return Ok(None);
        };
        if group.last_delivered >= inner.last_id {
            return Ok(None);
        }
        let mut delivery: Option<Delivery> = None;
        for entry in inner.log.range(start, StreamId::MAX).take(limit(count)) {
            let id = entry.id();
            group.entries_read = history.entries_read_with(group, id);
            group.last_delivered = id;
            if !no_ack {
                let consumer = Some(consumer);
                group.put_pending(Pending { id, delivered_ms: now_ms, deliveries: 1, consumer });
            }
            let before = delivery.unwrap_or(Delivery { first: id, last: id, count: 0 });
            delivery = Some(Delivery { last: id, count: before.count + 1, ..before });
        }
        if delivery.is_some() && !no_ack {
            group.mark_active(consumer, now_ms);
        }
        Ok(delivery)
    }

    /// Up to `count` entries after `after` that are pending for a consumer, which is made if needed. Those that still
    /// exist count as delivered once more; of the others [`Stream::get`] knows nothing. O(log n) per entry.
    pub fn deliver_again(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        after: StreamId,
        count: Option<u64>,
        now_ms: i64,
    ) -> Result<Vec<StreamId>, NoGroup> {
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let (consumer, _) = group.see(consumer, now_ms);
        let ids: Vec<StreamId> = match (after.next(), group.consumers.get(consumer)) {
            (Some(start), Some(consumer)) => consumer.ids_from(start).take(limit(count)).collect(),
            _ => Vec::new(),
        };
        for id in &ids {
            if inner.log.contains(*id) {
                redeliver(group, *id, consumer, now_ms);
            }
        }
        Ok(ids)
    }

    /// Hands pending entries of the group that have been idle for `min_idle_ms` to a consumer, those that waited longest
    /// first, for as long as `allows` says so of the next one. Entries that are gone stay pending. O(log n) per entry that
    /// is, beside a look at what stands for 4096 pending entries each.
    pub fn claim_idle(
        &mut self,
        group: &[u8],
        consumer: &[u8],
        min_idle_ms: i64,
        allows: impl FnMut(&Entry<'_>) -> bool,
        now_ms: i64,
    ) -> Result<Vec<IdleClaim>, NoGroup> {
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let (consumer, _) = group.see(consumer, now_ms);
        let ids = idle_ids(group, &inner.log, min_idle_ms, allows, now_ms);
        let mut claims = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(before) = redeliver(group, id, consumer, now_ms) {
                let idle_ms = now_ms.saturating_sub(before.delivered_ms).max(0);
                claims.push(IdleClaim { id, idle_ms, deliveries: before.deliveries });
            }
        }
        if !claims.is_empty() {
            group.mark_active(consumer, now_ms);
        }
        Ok(claims)
    }

    /// When the next pending entry of a group that exists will have been idle for `min_idle_ms`, if there is one: when a
    /// client that waits for one should look again.
    pub fn next_idle_ms(&mut self, group: &[u8], min_idle_ms: i64) -> Result<Option<i64>, NoGroup> {
        let inner = &mut *self.0;
        let group = inner.groups.get_mut(group).ok_or(NoGroup)?;
        let oldest = group.oldest_first().find(|(_, id)| inner.log.contains(*id));
        Ok(oldest.map(|(delivered_ms, _)| delivered_ms.saturating_add(min_idle_ms)))
    }
}

fn limit(count: Option<u64>) -> usize {
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
}

fn idle_ids(
    group: &mut Group,
    log: &Log,
    min_idle_ms: i64,
    mut allows: impl FnMut(&Entry<'_>) -> bool,
    now_ms: i64,
) -> Vec<StreamId> {
    group
        .oldest_first()
        .take_while(|(delivered_ms, _)| now_ms.saturating_sub(*delivered_ms) >= min_idle_ms)
        .filter_map(|(_, id)| log.get(id))
        .take_while(|entry| allows(entry))
        .map(|entry| entry.id())
        .collect()
}

/// Makes `consumer` the owner of a pending entry that is delivered once more; says how it was before.
fn redeliver(group: &mut Group, id: StreamId, consumer: ConsumerIndex, now_ms: i64) -> Option<Pending> {
    let before = group.get_pending(id)?;
    group.put_pending(Pending {
        id,
        delivered_ms: now_ms,
        deliveries: before.deliveries.saturating_add(1).min(DELIVERIES_MAX),
        consumer: Some(consumer),
    });
    Some(before)
}

/// Counts of deliveries stop here, where clients could no longer read them.
pub(super) const DELIVERIES_MAX: u64 = i64::MAX as u64;
