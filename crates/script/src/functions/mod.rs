//! Libraries of functions: their texts, and the registry of their names.

mod library;
mod registry;

pub use library::{Library, LibraryMetadata};
pub use registry::{FunctionEntry, FunctionRegistry, RestorePolicy};
