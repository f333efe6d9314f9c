//! A base that is a file of commands (`aof-use-rdb-preamble no`): those that rebuild the data set, as Redis writes them, so
//! every server loads it.
//!
//! A [`CommandEncoder`] is a buffer, as the RDB one is, and values are read through the same traits
//! (`rdb/encode/parts.rs`): a pinned value of any size goes through a buffer of a bounded one. What is put into the buffer at
//! a time ends between two commands, but for a string that is longer than that: its SET goes on in the next part.
//!
//! - `encoder`: arguments and commands, the buffer, sums over it
//! - `runs`: commands with as many elements as come, up to 64
//! - `elements`: lists, sets, hashes and sorted sets
//! - `text`: strings
//! - `stream`, with `steps`, `absent`, `batch`: streams
//! - `value`: any value
//!
//! Every command is one that Redis 7.4 has, but for XCFGSET, XIDMPRECORD (8.6) and XNACK (8.8), which only streams
//! need that were filled with the means of those versions.
//!
//! What commands cannot rebuild: when a consumer was last seen or active and when a message of a producer was remembered (both
//! become the time of loading), how many messages were ever remembered and how many duplicates prevented, a greatest deleted ID
//! of 0-0 where entries behind the first are gone all the same, how large the nodes of streams and lists were, and how long
//! keys were not used.
//!
//! Rejected: a file of RESTORE commands. It would hold everything, but a value would be one argument, in memory as a whole on
//! both sides, and whoever wants commands wants to read them.

mod absent;
mod batch;
mod elements;
mod encoder;
mod runs;
mod steps;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use encoder::CommandEncoder;
pub use value::{CommandParts, pinned_commands};
