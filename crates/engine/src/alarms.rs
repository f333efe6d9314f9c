//! Keys at which those who wait for them are to look again at some time, whatever happens to the keys until then.
//!
//! Who waits for a pending entry of a stream to have been idle for long enough (XREADGROUP CLAIM) waits for the time to pass,
//! and no change of the key tells of that. So the key is set down here with the first time at which there may be
//! something. Any worker that finds the time has come takes the key and serves those who wait; who goes on waiting sets the
//! next time. There is one time for each key, the earliest, so this never holds more than there are keys waited for and,
//! for a while, keys whose waiters have left.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use parking_lot::Mutex;

/// A key with its database.
type Named = (u32, Box<[u8]>);

/// The keys and their times.
#[derive(Debug)]
pub(crate) struct Alarms {
    times: Mutex<Times>,
    /// The earliest time, readable without the lock; `i64::MAX` if there is none.
    next_ms: AtomicI64,
}

#[derive(Debug, Default)]
struct Times {
    by_key: HashMap<Named, i64>,
    by_time: BTreeSet<(i64, Named)>,
}

impl Default for Alarms {
    fn default() -> Alarms {
        Alarms { times: Mutex::default(), next_ms: AtomicI64::new(i64::MAX) }
    }
}

impl Alarms {
    /// Sets a time for a key, unless there is an earlier one.
    pub(crate) fn set(&self, at_ms: i64, db: u32, key: &[u8]) {
        let mut times = self.times.lock();
        let named: Named = (db, key.into());
        match times.by_key.get(&named).copied() {
            Some(known) if known <= at_ms => return,
            Some(known) => drop(times.by_time.remove(&(known, named.clone()))),
            None => {}
        }
        times.by_key.insert(named.clone(), at_ms);
        times.by_time.insert((at_ms, named));
        self.note_next(&times);
    }

    /// When the first time comes, unix time in ms.
    #[inline]
    pub(crate) fn next_ms(&self) -> i64 {
        self.next_ms.load(Relaxed)
    }

    /// Takes the keys whose time has come.
    pub(crate) fn take(&self, now_ms: i64) -> Vec<Named> {
        let mut due = Vec::new();
        if self.next_ms() > now_ms {
            return due;
        }
        let mut times = self.times.lock();
        while times.by_time.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms)
            && let Some((_, named)) = times.by_time.pop_first()
        {
            times.by_key.remove(&named);
            due.push(named);
        }
        self.note_next(&times);
        due
    }

    fn note_next(&self, times: &Times) {
        self.next_ms.store(times.by_time.first().map_or(i64::MAX, |(at_ms, _)| *at_ms), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_earliest_time() {
        let alarms = Alarms::default();
        assert_eq!((alarms.next_ms(), alarms.take(i64::MAX - 1).len()), (i64::MAX, 0));
        alarms.set(50, 0, b"a");
        alarms.set(70, 0, b"a");
        alarms.set(60, 1, b"a");
        alarms.set(80, 0, b"b");
        alarms.set(40, 0, b"b");
        assert_eq!((alarms.next_ms(), alarms.take(39).len()), (40, 0));
        let key = |db, name: &[u8]| (db, Box::from(name));
        assert_eq!(alarms.take(50), [key(0, b"b"), key(0, b"a")]);
        assert_eq!((alarms.next_ms(), alarms.take(100)), (60, vec![key(1, b"a")]));
        assert_eq!((alarms.next_ms(), alarms.take(100).len()), (i64::MAX, 0));
    }
}
