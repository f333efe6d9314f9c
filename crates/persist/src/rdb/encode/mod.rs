//! Values to bytes, all at once or in parts.
//!
//! An [`Encoder`] is a buffer; what writes a value pushes some of it and says whether that was all. So a value of any size
//! goes through a buffer of a bounded one, and whoever drives it (a snapshot that walks over a pinned value without its
//! lock) decides when to go on. What values are read from are small traits, which plain values fulfil here and
//! pinned ones can.
//!
//! The encodings are those that are compact: listpacks for what is small, quicklist nodes, the listpacks of streams. An
//! older version gets plain texts instead, which every server reads.
//!
//! - `encoder`: lengths, texts, the buffer
//! - `plan`: which type a value gets, and what a version cannot hold
//! - `parts`: what a value is read from
//! - `collection`: lists, sets, hashes and sorted sets
//! - `stream`: streams
//! - `plain`: values as they are
//! - `pinned`: values as they were at an instant
//! - `value`: any value

mod collection;
mod encoder;
mod parts;
mod pinned;
mod plain;
mod plan;
mod stream;
mod value;

pub use collection::{HashWriter, ListWriter, SetWriter, ZSetWriter};
pub use encoder::{EncodeOptions, Encoder};
pub use parts::{Fields, Members, Nodes, ScoredMembers, StreamFigures, StreamSource, ValueParts};
pub use pinned::pinned_writer;
pub(crate) use plain::{PlainFields, PlainMembers, PlainScored};
pub use plan::{CannotHold, Target};
pub use stream::StreamWriter;
pub use value::{ValueRef, ValueWriter};
