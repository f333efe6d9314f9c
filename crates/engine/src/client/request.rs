//! A request with memory of its own.
//!
//! Small arguments lie one behind the other in a buffer. Large ones are strings by themselves, *parts*: who keeps the
//! request for longer shares them, and who stores one takes it as it is. So the megabytes of a large argument are touched
//! once, when they are received, and never while a key is locked.

use ochre_resp::{PART_BYTES_MIN, PARTS_MAX, Span};
use ochre_types::LongString;
use smallvec::SmallVec;

use crate::call::Args;

/// The large arguments of a request, in their order.
#[derive(Clone, Debug, Default)]
pub struct Parts(Vec<LongString>);

impl Parts {
    /// Adds the next one.
    pub fn push(&mut self, part: LongString) {
        self.0.push(part);
    }

    /// The argument that a span stands for, if it is one of these.
    #[inline]
    pub fn get(&self, span: Span) -> Option<&LongString> {
        self.0.get(span.part_index()?)
    }

    /// The one whose bytes these are: the same memory, not just the same contents.
    pub fn holding(&self, bytes: &[u8]) -> Option<&LongString> {
        self.0.iter().find(|part| std::ptr::eq::<[u8]>(&***part, bytes))
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of the strings themselves.
    pub fn string_bytes(&self) -> usize {
        self.0.iter().map(LongString::capacity).sum()
    }

    /// Bytes that they take.
    pub fn memory_bytes(&self) -> usize {
        self.0.iter().map(LongString::heap_bytes).sum::<usize>() + self.0.capacity() * size_of::<LongString>()
    }
}

/// A request with memory of its own. A short one has none beside itself: transactions queue many of them.
#[derive(Clone, Debug, Default)]
pub struct OwnedRequest {
    buffer: SmallVec<[u8; SHORT_BYTES]>,
    spans: SmallVec<[Span; SHORT_ARGS]>,
    parts: Parts,
}

const SHORT_BYTES: usize = 32;
const SHORT_ARGS: usize = 4;

impl OwnedRequest {
    /// A copy of a request; it shares what has memory of its own.
    pub fn copy(args: Args<'_>) -> OwnedRequest {
        let small_bytes = args.iter().map(<[u8]>::len).filter(|len| *len < PART_BYTES_MIN).sum();
        let mut request = OwnedRequest {
            buffer: SmallVec::with_capacity(small_bytes),
            spans: SmallVec::with_capacity(args.len()),
            parts: Parts::default(),
        };
        args.iter().for_each(|arg| match args.part(arg) {
            Some(part) if request.parts.len() < PARTS_MAX => request.push_part(part.share()),
            _ => request.push(arg),
        });
        request
    }

    /// A request of these arguments.
    pub fn from_parts(parts: &[Vec<u8>]) -> OwnedRequest {
        let mut request = OwnedRequest::default();
        parts.iter().for_each(|part| request.push(part));
        request
    }

    fn push(&mut self, arg: &[u8]) {
        if arg.len() >= PART_BYTES_MIN && self.parts.len() < PARTS_MAX {
            return self.push_part(LongString::from(arg.to_vec()));
        }
        self.spans.push(Span { start: self.buffer.len() as u32, len: arg.len() as u32 });
        self.buffer.extend_from_slice(arg);
    }

    fn push_part(&mut self, part: LongString) {
        self.spans.push(Span::part(self.parts.len(), part.len()));
        self.parts.push(part);
    }

    /// The arguments.
    pub fn args(&self) -> Args<'_> {
        Args::new(&self.buffer, &self.spans).with_parts(&self.parts)
    }

    /// Bytes that it takes beside itself.
    pub fn memory_bytes(&self) -> usize {
        let buffer = if self.buffer.spilled() { self.buffer.capacity() } else { 0 };
        let spans = if self.spans.spilled() { self.spans.capacity() * size_of::<Span>() } else { 0 };
        buffer + spans + self.parts.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_arguments_are_shared_and_small_ones_are_copied() {
        let large = vec![b'x'; PART_BYTES_MIN];
        let words =
            [b"mset".to_vec(), b"a".to_vec(), large.clone(), b"b".to_vec(), vec![b'y'; 2 * PART_BYTES_MIN]];
        let request = OwnedRequest::from_parts(&words);
        let copy = OwnedRequest::copy(request.args());
        for request in [&request, &copy] {
            let args: Vec<&[u8]> = request.args().iter().collect();
            assert_eq!(args, words);
            assert_eq!(request.parts.len(), 2);
            assert!(request.buffer.len() < 10);
        }
        let at = |request: &OwnedRequest, index| request.args().at(index).as_ptr();
        assert_eq!((at(&request, 2), at(&request, 4)), (at(&copy, 2), at(&copy, 4)));
        assert_ne!(at(&request, 0), at(&copy, 0));
        assert!(copy.memory_bytes() > 3 * PART_BYTES_MIN);
    }

    #[test]
    fn a_part_is_known_by_its_memory() {
        let request = OwnedRequest::from_parts(&[b"set".to_vec(), vec![b'x'; PART_BYTES_MIN]]);
        let args = request.args();
        assert!(args.part(args.at(1)).is_some_and(|part| part.as_ptr() == args.at(1).as_ptr()));
        assert!(args.part(&vec![b'x'; PART_BYTES_MIN]).is_none(), "the same bytes elsewhere");
        assert!(args.part(args.at(0)).is_none() && args.part(&args.at(1)[1..]).is_none());
        assert_eq!(args.bytes(), 3 + PART_BYTES_MIN);
        assert!(args.bytes_max() >= args.bytes());
        let ends_small = OwnedRequest::from_parts(&[vec![b'x'; PART_BYTES_MIN], b"end".to_vec()]);
        assert!(ends_small.args().bytes_max() >= ends_small.args().bytes());
    }
}
