//! Telling others what this step does: keyspace events, and what is not any more as it was read.

use super::{View, stripe_in};
use crate::audience::{News, Stale};
use crate::hash::Key;
use std::sync::atomic::Ordering::Relaxed;

impl View<'_> {
    /// Tells what the step did so far, with its stripes locked. `author` is the client whose step it is, 0 if it is nobody's.
    /// What is not told by a call of this is told when the view lets go of its stripes, as nobody's.
    #[inline]
    pub fn tell(&mut self, author: u64) {
        if self.effects.has_news() {
            self.tell_news(author);
        }
    }

    #[cold]
    fn tell_news(&mut self, author: u64) {
        let stale = std::mem::take(&mut self.effects.stale);
        let was_told = self.tell_of(&stale, author);
        if !was_told {
            self.effects.stale = stale;
        }
    }

    /// Tells the events so far, because something else is to come behind them; what is stale comes last.
    pub fn tell_events(&mut self, author: u64) {
        if !self.effects.events.is_empty() {
            self.tell_of(&[], author);
        }
    }

    /// Whether there is anybody to tell: without an audience (in tests) effects are for the caller to look at.
    fn tell_of(&mut self, stale: &[Stale], author: u64) -> bool {
        let Some(audience) = self.keyspace.audience.get() else { return false };
        let notify_classes = self.keyspace.settings.notify_classes.load(Relaxed);
        audience.hear(&News { events: &self.effects.events, stale, notify_classes, author });
        self.effects.events.clear();
        true
    }

    /// Notes that somebody has read a key and is to hear when it changes. Where that are more than `keys_max` keys, others of the
    /// same stripe are given up, as if they had changed.
    pub fn note_reader(&mut self, key: Key<'_>, reader: u64, keys_max: usize) {
        let (counts, index) = (&self.keyspace.reader_counts, self.keyspace.stripe_of(key.hash.position()));
        stripe_in(&mut self.held, index).readers.add(key.bytes, reader, counts);
        self.give_up_readers(index, keys_max);
    }

    /// Gives up keys of a stripe that somebody has read, for as long as there are more than `keys_max` in all.
    pub fn give_up_readers(&mut self, stripe: usize, keys_max: usize) {
        let counts = &self.keyspace.reader_counts;
        while counts.keys.load(Relaxed) > keys_max
            && let Some((name, readers)) = stripe_in(&mut self.held, stripe).readers.take_any(counts)
        {
            self.effects.stale.push(Stale::Key { name, readers, is_public: false, is_own: false });
        }
    }

    /// Says whether anybody is to hear of keys that he has not read. Needs all stripes.
    pub fn set_public(&mut self, on: bool) {
        self.every_stripe().for_each(|stripe| stripe.readers.has_public = on);
    }

    /// Notes that all that was read is gone. Needs all stripes.
    pub fn note_flush(&mut self) {
        let counts = &self.keyspace.reader_counts;
        self.every_stripe().for_each(|stripe| stripe.readers.clear(counts));
        self.effects.stale.push(Stale::Everything);
    }

    /// Notes that a key is not any more as it was read.
    pub(super) fn note_stale(&mut self, key: Key<'_>, is_own: bool) {
        let index = self.keyspace.stripe_of(key.hash.position());
        let table = &mut stripe_in(&mut self.held, index).readers;
        let (readers, is_public) = (table.take(key.bytes, &self.keyspace.reader_counts), table.has_public);
        if is_public || !readers.is_empty() {
            self.effects.stale.push(Stale::Key { name: key.bytes.into(), readers, is_public, is_own });
        }
    }
}

impl Drop for View<'_> {
    #[inline]
    fn drop(&mut self) {
        self.tell(0);
    }
}
