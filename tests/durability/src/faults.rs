//! Full disks and folders that let nothing in, as clients see them.

use crate::campaign::Campaign;

/// Tries a fault: why it was left out, or nothing; what is wrong as the error.
pub type Fault = fn(&Campaign) -> Result<Option<String>, String>;

/// All of them, with their names.
pub const FAULTS: &[(&str, Fault)] = &[];
