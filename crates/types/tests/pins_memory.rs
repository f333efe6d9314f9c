//! What pins keep is freed with the last of them, by whoever drops it, and nothing is lost.

use std::sync::mpsc;

use ochre_types::hash::{Hash, HashLimits, NewExpiry, PinnedHash};
use ochre_types::set::{PinnedSet, Set, SetLimits};
use ochre_types::zset::{AddRule, Direction, PinnedZSet, ZSet, ZSetLimits};
use ochre_types::{Portion, Rng};

#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

/// Sums of threads, of which there are three at times, are folded in steps of this size.
const UNCERTAIN_BYTES: usize = 3 * ochre_memory::FOLD_BYTES as usize;
const ALL: Portion = Portion::of_elements(usize::MAX);
const ELEMENTS: u64 = 20_000;

fn name(number: u64) -> Vec<u8> {
    format!("member:{number:08}").into_bytes()
}

/// All three at once, with changes of every kind.
struct Values(Set, Hash, ZSet);

impl Values {
    fn new() -> Values {
        let mut values = Values(Set::new(), Hash::new(), ZSet::new());
        (0..ELEMENTS).for_each(|number| values.put(number, 0.0));
        values
    }

    fn put(&mut self, number: u64, score: f64) {
        let name = name(number);
        let hash_limits = HashLimits { entries_max: 128, value_bytes_max: 64 };
        self.0.add(&name, &SetLimits::default());
        self.1.set_expiring(&name, &name[..9], NewExpiry::At(9_000 + number as i64), 0, &hash_limits);
        self.2.add(&name, score, AddRule::default(), &ZSetLimits::default()).expect("a number");
    }

    fn remove(&mut self, number: u64) {
        let name = name(number);
        self.0.remove(&name);
        self.1.remove(&name);
        self.2.remove(&name);
    }

    fn change(&mut self, rng: &mut Rng) {
        for _ in 0..ELEMENTS / 2 {
            self.put(rng.below(ELEMENTS * 2), rng.below(1_000) as f64);
            self.remove(rng.below(ELEMENTS * 2));
        }
        let len = self.2.len();
        self.2.remove_ranks(len / 3..len / 2, Direction::Descending, &mut |_, _| {});
        self.0.pop(1_000, rng, &SetLimits::default(), &mut |_| {});
        self.1.expire_due(12_000, 500, &mut |_| {});
    }

    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes() + self.1.heap_bytes() + self.2.heap_bytes()
    }
}

#[test]
fn nothing_is_lost() {
    let before = ochre_memory::used_bytes();
    let allocated = || ochre_memory::used_bytes().saturating_sub(before);
    let (mut rng, mut values, mut pins) = (Rng::new(4), Values::new(), Vec::new());
    let (sender, ended) = mpsc::channel::<(PinnedSet, PinnedHash, PinnedZSet)>();
    std::thread::scope(|scope| {
        // Where others free what was allocated here is no matter.
        scope.spawn(move || {
            for (mut set, mut hash, mut zset) in ended {
                assert!(!set.read(ALL, &mut |_| {}));
                assert!(!hash.read(ALL, 0, &mut |_| {}));
                assert!(!zset.read(ALL, &mut |_, _| {}));
            }
        });
        for round in 0..12 {
            let range = values.2.pin_range(5..usize::MAX, Direction::Descending);
            pins.push((values.0.pin(), values.1.pin(), range));
            values.change(&mut rng);
            if round == 7 {
                // A value may end before its pins.
                values = Values::new();
            }
            let keep = rng.below(4) as usize;
            while pins.len() > keep {
                let pin = pins.remove(rng.below(pins.len() as u64) as usize);
                sender.send(pin).expect("a thread reads");
            }
        }
        pins.clear();
        drop(sender);
    });
    (0..ELEMENTS * 2).for_each(|number| values.put(number, 1.0));
    // Lists of lines stay until the next change, which was just now.
    let (said, counted) = (values.heap_bytes(), allocated());
    assert!(said.abs_diff(counted) <= said / 20, "{said} bytes said, {counted} counted");
    drop(values);
    assert!(allocated() <= UNCERTAIN_BYTES, "{}", allocated());
}
