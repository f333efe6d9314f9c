//! Large arguments on their way in: each is received into memory of just its size.
//!
//! ```text
//!  sent:    *5 $4 MSET $1 a $67108864 ............... CR LF $1 b $67108864 ............... CR LF
//!  input:   *5 $4 MSET $1 a $67108864                 CR LF $1 b $67108864                 CR LF
//!  parts:                             [      0      ]                      [      1      ]
//! ```
//!
//! When a request ends within a large argument, what is there of it moves out of the input, the rest is received behind
//! that, and the parser is told to go on at the line end. So no byte of it is copied again: the part is the value that SET
//! stores. Parts belong to the request that the connection is receiving; once that is whole, they go along with it.
//!
//! A request that was taken and could not run goes back into the input in one piece. That copies, and is rare: clients
//! have to be paused meanwhile.

use std::io::Write;
use std::sync::Arc;

use ochre_engine::{Args, OwnedRequest, Parts};
use ochre_resp::{RequestParser, Span};
use ochre_types::LongString;

use crate::group::RECEIVE_BYTES;

/// Room for what a client has only announced; more comes as it is filled, because with huge pages all of it may be memory at
/// the first byte.
const PIECE_BYTES_MIN: usize = 64 * 1024;
/// A piece is so many times as large as what has come.
const PIECE_GROWTH: usize = 4;
/// Once so much has really come, there is room for all.
const PIECE_BYTES_MAX: usize = 1024 * 1024;

/// An argument that is being received.
struct Current {
    bytes: Vec<u8>,
    len: usize,
    /// The room that its client answers for: all of it from the start, as in Redis, where all of it is allocated then.
    /// So it does not depend on how much has come which client is the largest.
    counted_bytes: usize,
}

/// A request that is about to run, and where in the input is what is left of it.
struct Taken {
    request: Arc<OwnedRequest>,
    start: usize,
    end: usize,
}

/// The large arguments of the request that a connection is receiving.
#[derive(Default)]
pub struct LargeArguments {
    whole: Parts,
    current: Option<Current>,
    taken: Option<Taken>,
    /// The longest that was received lately, bytes.
    peak_bytes: usize,
}

impl LargeArguments {
    /// Whether one is being received. There is always room for more of it then.
    #[inline]
    pub fn is_receiving(&self) -> bool {
        self.current.is_some()
    }

    /// Has a large argument that the half-received request at `start` of the input ends with received by itself.
    pub fn begin(&mut self, parser: &RequestParser, input: &mut Vec<u8>, start: usize) {
        let half_received = input.get(start..).unwrap_or_default();
        if self.current.is_none()
            && let Some((offset, len)) = parser.large_argument_at_hand(half_received)
            && let Some(there) = half_received.get(offset..).filter(|there| there.len() < len)
        {
            // Whoever only announces it gets no room before more has come.
            self.current = Some(Current { bytes: there.to_vec(), len, counted_bytes: len });
            input.truncate(start + offset);
            // It waits for long now, and what it costs is not to depend on the pieces that came.
            input.shrink_to(RECEIVE_BYTES);
        }
    }

    /// Room for what is to be received of an argument of `len` bytes, `received` of which are there. Whoever only announces
    /// one gets room piece by piece, unless as much has come lately; behind those, room that nobody has written to is
    /// an address range and no memory yet.
    fn room_for(&self, received: usize, len: usize) -> usize {
        let is_believed = received >= PIECE_BYTES_MAX || len <= self.peak_bytes;
        let piece = received.saturating_mul(PIECE_GROWTH).max(PIECE_BYTES_MIN);
        if is_believed { len } else { len.min(piece) }
    }

    /// Where to receive into, with room for a part of what is missing and for nothing else.
    pub fn buffer(&mut self) -> Option<&mut Vec<u8>> {
        let room = self.current.as_ref().map(|current| self.room_for(current.bytes.len(), current.len))?;
        let Current { bytes, len, counted_bytes } = self.current.as_mut()?;
        *counted_bytes = *len;
        bytes.reserve_exact(room.saturating_sub(bytes.len()));
        Some(bytes)
    }

    /// To be called when something was received: one that is whole now is put to the others.
    pub fn note_received(&mut self, parser: &mut RequestParser) {
        if let Some(current) = self.current.take_if(|current| current.bytes.len() >= current.len) {
            self.peak_bytes = self.peak_bytes.max(current.len);
            parser.supply(current.len);
            self.whole.push(LongString::from(current.bytes));
        }
    }

    /// The request at `start..end` of the input, if it has large arguments: they become the request's own, also those that
    /// lie in the input.
    pub fn take(
        &mut self,
        input: &[u8],
        spans: &[Span],
        (start, end): (usize, usize),
    ) -> Option<Arc<OwnedRequest>> {
        if !spans.iter().any(|span| span.is_large()) {
            return None;
        }
        let whole = std::mem::take(&mut self.whole);
        let args = Args::new(input.get(start..end).unwrap_or_default(), spans).with_parts(&whole);
        let request = Arc::new(OwnedRequest::copy(args));
        if !whole.is_empty() {
            self.taken = Some(Taken { request: Arc::clone(&request), start, end });
        }
        Some(request)
    }

    /// To be called when all of the input up to `run` has run. If parsing is undone from there on, what was taken out of
    /// the input goes back.
    pub fn settle(&mut self, input: &mut Vec<u8>, run: usize, is_undone: bool) {
        if let Some(taken) = self.taken.take().filter(|taken| taken.start >= run && is_undone) {
            let _ = input.splice(taken.start..taken.end, encoded(taken.request.args()));
        }
        if is_undone {
            if let Some(current) = self.current.take() {
                input.extend_from_slice(&current.bytes);
            }
            self.whole = Parts::default();
        }
    }

    /// Bytes received.
    pub fn received_bytes(&self) -> usize {
        self.whole_bytes() + self.current_bytes()
    }

    /// Bytes of the one that is being received.
    pub fn current_bytes(&self) -> usize {
        self.current.as_ref().map_or(0, |current| current.bytes.len())
    }

    /// Bytes of those that are whole.
    pub fn whole_bytes(&self) -> usize {
        self.whole.memory_bytes()
    }

    /// Bytes of memory that they take, with what is still to come of the one that is being received. It is the same before and
    /// after one is whole.
    pub fn memory_bytes(&self) -> usize {
        self.whole.string_bytes() + self.current_bytes() + self.free_bytes()
    }

    /// Bytes of room for what is missing of the one that is being received, whether it is there already or not.
    pub fn free_bytes(&self) -> usize {
        let free_bytes = |current: &Current| current.counted_bytes.saturating_sub(current.bytes.len());
        self.current.as_ref().map_or(0, free_bytes)
    }

    /// Forgets how much came lately, and gives up free room if its client has gone quiet. To be called now and then.
    pub fn relax(&mut self, is_quiet: bool) {
        self.peak_bytes = 0;
        if is_quiet && let Some(current) = &mut self.current {
            current.bytes.shrink_to_fit();
            current.counted_bytes = current.bytes.len();
        }
    }
}

/// A request as it is sent.
fn encoded(args: Args<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(args.bytes() + 32 * args.len());
    // Writing to memory does not fail.
    let _ = write!(bytes, "*{}\r\n", args.len());
    for arg in args.iter() {
        let _ = write!(bytes, "${}\r\n", arg.len());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use ochre_resp::{Limits, PART_BYTES_MIN, Progress};

    use super::*;

    const LIMITS: Limits = Limits {
        multibulk_len_max: 1000,
        bulk_len_max: 1 << 29,
        inline_len_max: 1 << 16,
        authenticated: true,
    };

    fn request(words: &[&[u8]]) -> Vec<u8> {
        encoded(OwnedRequest::from_parts(&words.iter().map(|word| word.to_vec()).collect::<Vec<_>>()).args())
    }

    /// A connection as far as it receives.
    #[derive(Default)]
    struct Receiver {
        parser: RequestParser,
        large: LargeArguments,
        input: Vec<u8>,
        spans: Vec<Span>,
    }

    impl Receiver {
        /// Receives at most `max` bytes; how many that were.
        fn receive(&mut self, sent: &[u8], max: usize) -> usize {
            let Some(buffer) = self.large.buffer() else {
                let count = max.min(sent.len());
                self.input.extend_from_slice(&sent[..count]);
                return count;
            };
            let count = max.min(sent.len()).min(buffer.capacity() - buffer.len());
            assert!(count > 0, "there is room");
            buffer.extend_from_slice(&sent[..count]);
            self.large.note_received(&mut self.parser);
            count
        }

        /// Parses the request at `start`, if it is whole.
        fn parse(&mut self, start: usize) -> Option<(Arc<OwnedRequest>, usize)> {
            self.spans.clear();
            match self.parser.parse(&self.input[start..], &LIMITS, &mut self.spans).unwrap() {
                Progress::Complete { consumed } => {
                    let range = (start, start + consumed);
                    Some((self.large.take(&self.input, &self.spans, range).unwrap(), start + consumed))
                }
                Progress::Incomplete { .. } => {
                    self.large.begin(&self.parser, &mut self.input, start);
                    None
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn words(large: usize) -> [Vec<u8>; 6] {
        let value = |byte: u8| vec![byte; large];
        [b"MSET".to_vec(), b"a".to_vec(), value(b'x'), b"b".to_vec(), value(b'y'), b"c".to_vec()]
    }

    #[test]
    fn pieces_of_every_length_make_the_same_request() {
        let words = words(PART_BYTES_MIN + 3);
        let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
        let sent = [request(&words), request(&[b"next"])].concat();
        for piece in [7, 1000, 16_384, 65_536, 100_000, usize::MAX] {
            let mut receiver = Receiver::default();
            let mut at = 0;
            let (request, end) = loop {
                at += receiver.receive(&sent[at..], piece);
                if let Some(found) = receiver.parse(0) {
                    break found;
                }
                assert!(at < sent.len());
            };
            assert_eq!(request.args().iter().collect::<Vec<_>>(), words, "pieces of {piece}");
            assert!(piece > PART_BYTES_MIN / 2 || end < 100, "the input has {end} bytes of it");
            assert!(receiver.large.received_bytes() == 0 && !receiver.large.is_receiving());
            receiver.large.settle(&mut receiver.input, end, false);
            let rest = receiver.input.split_off(end);
            assert!(b"*1\r\n$4\r\nnext\r\n".starts_with(&rest));
        }
    }

    #[test]
    fn what_did_not_run_goes_back() {
        let words = words(PART_BYTES_MIN);
        let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
        let (before, sent) = (request(&[b"before"]), request(&words));
        // Half received behind another request that does not run.
        let mut receiver = Receiver { input: before.clone(), ..Receiver::default() };
        receiver.input.extend_from_slice(&sent[..50_000]);
        assert!(receiver.parse(before.len()).is_none());
        assert!(receiver.large.is_receiving() && receiver.input.len() < 100);
        receiver.large.settle(&mut receiver.input, 0, true);
        receiver.parser.reset();
        assert_eq!(receiver.input, [&before[..], &sent[..50_000]].concat());
        // Whole, behind another request that has run, and before the next one.
        let mut receiver = Receiver::default();
        let mut at = 0;
        while receiver.parse(0).is_none() {
            at += receiver.receive(&sent[at..], 30_000);
        }
        receiver.input.extend_from_slice(&before);
        receiver.large.settle(&mut receiver.input, 0, true);
        receiver.parser.reset();
        assert_eq!(receiver.input, [&sent[..], &before].concat());
        let (request, end) = receiver.parse(0).unwrap();
        assert_eq!((request.args().iter().collect::<Vec<_>>(), end), (words, sent.len()));
    }

    #[test]
    fn announcing_takes_no_memory() {
        let mut receiver =
            Receiver { input: b"*2\r\n$3\r\nGET\r\n$400000000\r\nx".to_vec(), ..Receiver::default() };
        assert!(receiver.parse(0).is_none());
        assert!(receiver.large.buffer().is_some_and(|buffer| buffer.capacity() <= PIECE_BYTES_MIN));
        assert_eq!(receiver.large.memory_bytes(), 400_000_000, "but counts");
        receiver.large.relax(true);
        assert_eq!(receiver.large.memory_bytes(), 1);
        let piece = vec![b'x'; PIECE_BYTES_MAX];
        let mut received = 1;
        while received < PIECE_BYTES_MAX {
            let most = (received * PIECE_GROWTH).max(PIECE_BYTES_MIN);
            let more = receiver.receive(&piece, usize::MAX);
            received += more;
            assert!(more > 0 && received <= most);
        }
        assert_eq!(receiver.large.buffer().map(|buffer| buffer.capacity()), Some(400_000_000));
        assert_eq!(receiver.large.memory_bytes(), 400_000_000);
    }
}
