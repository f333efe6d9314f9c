//! Pins of maps: what they show is what the map was, whatever is done to the map, and nothing is lost nor freed twice.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use ochre_table::{Access, Draw, Hasher, Map, Pin, WalkPosition};
use pair::{Boxed, Living, Random, boxed, name};

mod pair;

type Model = HashMap<Vec<u8>, u64>;

/// A pin that is read bit by bit, and what it must show.
struct Reader {
    pin: Pin<Boxed>,
    hasher: Hasher,
    position: WalkPosition,
    expected: Model,
}

impl Reader {
    /// Reads some more; whether there is more.
    fn read(&mut self, count: usize) -> bool {
        let mut walk = self.pin.iter_from(self.position);
        for item in walk.by_ref().take(count) {
            assert_eq!(self.expected.remove(&item.0), Some(item.1), "as it was, and once");
            let found = self.pin.map().get(&item.0, &self.hasher);
            assert_eq!(found.map(|found| found.1), Some(item.1), "and is found");
        }
        assert!(!self.pin.map().contains(b"never there", &self.hasher));
        self.position = walk.position();
        assert_eq!(walk.len(), self.expected.len());
        walk.len() > 0
    }
}

struct Pinned {
    map: Map<Boxed>,
    model: Model,
    readers: Vec<Reader>,
    hasher: Hasher,
    living: Living,
    random: Random,
    names: u64,
}

impl Pinned {
    fn new(seed: u64, names: u64) -> Pinned {
        Pinned {
            map: Map::new(),
            model: Model::new(),
            readers: Vec::new(),
            hasher: Hasher::new(seed),
            living: Living::default(),
            random: Random(seed * 77 + 1),
            names,
        }
    }

    fn name(&mut self) -> Vec<u8> {
        name(self.random.below(self.names))
    }

    fn put(&mut self, name: Vec<u8>, number: u64) {
        self.map.insert(boxed(&name, number, &self.living), &self.hasher);
        self.model.insert(name, number);
    }

    /// Changes an item in place if that is possible, else puts another one there.
    fn change(&mut self, name: Vec<u8>) {
        let number = match self.map.access(&name, &self.hasher) {
            None => return,
            Some(Access::Own(item)) => {
                item.1 += 1;
                self.model.insert(name, item.1);
                return;
            }
            Some(Access::Pinned(item)) => item.1 + 1,
        };
        self.put(name, number);
    }

    fn remove(&mut self, name: &[u8]) {
        assert_eq!(self.map.remove(name, &self.hasher), self.model.remove(name).is_some());
    }

    fn pin(&mut self) {
        let pin = self.map.pin();
        assert_eq!(pin.len(), self.model.len());
        self.readers.push(Reader {
            pin,
            hasher: self.hasher.clone(),
            position: WalkPosition::default(),
            expected: self.model.clone(),
        });
    }

    fn read_one(&mut self) {
        if !self.readers.is_empty() {
            let at = self.random.below(self.readers.len() as u64) as usize;
            let count = self.random.below(self.names / 2) as usize;
            if !self.readers[at].read(count) || self.random.below(10) == 0 {
                self.readers.swap_remove(at);
            }
        }
    }

    fn take_some(&mut self) {
        let (count, model) = (self.random.below(40) as usize, &mut self.model);
        self.map.take_sample(count, &mut self.random, &self.hasher, &mut |item| {
            assert_eq!(model.remove(&item.0), Some(item.1));
        });
    }

    /// Ends the map and begins anew, as another one or the same.
    fn replace(&mut self) {
        match self.random.below(3) {
            0 => self.map.clear(),
            1 => self.map = Map::new(),
            _ => {
                self.map = self.map.clone_with(|item| boxed(&item.0, item.1, &self.living));
                return;
            }
        }
        self.model.clear();
    }

    fn step(&mut self, growing: bool, number: u64) {
        let name = self.name();
        match self.random.below(10) {
            0..=2 => self.change(name),
            3 => self.remove(&name),
            4..=7 if !growing => self.remove(&name),
            _ => self.put(name, number),
        }
        match self.random.below(4_000) {
            0..=9 => self.pin(),
            10..=24 => self.read_one(),
            25..=30 => self.take_some(),
            31 => self.replace(),
            _ => {}
        }
    }

    fn check(&self) {
        assert_eq!(self.map.len(), self.model.len());
        assert!(self.map.iter().all(|item| self.model.get(&item.0) == Some(&item.1)));
        assert!(self.model.keys().all(|name| self.map.contains(name, &self.hasher)));
    }
}

#[test]
fn pins_show_what_was_there() {
    for (seed, names) in [(1, 20_000), (2, 3_000), (3, 500), (4, 40), (5, 3)] {
        let mut pinned = Pinned::new(seed, names);
        for phase in 0..10 {
            (0..8_000).for_each(|number| pinned.step(phase % 3 != 2, number));
            pinned.check();
        }
        while let Some(mut reader) = pinned.readers.pop() {
            while reader.read(1 + pinned.random.below(100) as usize) {}
            assert!(reader.expected.is_empty());
        }
        // One change more, and no trace of the pins is left.
        pinned.change(name(1));
        assert_eq!(pinned.living.load(Ordering::Relaxed), pinned.model.len() as isize);
        pinned.pin();
        drop(pinned.map);
        assert_eq!(pinned.living.load(Ordering::Relaxed), pinned.model.len() as isize);
        pinned.readers.iter_mut().for_each(|reader| assert!(!reader.read(usize::MAX)));
        pinned.readers.clear();
        assert_eq!(pinned.living.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_graveyard_has_no_more_than_the_map_had() {
    let mut pinned = Pinned::new(7, 1_000);
    (0..1_000).for_each(|number| pinned.put(name(number), number));
    pinned.pin();
    for round in 0..20 {
        (0..1_000).for_each(|number| pinned.put(name(number), round));
        (0..1_000).for_each(|number| pinned.change(name(number)));
        (1_000..1_100).for_each(|number| pinned.put(name(number), number));
        (1_000..1_100).for_each(|number| pinned.remove(&name(number)));
    }
    assert_eq!(pinned.living.load(Ordering::Relaxed), 2_000);
    let effort = pinned.readers[0].pin.free_effort();
    assert!((1_000..1_100).contains(&effort), "{effort} with the segments");
    assert!(!pinned.readers[0].read(usize::MAX));
    pinned.readers.clear();
    assert_eq!(
        pinned.living.load(Ordering::Relaxed),
        1_000,
        "freed with the last pin, not with the next change"
    );
    pinned.check();
}

/// As many readers do that come one after the other, none of them the last.
#[test]
fn pins_that_overlap_for_ever_keep_no_more_than_a_few_of_them() {
    let mut pinned = Pinned::new(8, 300);
    (0..300).for_each(|number| pinned.put(name(number), 0));
    for round in 0..500 {
        pinned.pin();
        (0..300).for_each(|number| pinned.put(name(number), round));
        if pinned.readers.len() > 3 {
            let mut reader = pinned.readers.remove(0);
            assert!(!reader.read(usize::MAX));
        }
        assert!(pinned.living.load(Ordering::Relaxed) <= 5 * 300);
    }
}

#[test]
fn a_map_that_did_not_change_is_pinned_for_nothing() {
    let mut pinned = Pinned::new(9, 5_000);
    (0..5_000).for_each(|number| pinned.put(name(number), 0));
    (0..50).for_each(|_| pinned.pin());
    pinned.put(name(1), 1);
    (0..50).for_each(|_| pinned.pin());
    pinned.remove(&name(2));
    // Whoever comes last frees all of it.
    for _ in 0..100 {
        let mut reader = pinned.readers.remove(pinned.random.below(pinned.readers.len() as u64) as usize);
        assert!(!reader.read(usize::MAX));
    }
    assert_eq!(pinned.living.load(Ordering::Relaxed), 4_999);
}

#[test]
fn many_generations_end_in_any_order() {
    for newest_first in [false, true] {
        let mut pinned = Pinned::new(10, 100);
        for number in 0..20_000 {
            pinned.put(name(number % 50), number);
            pinned.pin();
            pinned.readers.last_mut().expect("just made").expected.clear();
        }
        if newest_first {
            while pinned.readers.pop().is_some() {}
        } else {
            pinned.readers.drain(..).for_each(drop);
        }
        assert_eq!(pinned.living.load(Ordering::Relaxed), 50);
    }
}

/// To be run under ThreadSanitizer: the writer never waits for the reader.
#[test]
fn readers_on_other_threads_see_what_was_there() {
    let mut pinned = Pinned::new(11, 4_000);
    (0..4_000).for_each(|number| pinned.put(name(number), 0));
    std::thread::scope(|scope| {
        let senders: Vec<mpsc::Sender<Reader>> = (0..3)
            .map(|_| {
                let (sender, readers) = mpsc::channel::<Reader>();
                scope.spawn(move || {
                    for mut reader in readers {
                        while reader.read(50) {}
                        assert!(reader.expected.is_empty());
                    }
                });
                sender
            })
            .collect();
        for step in 0..60_000 {
            pinned.step(step / 15_000 % 2 == 0, step);
            for (at, reader) in pinned.readers.drain(..).enumerate() {
                senders[(step as usize + at) % senders.len()].send(reader).expect("a thread reads");
            }
        }
    });
    pinned.check();
    pinned.change(name(1));
    assert_eq!(pinned.living.load(Ordering::Relaxed), pinned.model.len() as isize);
}
