//! The bytes of a log: commands, transactions, annotations, and how a file of them is read.

mod annotation;
mod command;
mod frame;
mod reader;
mod stop;
mod tail;
mod unit;
mod window;

#[cfg(test)]
mod tests;

pub use annotation::push_timestamp;
pub(crate) use annotation::{Annotation, parse as parse_annotation};
pub use command::Command;
pub use frame::{FRAME_BYTES, FRAME_HEADER_BYTES, push_frame_header, write_frame_header};
pub(crate) use frame::{FrameHeader, disown_frame, push_frame_header_of};
pub use reader::{ReadLimits, Reader};
pub use stop::{Defect, Stop};
pub(crate) use tail::{Tail, look as look_at_tail};
pub use unit::Unit;
