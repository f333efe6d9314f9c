//! What threads share things by, in files that `tests/interleavings` runs with its own in its place.

pub use parking_lot::Mutex;
pub use std::sync::atomic;
pub use std::{hint, thread};

pub(crate) use crate::threads;
