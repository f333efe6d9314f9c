//! HyperLogLog: how many different elements a set has, estimated from 16,384 registers of six bits.
//!
//! Every element is hashed. Fourteen bits of the hash choose a register, which keeps the longest run of zeros, plus one,
//! that it has seen in the rest (Flajolet et al. 2007); the estimate from the registers' histogram is Ertl's (2017).
//!
//! A HyperLogLog is a string like any other: clients may read it with GET, keep it elsewhere and SET it again, on another
//! server if they like. So its bytes are those of Redis, to the bit:
//!
//! ```text
//!  0      4        5            8                          16
//! +------+--------+------------+--------------------------+-----------------+
//! | HYLL | 0 or 1 | unused (3) | cardinality, 8 bytes,    | registers ...   |
//! |      |        |            | top bit: out of date     |                 |
//! +------+--------+------------+--------------------------+-----------------+
//! ```
//!
//! Registers are either dense (`0`, see `dense`) or sparse (`1`, see `sparse`); they begin sparse and become dense once
//! that is longer than a limit, or a register needs a larger number. And since clients may SET anything, nothing in
//! such a string is believed: what does not fit is an error, [`NotAHyperLogLog`] for a header and [`Corrupt`] for
//! registers.

mod dense;
mod estimate;
mod hash;
mod header;
mod packed;
mod registers;
mod sketch;
mod sparse;

pub use header::{Encoding, NotAHyperLogLog};
pub use registers::{Registers, SketchUnion};
pub use sketch::HyperLogLog;
pub use sparse::{Corrupt, Opcode};
