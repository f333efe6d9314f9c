//! What a connection is to be sent once the log is durable up to some place (`appendfsync always`).

use std::collections::VecDeque;

/// Bytes that wait for the log, in order, each piece with the journal's offset that it waits for.
#[derive(Default)]
pub struct Held {
    bytes: Vec<u8>,
    pieces: VecDeque<Piece>,
}

struct Piece {
    offset: u64,
    len: usize,
}

impl Held {
    /// Adds bytes that wait for `offset`, and for those before them.
    pub fn push(&mut self, offset: u64, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        match self.pieces.back_mut() {
            Some(last) if last.offset >= offset => last.len += bytes.len(),
            _ => self.pieces.push_back(Piece { offset, len: bytes.len() }),
        }
    }

    /// What the first bytes wait for.
    pub fn offset(&self) -> Option<u64> {
        self.pieces.front().map(|piece| piece.offset)
    }

    /// Takes the bytes that wait for no more than what `may_go`.
    pub fn take(&mut self, may_go: impl Fn(u64) -> bool) -> Vec<u8> {
        let mut len = 0;
        while let Some(piece) = self.pieces.pop_front_if(|piece| may_go(piece.offset)) {
            len += piece.len;
        }
        let rest = self.bytes.split_off(len.min(self.bytes.len()));
        std::mem::replace(&mut self.bytes, rest)
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_go_in_order_and_not_before_their_offset() {
        let mut held = Held::default();
        for (offset, bytes) in [(5, "a"), (9, "bc"), (7, "d"), (12, "ef")] {
            held.push(offset, bytes.as_bytes());
        }
        assert_eq!((held.offset(), held.len()), (Some(5), 6));
        for (durable, expected) in [(4, ""), (8, "a"), (9, "bcd"), (20, "ef"), (20, "")] {
            assert_eq!(held.take(|offset| offset <= durable), expected.as_bytes(), "{durable}");
        }
        assert!(held.is_empty() && held.offset().is_none());
    }
}
