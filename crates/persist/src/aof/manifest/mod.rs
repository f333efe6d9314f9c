//! Which files make up the log: the manifest, a text that Redis and Valkey read and write too.

mod entry;
mod error;
mod list;
mod parse;

#[cfg(test)]
mod tests;

pub use entry::{Entry, Role};
pub use error::{ManifestError, ManifestFault};
pub use list::Manifest;
