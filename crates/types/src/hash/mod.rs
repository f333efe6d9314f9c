//! The hash: fields with a name, a value and, if wanted, a time when they expire.
//!
//! | encoding | OBJECT ENCODING | when |
//! |---|---|---|
//! | packed | listpack | few short fields: names and values in turn in one pack |
//! | shaped | listpack | the same, where other hashes have the same names: the names are shared, the values one run of bytes |
//! | expiring | listpackex | few short fields that have (or had) times: a pack of triples, earliest first |
//! | table | hashtable | all others: a table with one allocation for each field |
//!
//! The first three keep the order in which fields were added (expiring: after the order of their times), as Redis does.
//!
//! A field whose time has passed is *expired*: no read shows it, but it counts in [`Hash::len`] until it is taken out by
//! [`Hash::expire_due`] or by a write. That is what Redis does, and its writes see such a field as it is: HSET
//! replaces it, HDEL counts it, HEXPIRE brings it back to life. Where a method looks at expired fields otherwise, it says so.
//!
//! - `value`: what the others tell each other: limits, outcomes, a field as it is read
//! - `word`: eight bytes that own a hash in one of its encodings (unsafe)
//! - `base`: making, measuring and converting
//! - `read`, `write`, `number`, `times`, `sample`, `scan`: what can be done with a hash
//! - `pinned`: a hash as it was, read while it changes
//! - `load`: listpacks from outside
//! - `packed`, `expiring`, `shaped`, `table`: the encodings
//! - `record`: the allocation of a shaped hash (unsafe); `shape`: the names that hashes share
//! - `field`: the allocation of a field in a table (unsafe); `due`: when fields of a table expire

mod base;
mod due;
mod expiring;
mod field;
mod load;
mod number;
mod packed;
mod pinned;
mod read;
mod record;
mod sample;
mod scan;
mod shape;
mod shaped;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod value;
mod word;
mod write;

pub use base::{Hash, release_unused_shapes, shapes_heap_bytes};
pub use load::NotAHash;
pub use number::IncrementError;
pub use pinned::{PinnedHash, PinnedValues};
pub use read::Fields;
pub use value::{
    Condition, Entry as HashEntry, ExpireOutcome, FieldExpiry, HashLimits, NewExpiry, PersistOutcome,
    SetOutcome,
};
