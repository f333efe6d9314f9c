//! A function that a library has registered.

use crate::flags::ScriptFlags;
use crate::lua::Reference;

/// A function, as FUNCTION LIST shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionRecord {
    /// Its name.
    pub name: Vec<u8>,
    /// What it says of itself.
    pub description: Option<Vec<u8>>,
    /// What it declares.
    pub flags: ScriptFlags,
}

/// What a library has registered so far while it is being loaded.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    /// The functions, in order, each with what to call.
    pub(crate) functions: Vec<(FunctionRecord, Reference)>,
}

/// Whether a library or a function may have this name.
pub(crate) fn is_valid_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The error for other names; it says libraries for functions too, as Redis's does.
pub(crate) const INVALID_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";
