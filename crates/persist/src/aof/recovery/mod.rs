//! From files to a data set: what is loaded, what of a damaged end is given up, and what is said about it.

mod decide;
mod load;
mod outcome;

pub use decide::{Decision, LoadSettings, Stopped, decide};
pub use load::{Load, load};
pub use outcome::{LoadError, Loaded};
