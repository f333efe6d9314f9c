//! Hashes against a model: names and values in a std map, with every encoding crossed all the time.

mod long;

use std::collections::BTreeMap;

use super::*;
use crate::{LongDouble, Rng};

const ROOMY: HashLimits = HashLimits { entries_max: 512, value_bytes_max: 64 };

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn contents(hash: &Hash) -> Model {
    let fields = hash.iter().map(|entry| (entry.name.to_vec(), (entry.value.to_vec(), entry.expire_ms)));
    fields.collect()
}

fn order(hash: &Hash) -> Vec<String> {
    hash.iter().map(|entry| String::from_utf8_lossy(&entry.name.to_vec()).into_owned()).collect()
}

fn pairs<'a>(fields: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
    fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}

/// A hash with names that others share.
fn shaped(fields: &[(&str, &str)]) -> Hash {
    for _ in 0..300 {
        let mut hash = Hash::new();
        assert_eq!(hash.set_all(pairs(fields), &ROOMY), fields.len());
        if hash.is_shaped() {
            return hash;
        }
    }
    panic!("no shape was made");
}

fn word(rng: &mut Rng) -> Vec<u8> {
    match rng.below(4) {
        0 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
        1 => vec![b'x'; rng.below(70) as usize],
        _ => (0..rng.below(12)).map(|_| b'a' + rng.below(26) as u8).collect(),
    }
}

struct Run {
    rng: Rng,
    hash: Hash,
    model: Model,
    limits: HashLimits,
    now_ms: i64,
    names: u64,
}

impl Run {
    fn name(&mut self) -> Vec<u8> {
        let number = self.rng.below(self.names);
        if number.is_multiple_of(3) {
            number.to_string().into_bytes()
        } else {
            format!("name{number}").into_bytes()
        }
    }

    fn live(&self, name: &[u8]) -> Option<&(Vec<u8>, Option<i64>)> {
        self.model.get(name).filter(|(_, at)| at.is_none_or(|at| at >= self.now_ms))
    }

    fn step(&mut self) {
        let (name, value) = (self.name(), word(&mut self.rng));
        match self.rng.below(12) {
            0..3 => self.set(name, value),
            3 => self.remove(&name),
            4 => self.set_new(name, value),
            5 => self.increment(name),
            6 => self.expire(&name),
            7 => self.persist(&name),
            8 => self.set_expiring(name, value),
            9 => self.take(&name),
            10 => self.pass_time(),
            _ => self.read(&name),
        }
        if self.hash.is_empty() && self.rng.below(4) == 0 {
            self.hash = Hash::new();
        }
    }

    fn set(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let is_new = self.hash.set(&name, &value, &self.limits);
        assert_eq!(self.model.insert(name, (value, None)).is_none(), is_new);
    }

    fn remove(&mut self, name: &[u8]) {
        assert_eq!(self.hash.remove(name), self.model.remove(name).is_some());
    }

    fn set_new(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let is_new = self.live(&name).is_none();
        assert_eq!(self.hash.set_new(&name, &value, self.now_ms, &self.limits), is_new);
        if is_new {
            self.model.insert(name, (value, None));
        }
    }

    fn increment(&mut self, name: Vec<u8>) {
        let by = self.rng.below(100) as i64 - 50;
        let (old, at) = self.live(&name).cloned().unwrap_or((b"0".to_vec(), None));
        let result = self.hash.increment(&name, by, self.now_ms, &self.limits);
        let Some(old) = crate::parse_i64(&old) else {
            return assert_eq!(result, Err(IncrementError::NotAnInteger));
        };
        match old.checked_add(by) {
            None => assert_eq!(result, Err(IncrementError::Overflow)),
            Some(sum) => {
                assert_eq!(result, Ok(sum));
                self.model.insert(name, (sum.to_string().into_bytes(), at));
            }
        }
    }

    fn expire(&mut self, name: &[u8]) {
        let at_ms = self.now_ms + self.rng.below(60) as i64 - 5;
        let conditions = [
            Condition::Always,
            Condition::Always,
            Condition::IfNone,
            Condition::IfAny,
            Condition::IfLater,
            Condition::IfEarlier,
        ];
        let condition = conditions[self.rng.below(6) as usize];
        let outcome = self.hash.expire(name, at_ms, condition, self.now_ms);
        let Some((_, old)) = self.model.get_mut(name) else {
            return assert_eq!(outcome, ExpireOutcome::NoField);
        };
        if !condition.allows(*old, at_ms) {
            assert_eq!(outcome, ExpireOutcome::ConditionNotMet);
        } else if at_ms <= self.now_ms {
            assert_eq!(outcome, ExpireOutcome::Deleted);
            self.model.remove(name);
        } else {
            assert_eq!(outcome, ExpireOutcome::Set);
            *old = Some(at_ms);
        }
    }

    fn persist(&mut self, name: &[u8]) {
        let expected = match self.live(name) {
            None => PersistOutcome::NoField,
            Some((_, None)) => PersistOutcome::NoExpiry,
            Some((_, Some(_))) => PersistOutcome::Persisted,
        };
        assert_eq!(self.hash.persist(name, self.now_ms), expected);
        if expected == PersistOutcome::Persisted {
            self.model.get_mut(name).into_iter().for_each(|(_, at)| *at = None);
        }
    }

    fn set_expiring(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let at_ms = self.now_ms + self.rng.below(40) as i64;
        let choices = [NewExpiry::Never, NewExpiry::Keep, NewExpiry::At(at_ms)];
        let expiry = choices[self.rng.below(3) as usize];
        let outcome = self.hash.set_expiring(&name, &value, expiry, self.now_ms, &self.limits);
        let old = self.model.get(&name).map(|(_, at)| *at);
        let at = match expiry {
            NewExpiry::Never => None,
            NewExpiry::Keep => old.flatten(),
            NewExpiry::At(at_ms) => Some(at_ms),
        };
        if expiry == NewExpiry::At(self.now_ms) {
            assert_eq!(outcome, SetOutcome::Expired);
            self.model.remove(&name);
        } else {
            assert_eq!(outcome == SetOutcome::Created, old.is_none());
            self.model.insert(name, (value, at));
        }
    }

    fn take(&mut self, name: &[u8]) {
        let expected = self.live(name).map(|(value, _)| value.clone());
        let mut taken = None;
        let was_live = self.hash.take(name, self.now_ms, |value| taken = Some(value.to_vec()));
        assert_eq!((was_live, taken), (expected.is_some(), expected));
        self.model.remove(name);
    }

    fn pass_time(&mut self) {
        self.now_ms += self.rng.below(15) as i64;
        let earliest = self.model.values().filter_map(|(_, at)| *at).min();
        assert!(self.hash.next_expiry_ms().is_none_or(|next| earliest.is_none_or(|at| next <= at)));
        assert!(earliest.is_none() || self.hash.next_expiry_ms().is_some());
        if self.rng.below(2) == 0 {
            return;
        }
        let max = [1, 3, usize::MAX][self.rng.below(3) as usize];
        let (mut names, model, now_ms) = (Vec::new(), &mut self.model, self.now_ms);
        let count = self.hash.expire_due(now_ms, max, &mut |name| names.push(name.to_vec()));
        assert_eq!(names.len(), count);
        for name in names {
            let (_, at) = model.remove(&name).expect("it was there");
            assert!(at.is_some_and(|at| at < now_ms), "it was due");
        }
        let left = model.values().filter(|(_, at)| at.is_some_and(|at| at < now_ms)).count();
        // Fewer than may be leave some only if it says so.
        assert!(count <= max && (count == max || left == 0 || self.hash.may_have_expired(now_ms)));
    }

    fn read(&mut self, name: &[u8]) {
        let now_ms = self.now_ms;
        let value = self.hash.get(name, now_ms).map(|value| value.to_vec());
        assert_eq!(value.as_ref(), self.live(name).map(|(value, _)| value));
        let expiry = match self.live(name) {
            None => FieldExpiry::NoField,
            Some((_, at)) => at.map_or(FieldExpiry::Never, FieldExpiry::At),
        };
        assert_eq!(self.hash.expiry(name, now_ms), expiry);
        let is_live = |(_, at): &&(Vec<u8>, Option<i64>)| at.is_none_or(|at| at >= now_ms);
        assert_eq!(self.hash.live_len(now_ms), self.model.values().filter(is_live).count());
        self.sample();
    }

    fn sample(&mut self) {
        let (now_ms, count) = (self.now_ms, self.rng.below(20) as usize);
        let live = self.hash.live_len(now_ms);
        let mut names = Vec::new();
        let mut collect = |entry: HashEntry<'_>| {
            assert!(!entry.is_expired(now_ms));
            names.push(entry.name.to_vec());
        };
        self.hash.random_distinct(count, &mut self.rng, now_ms, &mut collect);
        assert_eq!(names.len(), count.min(live));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count.min(live), "all different");
        let mut drawn = 0;
        self.hash.random_many(count, &mut self.rng, now_ms, &mut |_| drawn += 1);
        assert_eq!(drawn, if live == 0 { 0 } else { count });
        assert_eq!(self.hash.random(&mut self.rng, now_ms).is_some(), live > 0);
    }

    fn check(&self) {
        assert_eq!(contents(&self.hash), self.model);
        assert_eq!((self.hash.len(), self.hash.is_empty()), (self.model.len(), self.model.is_empty()));
        let copy = self.hash.clone();
        assert_eq!(copy, self.hash);
        assert_eq!(copy.encoding_name(), self.hash.encoding_name());
        let (mut scanned, mut cursor) = (Vec::new(), 0);
        loop {
            cursor = self.hash.scan(cursor, 5, i64::MIN, &mut |entry| scanned.push(entry.name.to_vec()));
            if cursor == 0 {
                break;
            }
        }
        scanned.sort();
        assert!(scanned.iter().eq(self.model.keys()));
    }
}

#[test]
fn hashes_do_what_a_map_does() {
    let mut seen = BTreeMap::new();
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let limits = HashLimits {
            entries_max: [0, 3, 12, 512][rng.below(4) as usize],
            value_bytes_max: [5, 20, 64, 1000][rng.below(4) as usize],
        };
        let names = [2, 8, 30, 300][rng.below(4) as usize];
        let mut run = Run { rng, hash: Hash::new(), model: Model::new(), limits, now_ms: 1000, names };
        for step in 0..600 {
            run.step();
            if step % 16 == 0 {
                run.check();
                *seen.entry((run.hash.encoding_name(), run.hash.is_shaped())).or_insert(0) += 1;
            }
        }
        run.check();
    }
    assert_eq!(seen.len(), 4, "every encoding was there: {seen:?}");
    assert!(seen.values().all(|count| *count > 100), "often: {seen:?}");
}

#[test]
fn many_fields_expire_a_few_at_a_time() {
    let limits = HashLimits { entries_max: 0, value_bytes_max: 0 };
    let (mut rng, mut hash) = (Rng::new(9), Hash::new());
    let mut times = BTreeMap::new();
    for field in 0..20_000 {
        let name = format!("field:{field}").into_bytes();
        hash.set(&name, b"value", &limits);
        if field % 2 == 0 {
            let at_ms = 1 + rng.below(1000) as i64;
            assert_eq!(hash.expire(&name, at_ms, Condition::Always, 0), ExpireOutcome::Set);
            times.insert(name, at_ms);
        }
    }
    for now_ms in (0..1100).step_by(50) {
        while hash.may_have_expired(now_ms) {
            let count = hash.expire_due(now_ms, 100, &mut |name| {
                assert!(times.remove(name).is_some_and(|at_ms| at_ms < now_ms));
            });
            assert!(count <= 100);
        }
        assert_eq!(times.values().filter(|at_ms| **at_ms < now_ms).count(), 0);
        assert_eq!(hash.len(), 10_000 + times.len());
    }
    assert_eq!((hash.len(), hash.next_expiry_ms()), (10_000, None));
}

#[test]
fn encodings_are_named_as_in_redis() {
    let mut hash = Hash::new();
    hash.set(b"a", b"1", &ROOMY);
    assert_eq!(hash.encoding_name(), "listpack");
    assert_eq!(hash.persist(b"a", 0), PersistOutcome::NoExpiry);
    assert_eq!(hash.encoding_name(), "listpack");
    assert_eq!(hash.expire(b"none", 5, Condition::Always, 0), ExpireOutcome::NoField);
    assert_eq!(hash.encoding_name(), "listpackex");
    hash.set(b"long", &[b'v'; 64], &ROOMY);
    assert_eq!(hash.encoding_name(), "listpackex");
    hash.set(b"long", &[b'v'; 65], &ROOMY);
    assert_eq!(hash.encoding_name(), "hashtable");
    let mut hash = Hash::new();
    for field in 0..512 {
        hash.set(format!("{field}").as_bytes(), b"", &ROOMY);
    }
    assert_eq!(hash.encoding_name(), "listpack");
    hash.set(b"512", b"", &ROOMY);
    assert_eq!((hash.encoding_name(), hash.free_effort()), ("hashtable", 513));
    assert_eq!(size_of::<Hash>(), 8);
}

#[test]
fn fields_with_times_are_in_their_order() {
    let mut hash = Hash::new();
    hash.set_all(pairs(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")]), &ROOMY);
    for (name, at_ms) in [("c", 100), ("b", 900), ("e", 900), ("a", 900)] {
        hash.expire(name.as_bytes(), at_ms, Condition::Always, 0);
    }
    assert_eq!(order(&hash), ["c", "a", "e", "b", "d"]);
    hash.persist(b"c", 0);
    assert_eq!(order(&hash), ["a", "e", "b", "d", "c"]);
    hash.set(b"b", b"7", &ROOMY);
    assert_eq!(order(&hash), ["a", "e", "d", "c", "b"]);
    hash.increment(b"e", 7, 0, &ROOMY).expect("an integer");
    hash.set_expiring(b"a", b"8", NewExpiry::Keep, 0, &ROOMY);
    hash.set(b"n", b"9", &ROOMY);
    assert_eq!(order(&hash), ["a", "e", "d", "c", "b", "n"]);
    assert_eq!(hash.next_expiry_ms(), Some(900));
    let (pack, has_times) = hash.as_pack().expect("one run of bytes");
    assert_eq!((pack.len(), has_times), (18, true));
}

#[test]
fn expired_fields_are_what_redis_makes_of_them() {
    for limits in [ROOMY, HashLimits { entries_max: 1, value_bytes_max: 64 }] {
        let mut expired = Hash::new();
        expired.set_all(pairs(&[("a", "1"), ("b", "2"), ("c", "3")]), &limits);
        expired.expire(b"b", 10, Condition::Always, 0);
        let now_ms = 11;
        assert_eq!((expired.len(), expired.live_len(now_ms)), (3, 2));
        let with = |change: &dyn Fn(&mut Hash)| {
            let mut hash = expired.clone();
            change(&mut hash);
            (hash.len(), hash.expiry(b"b", now_ms))
        };
        let expire = |condition| {
            with(&|hash| {
                hash.expire(b"b", 99, condition, now_ms);
            })
        };
        assert_eq!(with(&|hash| assert!(!hash.set(b"b", b"5", &limits))), (3, FieldExpiry::Never));
        assert_eq!(with(&|hash| assert!(hash.set_new(b"b", b"5", now_ms, &limits))), (3, FieldExpiry::Never));
        assert_eq!(with(&|hash| assert!(hash.remove(b"b"))), (2, FieldExpiry::NoField));
        assert_eq!(with(&|hash| assert!(!hash.take(b"b", now_ms, |_| ()))), (2, FieldExpiry::NoField));
        assert_eq!(expire(Condition::Always), (3, FieldExpiry::At(99)));
        assert_eq!(expire(Condition::IfNone), (3, FieldExpiry::NoField));
        assert_eq!(expire(Condition::IfAny), (3, FieldExpiry::At(99)));
        assert_eq!(expire(Condition::IfLater), (3, FieldExpiry::At(99)));
        assert_eq!(expire(Condition::IfEarlier), (3, FieldExpiry::NoField));
        let keep = |hash: &mut Hash| {
            hash.set_expiring(b"b", b"5", NewExpiry::Keep, now_ms, &limits);
        };
        assert_eq!(with(&keep), (3, FieldExpiry::NoField));
        let count = |hash: &mut Hash| assert_eq!(hash.increment(b"b", 3, now_ms, &limits), Ok(3));
        assert_eq!(with(&count), (3, FieldExpiry::Never));
    }
}

#[test]
fn names_are_shared_and_kept_in_order() {
    let fields = [("id", "17"), ("42", "x"), ("mail", "a@b.example"), ("visits", "0")];
    let mut hash = shaped(&fields);
    assert_eq!(hash.encoding_name(), "listpack");
    assert_eq!(order(&hash), ["id", "42", "mail", "visits"]);
    assert_eq!(hash.get(b"42", 0).map(|value| value.to_vec()), Some(b"x".to_vec()));
    assert!(!hash.set(b"mail", b"somebody@else.example", &ROOMY));
    assert_eq!(hash.increment(b"visits", 1000, 0, &ROOMY), Ok(1000));
    let by = LongDouble::parse(b"0.5").expect("a number");
    assert_eq!(hash.increment_float(b"id", by, 0, &ROOMY).as_deref(), Ok("17.5"));
    assert!(hash.is_shaped());
    let copy = hash.clone();
    drop(hash);
    assert_eq!(copy.get(b"mail", 0).map(|value| value.to_vec()), Some(b"somebody@else.example".to_vec()));
    let other = std::thread::spawn(move || {
        let mut copy = copy;
        copy.set(b"visits", b"7", &ROOMY);
        copy
    });
    let mut copy = other.join().expect("no panic");
    assert!(copy.is_shaped() && shapes_heap_bytes() > 0);
    assert!(copy.set(b"of its own", b"1", &ROOMY));
    assert_eq!(order(&copy), ["id", "42", "mail", "visits", "of its own"]);
    assert!(copy.remove(b"42") && !copy.remove(b"42"));
    assert_eq!(order(&copy), ["id", "mail", "visits", "of its own"]);
    release_unused_shapes();
    assert_eq!(copy.len(), 4);
}

#[test]
fn a_shaped_hash_leaves_its_shape_when_it_must() {
    let fields = [("one", "1"), ("two", "2"), ("three", "3")];
    let mut hash = shaped(&fields);
    hash.set(b"one", &[b'v'; 60], &ROOMY);
    assert!(hash.is_shaped());
    let roomy = HashLimits { entries_max: 512, value_bytes_max: 100_000 };
    hash.set(b"two", &[b'v'; 9000], &roomy);
    assert!(!hash.is_shaped());
    assert_eq!((hash.encoding_name(), order(&hash).join(" ")), ("listpack", "one two three".to_string()));
    let mut hash = shaped(&fields);
    hash.expire(b"two", 9, Condition::Always, 0);
    assert_eq!((hash.encoding_name(), order(&hash).join(" ")), ("listpackex", "two one three".to_string()));
    let mut hash = shaped(&fields);
    assert!(fields.iter().all(|(name, _)| hash.remove(name.as_bytes())));
    assert!(hash.is_empty());
    let mut hash = shaped(&fields);
    hash.set(b"one", &[b'v'; 65], &ROOMY);
    assert_eq!((hash.encoding_name(), hash.len()), ("hashtable", 3));
}

#[test]
fn threads_share_shapes_while_others_let_them_go() {
    let threads: Vec<_> = (0..4u64)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut rng = Rng::new(seed);
                let mut kept: Vec<Hash> = Vec::new();
                for _ in 0..5000 {
                    let kind = rng.below(6);
                    let names = [format!("a{kind}"), format!("b{kind}"), "c".to_string()];
                    let mut hash = Hash::new();
                    hash.set_all(names.iter().map(|name| (name.as_bytes(), &b"1"[..])), &ROOMY);
                    assert!(order(&hash).iter().eq(&names));
                    kept.push(hash);
                    match rng.below(50) {
                        0 => kept.clear(),
                        1 => release_unused_shapes(),
                        _ => {}
                    }
                }
                kept
            })
        })
        .collect();
    for thread in threads {
        let kept = thread.join().expect("no panic");
        assert!(kept.iter().all(|hash| hash.len() == 3));
    }
}

#[test]
fn random_fields_are_fair() {
    for entries_max in [0, 512] {
        let limits = HashLimits { entries_max, value_bytes_max: 64 };
        let (mut hash, mut rng) = (Hash::new(), Rng::new(5));
        for field in 0..10 {
            hash.set(format!("{field}").as_bytes(), b"v", &limits);
        }
        let mut counts = [0u32; 10];
        let mut count = |entry: HashEntry<'_>| {
            counts[entry.name.with_bytes(|name| usize::from(name[0] - b'0'))] += 1;
        };
        for _ in 0..3000 {
            hash.random(&mut rng, 0).into_iter().for_each(&mut count);
            hash.random_many(3, &mut rng, 0, &mut count);
            hash.random_distinct(4, &mut rng, 0, &mut count);
        }
        assert!(counts.iter().all(|count| (2200..2600).contains(count)), "{counts:?}");
    }
}

#[test]
fn random_fields_of_a_pinned_hash_are_those_it_had() {
    for (entries_max, expires) in [(0, false), (0, true), (512, false), (512, true)] {
        let limits = HashLimits { entries_max, value_bytes_max: 64 };
        let (mut hash, mut rng) = (Hash::new(), Rng::new(5));
        assert!((0..100).all(|field| hash.set(format!("{field:02}").as_bytes(), b"v", &limits)));
        if expires {
            hash.expire(b"07", 9, Condition::Always, 0);
        }
        let live = 100 - usize::from(expires);
        let pinned = hash.pin();
        assert!((0..100).all(|field| hash.remove(format!("{field:02}").as_bytes())));
        for count in [30, 100] {
            let mut names = Vec::new();
            let mut visit = |entry: HashEntry<'_>| names.push(entry.name.to_vec());
            pinned.random_distinct(count, &mut rng, 10, &mut visit);
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count.min(live));
        }
        let mut names = Vec::new();
        pinned.random_many(3000, &mut rng, 10, &mut |entry| names.push(entry.name.to_vec()));
        assert_eq!(names.len(), 3000);
        names.sort();
        names.dedup();
        assert_eq!((names.len(), names.contains(&b"07".to_vec())), (live, !expires));
    }
}

#[test]
fn numbers_that_cannot_be_added_are_refused() {
    let mut hash = Hash::new();
    hash.set_all(pairs(&[("text", "abc"), ("max", "9223372036854775807"), ("half", "1.5")]), &ROOMY);
    let before = hash.clone();
    assert_eq!(hash.increment(b"text", 1, 0, &ROOMY), Err(IncrementError::NotAnInteger));
    assert_eq!(hash.increment(b"half", 1, 0, &ROOMY), Err(IncrementError::NotAnInteger));
    assert_eq!(hash.increment(b"max", 1, 0, &ROOMY), Err(IncrementError::Overflow));
    let infinite = LongDouble::parse(b"inf").expect("a number");
    assert_eq!(hash.increment_float(b"text", infinite, 0, &ROOMY), Err(IncrementError::NotANumber));
    assert_eq!(hash.increment_float(b"half", infinite, 0, &ROOMY), Err(IncrementError::NotFinite));
    assert_eq!(hash, before);
}
