//! The rest of replies whose elements have to be found first: nobody knows how many there are before the last one was looked at,
//! and the header tells it (see [`crate::Sequel`]).
//!
//! They are found part by part and written, as they will be sent, into pieces of which none is ever moved; then the header
//! goes out, then piece by piece what was found.

use std::collections::VecDeque;

use ochre_resp::ReplyWriter;

use crate::sequel::Sequel;

/// Bytes of a piece, about.
const PIECE_BYTES: usize = 64 * 1024;

/// What a step has found.
pub(super) struct Found {
    /// How many replies it has written.
    pub(super) count: usize,
    /// Whether there may be more.
    pub(super) more: bool,
}

/// Elements that are being found, then shown.
pub(super) struct Gathered<F> {
    /// Finds some more, of about so many bytes, and writes them.
    find: F,
    /// Writes what stands before them, given their number.
    begin: fn(&mut ReplyWriter<'_>, usize),
    count: usize,
    pieces: VecDeque<Vec<u8>>,
    has_begun: bool,
}

impl<F: FnMut(&mut ReplyWriter<'_>, usize) -> Found + Send> Gathered<F> {
    pub(super) fn new(begin: fn(&mut ReplyWriter<'_>, usize), find: F) -> Gathered<F> {
        Gathered { find, begin, count: 0, pieces: VecDeque::new(), has_begun: false }
    }
}

impl<F: FnMut(&mut ReplyWriter<'_>, usize) -> Found + Send> Sequel for Gathered<F> {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        if self.has_begun {
            self.pieces.pop_front().into_iter().for_each(|piece| reply.raw(&piece));
            return !self.pieces.is_empty();
        }
        let bytes = bytes.min(PIECE_BYTES);
        let mut piece = Vec::with_capacity(bytes);
        let found = (self.find)(&mut ReplyWriter::new(&mut piece, reply.protocol()), bytes);
        self.count += found.count;
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
        if !found.more {
            (self.begin)(reply, self.count);
            self.has_begun = true;
        }
        !self.has_begun || !self.pieces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use ochre_resp::Protocol;

    use super::*;

    #[test]
    fn what_is_found_in_steps_is_replied_behind_its_number() {
        for steps in [1, 2, 5] {
            let mut step = 0;
            let find = move |reply: &mut ReplyWriter<'_>, _: usize| {
                step += 1;
                let count = if step % 2 == 0 { 0 } else { 3 };
                (0..count).for_each(|_| reply.integer(step));
                Found { count, more: step < steps }
            };
            let mut sequel = Gathered::new(|reply, count| reply.array(count), find);
            let mut out = Vec::new();
            while sequel.write(&mut ReplyWriter::new(&mut out, Protocol::Resp2), usize::MAX) {}
            let numbers = (1..=steps).filter(|step| step % 2 == 1);
            let lines: Vec<String> = numbers.flat_map(|step| vec![format!(":{step}\r\n"); 3]).collect();
            let expected = format!("*{}\r\n{}", lines.len(), lines.concat());
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
