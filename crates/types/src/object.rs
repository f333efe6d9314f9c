//! What a key holds when it does not fit into the entry itself.
//!
//! Small strings and integers live inside their table entry and never become an [`Object`]; everything that grows or
//! has a structure of its own does. One variant per data type; the encodings within a type are private to it.

use crate::string::LongString;

/// A value with memory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A string too long for its entry, always of the `raw` encoding.
    String(LongString),
}

impl Object {
    /// The name that TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Object::String(_) => "string",
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self {
            Object::String(_) => "raw",
        }
    }

    /// How many allocations freeing this value takes, roughly: what decides whether it is freed elsewhere.
    pub fn free_effort(&self) -> usize {
        match self {
            Object::String(_) => 1,
        }
    }

    /// Bytes allocated behind the value, by capacity.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Object::String(string) => string.heap_bytes(),
        }
    }
}
