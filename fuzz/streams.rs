//! A stream and its groups agree with ordered maps after any operations; pins show them as they were.

use std::collections::BTreeMap;

use ochre_types::Portion;
use ochre_types::stream::{
    ClaimOptions, Entry, IdRequest, NodeLimits, PinnedEntries, PinnedStream, References, Stream, StreamId,
    Trim, TrimTo,
};

/// To whom an entry was delivered, when, and how often.
type Owned = (u8, i64, u64);

#[derive(Clone, Default)]
struct Model {
    entries: BTreeMap<StreamId, Vec<u8>>,
    /// The last ID delivered, and what is pending.
    groups: BTreeMap<u8, (StreamId, BTreeMap<StreamId, Owned>)>,
}

struct StreamPair {
    stream: Stream,
    model: Model,
    limits: NodeLimits,
    now_ms: i64,
    pins: Vec<(PinnedStream, Model)>,
    ranges: Vec<(PinnedEntries, Vec<StreamId>)>,
}

/// The first byte is about the limits of nodes; each operation takes four.
pub fn stream(input: &[u8]) {
    let entries = [1, 2, 3, 100][usize::from(input.first().copied().unwrap_or(0) % 4)];
    let limits = NodeLimits { entries, bytes: 1000 };
    let (stream, model) = (Stream::new(), Model::default());
    let mut pair = StreamPair { stream, model, limits, now_ms: 1, pins: Vec::new(), ranges: Vec::new() };
    for operation in input.get(1..).unwrap_or(&[]).chunks_exact(4) {
        pair.apply(operation[0], operation[1], operation[2], operation[3]);
    }
    check(&pair.stream, &pair.model);
    drop(pair.stream);
    pair.pins.iter().for_each(|(pinned, model)| check(pinned, model));
    pair.ranges.iter_mut().for_each(|(pinned, expected)| read(pinned, expected, usize::MAX));
}

fn read(pinned: &mut PinnedEntries, expected: &mut Vec<StreamId>, most: usize) {
    let mut shown = Vec::new();
    let more = pinned.read(Portion::of_elements(most), &mut |entry| shown.push(entry.id()));
    assert!(shown.iter().eq(expected.iter().take(most)));
    expected.drain(..shown.len());
    assert_eq!(more, !expected.is_empty());
}

/// The stream is what the model is.
fn check(stream: &Stream, model: &Model) {
    assert_eq!(stream.len(), model.entries.len() as u64);
    let shown = stream
        .range(StreamId::MIN, StreamId::MAX)
        .map(|entry| (entry.id(), entry.fields().next().map_or_else(Vec::new, |(_, value)| value.to_vec())));
    assert!(shown.eq(model.entries.iter().map(|(id, value)| (*id, value.clone()))));
    assert_eq!(stream.groups_len(), model.groups.len());
    for (name, (last_delivered, pending)) in &model.groups {
        let group = stream.group(&[*name]).expect("the model has it, too");
        assert_eq!((group.last_delivered_id(), group.pending_len()), (*last_delivered, pending.len()));
        let bounds = pending.keys().next().copied().zip(pending.keys().next_back().copied());
        assert_eq!(group.pending_bounds(), bounds);
        let shown = group.pending(StreamId::MIN, StreamId::MAX);
        let shown =
            shown.map(|it| (it.id, (it.consumer.map_or(0, |name| name[0]), it.delivered_ms, it.deliveries)));
        assert!(shown.eq(pending.iter().map(|(id, owned)| (*id, *owned))));
        for consumer in group.consumers() {
            let own = pending.iter().filter(|(_, owned)| owned.0 == consumer.name()[0]).map(|(id, _)| *id);
            let shown = group.pending_of(consumer, StreamId::MIN, StreamId::MAX).map(|it| it.id);
            assert!(shown.eq(own));
        }
    }
}

impl StreamPair {
    fn apply(&mut self, operation: u8, first: u8, second: u8, third: u8) {
        self.now_ms += i64::from(third % 3);
        let (group, consumer) = (first % 3, b'a' + second % 3);
        let last_ms = self.stream.last_id().ms;
        let id = StreamId::new(last_ms.saturating_sub(u64::from(third)), 0);
        match operation % 16 {
            0..3 => (0..=first / 2).for_each(|by| self.add(second.wrapping_add(by))),
            3 => {
                let deleted =
                    (0..u64::from(second)).filter(|by| self.delete(StreamId::new(id.ms + by * 2, 0)));
                let _ = deleted.count();
            }
            4 => self.trim(u64::from(first) * 2),
            5 => {
                let created = self.stream.create_group(&[group], id, None).is_ok();
                assert_eq!(created, !self.model.groups.contains_key(&group));
                self.model.groups.entry(group).or_insert((id, BTreeMap::new()));
            }
            6 | 7 => self.deliver(group, consumer, usize::from(third) * 2),
            8 => self.acknowledge(group, id, u64::from(second)),
            9 => self.claim(group, consumer, id, u64::from(first / 4)),
            10 => self.claim_idle(group, consumer, i64::from(second % 16), usize::from(third)),
            11 => self.delete_consumer(group, consumer),
            12 if third == 0 => {
                let there = self.model.groups.remove(&group).map(|(_, pending)| pending.len());
                assert_eq!(self.stream.destroy_group(&[group]).map(|group| group.pending_len()), there);
            }
            13 if self.pins.len() < 6 => self.pins.push((self.stream.pin(), self.model.clone())),
            14 if self.ranges.len() < 6 => self.pin_range(id, second),
            15 => self.look_at_pins(first, second, third),
            _ => check(&self.stream, &self.model),
        }
    }

    fn add(&mut self, value: u8) {
        let id = StreamId::new(self.stream.last_id().ms + 1, 0);
        let text = vec![value; usize::from(value) / 4];
        let added = self.stream.add(IdRequest::Exact(id), &[b"name", &text], self.limits, self.now_ms);
        assert_eq!(added, Ok(id));
        self.model.entries.insert(id, text);
    }

    fn delete(&mut self, id: StreamId) -> bool {
        let there = self.model.entries.remove(&id).is_some();
        assert_eq!(self.stream.delete(&[id]), u64::from(there));
        there
    }

    fn trim(&mut self, len: u64) {
        let trim = Trim { to: TrimTo::Len(len), approximate: false, limit: 0, references: References::Keep };
        let removed = self.stream.trim(&trim).removed;
        assert_eq!(removed, (self.model.entries.len() as u64).saturating_sub(len));
        (0..removed).for_each(|_| _ = self.model.entries.pop_first());
    }

    fn deliver(&mut self, name: u8, consumer: u8, count: usize) {
        let delivered = self.stream.deliver(&[name], &[consumer], Some(count as u64), false, self.now_ms);
        let Some((last, pending)) = self.model.groups.get_mut(&name) else {
            return assert!(delivered.is_err());
        };
        let behind = last.next().unwrap_or(StreamId::MAX);
        let ids: Vec<StreamId> = self.model.entries.range(behind..).take(count).map(|(id, _)| *id).collect();
        let count = delivered.expect("the group is there").map_or(0, |delivery| delivery.count);
        assert_eq!(count, ids.len() as u64);
        for id in ids {
            *last = id;
            pending.insert(id, (consumer, self.now_ms, 1));
        }
    }

    fn acknowledge(&mut self, name: u8, from: StreamId, count: u64) {
        let ids: Vec<_> = (0..count).map(|by| StreamId::new(from.ms + by * 2, 0)).collect();
        let acknowledged = self.stream.acknowledge(&[name], &ids);
        let Some((_, pending)) = self.model.groups.get_mut(&name) else {
            return assert!(acknowledged.is_err());
        };
        let count = ids.iter().filter(|id| pending.remove(id).is_some()).count() as u64;
        assert_eq!(acknowledged, Ok(count));
    }

    fn claim(&mut self, name: u8, consumer: u8, from: StreamId, count: u64) {
        let ids: Vec<_> = (0..count).map(|by| StreamId::new(from.ms + by * 3, 0)).collect();
        let options = ClaimOptions { force: true, deliveries: Some(u64::MAX), ..ClaimOptions::default() };
        let report = self.stream.claim(&[name], &[consumer], &ids, &options, self.now_ms);
        let Some((_, pending)) = self.model.groups.get_mut(&name) else {
            return assert!(report.is_err());
        };
        for id in ids {
            if self.model.entries.contains_key(&id) {
                pending.insert(id, (consumer, self.now_ms, i64::MAX as u64));
            } else {
                pending.remove(&id);
            }
        }
    }

    fn claim_idle(&mut self, name: u8, consumer: u8, min_idle_ms: i64, count: usize) {
        let mut left = count;
        let allows = |_: &Entry<'_>| left.checked_sub(1).map(|less| left = less).is_some();
        let claims = self.stream.claim_idle(&[name], &[consumer], min_idle_ms, allows, self.now_ms);
        let Some((_, pending)) = self.model.groups.get_mut(&name) else {
            return assert!(claims.is_err());
        };
        let idle = pending.iter().filter(|(id, (_, delivered_ms, _))| {
            self.now_ms - delivered_ms >= min_idle_ms && self.model.entries.contains_key(id)
        });
        let mut oldest: Vec<(i64, StreamId)> = idle.map(|(id, owned)| (owned.1, *id)).collect();
        oldest.sort_unstable();
        oldest.truncate(count);
        let claimed = claims.expect("the group is there");
        assert!(claimed.iter().map(|claim| claim.id).eq(oldest.iter().map(|(_, id)| *id)));
        for (_, id) in oldest {
            let deliveries = pending.get(&id).map_or(0, |owned| owned.2);
            pending.insert(id, (consumer, self.now_ms, deliveries.saturating_add(1).min(i64::MAX as u64)));
        }
    }

    fn delete_consumer(&mut self, name: u8, consumer: u8) {
        let deleted = self.stream.delete_consumer(&[name], &[consumer]);
        let Some((_, pending)) = self.model.groups.get_mut(&name) else {
            return assert!(deleted.is_err());
        };
        let before = pending.len();
        pending.retain(|_, owned| owned.0 != consumer);
        assert_eq!(deleted.expect("the group is there").unwrap_or(0), before - pending.len());
    }

    fn pin_range(&mut self, start: StreamId, more: u8) {
        let end = StreamId::new(start.ms + u64::from(more) * 4, 0);
        let mut ids: Vec<StreamId> = self.model.entries.range(start..=end).map(|(id, _)| *id).collect();
        let reverse = more.is_multiple_of(2);
        if reverse {
            ids.reverse();
        }
        self.ranges.push((self.stream.pin_range(start, end, reverse), ids));
    }

    fn look_at_pins(&mut self, first: u8, second: u8, third: u8) {
        if !self.ranges.is_empty() {
            let at = usize::from(first) % self.ranges.len();
            let (pinned, expected) = &mut self.ranges[at];
            read(pinned, expected, usize::from(third));
            if second.is_multiple_of(2) {
                drop(self.ranges.swap_remove(at));
            }
        }
        if !self.pins.is_empty() {
            let at = usize::from(first) % self.pins.len();
            check(&self.pins[at].0, &self.pins[at].1);
            if third.is_multiple_of(2) {
                drop(self.pins.swap_remove(at));
            }
        }
    }
}
