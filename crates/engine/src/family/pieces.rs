//! A reply that was written elsewhere, in pieces of which none is ever moved: what is computed aside (see [`crate::aside`]) is
//! written there, too, as it will be sent.

use std::collections::VecDeque;

use ochre_resp::{Protocol, ReplyWriter};

use crate::call::Call;
use crate::sequel::Sequel;

/// Bytes of a piece, about.
const PIECE_BYTES: usize = 64 * 1024;

/// Elements of a reply, and how many.
pub(super) struct Pieces {
    protocol: Protocol,
    full: VecDeque<Vec<u8>>,
    full_bytes: usize,
    last: Vec<u8>,
    count: usize,
}

impl Pieces {
    pub(super) fn new(protocol: Protocol) -> Pieces {
        Pieces { protocol, full: VecDeque::new(), full_bytes: 0, last: Vec::new(), count: 0 }
    }

    /// Adds an element.
    #[inline]
    pub(super) fn add(&mut self, write: impl FnOnce(&mut ReplyWriter<'_>)) {
        write(&mut ReplyWriter::new(&mut self.last, self.protocol));
        self.count += 1;
        if self.last.len() >= PIECE_BYTES {
            let next = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
            self.full_bytes += self.last.len();
            self.full.push_back(std::mem::replace(&mut self.last, next));
        }
    }

    /// The number of elements.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of all elements.
    pub(super) fn bytes(&self) -> usize {
        self.full_bytes + self.last.len()
    }

    /// Whether they are better sent one piece at a time.
    fn are_many(&self) -> bool {
        !self.full.is_empty()
    }

    /// Replies them, behind their header.
    pub(super) fn reply(mut self, call: &mut Call<'_, '_>) {
        match self.are_many() {
            true => call.promise(Box::new(self)),
            false => drop(self.write(&mut call.reply, usize::MAX)),
        }
    }
}

impl Sequel for Pieces {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, _: usize) -> bool {
        match self.full.pop_front() {
            Some(piece) => reply.raw(&piece),
            None => reply.raw(&std::mem::take(&mut self.last)),
        }
        !self.full.is_empty() || !self.last.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_sent_as_they_were_written() {
        for (elements, are_many) in [(0, false), (3, false), (20_000, true)] {
            let (mut pieces, mut expected) = (Pieces::new(Protocol::Resp2), Vec::new());
            for number in 0..elements {
                pieces.add(|reply| reply.integer(number));
                ReplyWriter::new(&mut expected, Protocol::Resp2).integer(number);
            }
            assert_eq!((pieces.count(), pieces.are_many()), (elements as usize, are_many));
            assert_eq!(pieces.bytes(), expected.len());
            let mut out = Vec::new();
            while pieces.write(&mut ReplyWriter::new(&mut out, Protocol::Resp2), 100) {}
            assert!(out == expected, "{elements}");
        }
    }
}
