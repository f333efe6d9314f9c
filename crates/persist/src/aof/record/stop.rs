//! Why reading a log ended before its end.

use std::fmt;
use std::io;

/// What is wrong with the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Defect {
    /// A command does not begin with `*`.
    NoCommand,
    /// An argument does not begin with `$`.
    NoArgument,
    /// The digits of a header, or the end of its line.
    Header,
    /// A command without arguments.
    NoArguments,
    /// An argument, a transaction or a frame is longer than the limits allow.
    TooLong,
    /// An argument is not followed by the end of a line.
    LineEnd,
    /// An annotation that cannot be read.
    Annotation,
    /// The sum of a frame is another one.
    Sum,
    /// A frame ends inside a command or a transaction.
    FrameEnd,
    /// MULTI inside a transaction.
    NestedMulti,
    /// EXEC outside a transaction.
    ExecWithoutMulti,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Defect::NoCommand => "a command was expected",
            Defect::NoArgument => "an argument was expected",
            Defect::Header => "a header is malformed",
            Defect::NoArguments => "a command has no arguments",
            Defect::TooLong => "a length is out of range",
            Defect::LineEnd => "an argument is not followed by the end of a line",
            Defect::Annotation => "an annotation is malformed",
            Defect::Sum => "the checksum does not match",
            Defect::FrameEnd => "a checksum ends inside a command or a transaction",
            Defect::NestedMulti => "MULTI inside a transaction",
            Defect::ExecWithoutMulti => "EXEC outside a transaction",
        })
    }
}

/// Why reading ended.
#[derive(Debug)]
pub enum Stop {
    /// The file ends inside a command or a frame.
    Truncated {
        /// Whether that is inside a transaction.
        in_transaction: bool,
    },
    /// The bytes at this position are wrong.
    Corrupt {
        /// Position in the file.
        at: u64,
        /// What is wrong.
        defect: Defect,
    },
    /// The disk failed.
    Disk(io::Error),
}
