//! Streams under random changes, beside a plain model: a list of entries, and for each group an ordered map.
//!
//! Where trimming ends may depend on where nodes end; there the model takes over what was removed after checking that
//! it could be.

mod pins;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::Rng;
use crate::listpack::Listpack;

type Fields = Vec<Vec<u8>>;

#[derive(Clone, Debug, PartialEq)]
struct ModelPending {
    delivered_ms: i64,
    deliveries: u64,
    consumer: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
struct ModelGroup {
    last_delivered: StreamId,
    pending: BTreeMap<StreamId, ModelPending>,
    consumers: BTreeSet<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    entries: BTreeMap<StreamId, Fields>,
    last_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
    groups: BTreeMap<Vec<u8>, ModelGroup>,
}

impl Model {
    fn all_done_with(&self, id: StreamId) -> bool {
        self.groups.values().all(|group| id <= group.last_delivered && !group.pending.contains_key(&id))
    }

    fn forget(&mut self, id: StreamId) {
        self.groups.values_mut().for_each(|group| drop(group.pending.remove(&id)));
    }

    fn delete_with(&mut self, id: StreamId, references: References) -> Deletion {
        match references {
            References::Acked if !self.all_done_with(id) => return Deletion::Referenced,
            References::Delete => self.forget(id),
            _ => {}
        }
        if self.entries.remove(&id).is_none() {
            return Deletion::NotFound;
        }
        self.max_deleted_id = self.max_deleted_id.max(id);
        Deletion::Deleted
    }
}

/// A stream, its model, and the dice.
struct Bench {
    stream: Stream,
    model: Model,
    rng: Rng,
    limits: NodeLimits,
    now_ms: i64,
    top: u64,
}

impl Bench {
    fn new(seed: u64) -> Bench {
        let mut rng = Rng::new(seed);
        let limits = NodeLimits {
            entries: [0, 1, 2, 3, 100][rng.below(5) as usize],
            bytes: [0, 50, 200, 4096][rng.below(4) as usize],
        };
        let top = [1, u64::MAX - 300][rng.below(2) as usize];
        Bench { stream: Stream::new(), model: Model::default(), rng, limits, now_ms: 1_000_000, top }
    }

    fn id(&mut self) -> StreamId {
        StreamId::new(self.top.saturating_sub(self.rng.below(25)), self.rng.below(3))
    }

    fn ids(&mut self) -> Vec<StreamId> {
        (0..1 + self.rng.below(5)).map(|_| self.id()).collect()
    }

    fn name(&mut self, kind: u8) -> Vec<u8> {
        vec![kind, b'0' + self.rng.below(3) as u8]
    }

    fn references(&mut self) -> References {
        [References::Keep, References::Delete, References::Acked][self.rng.below(3) as usize]
    }

    fn text(&mut self) -> Vec<u8> {
        match self.rng.below(4) {
            0 => self.rng.below(1000).to_string().into_bytes(),
            1 => ((self.rng.next_u64() >> self.rng.below(63)) as i64).wrapping_neg().to_string().into_bytes(),
            2 => vec![b'x'; self.rng.below(100) as usize],
            _ => vec![self.rng.below(256) as u8; self.rng.below(5) as usize],
        }
    }

    fn step(&mut self) {
        self.now_ms += self.rng.below(4) as i64;
        match self.rng.below(20) {
            0..7 => self.add(),
            7 => self.delete(),
            8 => self.trim(),
            9 => self.change_groups(),
            10..13 => self.deliver(),
            13 => self.deliver_again(),
            14 => self.acknowledge(),
            15 => self.claim(),
            16 => self.auto_claim(),
            17 => self.claim_idle(),
            18 => self.give_back(),
            _ => self.set_last_id(),
        }
    }

    fn add(&mut self) {
        self.top = self.top.saturating_add(self.rng.below(3));
        let request = match self.rng.below(5) {
            0 => IdRequest::AutoSeq(self.top),
            1 => IdRequest::Exact(self.id()),
            2 if self.top < 1 << 40 => IdRequest::Auto,
            _ => IdRequest::Exact(StreamId::new(self.top, self.rng.below(4))),
        };
        let names: &[&[u8]] = match self.rng.below(3) {
            0 => &[b"a", b"b"],
            1 => &[b"b"],
            _ => &[b"1", b"a"],
        };
        let fields: Fields = names.iter().flat_map(|name| [name.to_vec(), self.text()]).collect();
        let borrowed: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        // The clock stands still near the ID, so that automatic IDs stay close to the others.
        let now_ms = i64::try_from(self.top).unwrap_or(i64::MAX);
        let last = self.model.last_id;
        let added = self.stream.add(request, &borrowed, self.limits, now_ms);
        let expected = match request {
            IdRequest::Exact(StreamId::MIN) => Err(AddError::ZeroId),
            _ if last == StreamId::MAX => Err(AddError::Exhausted),
            IdRequest::Exact(id) => Some(id).filter(|id| *id > last).ok_or(AddError::NotGreater),
            IdRequest::Auto => Ok(StreamId::new(self.top, 0).max(last.next().unwrap())),
            IdRequest::AutoSeq(ms) if ms < last.ms => Err(AddError::NotGreater),
            IdRequest::AutoSeq(ms) if ms > last.ms => Ok(StreamId::new(ms, 0)),
            IdRequest::AutoSeq(ms) => last.next().filter(|id| id.ms == ms).ok_or(AddError::NotGreater),
        };
        assert_eq!(added, expected, "{request:?} after {last}");
        if let Ok(id) = added {
            self.model.entries.insert(id, fields);
            self.model.last_id = id;
            self.model.entries_added += 1;
        }
    }

    fn delete(&mut self) {
        let (ids, references) = (self.ids(), self.references());
        let group = self.name(b'g');
        for id in ids {
            match self.rng.below(3) {
                0 => {
                    let expected = self.model.delete_with(id, References::Keep) == Deletion::Deleted;
                    assert_eq!(self.stream.delete(&[id]), u64::from(expected));
                }
                1 => assert_eq!(
                    self.stream.delete_with(id, references),
                    self.model.delete_with(id, references)
                ),
                _ => {
                    let deletion = self.stream.acknowledge_and_delete(&group, id, references);
                    let pending =
                        self.model.groups.get_mut(&group).map(|it| it.pending.remove(&id).is_some());
                    let expected = pending.ok_or(NoGroup).map(|pending| match pending {
                        false => Deletion::NotFound,
                        true if self.model.delete_with(id, references) == Deletion::Referenced => {
                            Deletion::Referenced
                        }
                        true => Deletion::Deleted,
                    });
                    assert_eq!(deletion, expected);
                }
            }
        }
    }

    fn trim(&mut self) {
        let len = self.model.entries.len() as u64;
        let to = match self.rng.below(2) {
            0 => TrimTo::Len(self.rng.below(len + 3)),
            _ => TrimTo::MinId(self.id()),
        };
        let approximate = self.rng.below(2) == 0;
        let limit = if approximate { self.rng.below(8) } else { 0 };
        let trim = Trim { to, approximate, limit, references: self.references() };
        let wanted = match to {
            TrimTo::Len(left) => len.saturating_sub(left),
            TrimTo::MinId(id) => self.model.entries.range(..id).count() as u64,
        };
        let mut twin = restored(&self.stream);
        let Trimmed { removed, again } = self.stream.trim(&trim);
        assert_eq!(twin.trim(&again), Trimmed { removed, again }, "{trim:?}");
        assert_eq!(twin, self.stream, "{trim:?} {again:?}");
        let left: BTreeSet<StreamId> = all(&self.stream).map(|entry| entry.id()).collect();
        let gone: Vec<StreamId> =
            self.model.entries.keys().copied().filter(|id| !left.contains(id)).collect();
        assert_eq!(gone.len() as u64, removed, "{trim:?}");
        assert!(removed <= wanted && (limit == 0 || removed <= limit), "{trim:?} {removed} {wanted}");
        if !approximate && trim.references != References::Acked {
            assert_eq!(removed, wanted, "{trim:?}");
        }
        if trim.references != References::Acked {
            assert!(gone.iter().eq(self.model.entries.keys().take(gone.len())), "{trim:?}");
        }
        for id in gone {
            assert!(trim.references != References::Acked || self.model.all_done_with(id));
            self.model.entries.remove(&id);
            if trim.references == References::Delete {
                self.model.forget(id);
            }
        }
    }

    fn change_groups(&mut self) {
        let (name, id) = (self.name(b'g'), self.id());
        match self.rng.below(6) {
            0 | 1 => {
                let there = self.model.groups.contains_key(&name);
                let created = self.stream.create_group(&name, id, None);
                assert_eq!(created, if there { Err(GroupExists) } else { Ok(()) });
                let group = self.model.groups.entry(name).or_default();
                group.last_delivered = if there { group.last_delivered } else { id };
            }
            2 => {
                let group = self.model.groups.get_mut(&name).map(|group| group.last_delivered = id);
                assert_eq!(self.stream.set_group_id(&name, id, None), group.ok_or(NoGroup));
            }
            3 => {
                let consumer = self.name(b'c');
                let group = self.model.groups.get_mut(&name);
                let created = group.map(|group| group.consumers.insert(consumer.clone())).ok_or(NoGroup);
                assert_eq!(self.stream.create_consumer(&name, &consumer, self.now_ms), created);
            }
            4 => self.delete_consumer(&name),
            _ => {
                let there = self.model.groups.remove(&name);
                assert_eq!(
                    self.stream.destroy_group(&name).map(|group| group.pending_len()),
                    there.map(|group| group.pending.len())
                );
            }
        }
    }

    fn delete_consumer(&mut self, name: &[u8]) {
        let consumer = self.name(b'c');
        let deleted = self.stream.delete_consumer(name, &consumer);
        let Some(group) = self.model.groups.get_mut(name) else {
            return assert_eq!(deleted, Err(NoGroup));
        };
        let before = group.pending.len();
        group.pending.retain(|_, pending| pending.consumer.as_ref() != Some(&consumer));
        let there = group.consumers.remove(&consumer);
        assert_eq!(deleted, Ok(there.then(|| before - group.pending.len())));
    }

    fn count(&mut self) -> Option<u64> {
        (self.rng.below(3) > 0).then(|| self.rng.below(6))
    }

    fn deliver(&mut self) {
        let (name, consumer, count) = (self.name(b'g'), self.name(b'c'), self.count());
        let no_ack = self.rng.below(4) == 0;
        let delivery = self.stream.deliver(&name, &consumer, count, no_ack, self.now_ms);
        let Some(group) = self.model.groups.get_mut(&name) else {
            return assert_eq!(delivery, Err(NoGroup));
        };
        group.consumers.insert(consumer.clone());
        let mut ids: Vec<StreamId> =
            self.model.entries.keys().copied().filter(|id| *id > group.last_delivered).collect();
        ids.truncate(count.map_or(usize::MAX, |count| count as usize));
        for id in &ids {
            group.last_delivered = *id;
            if !no_ack {
                let pending = ModelPending {
                    delivered_ms: self.now_ms,
                    deliveries: 1,
                    consumer: Some(consumer.clone()),
                };
                group.pending.insert(*id, pending);
            }
        }
        let expected = ids.first().zip(ids.last());
        let expected =
            expected.map(|(first, last)| Delivery { first: *first, last: *last, count: ids.len() as u64 });
        assert_eq!(delivery, Ok(expected));
    }

    fn deliver_again(&mut self) {
        let (name, consumer, count, after) = (self.name(b'g'), self.name(b'c'), self.count(), self.id());
        let delivered = self.stream.deliver_again(&name, &consumer, after, count, self.now_ms);
        let Some(group) = self.model.groups.get_mut(&name) else {
            return assert_eq!(delivered, Err(NoGroup));
        };
        group.consumers.insert(consumer.clone());
        let own = group
            .pending
            .iter_mut()
            .filter(|(id, it)| **id > after && it.consumer.as_ref() == Some(&consumer));
        let mut ids = Vec::new();
        for (id, pending) in own.take(count.map_or(usize::MAX, |count| count as usize)) {
            ids.push(*id);
            if self.model.entries.contains_key(id) {
                pending.delivered_ms = self.now_ms;
                pending.deliveries = (pending.deliveries + 1).min(i64::MAX as u64);
            }
        }
        assert_eq!(delivered, Ok(ids));
    }

    fn acknowledge(&mut self) {
        let (name, ids) = (self.name(b'g'), self.ids());
        let acknowledged = self.stream.acknowledge(&name, &ids);
        let group = self.model.groups.get_mut(&name).ok_or(NoGroup);
        let expected =
            group.map(|group| ids.iter().filter(|id| group.pending.remove(id).is_some()).count() as u64);
        assert_eq!(acknowledged, expected);
    }

    fn claim(&mut self) {
        let (name, consumer, ids) = (self.name(b'g'), self.name(b'c'), self.ids());
        let options = ClaimOptions {
            min_idle_ms: self.rng.below(30) as i64 - 2,
            time: [ClaimTime::Now, ClaimTime::Idle(40), ClaimTime::At(-1), ClaimTime::At(7)]
                [self.rng.below(4) as usize],
            deliveries: [None, Some(3), Some(u64::MAX), Some(u64::from(u32::MAX))]
                [self.rng.below(4) as usize],
            force: self.rng.below(3) == 0,
            just_id: self.rng.below(2) == 0,
            last_id: (self.rng.below(8) == 0).then(|| self.id()),
        };
        let report = self.stream.claim(&name, &consumer, &ids, &options, self.now_ms);
        let Some(group) = self.model.groups.get_mut(&name) else {
            return assert_eq!(report, Err(NoGroup));
        };
        let report = report.unwrap();
        group.consumers.insert(consumer.clone());
        let raised = options.last_id.is_some_and(|id| id > group.last_delivered);
        group.last_delivered = group.last_delivered.max(options.last_id.unwrap_or_default());
        let (mut claimed, mut dropped) = (Vec::new(), Vec::new());
        for id in ids {
            if !self.model.entries.contains_key(&id) {
                dropped.extend(group.pending.remove(&id).map(|_| id));
                continue;
            }
            if !group.pending.contains_key(&id) && options.force {
                let pending = ModelPending { delivered_ms: i64::MIN, deliveries: 1, consumer: None };
                group.pending.insert(id, pending);
            }
            let Some(pending) = group.pending.get_mut(&id) else { continue };
            let idle_ms = self.now_ms.saturating_sub(pending.delivered_ms);
            if pending.consumer.is_some() && idle_ms < options.min_idle_ms {
                continue;
            }
            pending.consumer = Some(consumer.clone());
            pending.delivered_ms = match options.time {
                ClaimTime::Idle(idle_ms) => self.now_ms - idle_ms,
                ClaimTime::At(7) => 7,
                _ => self.now_ms,
            };
            let next = pending.deliveries + u64::from(!options.just_id);
            pending.deliveries = options.deliveries.unwrap_or(next).min(i64::MAX as u64);
            claimed.push(Claim { id, delivered_ms: pending.delivered_ms, deliveries: pending.deliveries });
        }
        assert_eq!(report, ClaimReport { claimed, dropped, last_id_raised: raised });
    }

    fn auto_claim(&mut self) {
        let (name, consumer, start) = (self.name(b'g'), self.name(b'c'), self.id());
        let (count, min_idle_ms) = (1 + self.rng.below(4), self.rng.below(30) as i64);
        let just_id = self.rng.below(2) == 0;
        let options = AutoClaimOptions { min_idle_ms, start, count, just_id };
        let report = self.stream.auto_claim(&name, &consumer, &options, self.now_ms);
        let Some(group) = self.model.groups.get_mut(&name) else {
            return assert_eq!(report, Err(NoGroup));
        };
        group.consumers.insert(consumer.clone());
        let (mut claimed, mut dropped, mut next) = (Vec::new(), Vec::new(), StreamId::MIN);
        let ids: Vec<StreamId> = group.pending.range(start..).map(|(id, _)| *id).collect();
        for (looks, id) in ids.into_iter().enumerate() {
            if looks as u64 == 10 * count || (claimed.len() + dropped.len()) as u64 == count {
                next = id;
                break;
            }
            if !self.model.entries.contains_key(&id) {
                group.pending.remove(&id);
                dropped.push(id);
                continue;
            }
            let pending = group.pending.get_mut(&id).unwrap();
            if self.now_ms - pending.delivered_ms >= min_idle_ms {
                pending.consumer = Some(consumer.clone());
                pending.delivered_ms = self.now_ms;
                pending.deliveries = (pending.deliveries + u64::from(!just_id)).min(i64::MAX as u64);
                claimed.push(Claim { id, delivered_ms: self.now_ms, deliveries: pending.deliveries });
            }
        }
        assert_eq!(report, Ok(AutoClaimReport { next, claimed, dropped }));
    }

    fn claim_idle(&mut self) {
        let (name, consumer, count) = (self.name(b'g'), self.name(b'c'), self.count());
        let min_idle_ms = self.rng.below(40) as i64;
        let mut left = count.unwrap_or(u64::MAX);
        let allows = |_: &Entry<'_>| left.checked_sub(1).map(|less| left = less).is_some();
        let claims = self.stream.claim_idle(&name, &consumer, min_idle_ms, allows, self.now_ms);
        let Some(group) = self.model.groups.get_mut(&name) else {
            return assert_eq!(claims, Err(NoGroup));
        };
        group.consumers.insert(consumer.clone());
        let idle = group.pending.iter().filter(|(id, it)| {
            self.now_ms - it.delivered_ms >= min_idle_ms && self.model.entries.contains_key(id)
        });
        let mut oldest: Vec<(i64, StreamId)> = idle.map(|(id, it)| (it.delivered_ms, *id)).collect();
        oldest.sort_unstable();
        oldest.truncate(count.map_or(usize::MAX, |count| count as usize));
        let mut expected = Vec::new();
        for (delivered_ms, id) in oldest {
            let pending = group.pending.get_mut(&id).unwrap();
            expected.push(IdleClaim {
                id,
                idle_ms: self.now_ms - delivered_ms,
                deliveries: pending.deliveries,
            });
            pending.consumer = Some(consumer.clone());
            pending.delivered_ms = self.now_ms;
            pending.deliveries = (pending.deliveries + 1).min(i64::MAX as u64);
        }
        assert_eq!(claims, Ok(expected));
        let existing = group.pending.iter().filter(|(id, _)| self.model.entries.contains_key(id));
        let oldest = existing.map(|(_, it)| it.delivered_ms).min();
        assert_eq!(self.stream.next_idle_ms(&name, 5), Ok(oldest.map(|oldest| oldest + 5)));
    }

    fn give_back(&mut self) {
        let (name, ids) = (self.name(b'g'), self.ids());
        let mode = [NackMode::Silent, NackMode::Fail, NackMode::Fatal][self.rng.below(3) as usize];
        let deliveries = (self.rng.below(3) == 0).then_some(9);
        let force = self.rng.below(2) == 0;
        let given = self.stream.give_back(&name, &ids, mode, deliveries, force);
        let Some(group) = self.model.groups.get_mut(&name) else {
            return assert_eq!(given, Err(NoGroup));
        };
        let mut expected = Vec::new();
        for id in ids {
            let before = match group.pending.get(&id) {
                Some(pending) => pending.deliveries,
                None if force && self.model.entries.contains_key(&id) => 0,
                None => continue,
            };
            let by_mode = match mode {
                NackMode::Silent => before.saturating_sub(1),
                NackMode::Fail => before,
                NackMode::Fatal => i64::MAX as u64,
            };
            let deliveries = deliveries.unwrap_or(by_mode);
            group.pending.insert(id, ModelPending { delivered_ms: 0, deliveries, consumer: None });
            expected.push(Claim { id, delivered_ms: 0, deliveries });
        }
        assert_eq!(given, Ok(expected));
    }

    fn set_last_id(&mut self) {
        let id = StreamId::new(self.top, self.rng.below(3));
        let last = self.model.entries.keys().next_back().copied();
        let expected = if id < self.model.max_deleted_id {
            Err(SetIdError::BelowMaxDeleted)
        } else if last.is_some_and(|last| id < last) {
            Err(SetIdError::BelowLastEntry)
        } else {
            self.model.last_id = id;
            Ok(())
        };
        assert_eq!(self.stream.set_last_id(id, None, None), expected);
    }

    fn compare(&self) {
        compare(&self.stream, &self.model);
    }

    fn compare_ranges(&mut self) {
        let (start, end) = (self.id(), self.id());
        let forth: Vec<StreamId> = self.stream.range(start, end).map(|entry| entry.id()).collect();
        let inside = |id: &StreamId| (start..=end).contains(id);
        let expected: Vec<StreamId> = self.model.entries.keys().copied().filter(inside).collect();
        assert_eq!(forth, expected);
        let mut back: Vec<StreamId> = self.stream.range_back(start, end).map(|entry| entry.id()).collect();
        back.reverse();
        assert_eq!(back, expected);
        assert_eq!(self.stream.get(start).is_some(), self.model.entries.contains_key(&start));
    }
}

fn all(stream: &Stream) -> Range<'_> {
    stream.range(StreamId::MIN, StreamId::MAX)
}

fn texts(entry: &Entry<'_>) -> Fields {
    assert_eq!(entry.fields().len(), entry.len());
    entry.fields().flat_map(|(name, value)| [name.to_vec(), value.to_vec()]).collect()
}

/// Checks all that is to be seen of a stream.
fn compare(stream: &Stream, model: &Model) {
    assert_eq!(stream.len(), model.entries.len() as u64);
    assert_eq!((stream.last_id(), stream.max_deleted_id()), (model.last_id, model.max_deleted_id));
    assert_eq!(stream.entries_added(), model.entries_added);
    assert_eq!(stream.first_entry_id(), model.entries.keys().next().copied());
    assert_eq!(stream.last_entry_id(), model.entries.keys().next_back().copied());
    assert!(all(stream).map(|entry| (entry.id(), texts(&entry))).eq(model.entries.clone()));
    let groups: Vec<&[u8]> = stream.groups().map(|(name, _)| name).collect();
    assert_eq!(groups, model.groups.keys().collect::<Vec<_>>());
    for (name, group) in stream.groups() {
        compare_group(group, &model.groups[name]);
    }
    let capacities: usize = stream.0.log.nodes().map(|node| node.capacity()).sum();
    assert!(stream.heap_bytes() >= capacities);
}

fn compare_group(group: &Group, model: &ModelGroup) {
    assert_eq!(group.last_delivered_id(), model.last_delivered);
    assert_eq!(group.pending_len(), model.pending.len());
    let bounds = model.pending.keys().next().copied().zip(model.pending.keys().next_back().copied());
    assert_eq!(group.pending_bounds(), bounds);
    let show = |it: PendingEntry<'_>| {
        let consumer = it.consumer.map(<[u8]>::to_vec);
        (it.id, ModelPending { delivered_ms: it.delivered_ms, deliveries: it.deliveries, consumer })
    };
    let pending: BTreeMap<_, _> = group.pending(StreamId::MIN, StreamId::MAX).map(show).collect();
    assert_eq!(pending, model.pending);
    assert!(group.consumers().map(|it| it.name().to_vec()).eq(model.consumers.iter().cloned()));
    for consumer in group.consumers() {
        let own: Vec<_> = group.pending_of(consumer, StreamId::MIN, StreamId::MAX).map(show).collect();
        let is_own = |it: &ModelPending| it.consumer.as_deref() == Some(consumer.name());
        let expected: Vec<_> = model.pending.clone().into_iter().filter(|(_, it)| is_own(it)).collect();
        assert_eq!(own, expected);
        assert_eq!(consumer.pending_len(), expected.len());
    }
}

/// The stream from the parts that a file would have.
fn restored(stream: &Stream) -> Stream {
    let mut copy = Stream::new();
    for (base, node) in stream.nodes() {
        copy.restore_node(base, &Listpack::from_bytes(node.as_bytes()).unwrap()).unwrap();
    }
    copy.restore_figures(stream.last_id(), stream.max_deleted_id(), stream.entries_added()).unwrap();
    for (name, group) in stream.groups() {
        copy.create_group(name, group.last_delivered_id(), group.entries_read()).unwrap();
        for it in group.pending(StreamId::MIN, StreamId::MAX) {
            copy.restore_pending(name, it.id, it.delivered_ms, it.deliveries).unwrap();
        }
        for consumer in group.consumers() {
            copy.restore_consumer(name, consumer.name(), consumer.seen_ms(), consumer.active_ms()).unwrap();
            for it in group.pending_of(consumer, StreamId::MIN, StreamId::MAX) {
                copy.restore_owner(name, consumer.name(), it.id).unwrap();
            }
        }
    }
    copy
}

#[test]
fn like_the_model_under_random_changes() {
    for seed in 0..150 {
        let mut bench = Bench::new(seed);
        for step in 0..300 {
            bench.step();
            bench.compare_ranges();
            if step % 5 == 0 {
                bench.compare();
            }
            if step % 100 == 99 {
                let copy = restored(&bench.stream);
                assert_eq!(copy, bench.stream);
                assert_eq!(bench.stream.clone(), copy);
                bench.stream = copy;
            }
        }
    }
}

#[test]
fn node_bytes_are_those_of_the_nodes() {
    let mut bench = Bench::new(77);
    for _ in 0..3000 {
        bench.step();
    }
    let log = &bench.stream.0.log;
    let capacities: usize = log.nodes().map(|node| node.capacity()).sum();
    assert!(capacities > 0);
    assert_eq!(log.heap_bytes() - log.node_tree_bytes(), capacities);
}

#[test]
fn ids_end_where_numbers_end() {
    let mut stream = Stream::new();
    let fields: &[&[u8]] = &[b"a", b"b"];
    let limits = NodeLimits::default();
    let last = StreamId::new(u64::MAX - 1, u64::MAX);
    assert_eq!(stream.add(IdRequest::Exact(last), fields, limits, 0), Ok(last));
    assert_eq!(stream.add(IdRequest::AutoSeq(last.ms), fields, limits, 0), Err(AddError::NotGreater));
    assert_eq!(stream.add(IdRequest::Auto, fields, limits, 0), Ok(StreamId::new(u64::MAX, 0)));
    assert_eq!(stream.add(IdRequest::Exact(StreamId::MAX), fields, limits, 0), Ok(StreamId::MAX));
    assert_eq!(stream.add(IdRequest::Auto, fields, limits, i64::MAX), Err(AddError::Exhausted));
    assert_eq!(stream.range(StreamId::MIN, StreamId::MAX).count(), 3);
    assert_eq!(stream.range_back(StreamId::MAX, StreamId::MAX).count(), 1);
    stream.create_group(b"g", StreamId::MAX, None).unwrap();
    assert_eq!(stream.deliver(b"g", b"c", None, false, 0), Ok(None));
    assert_eq!(stream.deliver_again(b"g", b"c", StreamId::MAX, Some(u64::MAX), 0), Ok(vec![]));
}

#[test]
fn extreme_times_and_counts() {
    let mut stream = Stream::new();
    let id = StreamId::new(1, 1);
    stream.add(IdRequest::Exact(id), &[b"a", b"b"], NodeLimits::default(), i64::MIN).unwrap();
    stream.create_group(b"g", StreamId::MIN, Some(u64::MAX)).unwrap();
    assert_eq!(stream.group(b"g").unwrap().entries_read(), Some(1));
    stream.set_group_id(b"g", StreamId::MIN, None).unwrap();
    stream.deliver(b"g", b"c", Some(u64::MAX), false, i64::MAX).unwrap();
    for now_ms in [i64::MIN, -1, 0, i64::MAX] {
        for min_idle_ms in [i64::MIN, 0, i64::MAX] {
            stream.claim_idle(b"g", b"d", min_idle_ms, |_| true, now_ms).unwrap();
            let options =
                AutoClaimOptions { min_idle_ms, start: StreamId::MIN, count: u64::MAX, just_id: false };
            stream.auto_claim(b"g", b"e", &options, now_ms).unwrap();
            for time in [ClaimTime::Idle(i64::MIN), ClaimTime::Idle(i64::MAX), ClaimTime::At(i64::MIN)] {
                let options =
                    ClaimOptions { min_idle_ms, time, deliveries: Some(u64::MAX), ..Default::default() };
                stream.claim(b"g", b"f", &[id], &options, now_ms).unwrap();
            }
        }
        let pending = stream.group(b"g").unwrap().pending(StreamId::MIN, StreamId::MAX).next().unwrap();
        assert!(pending.idle_ms(now_ms) >= 0);
        assert_eq!(pending.deliveries, i64::MAX as u64);
    }
    let trim = |to| Trim { to, approximate: true, limit: u64::MAX, references: References::Delete };
    assert_eq!(stream.trim(&trim(TrimTo::Len(u64::MAX))).removed, 0);
    assert_eq!(stream.trim(&trim(TrimTo::MinId(StreamId::MAX))).removed, 1);
    assert_eq!(stream.group(b"g").unwrap().pending_len(), 0);
}
