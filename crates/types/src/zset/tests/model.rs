//! Random operations on a sorted set and on a map; whatever can be asked must be answered alike.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::*;
use crate::Rng;

type Pairs = Vec<(Vec<u8>, f64)>;

struct Model {
    set: ZSet,
    scores: BTreeMap<Vec<u8>, f64>,
    limits: ZSetLimits,
    rng: Rng,
    /// Different members there can be.
    names: u64,
}

impl Model {
    fn new(seed: u64, limits: ZSetLimits, names: u64) -> Model {
        Model { set: ZSet::new(), scores: BTreeMap::new(), limits, rng: Rng::new(seed), names }
    }

    /// Short and long ones, integers, the empty one.
    fn name(&mut self) -> Vec<u8> {
        match self.rng.below(self.names) {
            0 => Vec::new(),
            number if number % 5 == 0 => (number as i64 - 20).to_string().into_bytes(),
            number if number % 17 == 0 => format!("{number:030}").into_bytes(),
            number => format!("member:{number}").into_bytes(),
        }
    }

    fn score(&mut self) -> f64 {
        match self.rng.below(5) {
            0 => [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1e300][self.rng.below(5) as usize],
            1 => self.rng.next_f64() * 10.0 - 5.0,
            _ => self.rng.below(12) as f64 - 6.0,
        }
    }

    /// All pairs in order.
    fn pairs(&self) -> Pairs {
        let mut pairs: Pairs = self.scores.iter().map(|(member, score)| (member.clone(), *score)).collect();
        pairs.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then_with(|| a.0.cmp(&b.0)));
        pairs
    }

    fn rule(&mut self) -> AddRule {
        let existence = match self.rng.below(6) {
            0 => Existence::OnlyNew,
            1 => Existence::OnlyExisting,
            _ => Existence::Any,
        };
        let comparison = match self.rng.below(6) {
            0 => Comparison::Greater,
            1 => Comparison::Less,
            _ => Comparison::Any,
        };
        AddRule { existence, comparison }
    }

    fn expected(&self, member: &[u8], rule: AddRule, score: f64, delta: bool) -> Result<Added, NotANumber> {
        let old = self.scores.get(member).copied();
        let new = if delta { old.unwrap_or(0.0) + score } else { score };
        match (old, rule.existence) {
            (Some(_), Existence::OnlyNew) | (None, Existence::OnlyExisting) => Ok(Added::Refused),
            (_, _) if new.is_nan() => Err(NotANumber),
            (None, _) => Ok(Added::New(new)),
            (Some(old), _) if rule.comparison == Comparison::Greater && new <= old => Ok(Added::Refused),
            (Some(old), _) if rule.comparison == Comparison::Less && new >= old => Ok(Added::Refused),
            (Some(old), _) if new == old => Ok(Added::Same(new)),
            _ => Ok(Added::Updated(new)),
        }
    }

    fn add(&mut self) {
        let (member, score, rule) = (self.name(), self.score(), self.rule());
        let delta = self.rng.below(3) == 0;
        let expected = self.expected(&member, rule, score, delta);
        let added = if delta {
            self.set.increment(&member, score, rule, &self.limits)
        } else {
            self.set.add(&member, score, rule, &self.limits)
        };
        assert_eq!(added, expected);
        if let Ok(Added::New(score) | Added::Updated(score)) = added {
            self.scores.insert(member, score);
        }
    }

    fn remove(&mut self) {
        let member = self.name();
        assert_eq!(self.set.remove(&member), self.scores.remove(&member).is_some());
    }

    fn direction(&mut self) -> Direction {
        if self.rng.below(2) == 0 { Direction::Ascending } else { Direction::Descending }
    }

    fn ranks(&mut self) -> std::ops::Range<usize> {
        let len = self.scores.len() as u64;
        let (a, b) = (self.rng.below(len + 2) as usize, self.rng.below(len + 2) as usize);
        a.min(b)..a.max(b)
    }

    fn expect_range(&self, ranks: std::ops::Range<usize>, direction: Direction) -> Pairs {
        let mut pairs: Pairs = self.pairs().into_iter().skip(ranks.start).take(ranks.len()).collect();
        if direction == Direction::Descending {
            pairs.reverse();
        }
        pairs
    }

    fn remove_ranks(&mut self) {
        let (mut ranks, direction) = (self.ranks(), self.direction());
        if self.rng.below(4) > 0 {
            ranks.end = ranks.end.min(ranks.start + 3);
        }
        let (expected, mut shown) = (self.expect_range(ranks.clone(), direction), Vec::new());
        let copy = self.set.pin().to_zset_without(ranks.clone());
        self.set.remove_ranks(ranks, direction, &mut |member, score| shown.push(pair((member, score))));
        assert_eq!(shown, expected);
        assert!(copy.iter().map(pair).eq(self.set.iter().map(pair)));
        assert_eq!(copy.encoding_name(), self.set.encoding_name());
        expected.iter().for_each(|(member, _)| assert!(self.scores.remove(member).is_some()));
    }

    fn pop(&mut self) {
        let (count, direction) = (self.rng.below(4) as usize, self.direction());
        let mut expected = self.pairs();
        if direction == Direction::Descending {
            expected.reverse();
        }
        expected.truncate(count);
        let mut shown = Vec::new();
        self.set.pop(direction, count, &mut |member, score| shown.push(pair((member, score))));
        assert_eq!(shown, expected);
        expected.iter().for_each(|(member, _)| assert!(self.scores.remove(member).is_some()));
    }

    fn change(&mut self) {
        match self.rng.below(16) {
            0..=1 => self.remove(),
            2 => self.pop(),
            3 if self.rng.below(8) == 0 => self.remove_ranks(),
            4 if self.rng.below(8) == 0 => self.set.make_small(&self.limits),
            5 if self.rng.below(8) == 0 => self.set = self.set.clone(),
            6 if self.rng.below(16) == 0 => self.set.expect(100, &self.limits),
            _ => self.add(),
        }
    }

    fn ask_one(&mut self) {
        let (member, direction) = (self.name(), self.direction());
        assert_eq!(self.set.score(&member), self.scores.get(&member).copied());
        let mut pairs = self.pairs();
        if direction == Direction::Descending {
            pairs.reverse();
        }
        let rank = pairs.iter().position(|(other, _)| *other == member).map(|rank| (rank, pairs[rank].1));
        assert_eq!(self.set.rank(&member, direction), rank);
        let names: Vec<Vec<u8>> = (0..self.rng.below(40)).map(|_| self.name()).collect();
        let (mut scores, refs) = (Vec::new(), names.iter().map(|name| &name[..]).collect::<Vec<_>>());
        self.set.scores(&refs, &mut |score| scores.push(score));
        assert_eq!(scores, names.iter().map(|name| self.scores.get(name).copied()).collect::<Vec<_>>());
    }

    fn ask_ranks(&mut self) {
        let (ranks, direction) = (self.ranks(), self.direction());
        let walk = self.set.range(ranks.clone(), direction);
        assert_eq!(walk.len(), ranks.end.min(self.scores.len()).saturating_sub(ranks.start));
        let walked: Pairs = walk.map(pair).collect();
        assert_eq!(walked, self.expect_range(ranks.clone(), direction));
        assert_eq!(self.set.at(ranks.start).map(pair), self.pairs().get(ranks.start).cloned());
    }

    fn bound(&mut self) -> Bound<f64> {
        let score = self.score();
        match self.rng.below(8) {
            0 => Bound::Unbounded,
            1..=3 => Bound::Excluded(score),
            _ => Bound::Included(score),
        }
    }

    fn ask_scores(&mut self) {
        let range = ScoreRange { min: self.bound(), max: self.bound() };
        let ranks = self.set.ranks_of_scores(&range);
        let within = |score: f64| range.reaches_min(score) && range.keeps_max(score);
        let expected: Pairs = self.pairs().into_iter().filter(|(_, score)| within(*score)).collect();
        let found: Pairs = self.set.range(ranks, Direction::Ascending).map(pair).collect();
        assert_eq!(found, expected, "{range:?}");
    }

    fn check(&self) {
        self.set.validate();
        assert_eq!(self.set.len(), self.scores.len());
        assert_eq!(self.set.is_empty(), self.scores.is_empty());
        let pairs: Pairs = self.set.iter().map(pair).collect();
        assert_eq!(pairs, self.pairs());
        if let Some(list) = self.set.as_pack() {
            assert!(self.set.len() <= self.limits.listpack_entries_max);
            assert_eq!(ZSet::from_listpack(&list.to_listpack()).as_ref(), Ok(&self.set));
        }
    }
}

fn against_the_model(seed: u64, limits: ZSetLimits, names: u64, steps: usize) {
    let mut model = Model::new(seed, limits, names);
    for step in 0..steps {
        model.change();
        model.ask_one();
        model.ask_ranks();
        model.ask_scores();
        if step % 11 == 0 {
            model.check();
        }
    }
    model.check();
}

#[test]
fn around_the_limits() {
    for seed in 0..6 {
        against_the_model(seed, LIMITS, 30, 3000);
    }
}

#[test]
fn always_small() {
    let limits = ZSetLimits { listpack_entries_max: 1000, listpack_value_bytes_max: 64 };
    against_the_model(7, limits, 60, 3000);
}

#[test]
fn always_big() {
    against_the_model(8, BIG, 40, 2000);
    against_the_model(9, BIG, 3000, 3000);
}

/// The bounds of a lexicographic range, and what lies within by the rules alone.
#[test]
fn ranges_of_members_with_one_score() {
    let mut rng = Rng::new(10);
    for limits in [ZSetLimits { listpack_entries_max: 500, ..LIMITS }, BIG] {
        let mut members: Vec<Vec<u8>> = (0..300).map(|_| rng.below(900).to_string().into_bytes()).collect();
        members.sort();
        members.dedup();
        let mut set = ZSet::new();
        for member in &members {
            set.add(member, 1.0, AddRule::default(), &limits).unwrap();
        }
        for _ in 0..2000 {
            let ends = [rng.below(1000).to_string(), rng.below(1000).to_string()];
            let mut bound = |at: usize| match rng.below(6) {
                0 => LexBound::Lowest,
                1 => LexBound::Highest,
                2..=3 => LexBound::Included(ends[at].as_bytes()),
                _ => LexBound::Excluded(ends[at].as_bytes()),
            };
            let range = LexRange { min: bound(0), max: bound(1) };
            let within = |member: &&Vec<u8>| range.reaches_min(member) && range.keeps_max(member);
            let expected: Vec<&Vec<u8>> = members.iter().filter(within).collect();
            for direction in [Direction::Ascending, Direction::Descending] {
                let ranks = set.ranks_of_members(&range, direction);
                let found: Vec<&Vec<u8>> = members[ranks].iter().collect();
                assert_eq!(found, expected, "{range:?}");
            }
        }
    }
}

#[test]
fn big_ones_keep_their_memory_figures() {
    let mut set = ZSet::new();
    for number in 0..3000 {
        set.add(format!("m{number}").as_bytes(), 1.0, AddRule::default(), &BIG).unwrap();
    }
    let full = set.heap_bytes();
    assert!((32 * 3000..60 * 3000).contains(&full), "{full}");
    set.remove_ranks(0..2990, Direction::Ascending, &mut |_, _| {});
    set.validate();
    assert!(set.heap_bytes() < 4000, "{}", set.heap_bytes());
    assert_eq!((set.free_effort(), set.encoding_name()), (10, "skiplist"));
}
