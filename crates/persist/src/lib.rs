//! Values as bytes on disk.
//!
//! - [`rdb`]: snapshots in Redis's format, DUMP payloads, and the tool that checks files

pub mod rdb;
