//! Sets: members without order, each of them once.
//!
//! - `value`: the set itself: adding, removing, asking, and when its encoding changes
//! - `walk`: all members, at once or in parts
//! - `random`: members at random, taken out or not
//! - `algebra`: intersections, unions, differences of several sets
//! - `estimate`: about how many members a union has
//! - `pinned`: a set as it was, read while it changes
//! - `batch`: asking for sixteen members at a time
//! - `intset`: few integers, sorted, in Redis's layout
//! - `member`: a member of a table
//! - `block`, `word`: the memory of an intset, and the one word that is all a set occupies (unsafe)

mod algebra;
mod batch;
mod block;
mod estimate;
mod intset;
mod member;
mod pinned;
mod random;
#[cfg(test)]
mod tests;
mod value;
mod walk;
mod word;

pub use algebra::{difference, intersection, union};
pub use algebra::{store_difference, store_intersection, store_union};
pub use estimate::union_estimate;
pub use pinned::{LentSet, PinnedLook, PinnedSet};
pub use value::{Set, SetLimits};
pub use walk::Iter;
