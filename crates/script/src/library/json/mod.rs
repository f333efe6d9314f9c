//! The cjson library: values of Lua as JSON and back.
//!
//! Its settings are a table that all functions of one instance have as upvalue: `cjson.new` makes another, which goes
//! when nobody has it any more. Those of the first instance last for a run; in a server with one interpreter they last
//! for ever, but what one script set up in one worker must not depend on the worker that another meets.

mod decode;
mod encode;
mod number;
mod settings;

pub(crate) use decode::decode;
pub(crate) use encode::encode;
pub(crate) use settings::{
    JsonSettings, decode_array_with_array_mt, decode_invalid_numbers, decode_max_depth,
    encode_invalid_numbers, encode_keep_buffer, encode_max_depth, encode_number_precision,
    encode_sparse_array,
};
