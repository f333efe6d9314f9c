//! A hash agrees with an ordered map after any operations, whatever the limits: fields that expire stay until they are looked for,
//! and are shown to nobody; pins show it as it was, and a scan misses nothing that stays.

use std::collections::{BTreeMap, BTreeSet};

use ochre_types::hash::{
    Condition, ExpireOutcome, FieldExpiry, Hash, HashLimits, NewExpiry, PersistOutcome, PinnedHash,
    SetOutcome,
};
use ochre_types::{Encoding, Portion};

/// Values and times by name. What has expired stays until something removes it.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

const START_MS: i64 = 1_700_000_000_000;

/// The first byte is about limits; each operation takes four.
pub fn hash(input: &[u8]) {
    let mut pair = Pair::new(input.first().copied().unwrap_or(0));
    for operation in input.get(1..).unwrap_or(&[]).chunks_exact(4) {
        pair.apply(operation[0], operation[1], operation[2], operation[3]);
    }
    pair.check();
    drop(pair.hash);
    pair.pins.iter_mut().for_each(|pin| pin.read(usize::MAX));
}

fn name(kind: u8, number: u8) -> Vec<u8> {
    match kind % 8 {
        0 => number.to_string().into_bytes(),
        1 => format!("a name that is too long for small encodings {number}").into_bytes(),
        2 | 3 => format!("field:{number}").into_bytes(),
        _ => vec![b'a' + number % 10],
    }
}

fn value(seed: u8) -> Vec<u8> {
    match seed % 8 {
        0 => i64::from(seed).to_string().into_bytes(),
        1 => vec![seed; usize::from(seed)],
        2 => Vec::new(),
        _ => format!("v{}", seed % 16).into_bytes(),
    }
}

fn has_expired(at_ms: Option<i64>, now_ms: i64) -> bool {
    at_ms.is_some_and(|at_ms| at_ms < now_ms)
}

struct Pin {
    pinned: PinnedHash,
    now_ms: i64,
    left: Model,
}

impl Pin {
    fn read(&mut self, most: usize) {
        let (left, portion) = (&mut self.left, Portion { elements: most, bytes: most.saturating_mul(16) });
        let more = self.pinned.read(portion, self.now_ms, &mut |field| {
            let expected = Some((field.value.to_vec(), field.expire_ms));
            assert_eq!(left.remove(&field.name.to_vec()), expected);
        });
        // What had expired is passed over.
        assert!(more || self.left.is_empty());
    }
}

struct Scan {
    cursor: u64,
    missing: BTreeSet<Vec<u8>>,
}

struct Pair {
    hash: Hash,
    model: Model,
    now_ms: i64,
    limits: HashLimits,
    pins: Vec<Pin>,
    scan: Option<Scan>,
}

impl Pair {
    fn new(limits: u8) -> Pair {
        let entries_max = [0, 3, 12, 512][usize::from(limits % 4)];
        let value_bytes_max = [4, 64][usize::from(limits / 4 % 2)];
        Pair {
            hash: Hash::new(),
            model: Model::new(),
            now_ms: START_MS,
            limits: HashLimits { entries_max, value_bytes_max },
            pins: Vec::new(),
            scan: None,
        }
    }

    fn apply(&mut self, operation: u8, kind: u8, number: u8, seed: u8) {
        let (name, at_ms) = (name(kind, number), self.now_ms + i64::from(seed) - 16);
        match operation % 20 {
            0 => self.set(name, value(seed)),
            1 | 2 => self.set_run(kind, number, seed),
            3 => self.set_all(kind, number, seed),
            4 => self.set_new(name, value(seed)),
            5 | 6 => self.set_expiring(name, value(seed), operation / 20, at_ms),
            7 => self.remove(&name),
            8 => (0..seed).for_each(|by| self.remove(&self::name(kind, number.wrapping_add(by)))),
            9 => self.take(&name),
            10 | 11 => self.expire(&name, at_ms, operation / 20),
            12 => (0..seed).for_each(|by| {
                self.expire(&self::name(kind, number.wrapping_add(by)), at_ms + i64::from(by % 32), 0);
            }),
            13 => self.persist(&name),
            14 => self.now_ms += i64::from(seed % 64),
            15 => self.expire_due(usize::from(seed)),
            16 if self.pins.len() < 6 => self.pin(),
            17 if !self.pins.is_empty() => {
                let at = usize::from(number) % self.pins.len();
                match seed {
                    0..128 => drop(self.pins.swap_remove(at)),
                    _ => self.pins[at].read(usize::from(seed) - 128),
                }
            }
            18 => self.scan_on(usize::from(seed)),
            _ => self.check(),
        }
    }

    fn set(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let is_new = self.hash.set(&name, &value, &self.limits);
        assert_eq!(is_new, self.model.insert(name, (value, None)).is_none());
    }

    fn set_run(&mut self, kind: u8, first: u8, count: u8) {
        (0..count).for_each(|by| self.set(name(kind, first.wrapping_add(by)), value(count ^ by)));
    }

    fn set_all(&mut self, kind: u8, first: u8, seed: u8) {
        let fields: Vec<_> =
            (0..seed % 24).map(|by| (name(kind, first.wrapping_add(by)), value(seed ^ by))).collect();
        let texts = fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        let added = self.hash.set_all(texts, &self.limits);
        let added_here = fields
            .into_iter()
            .filter(|(name, value)| self.model.insert(name.clone(), (value.clone(), None)).is_none());
        assert_eq!(added, added_here.count());
    }

    fn set_new(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let is_there = self.model.get(&name).is_some_and(|(_, at_ms)| !has_expired(*at_ms, self.now_ms));
        assert_eq!(self.hash.set_new(&name, &value, self.now_ms, &self.limits), !is_there);
        if !is_there {
            self.model.insert(name, (value, None));
        }
    }

    fn set_expiring(&mut self, name: Vec<u8>, value: Vec<u8>, which: u8, at_ms: i64) {
        let expiry = [NewExpiry::Never, NewExpiry::Keep, NewExpiry::At(at_ms)][usize::from(which % 3)];
        let outcome = self.hash.set_expiring(&name, &value, expiry, self.now_ms, &self.limits);
        let old = self.model.remove(&name);
        let is_over = matches!(expiry, NewExpiry::At(at_ms) if at_ms <= self.now_ms);
        let expected = match (is_over, &old) {
            (true, _) => SetOutcome::Expired,
            (false, Some(_)) => SetOutcome::Updated,
            (false, None) => SetOutcome::Created,
        };
        assert_eq!(outcome, expected);
        let at_ms = match expiry {
            NewExpiry::Never => None,
            NewExpiry::Keep => old.and_then(|(_, at_ms)| at_ms),
            NewExpiry::At(at_ms) => Some(at_ms),
        };
        match is_over {
            true => self.forget(&name),
            false => _ = self.model.insert(name, (value, at_ms)),
        }
    }

    fn remove(&mut self, name: &[u8]) {
        assert_eq!(self.hash.remove(name), self.model.remove(name).is_some());
        self.forget(name);
    }

    fn take(&mut self, name: &[u8]) {
        let mut shown = None;
        let was_shown = self.hash.take(name, self.now_ms, |value| shown = Some(value.to_vec()));
        let expected = self.model.remove(name).filter(|(_, at_ms)| !has_expired(*at_ms, self.now_ms));
        assert_eq!((was_shown, shown), (expected.is_some(), expected.map(|(value, _)| value)));
        self.forget(name);
    }

    fn expire(&mut self, name: &[u8], at_ms: i64, which: u8) {
        let conditions = [
            Condition::Always,
            Condition::IfNone,
            Condition::IfAny,
            Condition::IfLater,
            Condition::IfEarlier,
        ];
        let condition = conditions[usize::from(which) % conditions.len()];
        let outcome = self.hash.expire(name, at_ms, condition, self.now_ms);
        let Some((_, old)) = self.model.get_mut(name) else {
            assert_eq!(outcome, ExpireOutcome::NoField);
            return;
        };
        let allowed = match condition {
            Condition::Always => true,
            Condition::IfNone => old.is_none(),
            Condition::IfAny => old.is_some(),
            Condition::IfLater => old.is_some_and(|old| old < at_ms),
            Condition::IfEarlier => old.is_none_or(|old| at_ms < old),
        };
        if !allowed {
            assert_eq!(outcome, ExpireOutcome::ConditionNotMet);
        } else if at_ms <= self.now_ms {
            assert_eq!(outcome, ExpireOutcome::Deleted);
            self.model.remove(name);
            self.forget(name);
        } else {
            assert_eq!(outcome, ExpireOutcome::Set);
            *old = Some(at_ms);
        }
    }

    fn persist(&mut self, name: &[u8]) {
        let expected = match self.model.get_mut(name) {
            None => PersistOutcome::NoField,
            Some((_, None)) => PersistOutcome::NoExpiry,
            Some((_, at_ms)) if has_expired(*at_ms, self.now_ms) => PersistOutcome::NoField,
            Some((_, at_ms)) => {
                *at_ms = None;
                PersistOutcome::Persisted
            }
        };
        assert_eq!(self.hash.persist(name, self.now_ms), expected);
    }

    /// Of what is due, some is removed; all of it after enough turns.
    fn expire_due(&mut self, max: usize) {
        let now_ms = self.now_ms;
        for _ in 0..if max > 200 { usize::MAX } else { 1 } {
            let mut gone = Vec::new();
            let count = self.hash.expire_due(now_ms, max, &mut |name| gone.push(name.to_vec()));
            assert_eq!(count, gone.len());
            assert!(count <= max);
            for name in gone {
                let field = self.model.remove(&name);
                assert!(field.is_some_and(|(_, at_ms)| has_expired(at_ms, now_ms)), "what is not due stays");
                self.forget(&name);
            }
            if !self.hash.may_have_expired(now_ms) {
                assert!(!self.model.values().any(|(_, at_ms)| has_expired(*at_ms, now_ms)));
                return;
            }
        }
    }

    fn pin(&mut self) {
        let mut left = self.model.clone();
        left.retain(|_, (_, at_ms)| !has_expired(*at_ms, self.now_ms));
        self.pins.push(Pin { pinned: self.hash.pin(), now_ms: self.now_ms, left });
    }

    fn forget(&mut self, name: &[u8]) {
        self.scan.iter_mut().for_each(|scan| _ = scan.missing.remove(name));
    }

    fn scan_on(&mut self, count: usize) {
        let scan = self
            .scan
            .get_or_insert_with(|| Scan { cursor: 0, missing: self.model.keys().cloned().collect() });
        let (model, missing) = (&self.model, &mut scan.missing);
        scan.cursor = self.hash.scan(scan.cursor, count, i64::MIN, &mut |field| {
            assert!(model.contains_key(&field.name.to_vec()));
            missing.remove(&field.name.to_vec());
        });
        if scan.cursor == 0 {
            assert!(scan.missing.is_empty(), "what stays is shown");
            self.scan = None;
        }
    }

    fn check(&self) {
        let (hash, now_ms) = (&self.hash, self.now_ms);
        assert_eq!((hash.len(), hash.is_empty()), (self.model.len(), self.model.is_empty()));
        let shown: Model =
            hash.iter().map(|it| (it.name.to_vec(), (it.value.to_vec(), it.expire_ms))).collect();
        assert_eq!(shown, self.model);
        let is_live = |at_ms: &Option<i64>| !has_expired(*at_ms, now_ms);
        let live = self.model.values().filter(|(_, at_ms)| is_live(at_ms)).count();
        assert_eq!((hash.live_len(now_ms), hash.live(now_ms).count()), (live, live));
        for (name, (value, at_ms)) in &self.model {
            let expected = Some(value).filter(|_| is_live(at_ms));
            assert_eq!(hash.get(name, now_ms).map(|item| item.to_vec()).as_ref(), expected);
            let expected = match at_ms {
                _ if !is_live(at_ms) => FieldExpiry::NoField,
                None => FieldExpiry::Never,
                Some(at_ms) => FieldExpiry::At(*at_ms),
            };
            assert_eq!(hash.expiry(name, now_ms), expected);
        }
        let first = self.model.values().filter_map(|(_, at_ms)| *at_ms).min();
        let bound = hash.next_expiry_ms();
        assert!(first.is_none_or(|first| bound.is_some_and(|bound| bound <= first)), "{bound:?} {first:?}");
        assert!(!hash.contains(b"nobody", now_ms));
        if let Some((pack, has_times)) = hash.as_pack().filter(|_| !hash.is_empty()) {
            let again = Hash::from_listpack(&pack.to_listpack(), has_times);
            assert!(again.is_ok_and(|again| again.len() == hash.len()), "its bytes are a hash");
        }
    }
}
