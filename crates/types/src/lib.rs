//! The data types, without I/O, clock, locks or configuration: they know no clients, no keys' lifetimes and no
//! replies, only values. Whatever they need from outside (limits, random numbers) is an argument. One thing is shared
//! behind locks: the field names that many hashes have in common (`hash/shape`).
//!
//! - `number`: numbers in the text of arguments and replies
//! - `long_double`: the 80-bit arithmetic of INCRBYFLOAT
//! - `string`: what the string commands compute: ranges, sizes, encodings, digests, longest common subsequences
//! - `geo`: places on the earth as scores, distances, areas to search
//! - `hash`: fields with values and times, in four encodings
//! - `list`: lists
//! - `listpack`: short strings and integers in one run of bytes, in Redis's own layout or a shorter one
//! - `lzf`: the compression of RDB files and of the middle of lists
//! - `set`: members without order, and what several sets have in common
//! - `zset`: members with scores, in the order of the scores
//! - `bitmap`: strings as rows of bits: counts, operations, fields
//! - `geo`: places on the earth as scores, distances, areas to search
//! - `hyperloglog`: estimates of how many different elements a set has
//! - `stream`: append-only logs with consumer groups
//! - `glob`: the patterns of KEYS, SCAN, PSUBSCRIBE and CONFIG GET
//! - `portion`: how much of a pinned value is read at a time
//! - `object`: what a key holds when it does not fit into its entry
//! - `shared_deque`: what lists and streams keep their nodes in, so that they can be read as they were
//! - `random`: a small seeded generator for sampling

mod bitmap;
mod geo;
mod glob;
pub mod hash;
mod hyperloglog;
pub mod list;
pub mod listpack;
mod long_double;
pub mod lzf;
mod number;
mod object;
mod portion;
mod random;
pub mod set;
mod shared_deque;
pub mod stream;
mod string;
mod wide;
pub mod zset;

pub use bitmap::{
    BitOperation, FieldChange, FieldKind, Overflow, RangeUnit, bit_offset, combine, count_ones, counted_bits,
    find_bit, get_bit, get_field, searched_bits, set_bit, set_field,
};
pub use geo::{
    Area, DistanceUnit, GEOHASH_LEN, Position, Shape, geohash_text, push_distance, score_of, score_ranges,
};
pub use glob::{Case, glob_match, has_wildcards};
pub use hyperloglog::{Corrupt, Encoding, HyperLogLog, NotAHyperLogLog, Opcode, Registers, SketchUnion};
pub use long_double::LongDouble;
pub use number::{
    format_f64, is_int_encodable, parse_f64, parse_i64, parse_u64, parse_u64_lenient, push_f64, push_f64_17,
    push_f64_digits,
};
pub use object::{DataType, Object, ObjectMut, ObjectRef, Pinned};
pub use portion::Portion;
pub use random::Rng;
pub use string::{
    CommonSubsequence, DIGEST_LEN, Digest, DigestLengthError, EMBSTR_KEY_AND_VALUE_LEN_MAX, LcsError,
    LongString, MatchRange, StrEncoding, StringTooLong, get_range, increment, lcs, lcs_len, set_range_len,
};
pub use wide::use_wide_instructions;
