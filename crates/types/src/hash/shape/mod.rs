//! Field names that many hashes share, stored once without anybody asking for it.
//!
//! Sessions, users, products: most small hashes are records of one kind, with the same field names in the same order.
//! Such a hash keeps a pointer to a *shape*, which has the names, and its values; a new field moves it on to the shape
//! that has one name more, as JavaScript engines do with the properties of objects:
//!
//! ```text
//! () ──name──> (name) ──email──> (name, email) ──visits──> (name, email, visits)
//!                └──age──> (name, age)
//! ```
//!
//! - Whoever creates a hash follows the names from the empty shape on. Usually every step is the one that was taken
//!   last from there, which is checked by comparing one name.
//! - A step that does not exist yet is only taken down as seen: a fingerprint of where it starts and of all names that
//!   follow. When the same comes again, the shapes are made. So hashes that are alone with their names leave nothing
//!   behind, and the second of a kind already has a shape.
//! - Everything is bounded (`shard`): names, fields, shapes, bytes. The fuller a shard is, the more often a kind must
//!   have been seen; when it is full, shapes that nobody uses make room.
//! - Threads have shards of their own, as far as there are enough, so that workers neither wait for each other's lock
//!   nor write each other's reference counts. A hash that another thread goes on with stays in its shard.
//!
//! - `names`: the names of a shape and how one is found
//! - `shard`: the transitions between the shapes of one shard, and what they may cost
//! - `seen`: how often what has no shape has come
//! - `registry`: the shards of the process
//!
//! Rejected: a shape from the first time on (a client whose hashes are all different would fill the shards); looking
//! for a shape again and again while a pack grows (every new field would cost a pass over all names).

mod names;
mod registry;
mod seen;
mod shard;

pub(super) use names::Shape;
pub(super) use registry::{follow, heap_bytes, release_unused};
pub(super) use shard::{FIELDS_MAX, NAME_BYTES_MAX};
