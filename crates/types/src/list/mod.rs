//! Lists.
//!
//! - `value`: the type: a listpack while it is small, a quicklist when it is not
//! - `change`: its changes in the middle
//! - `limits`: when it is which
//! - `quicklist`, with `middle` and `walk`, `chain`, `node`, `packed`: a long list, from the whole to the bytes
//! - `pin`: a list as it was, for whoever reads it bit by bit
//! - `figures`: what DEBUG tells of a list

mod chain;
mod change;
mod figures;
mod limits;
mod middle;
mod node;
mod packed;
mod pin;
mod quicklist;
#[cfg(test)]
mod tests;
mod value;
mod walk;

pub use chain::End;
pub use figures::QuicklistFigures;
pub use limits::ListLimits;

pub use node::SavedNode;
pub use pin::PinnedList;
pub use value::{List, TrimmedNodes};
