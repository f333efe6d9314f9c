//! What waits to be written: the bytes, which of them are headers of frames, and requests with their places.

use super::super::record::{
    FRAME_BYTES, FRAME_HEADER_BYTES, push_frame_header, push_timestamp, write_frame_header,
};
use super::buffer::{Buffer, HeldBytes};
use super::request::Request;

/// A frame whose header is to be filled.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header_at: usize,
    seed: u64,
    /// Where it ends; 0 while it is open.
    end: usize,
}

/// A request and its place.
pub(super) struct Placed {
    pub(super) at: usize,
    /// The journal's offset there, `None` at the very start.
    pub(super) offset: Option<u64>,
    pub(super) request: Request,
}

/// What waits to be written.
#[derive(Default)]
pub(super) struct Pending {
    buffer: Buffer,
    frames: Vec<Frame>,
    pub(super) requests: Vec<Placed>,
    /// The journal's offset behind the bytes.
    pub(super) end: u64,
}

impl Pending {
    /// Adds a unit that ends at `end` of the journal, perhaps after a timestamp. The number of bytes that this takes.
    #[inline]
    pub(super) fn push(
        &mut self,
        end: u64,
        unit: &[u8],
        timestamp_s: Option<u64>,
        sums: bool,
        held: &HeldBytes,
    ) -> usize {
        let before = self.buffer.bytes.len();
        if timestamp_s.is_some() || !sums {
            self.close_frame();
        }
        if let Some(seconds) = timestamp_s {
            push_timestamp(&mut self.buffer.bytes, seconds);
        }
        if sums && !self.has_open_frame() {
            let header_at = self.buffer.bytes.len();
            self.frames.push(Frame { header_at, seed: timestamp_s.unwrap_or(0), end: 0 });
            push_frame_header(&mut self.buffer.bytes);
        }
        self.buffer.bytes.extend_from_slice(unit);
        self.end = end;
        self.buffer.count(held);
        self.close_full_frame();
        self.buffer.bytes.len() - before
    }

    fn has_open_frame(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.end == 0)
    }

    fn close_full_frame(&mut self) {
        let len = self.buffer.bytes.len();
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.end == 0)
            && len - frame.header_at >= FRAME_BYTES + FRAME_HEADER_BYTES
        {
            frame.end = len;
        }
    }

    fn close_frame(&mut self) {
        let len = self.buffer.bytes.len();
        self.frames.last_mut().into_iter().filter(|frame| frame.end == 0).for_each(|frame| frame.end = len);
    }

    /// Places a request behind all there is.
    pub(super) fn place(&mut self, request: Request) {
        self.close_frame();
        let offset = (!self.buffer.bytes.is_empty()).then_some(self.end);
        self.requests.push(Placed { at: self.buffer.bytes.len(), offset, request });
    }

    /// Fills the headers, and gives the bytes out in exchange for an empty buffer.
    pub(super) fn seal(&mut self, empty: Buffer) -> Buffer {
        self.close_frame();
        for frame in self.frames.drain(..) {
            write_frame_header(&mut self.buffer.bytes, frame.header_at, frame.end, frame.seed);
        }
        std::mem::replace(&mut self.buffer, empty)
    }
}
