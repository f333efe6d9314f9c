//! Two sets agree with ordered sets of texts after any operations, whatever the limits, alone and combined; pins show them as they
//! were, and a scan misses nothing that stays.

use std::collections::BTreeSet;

use ochre_types::set::{self, PinnedSet, Set, SetLimits};
use ochre_types::{Portion, Rng};

type Model = BTreeSet<Vec<u8>>;

/// The first byte is about limits; each operation takes four.
pub fn set(input: &[u8]) {
    let mut bench = Bench::new(input.first().copied().unwrap_or(0));
    for operation in input.get(1..).unwrap_or(&[]).chunks_exact(4) {
        bench.apply(operation[0], operation[1], operation[2], operation[3]);
    }
    bench.pairs.iter().for_each(Pair::check);
    let Bench { pairs, mut pins, .. } = bench;
    drop(pairs);
    pins.iter_mut().for_each(|pin| pin.read(usize::MAX));
}

/// Integers of several widths, words, longer ones, what only looks like an integer.
fn member(kind: u8, number: u8) -> Vec<u8> {
    match kind % 6 {
        0 | 1 => number.to_string().into_bytes(),
        2 => (i64::from(number) << (number % 57)).wrapping_neg().to_string().into_bytes(),
        3 => format!("0{number}").into_bytes(),
        4 => format!("a member that is too long for small encodings {number}").into_bytes(),
        _ => format!("w{number}{}", number % 7).into_bytes(),
    }
}

/// Members that begin with one and are as many as `count` says.
fn run(kind: u8, first: u8, count: u8) -> impl Iterator<Item = Vec<u8>> {
    let texts = (0..u32::from(count) * 2).map(move |by| {
        let mut text = member(kind, first.wrapping_add(by as u8));
        if by >= 128 && kind % 6 >= 3 {
            text.extend_from_slice(b"+");
        }
        text
    });
    texts.take(usize::from(count).max(1) * 2)
}

struct Pin {
    pinned: PinnedSet,
    left: Model,
}

impl Pin {
    fn read(&mut self, most: usize) {
        let left = &mut self.left;
        let more =
            self.pinned.read(Portion { elements: most, bytes: most.saturating_mul(16) }, &mut |item| {
                assert!(left.remove(&item.to_vec()), "a member that was not there, or was shown");
            });
        assert_eq!(more, !self.left.is_empty());
    }
}

/// A scan on its way: where, and what it has still to show.
struct Scan {
    cursor: u64,
    missing: Model,
}

struct Pair {
    set: Set,
    model: Model,
    scan: Option<Scan>,
}

impl Pair {
    fn add(&mut self, member: Vec<u8>, limits: &SetLimits) {
        if self.model.is_empty() {
            self.set = Set::for_members(&member, 1, limits);
        }
        assert_eq!(self.set.add(&member, limits), self.model.insert(member));
    }

    fn remove(&mut self, member: &[u8]) {
        assert_eq!(self.set.remove(member), self.model.remove(member));
        self.forget(member);
    }

    fn forget(&mut self, member: &[u8]) {
        self.scan.iter_mut().for_each(|scan| _ = scan.missing.remove(member));
    }

    fn pop(&mut self, count: usize, rng: &mut Rng, limits: &SetLimits) {
        let mut taken = Vec::new();
        self.set.pop(count, rng, limits, &mut |item| taken.push(item.to_vec()));
        assert_eq!(taken.len(), count.min(self.model.len()));
        for member in taken {
            assert!(self.model.remove(&member));
            self.forget(&member);
        }
    }

    fn scan_on(&mut self, count: usize) {
        let scan = self
            .scan
            .get_or_insert_with(|| Scan { cursor: 0, missing: self.model.iter().cloned().collect() });
        let (model, missing) = (&self.model, &mut scan.missing);
        scan.cursor = self.set.scan(scan.cursor, count, &mut |item| {
            assert!(model.contains(&item.to_vec()));
            missing.remove(&item.to_vec());
        });
        if scan.cursor == 0 {
            assert!(scan.missing.is_empty(), "what stays is shown");
            self.scan = None;
        }
    }

    fn check(&self) {
        assert_eq!((self.set.len(), self.set.is_empty()), (self.model.len(), self.model.is_empty()));
        let all: Vec<Vec<u8>> = self.set.iter().map(|item| item.to_vec()).collect();
        assert_eq!(all.len(), self.model.len());
        assert!(all.iter().collect::<BTreeSet<_>>().into_iter().eq(&self.model));
        assert!(self.model.iter().all(|member| self.set.contains(member)));
        assert!(!self.set.contains(b"nobody"));
        let again = match (self.set.to_intset_bytes(), self.set.as_pack()) {
            _ if self.set.is_empty() => return,
            (Some(bytes), _) => Set::from_intset_bytes(&bytes),
            (_, Some(pack)) => Set::from_listpack(&pack.to_listpack()),
            _ => return,
        };
        assert!(again.is_ok_and(|again| again == self.set), "its bytes are a set");
    }
}

struct Bench {
    pairs: [Pair; 2],
    pins: Vec<Pin>,
    limits: SetLimits,
    rng: Rng,
}

impl Bench {
    fn new(limits: u8) -> Bench {
        let pair = || Pair { set: Set::new(), model: Model::new(), scan: None };
        let intset_entries = [0, 3, 40, 512][usize::from(limits % 4)];
        let listpack_entries = [0, 3, 40, 128][usize::from(limits / 4 % 4)];
        let listpack_value = [3, 64][usize::from(limits / 16 % 2)];
        let limits = SetLimits { intset_entries, listpack_entries, listpack_value };
        Bench { pairs: [pair(), pair()], pins: Vec::new(), limits, rng: Rng::new(7) }
    }

    fn apply(&mut self, operation: u8, kind: u8, first: u8, count: u8) {
        let limits = self.limits;
        let pair = &mut self.pairs[usize::from(operation / 16 % 2)];
        match operation % 16 {
            0..=2 => run(kind, first, count).for_each(|member| pair.add(member, &limits)),
            3 => pair.add(member(kind, first), &limits),
            4 | 5 => run(kind, first, count / 2).for_each(|member| pair.remove(&member)),
            6 => pair.remove(&member(kind, first)),
            7 => pair.pop(usize::from(count), &mut self.rng, &limits),
            8 if self.pins.len() < 6 => {
                self.pins.push(Pin { pinned: pair.set.pin(), left: pair.model.clone() });
            }
            9 if !self.pins.is_empty() => drop(self.pins.swap_remove(usize::from(first) % self.pins.len())),
            10 if !self.pins.is_empty() => {
                let at = usize::from(first) % self.pins.len();
                self.pins[at].read(usize::from(count));
            }
            11 => self.combine(usize::from(count)),
            12 => self.store(),
            13 => pair.scan_on(usize::from(count)),
            14 => pair.set = pair.set.clone(),
            _ => pair.check(),
        }
    }

    /// Combinations of both sets, up to a number of members, 0 for all.
    fn combine(&self, limit: usize) {
        let [a, b] = &self.pairs;
        let sets = [&a.set, &b.set];
        let check = |count: usize, shown: Vec<Vec<u8>>, expected: Model| {
            let wanted = if limit == 0 { expected.len() } else { expected.len().min(limit) };
            assert_eq!((count, shown.len()), (wanted, wanted));
            let shown: Model = shown.into_iter().collect();
            assert!(shown.len() == wanted && shown.is_subset(&expected));
        };
        let mut shown = Vec::new();
        let count = set::union(&sets, limit, &mut |item| shown.push(item.to_vec()));
        check(count, std::mem::take(&mut shown), &a.model | &b.model);
        let count = set::intersection(&sets, limit, &mut |item| shown.push(item.to_vec()));
        check(count, std::mem::take(&mut shown), &a.model & &b.model);
        let count = set::difference(&sets, limit, &mut |item| shown.push(item.to_vec()));
        check(count, shown, &a.model - &b.model);
    }

    fn store(&self) {
        let [a, b] = &self.pairs;
        let (sets, limits) = ([&a.set, &b.set], &self.limits);
        let check = |set: Set, model: Model| Pair { set, model, scan: None }.check();
        check(set::store_union(&sets, limits), &a.model | &b.model);
        check(set::store_intersection(&sets, limits), &a.model & &b.model);
        check(set::store_difference(&sets, limits), &a.model - &b.model);
    }
}
