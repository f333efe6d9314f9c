//! A string with memory of its own: too long for its table entry, or changed in place.
//!
//! A large value arrives in a buffer of just its request's size, of which it is nearly the whole. Copying it out would
//! touch as many fresh pages again, and that is what large values cost most: so the string takes the buffer over. The
//! request that it came with may still be read by others meanwhile (the journal, the logs), hence the shared pointer.
//!
//! ```text
//!  *3 $3 SET $3 key $10000000  value ............................. CR LF
//! |<-------- buffer of the request, shared until that is over --------->|
//!                             |<- the string: a range of it ->|
//! ```
//!
//! The first change makes it an ordinary vector: by then the request is over, so the bytes only move to the front.
//! Rejected: such a pointer for every string (an allocation and a cache miss more for those of a few kilobytes).

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A buffer may have this part of its size besides the string, as a divisor.
const WASTE_DIVISOR: usize = 16;

/// A string with memory of its own.
#[derive(Default)]
pub struct LongString(Repr);

enum Repr {
    Owned(Vec<u8>),
    Part(Arc<Vec<u8>>, Range<usize>),
}

impl Default for Repr {
    fn default() -> Repr {
        Repr::Owned(Vec::new())
    }
}

impl LongString {
    /// The string that `part` is, without a copy, if that lies in `buffer` and is nearly all that the buffer takes.
    pub fn part_of(buffer: &Arc<Vec<u8>>, part: &[u8]) -> Option<LongString> {
        let start = part.as_ptr().addr().checked_sub(buffer.as_ptr().addr())?;
        let range = start..start.checked_add(part.len())?;
        let is_inside = range.end <= buffer.len();
        let waste_bytes = buffer.capacity() - part.len().min(buffer.capacity());
        (is_inside && waste_bytes <= buffer.capacity() / WASTE_DIVISOR)
            .then(|| LongString(Repr::Part(Arc::clone(buffer), range)))
    }

    /// The string as a vector, to be changed. O(length) the first time if it is a part of a request's buffer.
    pub fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        if let Repr::Part(buffer, range) = &mut self.0 {
            let (buffer, range) = (std::mem::take(buffer), range.clone());
            self.0 = Repr::Owned(match Arc::try_unwrap(buffer) {
                Ok(mut bytes) => {
                    bytes.truncate(range.end);
                    bytes.drain(..range.start);
                    bytes
                }
                Err(shared) => shared[range].to_vec(),
            });
        }
        match &mut self.0 {
            Repr::Owned(bytes) => bytes,
            Repr::Part(..) => unreachable!("it has just become a vector"),
        }
    }

    /// Bytes that it can have without moving.
    pub fn capacity(&self) -> usize {
        match &self.0 {
            Repr::Owned(bytes) => bytes.capacity(),
            Repr::Part(_, range) => range.len(),
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        "raw"
    }

    /// How many allocations freeing it takes.
    pub fn free_effort(&self) -> usize {
        1
    }

    /// Bytes allocated for it, itself among them: it has a block of its own.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Owned(bytes) => size_of::<LongString>() + bytes.capacity(),
            // The pointer's block has two counters before the vector.
            Repr::Part(buffer, _) => {
                size_of::<LongString>() + buffer.capacity() + size_of::<Vec<u8>>() + 2 * size_of::<usize>()
            }
        }
    }
}

impl Deref for LongString {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Owned(bytes) => bytes,
            Repr::Part(buffer, range) => buffer.get(range.clone()).unwrap_or_default(),
        }
    }
}

impl From<Vec<u8>> for LongString {
    fn from(bytes: Vec<u8>) -> LongString {
        LongString(Repr::Owned(bytes))
    }
}

impl Clone for LongString {
    /// A copy with memory of its own, whose size a reader of memory figures can rely on.
    fn clone(&self) -> LongString {
        LongString::from(self.to_vec())
    }
}

impl PartialEq for LongString {
    fn eq(&self, other: &LongString) -> bool {
        **self == **other
    }
}

impl Eq for LongString {}

impl fmt::Debug for LongString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(value_len: usize) -> Arc<Vec<u8>> {
        let mut bytes = b"SET k ".to_vec();
        bytes.extend((0..value_len).map(|at| at as u8));
        bytes.extend_from_slice(b"\r\n");
        bytes.shrink_to_fit();
        Arc::new(bytes)
    }

    #[test]
    fn a_part_is_no_copy_until_it_is_changed() {
        let buffer = request(1000);
        let (value, at) = (buffer[6..1006].to_vec(), buffer[6..].as_ptr());
        let mut string = LongString::part_of(&buffer, &buffer[6..1006]).unwrap();
        assert_eq!((&*string, string.as_ptr()), (&value[..], at));
        assert!(string.heap_bytes() >= buffer.capacity() && string.capacity() == 1000);
        let copy = string.clone();
        assert_ne!(copy.as_ptr(), at);
        // Others still read the request: they must not see the change.
        string.as_mut_vec()[0] = b'!';
        assert_eq!((string[0], buffer[6], copy[0]), (b'!', 0, 0));
        let mut last = LongString::part_of(&buffer, &buffer[6..1006]).unwrap();
        let start = buffer.as_ptr();
        drop(buffer);
        last.as_mut_vec().push(b'!');
        assert_eq!((&last[..1000], last.len(), last.as_ptr()), (&value[..], 1001, start));
    }

    #[test]
    fn what_is_elsewhere_or_wasteful_is_refused() {
        let buffer = request(1000);
        assert!(LongString::part_of(&buffer, &buffer[..500]).is_none(), "half of it would be wasted");
        assert!(LongString::part_of(&buffer, &vec![0; 1000]).is_none());
        let mut roomy = Vec::with_capacity(2000);
        roomy.extend_from_slice(&buffer);
        let roomy = Arc::new(roomy);
        assert!(LongString::part_of(&roomy, &roomy[6..1006]).is_none());
        assert!(LongString::part_of(&buffer, &buffer[..]).is_some());
        assert!(LongString::part_of(&Arc::default(), b"").is_none_or(|empty| empty.is_empty()));
    }
}
