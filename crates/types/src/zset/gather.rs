//! Members gathered in any order, put in order once at the end: results of commands, and what files have.
//!
//! Sorting n members and building full leaves is several times cheaper than n insertions.

use super::sorted::{Members, Sorted};
use super::zset::ZSet;

/// Room is made ahead for this many members at most: a number from a file may be wrong.
const EXPECTED_MAX: usize = 1 << 20;

/// Members on the way to a sorted set.
#[derive(Debug)]
pub struct ZSetGatherer {
    members: Members,
}

impl ZSetGatherer {
    /// For about `len` members.
    pub fn new(len: usize) -> ZSetGatherer {
        ZSetGatherer { members: Members::with_capacity(len.min(EXPECTED_MAX)) }
    }

    /// Whether nothing was gathered.
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    /// Adds a member; whether it is new and its score a number, else nothing is added.
    pub fn add(&mut self, member: &[u8], score: f64) -> bool {
        !score.is_nan() && self.members.add(member, score).is_some()
    }

    /// Adds a member, or gives it the score that `join` makes of the one it has. No score may be NaN.
    pub(super) fn add_or(&mut self, member: &[u8], score: f64, join: impl FnOnce(f64) -> f64) {
        match self.members.get(member) {
            Some(found) => found.set_score(join(found.score())),
            None => {
                self.members.add(member, score);
            }
        }
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, member: &[u8]) {
        self.members.take(member, |_| {});
    }

    /// The sorted set of all members, big; [`ZSet::make_small`] makes it small if limits allow. O(n log n).
    pub fn finish(self) -> ZSet {
        ZSet::from_sorted(Sorted::from_members(self.members))
    }
}
