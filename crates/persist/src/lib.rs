//! What survives the process.
//!
//! Everything here reaches the disk through [`disk`], so that tests can let any call fail and cut the power at any moment.

pub mod aof;
pub mod check_aof;
pub mod disk;
pub mod rdb;
mod sync;
