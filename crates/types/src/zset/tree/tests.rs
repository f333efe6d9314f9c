//! The tree against a `BTreeSet`, with tiny nodes, so that every few steps something splits, merges or levels.

use std::collections::BTreeSet;

use ochre_table::{Map, hasher};

use super::pinned::PinnedTree;
use super::*;
use crate::Rng;
use crate::zset::member::Member;
use crate::zset::score::order_key;

impl<const LEAF: usize, const INNER: usize> Tree<LEAF, INNER> {
    fn members(&self) -> Vec<MemberRef> {
        let (mut members, mut rank) = (Vec::new(), 0);
        while let Some((slots, at)) = self.leaf_at(rank) {
            members.extend(slots[at..].iter().map(|slot| slot.member()));
            rank += slots.len() - at;
        }
        members
    }
}

/// What the tree is compared with: members own themselves here.
struct Model<const LEAF: usize, const INNER: usize> {
    tree: Tree<LEAF, INNER>,
    order: BTreeSet<(u64, Vec<u8>)>,
    members: Vec<Member>,
    rng: Rng,
}

impl<const LEAF: usize, const INNER: usize> Model<LEAF, INNER> {
    fn new(seed: u64) -> Self {
        Model { tree: Tree::new(), order: BTreeSet::new(), members: Vec::new(), rng: Rng::new(seed) }
    }

    /// Many equal scores, close ones, far ones, infinities.
    fn score(&mut self) -> f64 {
        match self.rng.below(6) {
            0 => self.rng.below(4) as f64,
            1 => 1e9 + self.rng.next_f64(),
            2 => f64::NEG_INFINITY,
            3 => [0.0, -0.0, f64::INFINITY, f64::MAX, 5e-324][self.rng.below(5) as usize],
            4 => (self.rng.next_f64() - 0.5) * 10f64.powi(self.rng.below(600) as i32 - 300),
            _ => 1_700_000_000.0 + self.rng.below(100_000) as f64,
        }
    }

    fn add(&mut self, score: f64) {
        let bytes = format!("{:x}", self.rng.next_u64() >> self.rng.below(60)).into_bytes();
        if self.members.iter().any(|member| member.by_ref().bytes() == bytes) {
            return;
        }
        let member = Member::new(score, &bytes);
        self.tree.insert(member.by_ref());
        self.order.insert((order_key(score), bytes));
        self.members.push(member);
    }

    fn pick(&mut self) -> Option<usize> {
        (!self.members.is_empty()).then(|| self.rng.below(self.members.len() as u64) as usize)
    }

    fn remove(&mut self) {
        let Some(at) = self.pick() else { return };
        let member = self.members.swap_remove(at);
        self.tree.remove(member.by_ref());
        assert!(self.order.remove(&(member.by_ref().key(), member.by_ref().bytes().to_vec())));
    }

    fn rescore(&mut self) {
        let Some(at) = self.pick() else { return };
        let member = self.members[at].by_ref();
        let near = member.score() + self.rng.below(5) as f64 - 2.0;
        let score = if self.rng.below(2) == 0 { near } else { self.score() };
        assert!(self.order.remove(&(member.key(), member.bytes().to_vec())));
        self.tree.rescore(member, score);
        self.order.insert((order_key(score), member.bytes().to_vec()));
    }

    fn remove_run(&mut self) {
        let (rank, count) =
            (self.rng.below(self.order.len() as u64 + 2) as usize, self.rng.below(12) as usize);
        let mut gone = Vec::new();
        let mut left = count;
        while left > 0 {
            let removed = self.tree.remove_run(rank, left, &mut |member| gone.push(member));
            if removed == 0 {
                break;
            }
            left -= removed;
        }
        let expected: Vec<_> = self.order.iter().skip(rank).take(count).cloned().collect();
        let got: Vec<_> = gone.iter().map(|member| (member.key(), member.bytes().to_vec())).collect();
        assert_eq!(got, expected);
        expected.iter().for_each(|entry| assert!(self.order.remove(entry)));
        self.members.retain(|member| !gone.contains(&member.by_ref()));
    }

    fn compare(&mut self) {
        self.tree.validate();
        let members = self.tree.members();
        assert!(
            members
                .iter()
                .map(|member| (member.key(), member.bytes()))
                .eq(self.order.iter().map(|(key, bytes)| (*key, &bytes[..])))
        );
        for (rank, member) in members.iter().enumerate() {
            assert_eq!(self.tree.at(rank), Some(*member));
        }
        assert_eq!(self.tree.at(members.len()), None);
    }

    fn compare_ranks(&mut self) {
        let score = self.score();
        let key = order_key(score);
        let below = self.order.iter().filter(|(other, _)| *other < key).count();
        let equal = self.order.iter().filter(|(other, _)| *other == key).count();
        assert_eq!(self.tree.rank(&Probe::score(score, false)), below);
        assert_eq!(self.tree.rank(&Probe::score(score, true)), below + equal);
        if let Some(at) = self.pick() {
            let member = self.members[at].by_ref();
            let rank = self.order.iter().position(|(_, bytes)| bytes == member.bytes());
            assert_eq!(Some(self.tree.rank(&Probe::exact(member.score(), member.bytes()))), rank);
        }
    }

    fn step(&mut self, growing: bool) {
        match self.rng.below(10) {
            0..=2 => self.rescore(),
            3 => self.remove(),
            4 if !growing => self.remove_run(),
            4..=5 if !growing => self.remove(),
            _ => {
                let score = self.score();
                self.add(score);
            }
        }
    }
}

fn against_the_model<const LEAF: usize, const INNER: usize>(seed: u64, steps: usize) {
    let mut model = Model::<LEAF, INNER>::new(seed);
    for step in 0..steps {
        model.step(step / 300 % 2 == 0);
        if step % 7 == 0 {
            model.compare();
        }
        model.compare_ranks();
    }
    let members = model.tree.members();
    model.tree = Tree::from_sorted(&members);
    model.compare();
    while !model.members.is_empty() {
        model.remove();
    }
    model.compare();
    assert_eq!(model.tree.heap_bytes(), 0);
}

#[test]
fn tiny_nodes() {
    for seed in 0..8 {
        against_the_model::<4, 4>(seed, 1500);
        against_the_model::<5, 7>(seed, 1500);
        against_the_model::<16, 4>(seed, 1500);
    }
}

#[test]
fn nodes_as_they_are_used() {
    against_the_model::<62, 63>(1, 3000);
}

/// Scores and members in order.
type Expected = Vec<(u64, Vec<u8>)>;

/// A tree with pins. What has left it is kept until the end; its nodes are buried in a table that has nothing to do but that.
struct PinnedModel<const LEAF: usize, const INNER: usize> {
    model: Model<LEAF, INNER>,
    pins: Vec<(PinnedTree<LEAF, INNER>, Expected)>,
    table: Map<Member>,
    gone: Vec<Member>,
}

impl<const LEAF: usize, const INNER: usize> PinnedModel<LEAF, INNER> {
    fn remove_at(&mut self, at: usize) -> MemberRef {
        let member = self.model.members.swap_remove(at);
        let removed = member.by_ref();
        self.model.tree.remove(removed);
        assert!(self.model.order.remove(&(removed.key(), removed.bytes().to_vec())));
        self.gone.push(member);
        removed
    }

    fn replace_at(&mut self, at: usize) {
        let old = self.remove_at(at);
        let near = old.score() + self.model.rng.below(5) as f64 - 2.0;
        let member = Member::new(near, old.bytes());
        self.model.tree.insert(member.by_ref());
        self.model.order.insert((order_key(near), old.bytes().to_vec()));
        self.model.members.push(member);
    }

    fn remove_run(&mut self) {
        let (rank, count) = (self.model.rng.below(self.model.order.len() as u64 + 1) as usize, 9);
        let (model, mut run) = (&mut self.model, Vec::new());
        model.tree.remove_run(rank, count, &mut |member| run.push(member));
        run.iter().for_each(|member| assert!(model.order.remove(&(member.key(), member.bytes().to_vec()))));
        let (gone, left) = model.members.drain(..).partition(|member| run.contains(&member.by_ref()));
        model.members = left;
        self.gone.extend::<Vec<Member>>(gone);
    }

    fn step(&mut self, growing: bool) {
        match (self.model.rng.below(8), self.model.pick()) {
            (0..=1, Some(at)) => self.replace_at(at),
            (2, Some(at)) => drop(self.remove_at(at)),
            (3..=4, Some(at)) if !growing => drop(self.remove_at(at)),
            (5, Some(_)) if !growing => self.remove_run(),
            _ => {
                let score = self.model.score();
                self.model.add(score);
            }
        }
        self.table.bury_memory(&mut self.model.tree.take_limbo());
    }

    fn pin(&mut self) {
        let pinned = self.model.tree.pin(self.table.pin());
        self.pins.push((pinned, self.model.order.iter().cloned().collect()));
    }

    fn check_one(&self, at: usize) {
        let (pinned, expected) = &self.pins[at];
        pinned.validate();
        let members = pinned.members().into_iter().map(|member| (member.key(), member.bytes().to_vec()));
        assert_eq!(&members.collect::<Vec<_>>(), expected);
    }
}

fn pinned_trees_stay_what_they_were<const LEAF: usize, const INNER: usize>(seed: u64, steps: usize) {
    let (model, mut table) = (Model::<LEAF, INNER>::new(seed), Map::new());
    table.insert(Member::new(0.0, b"what is pinned"), hasher());
    let mut pinned = PinnedModel { model, pins: Vec::new(), table, gone: Vec::new() };
    for step in 0..steps {
        pinned.step(step / 400 % 2 == 0);
        if step % 40 == 0 {
            pinned.pin();
        }
        if step % 10 == 0 {
            let at = pinned.model.rng.below(pinned.pins.len() as u64) as usize;
            pinned.check_one(at);
            pinned.model.compare();
            if pinned.pins.len() > 4 {
                pinned.pins.swap_remove(at);
            }
        }
    }
    let tree = std::mem::replace(&mut pinned.model.tree, Tree::new());
    pinned.table.bury(Box::new(tree));
    (0..pinned.pins.len()).for_each(|at| pinned.check_one(at));
}

#[test]
fn pinned_trees() {
    for seed in 0..4 {
        pinned_trees_stay_what_they_were::<4, 4>(seed, 1500);
        pinned_trees_stay_what_they_were::<5, 7>(seed, 1500);
    }
    pinned_trees_stay_what_they_were::<62, 63>(9, 3000);
}

#[test]
fn one_score_for_all() {
    let mut model = Model::<4, 4>::new(5);
    for _ in 0..500 {
        model.add(7.0);
    }
    model.compare();
    for (rank, (_, bytes)) in model.order.iter().enumerate() {
        assert_eq!(model.tree.rank(&Probe::lex(bytes, false)), rank);
        assert_eq!(model.tree.rank(&Probe::lex(bytes, true)), rank + 1);
    }
    assert_eq!(model.tree.rank(&Probe::lex(b"", false)), 0);
    assert_eq!(model.tree.rank(&Probe::lex(b"\xff", false)), model.order.len());
}

#[test]
fn members_in_order_leave_full_leaves() {
    for descending in [false, true] {
        let mut model = Model::<8, 8>::new(6);
        for step in 0..1000 {
            model.add(if descending { -f64::from(step) } else { f64::from(step) });
        }
        model.compare();
        let needed = model.order.len().div_ceil(8);
        assert!(model.tree.upkeep.census.leaves <= needed + 2, "{:?} for {needed}", model.tree.upkeep.census);
    }
}

#[test]
fn trees_from_sorted_members_of_every_length() {
    let members: Vec<Member> =
        (0..400).map(|at| Member::new(f64::from(at / 3), format!("{at:04}").as_bytes())).collect();
    let refs: Vec<MemberRef> = members.iter().map(Member::by_ref).collect();
    for len in 0..refs.len() {
        let tree = Tree::<4, 4>::from_sorted(&refs[..len]);
        tree.validate();
        assert_eq!(tree.members(), &refs[..len]);
    }
}
