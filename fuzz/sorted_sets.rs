//! A sorted set agrees with an ordered map after any operations, whatever the limits: scores, ranks and ranges; pins show it as it
//! was, and a scan misses nothing that stays. With `--cfg fuzzing` its own invariants are looked at, too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};

use ochre_types::Portion;
use ochre_types::zset::{
    AddRule, Added, Aggregate, Comparison, Direction, Existence, PinnedZSet, ScoreRange, Weighted, ZSet,
    ZSetLimits, zdiff, zinter, zunion,
};

type Model = BTreeMap<Vec<u8>, f64>;
type Ordered = Vec<(Vec<u8>, f64)>;

/// The first byte is about limits; each operation takes four.
pub fn sorted_set(input: &[u8]) {
    let mut bench = Bench::new(input.first().copied().unwrap_or(0));
    for operation in input.get(1..).unwrap_or(&[]).chunks_exact(4) {
        bench.apply(operation[0], operation[1], operation[2], operation[3]);
    }
    bench.check();
    drop(bench.zset);
    bench.pins.iter_mut().for_each(|(pinned, left)| read(pinned, left, usize::MAX));
}

fn member(kind: u8, number: u8) -> Vec<u8> {
    match kind % 5 {
        0 => number.to_string().into_bytes(),
        1 => format!("a member that is too long for small encodings {number}").into_bytes(),
        _ => format!("m{kind}{number}").into_bytes(),
    }
}

/// Small integers, fractions, large numbers, infinities.
fn score(seed: u8) -> f64 {
    match seed % 8 {
        0 => f64::from(seed / 8) - 16.0,
        1 => f64::from(seed) / 7.0,
        2 => f64::from(seed) * 1e15,
        3 => 1.0 + f64::EPSILON * f64::from(seed / 8),
        4 if seed / 8 == 0 => f64::INFINITY,
        4 if seed / 8 == 1 => f64::NEG_INFINITY,
        _ => f64::from(seed % 4),
    }
}

fn ordered(model: &Model) -> Ordered {
    let mut all: Ordered = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    all
}

fn direction(byte: u8) -> Direction {
    if byte.is_multiple_of(2) { Direction::Ascending } else { Direction::Descending }
}

fn read(pinned: &mut PinnedZSet, left: &mut Ordered, most: usize) {
    let mut shown = Vec::new();
    let more =
        pinned.read(Portion { elements: most, bytes: most.saturating_mul(16) }, &mut |member, score| {
            shown.push((member.to_vec(), score));
        });
    assert!(shown.len() <= left.len() && shown == left[..shown.len()]);
    left.drain(..shown.len());
    assert_eq!(more, !left.is_empty());
}

struct Bench {
    zset: ZSet,
    model: Model,
    limits: ZSetLimits,
    pins: Vec<(PinnedZSet, Ordered)>,
    scan: Option<(u64, BTreeSet<Vec<u8>>)>,
}

impl Bench {
    fn new(limits: u8) -> Bench {
        let listpack_entries_max = [0, 3, 20, 128][usize::from(limits % 4)];
        let listpack_value_bytes_max = [4, 64][usize::from(limits / 4 % 2)];
        let limits = ZSetLimits { listpack_entries_max, listpack_value_bytes_max };
        Bench { zset: ZSet::new(), model: Model::new(), limits, pins: Vec::new(), scan: None }
    }

    fn apply(&mut self, operation: u8, kind: u8, number: u8, seed: u8) {
        let (name, len) = (member(kind, number), self.model.len());
        let at = |byte: u8| usize::from(byte) * (len + 1) / 256;
        match operation % 16 {
            0 => self.add(name, score(seed), AddRule::default()),
            1 | 2 => (0..seed).for_each(|by| {
                let name = member(kind.wrapping_add(by % 4 * 5), number.wrapping_add(by));
                self.add(name, score(by.wrapping_mul(seed)), AddRule::default());
            }),
            3 => self.add(name, score(seed), rule(operation / 16)),
            4 => self.increment(name, score(seed), rule(operation / 16)),
            5 => self.remove(&name),
            6 => (0..seed).for_each(|by| self.remove(&member(kind, number.wrapping_add(by)))),
            7 => {
                let from = at(number);
                self.remove_ranks(from..from + usize::from(seed), direction(kind));
            }
            8 => self.pop(direction(kind), usize::from(seed) / 4),
            9 => self.zset.make_small(&self.limits),
            10 if self.pins.len() < 6 => {
                let ranks = at(number)..at(number) + usize::from(seed) * 4;
                self.pin(ranks, direction(kind));
            }
            11 if !self.pins.is_empty() => drop(self.pins.swap_remove(usize::from(number) % self.pins.len())),
            12 if !self.pins.is_empty() => {
                let at = usize::from(number) % self.pins.len();
                let (pinned, left) = &mut self.pins[at];
                read(pinned, left, usize::from(seed));
            }
            13 => self.scan_on(usize::from(seed)),
            14 => self.compare_ranges(score(number), score(seed), kind),
            15 if kind < 32 => self.combine(),
            _ => self.check(),
        }
    }

    /// What a rule makes of a new score, the old one given.
    fn outcome(&self, member: &[u8], rule: AddRule, new: impl FnOnce(f64) -> f64) -> Added {
        match (self.model.get(member).copied(), rule.existence) {
            (None, Existence::OnlyExisting) | (Some(_), Existence::OnlyNew) => Added::Refused,
            (None, _) => Added::New(new(0.0)),
            (Some(old), _) => {
                let new = new(old);
                let allowed = match rule.comparison {
                    Comparison::Any => true,
                    Comparison::Greater => new > old,
                    Comparison::Less => new < old,
                };
                match (allowed, new == old) {
                    (false, _) => Added::Refused,
                    (true, true) => Added::Same(old),
                    (true, false) => Added::Updated(new),
                }
            }
        }
    }

    fn note(&mut self, member: Vec<u8>, added: Added) {
        if let Added::New(score) | Added::Updated(score) = added {
            self.model.insert(member, score);
        }
    }

    fn add(&mut self, member: Vec<u8>, score: f64, rule: AddRule) {
        let expected = self.outcome(&member, rule, |_| score);
        assert_eq!(self.zset.add(&member, score, rule, &self.limits), Ok(expected));
        self.note(member, expected);
    }

    fn increment(&mut self, member: Vec<u8>, delta: f64, rule: AddRule) {
        let is_nan = self.model.get(&member).is_some_and(|old| (old + delta).is_nan());
        let outcome = self.zset.increment(&member, delta, rule, &self.limits);
        if is_nan && rule.existence != Existence::OnlyNew {
            assert!(outcome.is_err());
            return;
        }
        let expected = self.outcome(&member, rule, |old| old + delta);
        assert_eq!(outcome, Ok(expected));
        self.note(member, expected);
    }

    fn remove(&mut self, member: &[u8]) {
        assert_eq!(self.zset.remove(member), self.model.remove(member).is_some());
        self.forget(member);
    }

    fn forget(&mut self, member: &[u8]) {
        self.scan.iter_mut().for_each(|(_, missing)| _ = missing.remove(member));
    }

    fn take(&mut self, shown: Ordered, mut expected: Ordered, direction: Direction) {
        if direction == Direction::Descending {
            expected.reverse();
        }
        assert_eq!(shown, expected);
        for (member, _) in shown {
            self.model.remove(&member);
            self.forget(&member);
        }
    }

    fn remove_ranks(&mut self, ranks: Range<usize>, direction: Direction) {
        let (len, mut shown) = (self.model.len(), Vec::new());
        let expected = ordered(&self.model)[ranks.start.min(len)..ranks.end.min(len)].to_vec();
        self.zset.remove_ranks(ranks, direction, &mut |member, score| shown.push((member.to_vec(), score)));
        self.take(shown, expected, direction);
    }

    fn pop(&mut self, direction: Direction, count: usize) {
        let (mut expected, mut shown) = (ordered(&self.model), Vec::new());
        match direction {
            Direction::Ascending => expected.truncate(count),
            Direction::Descending => drop(expected.drain(..expected.len().saturating_sub(count))),
        }
        self.zset.pop(direction, count, &mut |member, score| shown.push((member.to_vec(), score)));
        self.take(shown, expected, direction);
    }

    fn pin(&mut self, ranks: Range<usize>, direction: Direction) {
        let len = self.model.len();
        let mut left = ordered(&self.model)[ranks.start.min(len)..ranks.end.min(len)].to_vec();
        if direction == Direction::Descending {
            left.reverse();
        }
        self.pins.push((self.zset.pin_range(ranks, direction), left));
    }

    fn scan_on(&mut self, count: usize) {
        let model = &self.model;
        let (cursor, missing) = self.scan.get_or_insert_with(|| (0, model.keys().cloned().collect()));
        *cursor = self.zset.scan(*cursor, count, &mut |member, score| {
            assert_eq!(model.get(&member.to_vec()), Some(&score));
            missing.remove(&member.to_vec());
        });
        if *cursor == 0 {
            assert!(missing.is_empty(), "what stays is shown");
            self.scan = None;
        }
    }

    fn compare_ranges(&self, min: f64, max: f64, kind: u8) {
        let bound = |score, excluded| if excluded { Bound::Excluded(score) } else { Bound::Included(score) };
        let range = ScoreRange { min: bound(min, kind & 1 > 0), max: bound(max, kind & 2 > 0) };
        let reaches_min = |score: f64| if kind & 1 > 0 { score > min } else { score >= min };
        let keeps_max = |score: f64| if kind & 2 > 0 { score < max } else { score <= max };
        let all = ordered(&self.model);
        let from = all.iter().position(|(_, score)| reaches_min(*score)).unwrap_or(all.len());
        let expected: Vec<_> = all[from..].iter().take_while(|(_, score)| keeps_max(*score)).collect();
        let ranks = self.zset.ranks_of_scores(&range);
        let shown: Ordered = self
            .zset
            .range(ranks.clone(), Direction::Ascending)
            .map(|(member, score)| (member.to_vec(), score))
            .collect();
        assert!(shown.iter().eq(expected.iter().copied()), "{range:?}");
        let mut back: Ordered = self
            .zset
            .range(ranks, Direction::Descending)
            .map(|(member, score)| (member.to_vec(), score))
            .collect();
        back.reverse();
        assert_eq!(back, shown);
    }

    /// Combined with itself: the same members, with twice the score where that is summed up.
    fn combine(&self) {
        let inputs = [1.0, 1.0].map(|weight| Weighted { source: &self.zset, weight });
        let doubled: Model = self.model.iter().map(|(member, score)| (member.clone(), score * 2.0)).collect();
        for result in [zunion(&inputs, Aggregate::Sum), zinter(&inputs, Aggregate::Sum)] {
            check(&result, &doubled);
        }
        check(&zunion(&inputs, Aggregate::Max), &self.model);
        assert!(zdiff(&[&self.zset, &self.zset]).is_empty());
    }

    fn check(&self) {
        check(&self.zset, &self.model);
    }
}

fn rule(byte: u8) -> AddRule {
    let existence = [Existence::Any, Existence::OnlyNew, Existence::OnlyExisting][usize::from(byte % 3)];
    let comparison = [Comparison::Any, Comparison::Greater, Comparison::Less][usize::from(byte / 3 % 3)];
    // NX with GT or LT is refused before it gets here.
    let comparison = if existence == Existence::OnlyNew { Comparison::Any } else { comparison };
    AddRule { existence, comparison }
}

fn check(zset: &ZSet, model: &Model) {
    #[cfg(fuzzing)]
    zset.validate();
    assert_eq!((zset.len(), zset.is_empty()), (model.len(), model.is_empty()));
    let all = ordered(model);
    assert!(zset.iter().map(|(member, score)| (member.to_vec(), score)).eq(all.iter().cloned()));
    for (rank, (member, score)) in all.iter().enumerate() {
        assert_eq!(zset.score(member), Some(*score));
        assert_eq!(zset.rank(member, Direction::Ascending), Some((rank, *score)));
        assert_eq!(zset.rank(member, Direction::Descending), Some((all.len() - 1 - rank, *score)));
    }
    assert_eq!(zset.score(b"nobody"), None);
    if let Some(list) = zset.as_pack().filter(|_| !zset.is_empty()) {
        assert!(ZSet::from_listpack(&list.to_listpack()).is_ok_and(|again| again.len() == zset.len()));
    }
}
