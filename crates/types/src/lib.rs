//! The data types, without I/O, clock, locks or configuration: they know no clients, no keys' lifetimes and no
//! replies, only values. Whatever they need from outside (limits, random numbers) is an argument.
//!
//! - `number`: numbers in the text of arguments and replies
//! - `long_double`: the 80-bit arithmetic of INCRBYFLOAT
//! - `string`: what the string commands compute: ranges, sizes, encodings, digests, longest common subsequences
//! - `list`: lists
//! - `listpack`: short strings and integers in one run of bytes, in Redis's own layout
//! - `lzf`: the compression of RDB files and of the middle of lists
//! - `glob`: the patterns of KEYS, SCAN, PSUBSCRIBE and CONFIG GET
//! - `object`: what a key holds when it does not fit into its entry
//! - `stream`: streams with consumer groups
//! - `random`: a small seeded generator for sampling

mod glob;
pub mod list;
pub mod listpack;
mod long_double;
pub mod lzf;
mod number;
mod object;
mod random;
pub mod stream;
mod string;

pub use glob::{Case, glob_match};
pub use long_double::LongDouble;
pub use number::{
    format_f64, is_int_encodable, parse_f64, parse_i64, parse_u64, parse_u64_lenient, push_f64,
};
pub use object::Object;
pub use random::Rng;
pub use string::{
    CommonSubsequence, DIGEST_LEN, Digest, DigestLengthError, EMBSTR_KEY_AND_VALUE_LEN_MAX, LcsError,
    MatchRange, StrEncoding, StringTooLong, get_range, increment, lcs, lcs_len, set_range_len,
};
