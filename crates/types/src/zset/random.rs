//! Members in no order: from a cursor on, or at random.
//!
//! A big sorted set leaves both to its table, where scans survive changes and draws are fair.

use std::ops::Bound;

use ochre_table::Map;

use super::flat;
use super::member::Member;
use super::pinned::PinnedZSet;
use super::ranges::ScoreRange;
use super::zset::ZSet;
use crate::listpack::{CompactRef, Item};
use crate::{Rng, push_f64, push_f64_17};

impl ZSet {
    /// Shows members from a cursor on (0 at the beginning) until about `count` were shown, and returns the next cursor, 0
    /// at the end: ZSCAN. A small sorted set is shown whole. What is there from the first call to the last is shown.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Item<'_>, f64)) -> u64 {
        match self.0.get() {
            CompactRef::Pack(list) => {
                flat::pairs(list).for_each(|(member, score)| visit(member, score));
                0
            }
            CompactRef::Boxed(sorted) => sorted.map().scan(cursor, count, &mut |member| {
                visit(Item::Bytes(member.bytes()), member.score());
            }),
        }
    }

    /// Appends a score as ZSCAN writes it: in a small sorted set the text that is stored, in a big one 17 digits.
    pub fn push_score(&self, out: &mut Vec<u8>, score: f64) {
        ZSet::push_score_of(matches!(self.0.get(), CompactRef::Pack(_)), out, score);
    }

    /// The same for one that is, or was, small or big.
    pub fn push_score_of(is_small: bool, out: &mut Vec<u8>, score: f64) {
        if is_small { push_f64(out, score) } else { push_f64_17(out, score) }
    }

    /// Shows `count` members at random, every one equally likely each time: ZRANDMEMBER with a negative count.
    pub fn draw(&self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>, f64)) {
        match self.0.get() {
            CompactRef::Pack(list) => {
                let pairs: Vec<(Item<'_>, f64)> = flat::pairs(list).collect();
                for _ in 0..if pairs.is_empty() { 0 } else { count } {
                    let (member, score) = pairs[rng.below(pairs.len() as u64) as usize];
                    visit(member, score);
                }
            }
            CompactRef::Boxed(sorted) => draw(sorted.map(), count, rng, visit),
        }
    }

    /// Shows `count` different members (all in order, if there are not more), every choice equally likely: ZRANDMEMBER with
    /// a positive count.
    pub fn sample(&self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>, f64)) {
        if count >= self.len() {
            return self.iter().for_each(|(member, score)| visit(member, score));
        }
        match self.0.get() {
            CompactRef::Pack(list) => {
                let (mut left, mut wanted) = (flat::len(list) as u64, count as u64);
                for (member, score) in flat::pairs(list) {
                    if rng.below(left) < wanted {
                        wanted -= 1;
                        visit(member, score);
                    }
                    left -= 1;
                }
            }
            CompactRef::Boxed(sorted) => sample(sorted.map(), count, rng, visit),
        }
    }
}

/// The same of a sorted set as it was, whatever range of it was pinned.
impl PinnedZSet {
    /// See [`ZSet::draw`].
    pub fn draw(&self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>, f64)) {
        match self.members() {
            Ok(members) => draw(members, count, rng, visit),
            Err(flat) => flat.draw(count, rng, visit),
        }
    }

    /// See [`ZSet::sample`].
    pub fn sample(&self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>, f64)) {
        match self.members() {
            Ok(members) if count >= members.len() => {
                let all = ScoreRange { min: Bound::Unbounded, max: Bound::Unbounded };
                self.range_of_scores(&all).for_each(|(member, score)| visit(member, score));
            }
            Ok(members) => sample(members, count, rng, visit),
            Err(flat) => flat.sample(count, rng, visit),
        }
    }
}

fn draw(members: &Map<Member>, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>, f64)) {
    members.draw_many(count, rng, &mut |member| visit(Item::Bytes(member.bytes()), member.score()));
}

fn sample(members: &Map<Member>, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>, f64)) {
    members.sample(count, rng, &mut |member| visit(Item::Bytes(member.bytes()), member.score()));
}
