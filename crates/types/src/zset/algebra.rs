//! Union, intersection and difference of sorted sets and sets.
//!
//! Inputs are anything that can be walked and asked for a member's score ([`ZSource`]); a set's members have the score 1. As
//! in Redis, inputs are taken from the smallest to the largest, which decides how sums of doubles are rounded, and a sum of
//! opposite infinities is 0.
//!
//! - Union: every input is walked once, into a table. O(n), and O(m log m) for the order of m results.
//! - Intersection: the smallest input is walked, the others are asked.
//! - Difference: either the first input is walked and the others are asked, or the others are walked and taken out of a copy of
//!   the first; whichever touches fewer members.

use std::ops::ControlFlow;

use super::gather::ZSetGatherer;
use super::zset::ZSet;
use crate::set::Set;

/// Something with members and scores.
pub trait ZSource {
    /// The number of members.
    fn member_count(&self) -> usize;

    /// The score of a member.
    fn score_of(&self, member: &[u8]) -> Option<f64>;

    /// Shows every member once, with its score, until `visit` breaks.
    fn visit_members(&self, visit: &mut dyn FnMut(&[u8], f64) -> ControlFlow<()>);
}

impl ZSource for ZSet {
    fn member_count(&self) -> usize {
        self.len()
    }

    fn score_of(&self, member: &[u8]) -> Option<f64> {
        self.score(member)
    }

    fn visit_members(&self, visit: &mut dyn FnMut(&[u8], f64) -> ControlFlow<()>) {
        for (member, score) in self.iter() {
            if member.with_bytes(|bytes| visit(bytes, score)).is_break() {
                return;
            }
        }
    }
}

/// Members of a set have the score 1.
impl ZSource for Set {
    fn member_count(&self) -> usize {
        self.len()
    }

    fn score_of(&self, member: &[u8]) -> Option<f64> {
        self.contains(member).then_some(1.0)
    }

    fn visit_members(&self, visit: &mut dyn FnMut(&[u8], f64) -> ControlFlow<()>) {
        for member in self.iter() {
            if member.with_bytes(|bytes| visit(bytes, 1.0)).is_break() {
                return;
            }
        }
    }
}

/// An input with its weight. A key that does not exist is an empty [`ZSet`].
#[derive(Clone, Copy)]
pub struct Weighted<'a> {
    /// The input.
    pub source: &'a dyn ZSource,
    /// What its scores are multiplied by.
    pub weight: f64,
}

/// How the scores of a member that is in several inputs become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Aggregate {
    /// Their sum.
    #[default]
    Sum,
    /// The lowest.
    Min,
    /// The highest.
    Max,
    /// The sum of the weights of the inputs that have the member, whatever the scores.
    Count,
}

impl Aggregate {
    /// What an input brings in.
    fn value(self, score: f64, weight: f64) -> f64 {
        match self {
            Aggregate::Count => weight,
            _ => score * weight,
        }
    }

    /// What the first input with the member brings in.
    fn first(self, score: f64, weight: f64) -> f64 {
        or_zero(self.value(score, weight))
    }

    fn join(self, so_far: f64, value: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Count => or_zero(so_far + value),
            Aggregate::Min => {
                if value < so_far {
                    value
                } else {
                    so_far
                }
            }
            Aggregate::Max => {
                if value > so_far {
                    value
                } else {
                    so_far
                }
            }
        }
    }
}

/// Infinity times zero, or minus infinity, counts as nothing.
fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

fn smallest_first<'a>(inputs: &[Weighted<'a>]) -> Vec<Weighted<'a>> {
    let mut inputs = inputs.to_vec();
    inputs.sort_by_key(|input| input.source.member_count());
    inputs
}

/// Members of any input: ZUNION. The result is a big sorted set; [`ZSet::make_small`] makes what is stored small.
pub fn zunion(inputs: &[Weighted<'_>], aggregate: Aggregate) -> ZSet {
    let inputs = smallest_first(inputs);
    let mut results = ZSetGatherer::new(inputs.last().map_or(0, |input| input.source.member_count()));
    for input in inputs {
        input.source.visit_members(&mut |member, score| {
            let value = aggregate.first(score, input.weight);
            results.add_or(member, value, |so_far| aggregate.join(so_far, value));
            ControlFlow::Continue(())
        });
    }
    results.finish()
}

/// Members of all inputs: ZINTER. The result is a big sorted set.
pub fn zinter(inputs: &[Weighted<'_>], aggregate: Aggregate) -> ZSet {
    let inputs = smallest_first(inputs);
    let mut results = ZSetGatherer::new(0);
    if let [first, others @ ..] = &inputs[..] {
        first.source.visit_members(&mut |member, score| {
            if let Some(score) = in_all(member, aggregate.first(score, first.weight), others, aggregate) {
                results.add(member, score);
            }
            ControlFlow::Continue(())
        });
    }
    results.finish()
}

/// The score of a member that all inputs have, `so_far` being what came before them.
fn in_all(member: &[u8], so_far: f64, inputs: &[Weighted<'_>], aggregate: Aggregate) -> Option<f64> {
    inputs.iter().try_fold(so_far, |so_far, input| {
        let value = aggregate.value(input.source.score_of(member)?, input.weight);
        Some(aggregate.join(so_far, value))
    })
}

/// How many members all inputs have, at most `limit` (0 is no limit): ZINTERCARD.
pub fn zinter_count(inputs: &[&dyn ZSource], limit: usize) -> usize {
    let mut inputs = inputs.to_vec();
    inputs.sort_by_key(|input| input.member_count());
    let mut count = 0;
    if let [first, others @ ..] = &inputs[..] {
        first.visit_members(&mut |member, _| {
            count += usize::from(others.iter().all(|other| other.score_of(member).is_some()));
            if count == limit && limit > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    count
}

/// Members of the first input that no other has, with their scores: ZDIFF. The result is a big sorted set.
pub fn zdiff(inputs: &[&dyn ZSource]) -> ZSet {
    let [first, others @ ..] = inputs else { return ZSetGatherer::new(0).finish() };
    let asked = first.member_count().saturating_mul(others.len() + 1) / 2;
    let walked = inputs.iter().fold(0usize, |sum, input| sum.saturating_add(input.member_count()));
    if asked <= walked { diff_asking(*first, others) } else { diff_walking(*first, others) }
}

fn diff_asking(first: &dyn ZSource, others: &[&dyn ZSource]) -> ZSet {
    let mut others = others.to_vec();
    // The largest is the likeliest to have a member.
    others.sort_by_key(|other| std::cmp::Reverse(other.member_count()));
    let mut results = ZSetGatherer::new(0);
    first.visit_members(&mut |member, score| {
        if others.iter().all(|other| other.score_of(member).is_none()) {
            results.add(member, score);
        }
        ControlFlow::Continue(())
    });
    results.finish()
}

fn diff_walking(first: &dyn ZSource, others: &[&dyn ZSource]) -> ZSet {
    let mut results = ZSetGatherer::new(first.member_count());
    first.visit_members(&mut |member, score| {
        results.add(member, score);
        ControlFlow::Continue(())
    });
    for other in others {
        other.visit_members(&mut |member, _| {
            results.remove(member);
            if results.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    results.finish()
}

/// The difference in either way, for tests.
#[cfg(test)]
pub(super) fn both_differences(first: &dyn ZSource, others: &[&dyn ZSource]) -> [ZSet; 2] {
    [diff_asking(first, others), diff_walking(first, others)]
}
