//! The data types, without I/O, clock or locks.

mod object;

pub use object::Object;
