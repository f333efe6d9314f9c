//! A hash table of items that are one word each: the address of one allocation that begins with whatever its owner wants
//! and has a key somewhere in it. Members of sets, fields of hashes and the like live in it.
//!
//! ```text
//! Map ──> one segment (up to 460 items)             a line: eight words, each an item's address with a tag
//!    └──> Table ──> directory ──> segments ──> lines ──> items
//! ```
//!
//! Everything is in hash order: directory, segments within it, lines within a segment. So a *position* (the upper 48 bits
//! of a hash) is a cursor that survives growth and shrinking. Growth is local: a segment gets a few lines more or becomes
//! two; no step moves more than 460 items, and no memory is doubled.
//!
//! - `item`: what an owner promises about its items
//! - `hash`: the seeded hash, positions, keys
//! - `slot`: a word with an address and a tag; eight of them compared at once (unsafe)
//! - `lines`: eight slots each, a segment's own or shared with pins (unsafe)
//! - `segment`: up to 64 lines, with what overflows and how it is found
//! - `table`: segments and the directory above them
//! - `map`: a table that is small when it has few items
//! - `sample`: fair random items, walks of everything
//! - `pins`: a map as it was at an instant, read without a lock while the map goes on (unsafe)
//! - `prefetch`: asking the processor for memory ahead of time (unsafe)

mod hash;
mod item;
mod lines;
mod map;
mod pins;
mod prefetch;
mod sample;
mod segment;
mod slot;
mod table;

pub use hash::{Hasher, Key, KeyHash, POSITION_BITS, Seen, hasher, seed_hasher};
pub use item::{Draw, Item, same_bytes};
pub use lines::{Lines, Memory};
pub use map::Map;
pub use pins::{Access, Pin};
pub use prefetch::prefetch;
pub use sample::{Iter, WalkPosition};
pub use table::Location;
