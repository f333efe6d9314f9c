//! Sorted sets: members with scores, in the order of the scores.
//!
//! - `zset`: the type, over both encodings
//! - `limits`: what its commands ask for: limits, rules, directions
//! - `ranges`: ranges by index, score and bytes; all become ranges of ranks
//! - `iter`: walking over a range
//! - `pinned`: a range as it was, read while the sorted set changes
//! - `random`: members from a cursor on, or at random
//! - `algebra`: union, intersection, difference
//! - `gather`: many members at once
//! - `flat`: the small encoding, one run of bytes
//! - `sorted`: the big encoding, a table and a tree over the same members
//! - `tree`: the order-statistics B+tree
//! - `member`: a member's allocation (unsafe)
//! - `score`: the order of scores, and their texts

mod algebra;
mod flat;
mod gather;
mod iter;
mod limits;
mod member;
mod pinned;
mod random;
mod ranges;
mod score;
mod sorted;
#[cfg(test)]
mod tests;
mod tree;
#[allow(clippy::module_inception)]
mod zset;

pub use algebra::{Aggregate, Weighted, ZSource, zdiff, zinter, zinter_count, zunion};
pub use gather::ZSetGatherer;
pub use iter::ZSetIter;
pub use limits::{AddRule, Added, Comparison, Direction, Existence, NotANumber, ZSetLimits};
pub use pinned::PinnedZSet;
pub use ranges::{LexBound, LexRange, ScoreRange, limit_ranks, ranks_of_indices};
pub use zset::ZSet;
