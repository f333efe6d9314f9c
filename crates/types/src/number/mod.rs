//! Numbers as texts: what an argument or a stored string must look like to count as a number, and how a double
//! is written in a reply.

mod binary;
mod double;
mod format;
mod grisu;
mod integer;

pub(crate) use binary::{
    Format, Rounded, is_hex_float, parse_exponent, parse_hex, round, shift_right_to_even,
};
pub use double::parse_f64;
pub use format::{format_f64, push_f64, push_f64_17, push_f64_digits};
pub use integer::{is_int_encodable, parse_i64, parse_u64, parse_u64_lenient};
