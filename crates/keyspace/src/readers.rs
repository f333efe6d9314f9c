//! Who has read which keys and wants to hear when they change (client-side caching).
//!
//! The table belongs to the stripe: a read is noted, and a change looks here, with the stripe locked, so no change can slip
//! in between a read and its note. As in Redis keys are known by name only, whatever the database, and a note is good for
//! one change. Those who want to hear of every key that begins in some way are not listed here: a flag says that there are
//! any.
//!
//! What readers are is the engine's business: here they are numbers. One that is gone stays in the table until its keys change
//! or are pushed out; the numbers of keys and notes are kept for the whole keyspace, because it is their sum that is bounded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::audience::Readership;

/// How much there is in the tables of all stripes.
#[derive(Debug, Default)]
pub struct ReaderCounts {
    /// Keys.
    pub keys: AtomicUsize,
    /// Readers of keys, those of every key by themselves.
    pub notes: AtomicUsize,
}

/// The readers of one stripe's keys.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    keys: HashMap<Box<[u8]>, Readership>,
    /// Whether there is anybody who is to hear of more keys than those he has read.
    pub(crate) has_public: bool,
}

impl Readers {
    /// 0 if nobody wants to hear of anything here.
    #[inline]
    pub(crate) fn wanted(&self) -> usize {
        self.keys.len() | usize::from(self.has_public)
    }

    /// Notes that somebody has read a key.
    pub(crate) fn add(&mut self, key: &[u8], reader: u64, counts: &ReaderCounts) {
        match self.keys.get_mut(key) {
            Some(readers) if readers.contains(&reader) => return,
            Some(readers) => readers.push(reader),
            None => {
                self.keys.insert(key.into(), Readership::from_slice(&[reader]));
                counts.keys.fetch_add(1, Relaxed);
            }
        }
        counts.notes.fetch_add(1, Relaxed);
    }

    /// Takes out those who have read a key.
    pub(crate) fn take(&mut self, key: &[u8], counts: &ReaderCounts) -> Readership {
        let Some(readers) = self.keys.remove(key) else { return Readership::new() };
        counts.keys.fetch_sub(1, Relaxed);
        counts.notes.fetch_sub(readers.len(), Relaxed);
        readers
    }

    /// Takes out any key.
    pub(crate) fn take_any(&mut self, counts: &ReaderCounts) -> Option<(Box<[u8]>, Readership)> {
        let name = self.keys.keys().next()?.clone();
        let readers = self.take(&name, counts);
        Some((name, readers))
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self, counts: &ReaderCounts) {
        counts.keys.fetch_sub(self.keys.len(), Relaxed);
        counts.notes.fetch_sub(self.keys.values().map(Readership::len).sum::<usize>(), Relaxed);
        self.keys = HashMap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_of_a_key_is_noted_once_and_told_once() {
        let (mut readers, counts) = (Readers::default(), ReaderCounts::default());
        let sums = || (counts.keys.load(Relaxed), counts.notes.load(Relaxed));
        for (key, reader) in [("a", 1), ("a", 2), ("a", 1), ("b", 1)] {
            readers.add(key.as_bytes(), reader, &counts);
        }
        assert_eq!((readers.wanted(), sums()), (2, (2, 3)));
        assert_eq!(readers.take(b"a", &counts).as_slice(), [1, 2]);
        assert_eq!((readers.take(b"a", &counts).len(), sums()), (0, (1, 1)));
        readers.add(b"c", 7, &counts);
        assert!(readers.take_any(&counts).is_some() && sums() == (1, 1));
        readers.clear(&counts);
        assert_eq!((readers.wanted(), sums()), (0, (0, 0)));
    }
}
