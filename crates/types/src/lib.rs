//! The data types, without I/O, clock or locks.
