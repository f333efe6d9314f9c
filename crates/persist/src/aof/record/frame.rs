//! Sums over frames of whole units.
//!
//! RESP itself cannot tell a value from another of the same length, so a flipped bit or a sector that did not reach the disk
//! would load as data. Before every few units the writer puts an annotation, which peers skip:
//!
//! ```text
//! #SUM:0000000123:0123456789abcdef\r\n
//! ```
//!
//! the number of bytes behind it that belong to the frame, and their XXH3 with the timestamp right before the frame as its
//! seed (0 without one), both in hexadecimal digits. A frame ends between two units; nothing of it is applied before all of
//! it was compared. What a peer appended has no frames, and is read as a peer would read it.
//!
//! A frame has some 4 KiB, so that a log that was cut off loses little more than what was cut (the units of a frame that is
//! not whole cannot be told from torn ones, unless they end with a whole unit: `tail.rs`), and the sums take 0.8 % of the bytes at most where units are short. Units of a
//! client that waits for each reply get a frame each. Rejected: a sum behind the frame (its units would be applied before
//! they are compared), a sum per unit (a third of the bytes of short commands).

use std::io;

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::disk::{DiskFile, write_all_at};

/// A frame is closed once it has so many bytes.
pub const FRAME_BYTES: usize = 4096;
/// Bytes of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 34;

/// What a frame's header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FrameHeader {
    pub(crate) len: u64,
    sum: u64,
}

impl FrameHeader {
    /// Reads what follows the word.
    pub(super) fn parse(rest: &[u8]) -> Option<FrameHeader> {
        let (len, sum) = (rest.get(..10)?, rest.get(11..)?);
        if rest.get(10) != Some(&b':') || sum.len() != 16 {
            return None;
        }
        Some(FrameHeader { len: hexadecimal(len)?, sum: hexadecimal(sum)? })
    }

    /// Whether the sum is that of `bytes`. A timestamp may be the last thing that somebody else left, and not the frame's.
    pub(crate) fn matches(&self, bytes: &[u8], timestamp_s: u64) -> bool {
        let sum = |seed| xxh3_64_with_seed(bytes, seed);
        bytes.len() as u64 == self.len
            && (sum(timestamp_s) == self.sum || timestamp_s != 0 && sum(0) == self.sum)
    }
}

/// Only the digits that the writer uses: another spelling of the same number is damage.
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number: u64, digit| match digit {
        b'0'..=b'9' => Some(number << 4 | u64::from(digit - b'0')),
        b'a'..=b'f' => Some(number << 4 | u64::from(digit - b'a' + 10)),
        _ => None,
    })
}

/// Appends room for a header, which [`write_frame_header`] fills once the frame is closed.
pub fn push_frame_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&[b' '; FRAME_HEADER_BYTES]);
}

/// Fills the header at `header_at` of the frame behind it that ends at `end`.
///
/// # Panics
/// Where `header_at` and `end` are not those of a frame in `bytes`.
pub fn write_frame_header(bytes: &mut [u8], header_at: usize, end: usize, seed: u64) {
    let body = &bytes[header_at + FRAME_HEADER_BYTES..end];
    let header = header(body.len(), xxh3_64_with_seed(body, seed));
    bytes[header_at..header_at + FRAME_HEADER_BYTES].copy_from_slice(header.as_bytes());
}

/// Appends the header of a frame of these pieces, which are to be written behind it.
pub(crate) fn push_frame_header_of(out: &mut Vec<u8>, pieces: &[&[u8]], seed: u64) {
    let mut sum = Xxh3::with_seed(seed);
    pieces.iter().for_each(|piece| sum.update(piece));
    let len = pieces.iter().map(|piece| piece.len()).sum();
    out.extend_from_slice(header(len, sum.digest()).as_bytes());
}

/// Makes the header at `position` of a file one of no frame: its units are as those that a peer appended. Written with a single
/// byte, of which there is no half.
///
/// # Errors
/// Those of the disk.
pub(crate) fn disown_frame(file: &mut dyn DiskFile, position: u64) -> io::Result<()> {
    write_all_at(file, position + 1, b"X")?;
    file.sync_data()
}

fn header(len: usize, sum: u64) -> String {
    assert!((len as u64) < 1 << 40, "a frame of a terabyte");
    format!("#SUM:{len:010x}:{sum:016x}\r\n")
}
