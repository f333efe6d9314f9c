//! What waits to be written: pieces of the log, which know where in them headers of frames are to be filled, and requests at their
//! places between them.
//!
//! Pieces are short, so that what takes memory is little more than what waits: a buffer that doubles takes twice as much, and
//! what was written keeps the rest company until all of it is durable.

use super::super::record::{
    FRAME_BYTES, FRAME_HEADER_BYTES, push_frame_header, push_timestamp, write_frame_header,
};
use super::buffer::{Buffer, HeldBytes};
use super::request::Request;

/// A piece has so many bytes at most, unless it is a single unit.
pub(super) const PIECE_BYTES: usize = 1 << 20;
/// What a unit takes at most besides its own bytes.
const EXTRA_BYTES: usize = FRAME_HEADER_BYTES + 32;

/// A frame whose header is to be filled.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header_at: usize,
    seed: u64,
    /// Where it ends; 0 while it is open.
    end: usize,
}

/// Whole units of the log.
#[derive(Default)]
pub(super) struct Piece {
    buffer: Buffer,
    frames: Vec<Frame>,
    /// The journal's offset behind them.
    end: u64,
}

impl Piece {
    /// The bytes, with the headers of frames filled, and the journal's offset behind them.
    pub(super) fn seal(mut self) -> (Buffer, u64) {
        self.close_frame();
        for frame in &self.frames {
            write_frame_header(&mut self.buffer.bytes, frame.header_at, frame.end, frame.seed);
        }
        (self.buffer, self.end)
    }

    /// Makes room for so many bytes more, by doubling as long as that does not take it beyond the size of a piece.
    fn reserve(&mut self, more: usize) {
        let bytes = &mut self.buffer.bytes;
        let needed = bytes.len() + more;
        if needed > bytes.capacity() {
            let room = needed.max((bytes.capacity() * 2).min(PIECE_BYTES));
            bytes.reserve_exact(room - bytes.len());
        }
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
}

/// A piece, or a request, in the order of the log.
pub(super) enum Item {
    Piece(Piece),
    Request(Request),
}

/// What waits to be written.
#[derive(Default)]
pub(super) struct Pending {
    items: Vec<Item>,
    /// Behind all of them.
    last: Piece,
}

impl Pending {
    /// Nothing, with a buffer for what will come.
    pub(super) fn with_buffer(buffer: Buffer) -> Pending {
        Pending { items: Vec::new(), last: Piece { buffer, ..Piece::default() } }
    }

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
        let more = unit.len() + EXTRA_BYTES;
        if self.last.buffer.bytes.len() + more > PIECE_BYTES {
            self.begin_piece();
            // After one that is full, another one will be.
            self.last.reserve(more.max(PIECE_BYTES));
        }
        let piece = &mut self.last;
        piece.reserve(more);
        let before = piece.buffer.bytes.len();
        if timestamp_s.is_some() || !sums {
            piece.close_frame();
        }
        if let Some(seconds) = timestamp_s {
            push_timestamp(&mut piece.buffer.bytes, seconds);
        }
        if sums && !piece.has_open_frame() {
            let header_at = piece.buffer.bytes.len();
            piece.frames.push(Frame { header_at, seed: timestamp_s.unwrap_or(0), end: 0 });
            push_frame_header(&mut piece.buffer.bytes);
        }
        piece.buffer.bytes.extend_from_slice(unit);
        piece.end = end;
        piece.buffer.count(held);
        piece.close_full_frame();
        piece.buffer.bytes.len() - before
    }

    /// Has what comes next go into another piece.
    #[cold]
    fn begin_piece(&mut self) {
        let piece = std::mem::take(&mut self.last);
        if piece.buffer.bytes.is_empty() {
            // There may be a buffer to be used again.
            self.last.buffer = piece.buffer;
        } else {
            self.items.push(Item::Piece(piece));
        }
    }

    /// Places a request behind all there is.
    pub(super) fn place(&mut self, request: Request) {
        self.begin_piece();
        self.items.push(Item::Request(request));
    }

    /// Everything, in order; if the last piece is empty it is a buffer to be used again.
    pub(super) fn into_items(self) -> impl Iterator<Item = Item> {
        self.items.into_iter().chain([Item::Piece(self.last)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(pending: &mut Pending, end: &mut u64, len: usize, held: &HeldBytes) -> usize {
        *end += len as u64;
        pending.push(*end, &vec![b'u'; len], None, true, held)
    }

    /// Lengths and ends of the pieces, and places of requests among them as zeros.
    fn shape(pending: Pending) -> Vec<(usize, u64)> {
        let shape = pending.into_items().map(|item| match item {
            Item::Piece(piece) => (piece.buffer.bytes.len(), piece.end),
            Item::Request(_) => (0, 0),
        });
        shape.collect()
    }

    #[test]
    fn pieces_end_with_units_and_take_little_more_than_they_have() {
        let held = HeldBytes::default();
        for unit in [100, 5000, 300_000, PIECE_BYTES - 10, 3 * PIECE_BYTES] {
            let (mut pending, mut end, mut sum) = (Pending::default(), 0, 0);
            while end < 20 * PIECE_BYTES as u64 {
                sum += push(&mut pending, &mut end, unit, &held);
                assert!(
                    held.get() as usize <= sum + sum / 2 + PIECE_BYTES,
                    "{unit}: {} of {sum}",
                    held.get()
                );
            }
            let pieces = shape(pending);
            assert_eq!(pieces.iter().map(|(len, _)| len).sum::<usize>(), sum);
            assert!(
                pieces
                    .iter()
                    .all(|(len, end)| *len <= PIECE_BYTES.max(unit + EXTRA_BYTES) && end % unit as u64 == 0)
            );
            assert_eq!((pieces.last().map(|(_, end)| *end), held.get()), (Some(end), 0));
        }
    }

    #[test]
    fn requests_stand_between_pieces() {
        let (held, mut end) = (HeldBytes::default(), 0);
        let mut pending = Pending::with_buffer(Buffer::default());
        let close = || Request::Close { offset: None, done: Box::new(|_| {}) };
        pending.place(close());
        let len = push(&mut pending, &mut end, 10, &held);
        pending.place(close());
        pending.place(close());
        push(&mut pending, &mut end, 10, &held);
        assert_eq!(shape(pending), [(0, 0), (len, 10), (0, 0), (0, 0), (len, 20)]);
    }
}
