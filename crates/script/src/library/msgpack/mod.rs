//! The cmsgpack library: values of Lua as MessagePack and back.

mod pack;
mod unpack;

pub(crate) use pack::pack;
pub(crate) use unpack::{unpack, unpack_limit, unpack_one};
