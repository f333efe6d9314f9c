//! The consumers of a group: found by name, referred to by a small index from what is pending for them.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use super::id::StreamId;
use super::runs::{Runs, map_bytes};

/// Which consumer of its group. An index is used again after its consumer was deleted
/// and nothing is pending for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConsumerIndex(u32);

impl ConsumerIndex {
    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn from_number(number: u32) -> ConsumerIndex {
        ConsumerIndex(number)
    }
}

/// Somebody who reads in the name of a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    pub(super) seen_ms: i64,
    pub(super) active_ms: Option<i64>,
    pub(super) pending: Runs<StreamId>,
}

impl Consumer {
    /// The consumer's name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// When it last tried to read or claim something.
    pub fn seen_ms(&self) -> i64 {
        self.seen_ms
    }

    /// When it last got something.
    pub fn active_ms(&self) -> Option<i64> {
        self.active_ms
    }

    /// How many entries are pending for it.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// What is pending for it, from `start` on.
    pub(super) fn ids_from(&self, start: StreamId) -> impl Iterator<Item = StreamId> + '_ {
        self.pending.iter_from(start).copied()
    }
}

/// All consumers of a group.
#[derive(Clone, Debug)]
pub(super) struct Consumers {
    names: BTreeMap<Box<[u8]>, ConsumerIndex>,
    slots: Vec<Option<Consumer>>,
    free: Vec<ConsumerIndex>,
}

impl Consumers {
    pub(super) fn new() -> Consumers {
        Consumers { names: BTreeMap::new(), slots: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn index(&self, name: &[u8]) -> Option<ConsumerIndex> {
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, index: ConsumerIndex) -> Option<&Consumer> {
        self.slots.get(index.0 as usize)?.as_ref()
    }

    /// Whether an entry of this owner, which may be nobody, is not one of a consumer that was taken out.
    #[inline]
    pub(super) fn has(&self, owner: Option<ConsumerIndex>) -> bool {
        owner.is_none_or(|index| self.get(index).is_some())
    }

    pub(super) fn get_mut(&mut self, index: ConsumerIndex) -> Option<&mut Consumer> {
        self.slots.get_mut(index.0 as usize)?.as_mut()
    }

    /// All of them as they are now, for somebody else.
    pub(super) fn share(&mut self) -> Consumers {
        let share = |consumer: &mut Consumer| Consumer {
            name: consumer.name.clone(),
            pending: consumer.pending.share(),
            ..*consumer
        };
        let slots = self.slots.iter_mut().map(|slot| slot.as_mut().map(share)).collect();
        Consumers { names: self.names.clone(), slots, free: self.free.clone() }
    }

    /// By name, as Redis lists them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Consumer> {
        self.names.values().filter_map(|index| self.get(*index))
    }

    /// Those whose names come after this one.
    pub(super) fn iter_after(&self, name: &[u8]) -> impl Iterator<Item = &Consumer> {
        let names = self.names.range::<[u8], _>((Excluded(name), Unbounded));
        names.filter_map(|(_, index)| self.get(*index))
    }

    /// The index of the consumer with this name, which is made if it is not there, and whether it was.
    pub(super) fn get_or_create(&mut self, name: &[u8], now_ms: i64) -> (ConsumerIndex, bool) {
        if let Some(index) = self.index(name) {
            return (index, false);
        }
        let consumer = Consumer { name: name.into(), seen_ms: now_ms, active_ms: None, pending: Runs::new() };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index.0 as usize] = Some(consumer);
                index
            }
            None => {
                self.slots.push(Some(consumer));
                ConsumerIndex((self.slots.len() - 1) as u32)
            }
        };
        self.names.insert(name.into(), index);
        (index, true)
    }

    /// Takes a consumer out. Its index is not used again before [`Consumers::release`].
    pub(super) fn remove(&mut self, name: &[u8]) -> Option<(ConsumerIndex, Consumer)> {
        let index = self.names.remove(name)?;
        let consumer = self.slots.get_mut(index.0 as usize)?.take()?;
        Some((index, consumer))
    }

    /// Takes note that nothing refers any more to a consumer that was taken out.
    pub(super) fn release(&mut self, index: ConsumerIndex) {
        self.free.push(index);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let each = |consumer: &Consumer| 2 * consumer.name.len() + consumer.pending.heap_bytes();
        self.slots.iter().flatten().map(each).sum::<usize>()
            + self.slots.capacity() * size_of::<Option<Consumer>>()
            + self.free.capacity() * size_of::<ConsumerIndex>()
            + map_bytes(self.names.len(), size_of::<(Box<[u8]>, ConsumerIndex)>())
    }

    pub(super) fn allocations(&self) -> usize {
        self.slots.iter().flatten().map(|consumer| 2 + consumer.pending.allocations()).sum()
    }
}
