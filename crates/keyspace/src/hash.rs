//! The one hash from which a key's stripe, its place in the table and its SCAN order come: the upper 48 bits are its
//! position (stripe, then directory, then line).

pub use ochre_table::{Hasher, Key, KeyHash, POSITION_BITS, Seen};
