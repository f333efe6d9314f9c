//! The listpack: a sequence of short strings and integers in one run of bytes, exactly as Redis lays it out, so that
//! files and DUMP take its bytes as they are.
//!
//! - `item`: one element as it is stored
//! - `encoding`: bytes of an element, there and back
//! - `buffer`: the allocation, with room at both ends
//! - `pack`: the listpack itself
//! - `find`, `iter`: looking for an element, walking over all
//! - `validate`, `distinct`: bytes from outside
//! - `compact`: one word that is either a listpack or a box of something bigger

mod buffer;
mod compact;
mod distinct;
mod encoding;
mod find;
mod item;
mod iter;
mod pack;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use buffer::allocated_bytes;
pub(crate) use distinct::are_distinct;
pub(crate) use encoding::{Encoded, decode, encoded_len};

pub use compact::{Compact, CompactMut, CompactRef};
pub use item::Item;
pub use iter::Iter;
pub use pack::{Listpack, Pos};
pub use validate::Corrupt;
