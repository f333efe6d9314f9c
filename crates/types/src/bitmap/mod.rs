//! Bitmaps: strings seen as rows of bits.
//!
//! Bit 0 is the most significant bit of the first byte, and behind its last byte a string goes on with zeros. All
//! functions take strings as slices; none of them allocates but [`combine`], which makes a new string.
//!
//! - `range`: which bits a pair of indexes means
//! - `count`: how many bits are set, and where the first one is
//! - `operation`: AND, OR, XOR and their relatives over many strings
//! - `field`: integers of any width at any bit

mod count;
mod field;
mod operation;
mod range;

pub use count::{count_ones, find_bit};
pub use field::{FieldChange, FieldKind, Overflow, get_bit, get_field, set_bit, set_field};
pub use operation::{BitOperation, combine};
pub use range::{RangeUnit, bit_offset, counted_bits, searched_bits};
