//! Packs: sequences of short strings and integers in one run of bytes.
//!
//! There are two forms of them, with elements encoded alike (`form` has the drawings):
//!
//! - [`Listpack`], exactly as Redis lays it out: what small lists are, and what files and DUMP have. It can be walked both ways.
//! - [`ForwardPack`], without what walking backwards takes: what small hashes, sets and sorted sets are. Files and DUMP get
//!   Redis's bytes, written from it, and listpacks from outside become it.
//!
//! Only the layout differs: changing, looking for and walking over elements is written once, for any [`Form`].
//!
//! - `item`: one element as it is stored
//! - `encoding`: bytes of an element, there and back
//! - `form`: what the two forms differ in
//! - `buffer`: the allocation, with room at both ends
//! - `pack`: the pack itself
//! - `find`, `iter`: looking for an element, walking over all
//! - `validate`, `distinct`: bytes from outside
//! - `transcode`: from one form to the other
//! - `compact`: one word that is either a pack or a box of something bigger

mod buffer;
mod compact;
mod distinct;
mod encoding;
mod find;
mod form;
mod item;
mod iter;
mod pack;
#[cfg(test)]
mod tests;
mod transcode;
mod validate;

pub(crate) use distinct::are_distinct;
pub(crate) use encoding::{Encoded, decode, encoded_len};

pub use buffer::allocated_bytes;
pub use compact::{Compact, CompactMut, CompactRef};
pub use find::Found;
pub use form::{Bidirectional, Form, Forward};
pub use item::Item;
pub use iter::Iter;
pub use pack::{ForwardPack, Listpack, Pack, Pos};
pub use validate::Corrupt;
