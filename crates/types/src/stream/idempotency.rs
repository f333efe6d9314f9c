//! Producers that may send an entry twice: which entry each of their messages became.
//!
//! A producer numbers its messages with idempotent IDs. For each producer the most recent ones are remembered, up to a
//! count and an age; a message whose ID is remembered is not added again. They are kept in the order in which they
//! came, with an index by a hash of the ID in front: the text is stored once, and equal hashes are told apart by it.
//! Ages go by the time of remembering, so what is too old is at the front. Each use of a producer drops what is too
//! old of it, and looks at one other producer, so those that went silent are forgotten as long as anybody is active;
//! [`Stream::forget_old_messages`] does the same from outside.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::id::StreamId;
use super::runs::map_bytes;
use super::state::Stream;

/// How much is remembered of each producer, from XCFGSET or the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyLimits {
    /// Seconds for which an ID is remembered, 1 to 86,400.
    pub duration_s: u32,
    /// IDs remembered of a producer, 1 to 10,000.
    pub ids_max: u32,
}

impl Default for IdempotencyLimits {
    fn default() -> IdempotencyLimits {
        IdempotencyLimits { duration_s: 100, ids_max: 100 }
    }
}

/// What XINFO shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyFigures {
    /// Producers of whom something is remembered.
    pub producers: u64,
    /// IDs that are remembered.
    pub tracked: u64,
    /// IDs that ever were.
    pub added: u64,
    /// Messages that were not added again.
    pub duplicates: u64,
}

/// The ID stands for another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherEntry(pub StreamId);

#[derive(Clone, Debug)]
pub(super) struct Idempotency {
    limits: IdempotencyLimits,
    /// Shared with pins; one that changes is copied first if it is.
    producers: BTreeMap<Box<[u8]>, Arc<Producer>>,
    /// Where the walk over producers that went silent goes on.
    swept: Box<[u8]>,
    tracked: u64,
    added: u64,
    duplicates: u64,
}

#[derive(Clone, Debug, Default)]
struct Producer {
    messages: VecDeque<Message>,
    /// How many were dropped from the front: the number of the first message.
    dropped: u64,
    /// Hashes of the IDs, with their numbers.
    index: BTreeSet<(u64, u64)>,
}

#[derive(Clone, Debug)]
struct Message {
    id: Box<[u8]>,
    entry: StreamId,
    remembered_ms: i64,
}

impl Stream {
    /// The entry that this message of this producer became, which counts as a duplicate prevented.
    pub fn find_message(&mut self, producer: &[u8], message: &[u8], now_ms: i64) -> Option<StreamId> {
        let idempotency = self.0.idempotency.as_mut()?;
        let entry = idempotency.find(producer, message, now_ms)?;
        idempotency.duplicates = idempotency.duplicates.saturating_add(1);
        Some(entry)
    }

    /// Remembers that a message became an entry. `defaults` are taken if the stream has no limits of its own yet.
    pub fn remember_message(
        &mut self,
        producer: &[u8],
        message: &[u8],
        entry: StreamId,
        defaults: IdempotencyLimits,
        now_ms: i64,
    ) -> Result<(), OtherEntry> {
        let idempotency = self.0.idempotency.get_or_insert_with(|| Box::new(Idempotency::new(defaults)));
        match idempotency.find(producer, message, now_ms) {
            Some(known) if known == entry => Ok(()),
            Some(known) => Err(OtherEntry(known)),
            None => {
                idempotency.remember(producer, message, entry, now_ms);
                Ok(())
            }
        }
    }

    /// Sets the limits; if they change, everything remembered is forgotten.
    pub fn set_idempotency_limits(&mut self, limits: IdempotencyLimits) {
        let idempotency = self.0.idempotency.get_or_insert_with(|| Box::new(Idempotency::new(limits)));
        if idempotency.limits != limits {
            idempotency.limits = limits;
            idempotency.producers.clear();
            idempotency.tracked = 0;
        }
    }

    /// The stream's limits, if it has some of its own.
    pub fn idempotency_limits(&self) -> Option<IdempotencyLimits> {
        self.0.idempotency.as_ref().map(|it| it.limits)
    }

    /// What is remembered, what is too old but not yet dropped included.
    pub fn idempotency_figures(&self) -> IdempotencyFigures {
        self.0.idempotency.as_ref().map_or_else(IdempotencyFigures::default, |it| it.figures())
    }

    /// Drops what is too old of up to `producers` producers, going round from call to call.
    pub fn forget_old_messages(&mut self, producers: usize, now_ms: i64) {
        if let Some(idempotency) = &mut self.0.idempotency {
            for _ in 0..producers.min(idempotency.producers.len()) {
                idempotency.sweep_one(now_ms);
            }
        }
    }

    /// Everything that is remembered, oldest first for each producer: producer, message, entry and when.
    pub fn messages(&self) -> impl Iterator<Item = (&[u8], &[u8], StreamId, i64)> {
        self.messages_after(None)
    }

    /// Those of producers whose names come after this one, or all: for who goes on another time.
    pub fn messages_after(
        &self,
        producer: Option<&[u8]>,
    ) -> impl Iterator<Item = (&[u8], &[u8], StreamId, i64)> {
        let from = producer.map_or(Unbounded, Excluded);
        let producers =
            self.0.idempotency.iter().flat_map(move |it| it.producers.range::<[u8], _>((from, Unbounded)));
        producers.flat_map(|(name, producer)| {
            let messages = producer.messages.iter();
            messages.map(move |it| (name.as_ref(), it.id.as_ref(), it.entry, it.remembered_ms))
        })
    }
}

/// The ID of a message that its producer did not number, by what it says: the same for the same names and values in
/// any order. Each pair is hashed (XXH3, 128 bits) and the sum is taken.
pub fn message_id_of(fields: &[&[u8]]) -> [u8; 16] {
    let sum = fields.chunks_exact(2).fold(0u128, |sum, pair| {
        let value = xxh3_128_with_seed(pair[1], xxh3_64(pair[0]));
        sum.wrapping_add(value)
    });
    sum.to_be_bytes()
}

impl Idempotency {
    pub(super) fn new(limits: IdempotencyLimits) -> Idempotency {
        Idempotency {
            limits,
            producers: BTreeMap::new(),
            swept: Box::default(),
            tracked: 0,
            added: 0,
            duplicates: 0,
        }
    }

    pub(super) fn tracked(&self) -> u64 {
        self.tracked
    }

    pub(super) fn set_totals(&mut self, added: u64, duplicates: u64) {
        self.added = added;
        self.duplicates = duplicates;
    }

    fn figures(&self) -> IdempotencyFigures {
        IdempotencyFigures {
            producers: self.producers.len() as u64,
            tracked: self.tracked,
            added: self.added,
            duplicates: self.duplicates,
        }
    }

    fn find(&mut self, producer: &[u8], message: &[u8], now_ms: i64) -> Option<StreamId> {
        self.drop_old(producer, now_ms);
        self.sweep_one(now_ms);
        self.producers.get(producer)?.find(message)
    }

    fn remember(&mut self, producer: &[u8], message: &[u8], entry: StreamId, now_ms: i64) {
        if !self.producers.contains_key(producer) {
            self.producers.insert(producer.into(), Arc::default());
        }
        let Some(known) = self.producers.get_mut(producer) else {
            return;
        };
        let known = Arc::make_mut(known);
        known.push(Message { id: message.into(), entry, remembered_ms: now_ms });
        self.tracked += 1;
        self.added = self.added.saturating_add(1);
        while known.messages.len() > self.limits.ids_max.max(1) as usize {
            known.pop();
            self.tracked -= 1;
        }
    }

    /// Drops what is too old of the next producer in turn.
    fn sweep_one(&mut self, now_ms: i64) {
        let after = self.producers.range::<[u8], _>((Excluded(self.swept.as_ref()), Unbounded)).next();
        let next = after.or_else(|| self.producers.iter().next()).map(|(name, _)| name.clone());
        if let Some(next) = next {
            self.drop_old(&next, now_ms);
            self.swept = next;
        }
    }

    fn drop_old(&mut self, producer: &[u8], now_ms: i64) {
        let Some(known) = self.producers.get_mut(producer) else {
            return;
        };
        let lifetime_ms = i64::from(self.limits.duration_s) * 1000;
        let too_old = |it: &Message| now_ms.saturating_sub(it.remembered_ms) > lifetime_ms;
        while known.messages.front().is_some_and(too_old) {
            Arc::make_mut(known).pop();
            self.tracked -= 1;
        }
        if known.messages.is_empty() {
            self.producers.remove(producer);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let names: usize = self.producers.keys().map(|name| name.len()).sum();
        map_bytes(self.producers.len(), size_of::<(Box<[u8]>, Arc<Producer>)>())
            + self.swept.len()
            + names
            + self.producers.values().map(|producer| producer.heap_bytes()).sum::<usize>()
    }
}

impl Producer {
    fn find(&self, message: &[u8]) -> Option<StreamId> {
        let hash = xxh3_64(message);
        let numbers = self.index.range((hash, 0)..=(hash, u64::MAX)).map(|(_, number)| number);
        let mut found = numbers.filter_map(|number| self.messages.get((number - self.dropped) as usize));
        found.find(|it| it.id.as_ref() == message).map(|it| it.entry)
    }

    fn push(&mut self, message: Message) {
        let number = self.dropped + self.messages.len() as u64;
        self.index.insert((xxh3_64(&message.id), number));
        self.messages.push_back(message);
    }

    /// Drops the oldest.
    fn pop(&mut self) {
        if let Some(oldest) = self.messages.pop_front() {
            self.index.remove(&(xxh3_64(&oldest.id), self.dropped));
            self.dropped += 1;
        }
    }

    fn heap_bytes(&self) -> usize {
        // The counters of the `Arc` are two words.
        size_of::<Producer>()
            + 2 * size_of::<usize>()
            + self.messages.capacity() * size_of::<Message>()
            + self.messages.iter().map(|it| it.id.len()).sum::<usize>()
            + map_bytes(self.index.len(), size_of::<(u64, u64)>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(seq: u64) -> StreamId {
        StreamId::new(1, seq)
    }

    fn remember(stream: &mut Stream, producer: &[u8], message: &[u8], seq: u64, now_ms: i64) {
        let limits = IdempotencyLimits { duration_s: 1, ids_max: 3 };
        stream.remember_message(producer, message, id(seq), limits, now_ms).unwrap();
    }

    #[test]
    fn messages_are_known_until_too_many_came_after_them() {
        let mut stream = Stream::new();
        assert_eq!(stream.find_message(b"p", b"1", 0), None);
        for seq in 1..=4 {
            remember(&mut stream, b"p", seq.to_string().as_bytes(), seq, 0);
        }
        remember(&mut stream, b"q", b"1", 9, 0);
        assert_eq!(stream.find_message(b"p", b"1", 0), None);
        assert_eq!(stream.find_message(b"p", b"2", 0), Some(id(2)));
        assert_eq!(stream.find_message(b"p", b"4", 0), Some(id(4)));
        assert_eq!(stream.find_message(b"q", b"1", 0), Some(id(9)));
        let figures = IdempotencyFigures { producers: 2, tracked: 4, added: 5, duplicates: 3 };
        assert_eq!(stream.idempotency_figures(), figures);
    }

    #[test]
    fn messages_are_forgotten_after_their_time_even_of_silent_producers() {
        let mut stream = Stream::new();
        remember(&mut stream, b"p", b"1", 1, 0);
        remember(&mut stream, b"p", b"2", 2, 600);
        for name in 0..50u8 {
            remember(&mut stream, &[b'x', name], b"1", 3, 0);
        }
        assert_eq!(stream.find_message(b"p", b"1", 1000), Some(id(1)));
        assert_eq!(stream.find_message(b"p", b"1", 1001), None);
        assert_eq!(stream.find_message(b"p", b"2", 1001), Some(id(2)));
        for _ in 0..60 {
            stream.find_message(b"p", b"2", 1001);
        }
        assert_eq!(stream.idempotency_figures().producers, 1);
        stream.forget_old_messages(usize::MAX, 1601);
        assert_eq!(stream.idempotency_figures().tracked, 0);
        stream.forget_old_messages(usize::MAX, i64::MAX);
    }

    #[test]
    fn a_message_stands_for_one_entry() {
        let mut stream = Stream::new();
        let limits = IdempotencyLimits::default();
        assert_eq!(stream.remember_message(b"p", b"1", id(1), limits, 0), Ok(()));
        assert_eq!(stream.remember_message(b"p", b"1", id(1), limits, 0), Ok(()));
        assert_eq!(stream.remember_message(b"p", b"1", id(2), limits, 0), Err(OtherEntry(id(1))));
        assert_eq!(stream.idempotency_figures().added, 1);
        assert_eq!(stream.messages().collect::<Vec<_>>(), [(&b"p"[..], &b"1"[..], id(1), 0)]);
    }

    #[test]
    fn other_limits_forget_everything_the_same_nothing() {
        let mut stream = Stream::new();
        remember(&mut stream, b"p", b"1", 1, 0);
        stream.set_idempotency_limits(IdempotencyLimits { duration_s: 1, ids_max: 3 });
        assert_eq!(stream.idempotency_figures().tracked, 1);
        let limits = IdempotencyLimits { duration_s: 2, ids_max: 3 };
        stream.set_idempotency_limits(limits);
        assert_eq!(stream.idempotency_limits(), Some(limits));
        let figures = IdempotencyFigures { added: 1, ..IdempotencyFigures::default() };
        assert_eq!(stream.idempotency_figures(), figures);
        assert_eq!(stream.find_message(b"p", b"1", 0), None);
    }

    #[test]
    fn like_a_list_under_random_messages() {
        let mut rng = crate::Rng::new(5);
        let mut stream = Stream::new();
        let mut model: Vec<(u64, u64, StreamId, i64)> = Vec::new();
        let mut now_ms = 0;
        for step in 0..5000 {
            now_ms += rng.below(20) as i64;
            let (producer, message) = (rng.below(6), rng.below(9));
            let names = (producer.to_string(), message.to_string());
            let (producer_name, message_name) = (names.0.as_bytes(), names.1.as_bytes());
            model.retain(|(_, _, _, at)| now_ms - at <= 1000);
            let known = model.iter().find(|it| (it.0, it.1) == (producer, message)).map(|it| it.2);
            assert_eq!(stream.find_message(producer_name, message_name, now_ms), known);
            if known.is_none() {
                remember(&mut stream, producer_name, message_name, step, now_ms);
                model.push((producer, message, id(step), now_ms));
                let own = model.iter().filter(|it| it.0 == producer).count();
                if own > 3 {
                    let oldest = model.iter().position(|it| it.0 == producer).unwrap();
                    model.remove(oldest);
                }
            }
            stream.forget_old_messages(9, now_ms);
            assert_eq!(stream.idempotency_figures().tracked, model.len() as u64);
        }
    }

    #[test]
    fn what_a_message_says_in_any_order() {
        let one = message_id_of(&[b"a", b"1", b"b", b"2"]);
        assert_eq!(one, message_id_of(&[b"b", b"2", b"a", b"1"]));
        for other in
            [&[&b"a"[..], b"2", b"b", b"1"][..], &[b"a", b"1"], &[b"a", b"1", b"b", b"2", b"b", b"2"]]
        {
            assert_ne!(one, message_id_of(other));
        }
    }
}
