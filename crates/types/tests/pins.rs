//! Pinned sets, hashes and sorted sets show what the value was, whatever is done to it: several pins at a time, read bit by
//! bit between random changes, on the same thread and on others (to be run under ThreadSanitizer and AddressSanitizer).

use std::fmt::Debug;
use std::sync::mpsc;

use ochre_types::hash::{Condition, Hash, HashLimits, NewExpiry, PinnedHash};
use ochre_types::set::{PinnedSet, Set, SetLimits, store_difference, store_union};
use ochre_types::zset::{
    AddRule, Aggregate, Direction, PinnedZSet, ScoreRange, Weighted, ZSet, ZSetLimits, ZSource, zunion,
};
use ochre_types::{Object, ObjectMut, Pinned, Portion, Rng};

/// A value that can be pinned, with random changes.
trait Subject: Default + Clone {
    type Element: PartialEq + Debug + Send + 'static;
    type Pin: Send + 'static;

    fn contents(&self) -> Vec<Self::Element>;
    fn change(&mut self, rng: &mut Rng, names: u64, growing: bool);
    /// A pin, and what it is to show.
    fn pin(&mut self, rng: &mut Rng) -> (Self::Pin, Vec<Self::Element>);
    fn len(pin: &Self::Pin) -> usize;
    fn read(pin: &mut Self::Pin, portion: Portion, seen: &mut Vec<Self::Element>) -> bool;
    /// Whether the pin, when it is asked, has an element that it has shown.
    fn finds(pin: &Self::Pin, element: &Self::Element) -> bool;
    /// A copy of all that was pinned, if there can be one.
    fn copy(pin: &Self::Pin) -> Option<Self>;
}

fn name(rng: &mut Rng, names: u64) -> Vec<u8> {
    match rng.below(names) {
        number if number % 50 == 1 => format!("{number:0300}").into_bytes(),
        number if number % 3 == 0 => number.to_string().into_bytes(),
        number => format!("name:{number}").into_bytes(),
    }
}

fn is_once_in(rng: &mut Rng, times: u64) -> bool {
    rng.below(times) == 0
}

const SET_LIMITS: SetLimits = SetLimits { intset_entries: 20, listpack_entries: 15, listpack_value: 64 };

impl Subject for Set {
    type Element = Vec<u8>;
    type Pin = PinnedSet;

    fn contents(&self) -> Vec<Vec<u8>> {
        self.iter().map(|item| item.to_vec()).collect()
    }

    fn change(&mut self, rng: &mut Rng, names: u64, growing: bool) {
        let name = name(rng, names);
        match rng.below(if growing { 5 } else { 12 }) {
            0..=3 => drop(self.add(&name, &SET_LIMITS)),
            _ => drop(self.remove(&name)),
        }
        if is_once_in(rng, 500) {
            let some = rng.below(30) as usize;
            let count = if is_once_in(rng, 20) { (self.len() * 9 / 10).max(some) } else { some };
            self.pop(count, rng, &SET_LIMITS, &mut |_| {});
        }
        if is_once_in(rng, 5_000) {
            let other = self.clone();
            *self = match rng.below(2) {
                0 => store_union(&[self, &other], &SET_LIMITS),
                _ => store_difference(&[self, &Set::new()], &SET_LIMITS),
            };
        }
    }

    fn pin(&mut self, _: &mut Rng) -> (PinnedSet, Vec<Vec<u8>>) {
        (self.pin(), self.contents())
    }

    fn len(pin: &PinnedSet) -> usize {
        pin.len()
    }

    fn read(pin: &mut PinnedSet, portion: Portion, seen: &mut Vec<Vec<u8>>) -> bool {
        pin.read(portion, &mut |item| seen.push(item.to_vec()))
    }

    fn finds(pin: &PinnedSet, member: &Vec<u8>) -> bool {
        pin.as_set().contains(member) && !pin.as_set().contains(b"never there")
    }

    fn copy(pin: &PinnedSet) -> Option<Set> {
        Some(pin.as_set().clone())
    }
}

const HASH_LIMITS: HashLimits = HashLimits { entries_max: 12, value_bytes_max: 64 };
const NOW_MS: i64 = 1_000_000;

type Field = (Vec<u8>, Vec<u8>, Option<i64>);

impl Subject for Hash {
    type Element = Field;
    type Pin = PinnedHash;

    fn contents(&self) -> Vec<Field> {
        self.iter().map(|entry| (entry.name.to_vec(), entry.value.to_vec(), entry.expire_ms)).collect()
    }

    fn change(&mut self, rng: &mut Rng, names: u64, growing: bool) {
        let name = name(rng, names);
        let value = vec![b'0' + rng.below(10) as u8; rng.below(40) as usize];
        let at_ms = NOW_MS + 1 + rng.below(1000) as i64;
        match rng.below(if growing { 8 } else { 16 }) {
            0..=1 => drop(self.set(&name, &value, &HASH_LIMITS)),
            2 => drop(self.increment(&name, 1, NOW_MS, &HASH_LIMITS)),
            3 => drop(self.set_expiring(&name, &value, NewExpiry::At(at_ms), NOW_MS, &HASH_LIMITS)),
            4 => drop(self.set_expiring(&name, &value, NewExpiry::Keep, NOW_MS, &HASH_LIMITS)),
            5 => drop(self.expire(&name, at_ms, Condition::Always, NOW_MS)),
            6 => drop(self.persist(&name, NOW_MS)),
            7 => drop(self.take(&name, NOW_MS, |_| {})),
            _ => drop(self.remove(&name)),
        }
        if is_once_in(rng, 2_000) {
            self.expire_due(NOW_MS + rng.below(300) as i64, rng.below(200) as usize, &mut |_| {});
        }
    }

    fn pin(&mut self, _: &mut Rng) -> (PinnedHash, Vec<Field>) {
        let pin = self.pin();
        for now_ms in [NOW_MS, NOW_MS + 20, NOW_MS + 400, NOW_MS + 2_000] {
            let live = self.live(now_ms).count();
            assert_eq!(self.live_len(now_ms), live);
            assert!(live == pin.len() || pin.may_have_expired(now_ms));
        }
        (pin, self.contents())
    }

    fn len(pin: &PinnedHash) -> usize {
        pin.len()
    }

    fn read(pin: &mut PinnedHash, portion: Portion, seen: &mut Vec<Field>) -> bool {
        pin.read(portion, i64::MIN, &mut |entry| {
            seen.push((entry.name.to_vec(), entry.value.to_vec(), entry.expire_ms));
        })
    }

    fn finds(_: &PinnedHash, _: &Field) -> bool {
        true
    }

    fn copy(pin: &PinnedHash) -> Option<Hash> {
        pin.to_hash()
    }
}

const ZSET_LIMITS: ZSetLimits = ZSetLimits { listpack_entries_max: 12, listpack_value_bytes_max: 64 };

impl Subject for ZSet {
    type Element = (Vec<u8>, f64);
    type Pin = PinnedZSet;

    fn contents(&self) -> Vec<(Vec<u8>, f64)> {
        self.iter().map(|(member, score)| (member.to_vec(), score)).collect()
    }

    fn change(&mut self, rng: &mut Rng, names: u64, growing: bool) {
        let (name, score) = (name(rng, names), rng.below(200) as f64 / 4.0);
        match rng.below(if growing { 8 } else { 14 }) {
            0..=2 => drop(self.increment(&name, score - 25.0, AddRule::default(), &ZSET_LIMITS)),
            3..=6 => drop(self.add(&name, score, AddRule::default(), &ZSET_LIMITS)),
            _ => drop(self.remove(&name)),
        }
        if is_once_in(rng, 500) {
            let (start, count) = (rng.below(names) as usize, rng.below(60) as usize);
            let direction = if is_once_in(rng, 2) { Direction::Ascending } else { Direction::Descending };
            self.remove_ranks(start..start + count, direction, &mut |_, _| {});
        }
        if is_once_in(rng, 20_000) {
            self.pop(Direction::Descending, self.len().saturating_sub(5), &mut |_, _| {});
            self.make_small(&ZSET_LIMITS);
        }
        if is_once_in(rng, 20_000) {
            *self = zunion(&[Weighted { source: self, weight: 1.0 }], Aggregate::Sum);
        }
    }

    fn pin(&mut self, rng: &mut Rng) -> (PinnedZSet, Vec<(Vec<u8>, f64)>) {
        let mut expected = self.contents();
        if is_once_in(rng, 2) {
            return (self.pin(), expected);
        }
        let start = rng.below(expected.len() as u64 + 2) as usize;
        let ranks = start..start + rng.below(expected.len() as u64 + 2) as usize;
        let end = ranks.end.min(expected.len());
        expected = expected.drain(start.min(end)..end).collect();
        if is_once_in(rng, 2) {
            return (self.pin_range(ranks, Direction::Ascending), expected);
        }
        expected.reverse();
        (self.pin_range(ranks, Direction::Descending), expected)
    }

    fn len(pin: &PinnedZSet) -> usize {
        pin.len()
    }

    fn read(pin: &mut PinnedZSet, portion: Portion, seen: &mut Vec<(Vec<u8>, f64)>) -> bool {
        pin.read(portion, &mut |member, score| seen.push((member.to_vec(), score)))
    }

    fn finds(pin: &PinnedZSet, (member, score): &(Vec<u8>, f64)) -> bool {
        pin.score_of(member) == Some(*score) && pin.score_of(b"never there").is_none()
    }

    fn copy(pin: &PinnedZSet) -> Option<ZSet> {
        Some(pin.to_zset()).filter(|copy| copy.len() == pin.len())
    }
}

/// A pin that is read bit by bit.
struct Reader<S: Subject> {
    pin: S::Pin,
    expected: Vec<S::Element>,
    seen: Vec<S::Element>,
}

impl<S: Subject> Reader<S> {
    fn new(subject: &mut S, rng: &mut Rng) -> Reader<S> {
        let (pin, expected) = subject.pin(rng);
        assert_eq!(S::len(&pin), expected.len());
        Reader { pin, expected, seen: Vec::new() }
    }

    /// Reads some more; whether there is more.
    fn read(&mut self, portion: Portion) -> bool {
        let more = S::read(&mut self.pin, portion, &mut self.seen);
        assert_eq!(more, self.seen.len() < self.expected.len());
        assert!(self.expected.starts_with(&self.seen));
        assert!(self.seen.last().is_none_or(|element| S::finds(&self.pin, element)));
        if let Some(copy) = S::copy(&self.pin).filter(|_| !more) {
            let contents = copy.contents();
            assert!(contents.len() == self.expected.len());
            assert!(contents.iter().all(|element| self.expected.contains(element)) || contents.len() > 500);
        }
        more
    }
}

struct Run<S: Subject> {
    subject: S,
    readers: Vec<Reader<S>>,
    rng: Rng,
    names: u64,
}

impl<S: Subject> Run<S> {
    fn new(seed: u64, names: u64) -> Run<S> {
        Run { subject: S::default(), readers: Vec::new(), rng: Rng::new(seed), names }
    }

    fn step(&mut self, growing: bool) {
        self.subject.change(&mut self.rng, self.names, growing);
        match self.rng.below(4_000) {
            0..=5 => self.readers.push(Reader::new(&mut self.subject, &mut self.rng)),
            6..=30 if !self.readers.is_empty() => self.read_one(),
            31 => self.subject = self.subject.clone(),
            32 => self.subject = S::default(),
            _ => {}
        }
    }

    fn read_one(&mut self) {
        let at = self.rng.below(self.readers.len() as u64) as usize;
        let elements = 1 + self.rng.below(self.names / 2) as usize;
        let portion = match self.rng.below(2) {
            0 => Portion::of_elements(elements),
            _ => Portion { elements: usize::MAX, bytes: elements * 8 },
        };
        if !self.readers[at].read(portion) || is_once_in(&mut self.rng, 10) {
            self.readers.swap_remove(at);
        }
    }

    fn read_all(mut self) {
        drop(self.subject);
        for mut reader in self.readers.drain(..) {
            while reader.read(Portion::of_elements(100)) {}
        }
    }
}

fn pins_show_what_was_there<S: Subject>() {
    for (seed, names) in [(1, 4_000), (2, 700), (3, 60), (4, 16)] {
        let mut run = Run::<S>::new(seed, names);
        for phase in 0..6 {
            (0..6_000).for_each(|_| run.step(phase % 3 != 2));
        }
        run.read_all();
    }
}

fn readers_on_other_threads<S: Subject>() {
    let mut run = Run::<S>::new(9, 2_000);
    std::thread::scope(|scope| {
        let senders: Vec<mpsc::Sender<Reader<S>>> = (0..3)
            .map(|_| {
                let (sender, readers) = mpsc::channel::<Reader<S>>();
                scope.spawn(move || {
                    for mut reader in readers {
                        while reader.read(Portion::of_elements(64)) {}
                    }
                });
                sender
            })
            .collect();
        for step in 0..40_000usize {
            run.step(step / 10_000 % 3 != 2);
            for reader in run.readers.drain(..) {
                senders[run.rng.below(3) as usize].send(reader).expect("a thread reads");
            }
        }
    });
}

#[test]
fn pinned_sets() {
    pins_show_what_was_there::<Set>();
    readers_on_other_threads::<Set>();
}

#[test]
fn pinned_hashes() {
    pins_show_what_was_there::<Hash>();
    readers_on_other_threads::<Hash>();
}

#[test]
fn pinned_sorted_sets() {
    pins_show_what_was_there::<ZSet>();
    readers_on_other_threads::<ZSet>();
}

#[test]
fn portions_are_kept() {
    let mut set = Set::new();
    (0..1_000).for_each(|number| assert!(set.add(format!("member:{number:05}").as_bytes(), &SET_LIMITS)));
    let mut pin = set.pin();
    let count = |pin: &mut PinnedSet, portion| {
        let mut count = 0;
        pin.read(portion, &mut |_| count += 1);
        count
    };
    assert_eq!(count(&mut pin, Portion::of_elements(10)), 10);
    assert_eq!(count(&mut pin, Portion { elements: 100, bytes: 60 }), 5);
    assert_eq!(count(&mut pin, Portion { elements: 100, bytes: 61 }), 6);
    assert_eq!(count(&mut pin, Portion::of_elements(0)), 0);
    assert_eq!(count(&mut pin, Portion::of_elements(2_000)), 979);
    assert_eq!(count(&mut pin, Portion::of_elements(1)), 0);
}

#[test]
fn a_hash_can_be_counted_before_it_is_shown() {
    let mut hash = Hash::new();
    for number in 0..1_000i64 {
        let expiry = if number % 4 == 0 { NewExpiry::At(NOW_MS + number) } else { NewExpiry::Never };
        let name = format!("field:{number}");
        hash.set_expiring(name.as_bytes(), b"value", expiry, NOW_MS - 1, &HASH_LIMITS);
    }
    let (now_ms, mut pin) = (NOW_MS + 500, hash.pin());
    assert!(pin.may_have_expired(now_ms) && !pin.may_have_expired(NOW_MS));
    let live = hash.live_len(now_ms);
    assert_eq!((live, hash.live_len(NOW_MS)), (875, 1_000));
    hash.expire_due(now_ms, usize::MAX, &mut |_| {});
    for _ in 0..2 {
        let mut count = 0;
        while pin.read(Portion::of_elements(7), now_ms, &mut |entry| {
            assert!(!entry.is_expired(now_ms));
            count += 1;
        }) {}
        assert_eq!(count, live);
        pin.rewind();
    }
}

#[test]
fn objects_are_pinned_if_their_type_can_be() {
    let (mut set, mut zset) = (Set::new(), ZSet::new());
    set.add(b"a", &SET_LIMITS);
    zset.add(b"a", 1.0, AddRule::default(), &ZSET_LIMITS).expect("a number");
    assert_eq!(
        zset.ranks_of_scores(&ScoreRange {
            min: std::ops::Bound::Unbounded,
            max: std::ops::Bound::Unbounded
        }),
        0..1
    );
    assert!(matches!(ObjectMut::Set(&mut set).pin(), Pinned::Set(pin) if pin.as_flat() == Some(&set)));
    assert!(matches!(ObjectMut::ZSet(&mut zset).pin(), Pinned::ZSet(pin) if pin.as_flat() == Some(&zset)));
    let mut hash = Object::Hash(Hash::new());
    assert!(matches!(hash.as_mut().pin(), Pinned::Hash(pin) if pin.is_empty() && pin.as_flat().is_some()));
}
