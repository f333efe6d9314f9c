//! What the string commands compute, as functions of bytes and numbers.

mod bit_matrix;
mod digest;
mod encoding;
mod lcs;
mod long;
mod range;

pub use digest::{DIGEST_LEN, Digest, DigestLengthError};
pub use encoding::{EMBSTR_KEY_AND_VALUE_LEN_MAX, StrEncoding};
pub use lcs::{CommonSubsequence, LcsError, MatchRange, lcs, lcs_len};
pub use long::LongString;
pub use range::{StringTooLong, get_range, increment, set_range_len};
