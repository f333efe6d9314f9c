//! A disk in memory, for tests: any call fails when the test says so, and the power goes when the test says so.

mod choose;
mod crash;
mod disk;
mod fault;
mod world;

pub use choose::{Choose, EveryChoice, Seeded};
pub use disk::TwinDisk;
pub use fault::{Call, Fault};
