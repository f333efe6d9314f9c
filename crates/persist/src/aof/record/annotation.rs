//! Lines between commands that begin with `#`: Redis 7 and later skip them.
//!
//! `#TS:1700000000\r\n` says when the commands behind it ran, in seconds; `check_aof` can cut a log off at a time. The sum of
//! a frame is one as well (`frame.rs`). Others are skipped.

use super::frame::FrameHeader;
use super::stop::Defect;

/// No annotation is longer, its end included.
pub(super) const ANNOTATION_BYTES_MAX: usize = 1024;

/// An annotation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Annotation {
    /// A time in seconds.
    Timestamp(u64),
    /// What the sum of the following bytes is.
    Frame(FrameHeader),
    /// Something else.
    Other,
}

/// Reads an annotation, without the end of its line.
pub(crate) fn parse(line: &[u8]) -> Result<Annotation, Defect> {
    if let Some(digits) = line.strip_prefix(b"#TS:") {
        let seconds = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        return seconds.map(Annotation::Timestamp).ok_or(Defect::Annotation);
    }
    match line.strip_prefix(b"#SUM:") {
        Some(rest) => FrameHeader::parse(rest).map(Annotation::Frame).ok_or(Defect::Annotation),
        None => Ok(Annotation::Other),
    }
}

/// Appends a timestamp.
pub fn push_timestamp(out: &mut Vec<u8>, seconds: u64) {
    out.extend_from_slice(b"#TS:");
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    out.extend_from_slice(b"\r\n");
}
