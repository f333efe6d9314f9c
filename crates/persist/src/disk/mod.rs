//! The disk: a small trait, the real one, and a twin in memory that fails and loses power when a test says so.

mod error;
mod faces;
mod file;
mod lock;
mod real;
mod stream;
mod twin;

pub use error::DiskError;
pub(crate) use error::reason;
pub use faces::{Access, Disk, Kind};
pub use file::{DiskFile, read_exact_at, read_full_at, write_all_at};
pub use lock::DirLock;
pub use real::RealDisk;
pub use stream::{FileReader, FileWriter};
pub use twin::{Call, Choose, EveryChoice, Fault, Seeded, TwinDisk};
