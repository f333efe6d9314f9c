//! Who waits for a key to get a value.
//!
//! A client in a blocking command (BLPOP and its like) waits in the stripes of its command's keys, so that nobody can
//! change a key without meeting those who wait for it. By (database, name) there is a queue, oldest first. What a waiter
//! is, is the engine's business: here it is a number, the keys, and what it takes for the waiter to be served.
//!
//! Serving a waiter reads and writes all its keys, and may give others of them a value that somebody waits for in turn
//! (BLMOVE). No other step may come between a change and those that it serves. So a step that may wake somebody locks,
//! besides its own stripes, all that serving may need: [`reach`] tells which. Most waiters need no more than the stripe
//! of their one key, which the step has locked anyway; those that need more are counted in each queue, and when they are
//! many, all stripes are locked. Rejected: serving after the step has let go of its locks, which needs every other step to
//! look whether somebody is still to be served before it, and cannot put chains of steps that cross in order.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Somebody who waits for keys.
pub struct Waiter {
    number: u64,
    db: u32,
    /// Those that are waited for come first.
    keys: Vec<Box<[u8]>>,
    awaited: usize,
    wanted: &'static str,
    on_no_key: bool,
    inserts: bool,
    is_wide: bool,
    /// Whoever it is.
    pub who: Box<dyn Any + Send + Sync>,
}

/// What somebody waits for.
pub struct Wish {
    /// In which database.
    pub db: u32,
    /// A value of this type, as TYPE names it.
    pub wanted: &'static str,
    /// Or, too, that there is none of this type any more.
    pub on_no_key: bool,
    /// Serving may put something under one of the keys.
    pub inserts: bool,
    /// Whose wish this is.
    pub who: Box<dyn Any + Send + Sync>,
}

impl Waiter {
    /// The waiter that a wish makes of somebody. The first `awaited` keys are waited for, the others are needed, too, when it
    /// is served. `is_wide`: the keys are in several stripes.
    pub(crate) fn new(
        number: u64,
        wish: Wish,
        (keys, awaited): (Vec<Box<[u8]>>, usize),
        is_wide: bool,
    ) -> Waiter {
        let Wish { db, wanted, on_no_key, inserts, who } = wish;
        Waiter { number, db, keys, awaited, wanted, on_no_key, inserts, is_wide: is_wide || inserts, who }
    }

    /// Its number: whoever came earlier has a smaller one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its database.
    pub fn db(&self) -> u32 {
        self.db
    }

    /// The names of the keys that serving it needs.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(|key| &**key)
    }

    /// The names of the keys that it waits for, each once.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = &[u8]> {
        self.keys().take(self.awaited)
    }

    /// Whether a key with a value of type `there` (`None`: no such key) can be what it waits for.
    fn fits(&self, there: Option<&'static str>) -> bool {
        self.on_no_key || there == Some(self.wanted)
    }

    /// What it takes in all the queues it is in, apart from whoever it is, bytes.
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.keys.iter().map(|key| 2 * key.len() + QUEUE_BYTES).sum();
        size_of::<Waiter>() + names
    }
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiter({})", self.number)
    }
}

/// What a place in a queue costs, with the queue if there is nobody else in it.
const QUEUE_BYTES: usize = 128;

/// Those who wait for one key, oldest first.
#[derive(Debug, Default)]
struct Queue {
    waiters: VecDeque<Arc<Waiter>>,
    /// How many need more to be served than the stripe of this key.
    wide: usize,
    /// How many want to know when the key is gone.
    on_no_key: usize,
}

impl Queue {
    /// The place of the first waiter whose number is at least this.
    fn place(&self, number: u64) -> usize {
        self.waiters.partition_point(|waiter| waiter.number < number)
    }

    fn add(&mut self, waiter: &Arc<Waiter>) {
        self.wide += usize::from(waiter.is_wide);
        self.on_no_key += usize::from(waiter.on_no_key);
        self.waiters.insert(self.place(waiter.number), Arc::clone(waiter));
    }

    fn remove(&mut self, number: u64) {
        let place = self.place(number);
        if self.waiters.get(place).is_some_and(|waiter| waiter.number == number)
            && let Some(gone) = self.waiters.remove(place)
        {
            self.wide -= usize::from(gone.is_wide);
            self.on_no_key -= usize::from(gone.on_no_key);
        }
    }
}

/// The waiters of one stripe's keys.
#[derive(Debug, Default)]
pub struct Waiters {
    /// By name, then by database: few names are waited for in several.
    names: HashMap<Box<[u8]>, Vec<(u32, Queue)>>,
}

impl Waiters {
    /// Whether nobody waits here.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The number of names that are waited for.
    #[inline]
    pub(crate) fn names(&self) -> usize {
        self.names.len()
    }

    fn queue(&self, db: u32, key: &[u8]) -> Option<&Queue> {
        self.names.get(key)?.iter().find(|(of, _)| *of == db).map(|(_, queue)| queue)
    }

    /// Adds a waiter to the queue of one of its keys; whether it is the first who waits for one of that name.
    pub(crate) fn add(&mut self, key: &[u8], waiter: &Arc<Waiter>) -> bool {
        let names = self.names.len();
        let queues = self.names.entry(key.into()).or_default();
        match queues.iter_mut().find(|(of, _)| *of == waiter.db) {
            Some((_, queue)) => queue.add(waiter),
            None => {
                let mut queue = Queue::default();
                queue.add(waiter);
                queues.push((waiter.db, queue));
            }
        }
        self.names.len() > names
    }

    /// Removes a waiter from the queue of a key, if it is in there; whether it was the last who waited for one of that name.
    pub(crate) fn remove(&mut self, key: &[u8], waiter: &Waiter) -> bool {
        let Some(queues) = self.names.get_mut(key) else { return false };
        if let Some((_, queue)) = queues.iter_mut().find(|(of, _)| *of == waiter.db) {
            queue.remove(waiter.number);
        }
        queues.retain(|(_, queue)| !queue.waiters.is_empty());
        let is_last = queues.is_empty();
        if is_last {
            self.names.remove(key);
        }
        is_last
    }

    /// Whether somebody wants to know that a key was changed; `is_there`: whether there is such a key now.
    pub(crate) fn is_awaited(&self, db: u32, key: &[u8], is_there: bool) -> bool {
        self.queue(db, key).is_some_and(|queue| is_there || queue.on_no_key > 0)
    }

    /// The oldest waiter after number `after` that a key with a value of type `there` (`None`: no such key) can serve.
    pub(crate) fn next(
        &self,
        db: u32,
        key: &[u8],
        after: u64,
        there: Option<&'static str>,
    ) -> Option<Arc<Waiter>> {
        let queue = self.queue(db, key).filter(|queue| there.is_some() || queue.on_no_key > 0)?;
        let rest = queue.waiters.range(queue.place(after.saturating_add(1))..);
        rest.into_iter().find(|waiter| waiter.fits(there)).cloned()
    }

    /// The keys of a database that are waited for; only those whose absence is, if `on_no_key`.
    pub(crate) fn awaited(&self, db: u32, on_no_key: bool) -> impl Iterator<Item = &[u8]> {
        let wanted = move |(of, queue): &(u32, Queue)| *of == db && (!on_no_key || queue.on_no_key > 0);
        self.names.iter().filter(move |(_, queues)| queues.iter().any(wanted)).map(|(name, _)| &**name)
    }

    /// The number of keys that are waited for, and of those whose absence is.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let queues = || self.names.values().flatten();
        (queues().count(), queues().filter(|(_, queue)| queue.on_no_key > 0).count())
    }
}

/// So many waiters that need more than a stripe, and so many keys, are looked at before all stripes are locked instead.
const WIDE_MAX: usize = 32;
const KEYS_MAX: usize = 128;

/// The stripes that those who wait for some keys need to be served, all in all.
pub(crate) enum Reach {
    /// These; each may be named several times.
    Some(Vec<usize>),
    /// Too many to be found out.
    All,
}

/// What it takes to serve all who wait for keys of these `names`, whatever their database, and for those that serving
/// them gives a value. `stripe_of` gives the stripe of a name, `waiters_of` the waiters of a stripe if it is locked.
pub(crate) fn reach<'a>(
    names: impl Iterator<Item = &'a [u8]>,
    stripe_of: impl Fn(&[u8]) -> usize,
    waiters_of: impl Fn(usize) -> Option<&'a Waiters>,
) -> Reach {
    let mut names: Vec<&[u8]> = names.collect();
    let own = names.len();
    let mut stripes = Vec::new();
    let mut at = 0;
    while let Some(name) = names.get(at).copied() {
        at += 1;
        let stripe = stripe_of(name);
        stripes.push(stripe);
        let queues = waiters_of(stripe).and_then(|waiters| waiters.names.get(name));
        for (_, queue) in queues.into_iter().flatten().filter(|(_, queue)| queue.wide > 0) {
            if queue.wide > WIDE_MAX {
                return Reach::All;
            }
            for waiter in queue.waiters.iter().filter(|waiter| waiter.is_wide) {
                stripes.extend(waiter.keys().map(&stripe_of));
                if waiter.inserts {
                    let new: Vec<&[u8]> = waiter.keys().filter(|key| !names.contains(key)).collect();
                    names.extend(new);
                }
            }
        }
        if names.len() - own > KEYS_MAX || stripes.len() - at > KEYS_MAX {
            return Reach::All;
        }
    }
    Reach::Some(stripes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(number: u64, keys: &[&str], inserts: bool) -> Arc<Waiter> {
        let wish = Wish { db: 0, wanted: "list", on_no_key: false, inserts, who: Box::new(()) };
        let keys: Vec<Box<[u8]>> = keys.iter().map(|key| key.as_bytes().into()).collect();
        let is_wide = keys.len() > 1;
        let awaited = if inserts { 1 } else { keys.len() };
        Arc::new(Waiter::new(number, wish, (keys, awaited), is_wide))
    }

    fn all(waiters: &[Arc<Waiter>]) -> Waiters {
        let mut all = Waiters::default();
        for waiter in waiters {
            waiter.awaited().for_each(|key| {
                let is_new = all.queue(waiter.db, key).is_none();
                assert_eq!(all.add(key, waiter), is_new);
            });
        }
        all
    }

    /// The stripe of a name is its first letter.
    fn reached(waiters: &Waiters, locked: &[u8], names: &[&str]) -> Option<String> {
        let of = |stripe: usize| locked.contains(&(stripe as u8)).then_some(waiters);
        let found = reach(names.iter().map(|name| name.as_bytes()), |name| usize::from(name[0]), of);
        let Reach::Some(mut stripes) = found else { return None };
        stripes.sort_unstable();
        stripes.dedup();
        Some(stripes.into_iter().map(|stripe| stripe as u8 as char).collect())
    }

    #[test]
    fn the_oldest_that_fits_is_next() {
        let (a, b, c) = (waiter(3, &["k"], false), waiter(5, &["k"], false), waiter(9, &["k", "l"], false));
        let mut waiters = all(&[c.clone(), a.clone(), b.clone()]);
        let next = |waiters: &Waiters, after| {
            waiters.next(0, b"k", after, Some("list")).map(|waiter| waiter.number())
        };
        assert_eq!([next(&waiters, 0), next(&waiters, 3), next(&waiters, 9)], [Some(3), Some(5), None]);
        assert!(waiters.next(0, b"k", 0, Some("set")).is_none() && waiters.next(0, b"k", 0, None).is_none());
        assert!(waiters.next(1, b"k", 0, Some("list")).is_none());
        assert!(!waiters.remove(b"k", &a) && !waiters.remove(b"k", &a), "others wait for it");
        assert_eq!((next(&waiters, 0), waiters.counts()), (Some(5), (2, 0)));
        assert!(!waiters.remove(b"k", &b) && waiters.remove(b"k", &c) && waiters.remove(b"l", &c));
        assert!(waiters.is_empty());
    }

    #[test]
    fn reach_follows_what_serving_may_touch() {
        let pops = [waiter(1, &["a"], false), waiter(2, &["b", "c"], false)];
        let moves = [waiter(3, &["d", "e"], true), waiter(4, &["e", "f"], true)];
        let waiters = all(&[&pops[..], &moves[..]].concat());
        let reached = |names: &[&str]| reached(&waiters, b"abcdef", names).expect("few");
        assert_eq!(reached(&["a"]), "a");
        assert_eq!(reached(&["x"]), "x");
        assert_eq!(reached(&["b"]), "bc");
        assert_eq!(reached(&["a", "d"]), "adef");
    }

    #[test]
    fn reach_stops_where_nothing_is_locked() {
        let waiters = all(&[waiter(3, &["d", "e"], true), waiter(4, &["e", "f"], true)]);
        assert_eq!(reached(&waiters, b"d", &["d"]).as_deref(), Some("de"));
        assert_eq!(reached(&waiters, b"de", &["d"]).as_deref(), Some("def"));
    }

    #[test]
    fn many_need_everything() {
        let many: Vec<_> = (0..=WIDE_MAX as u64).map(|n| waiter(n + 1, &["a", "b"], false)).collect();
        assert_eq!(reached(&all(&many), b"ab", &["a"]), None);
        let narrow: Vec<_> = (0..1000).map(|n| waiter(n + 1, &["a"], false)).collect();
        assert_eq!(reached(&all(&narrow), b"ab", &["a"]).as_deref(), Some("a"));
        let keys: Vec<String> = (0..200).map(|n| format!("k{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(reached(&all(&[waiter(1, &keys, false)]), b"k", &["k1"]), None);
    }
}
