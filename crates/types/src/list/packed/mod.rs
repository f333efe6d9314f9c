//! The packed node of a long list.
//!
//! - `node`: its layout, room, and index
//! - `ends`: pushing and popping
//! - `edit`: changes in the middle, splitting, joining
//! - `read`: seeking, walking, looking for a value

mod edit;
mod ends;
mod node;
mod read;
#[cfg(test)]
mod tests;

pub(super) use node::{Element, Packed, Room};
