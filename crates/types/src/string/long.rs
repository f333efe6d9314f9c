//! A string with memory of its own: too long for its table entry, or changed in place.
//!
//! Copying tens of megabytes takes as many milliseconds, most of them for touching fresh pages, and whoever copies a value
//! with its stripe locked has all others wait for that long. So the bytes lie behind a counted pointer, and who needs them
//! for longer than the lock is held takes a [share](LongString::share) instead of a copy: a reply that is still to be sent,
//! a command that waits in MULTI's queue. The other way round, a large argument is received into memory of its own
//! and handed over as a string that the keyspace only has to put in its place.
//!
//! ```text
//!  word of the entry --> | owners | - | address, capacity, length | --> bytes
//!  share of a reply  -->
//! ```
//!
//! Whoever changes a string that others share gets a copy first: they go on seeing what they took. The counters
//! cost 16 bytes for each string, which is longer than a few kilobytes. Rejected: a range of the buffer that its whole
//! request was received into (only the last argument of a request that ends there can have it without waste).
//!
//! That copy, 20 ms for 100 MB, is made where the change is made, with the key locked: by APPEND, SETRANGE, SETBIT and BITFIELD of a
//! string that a snapshot has not written yet or that is on its way to a client, once for each of them. Rejected: pieces that
//! are shared one by one. All that reads strings (numbers, bits, digests, patterns, the codecs) wants its bytes in one run, and
//! would pay for the pieces each time, to spare those the copy who change megabytes in place while they are being told.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A string with memory of its own, one word.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LongString(Arc<Vec<u8>>);

impl LongString {
    /// The same bytes once more, as they are now: no copy, whatever their number. Their memory is free when the last owner
    /// is gone.
    #[must_use]
    pub fn share(&self) -> LongString {
        LongString(Arc::clone(&self.0))
    }

    /// Whether others have a share of it.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The string as a vector, to be changed; O(length) if others share it, who do not see the change.
    pub fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        Arc::make_mut(&mut self.0)
    }

    /// Bytes that it can have without moving.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        "raw"
    }

    /// How many allocations freeing it takes.
    pub fn free_effort(&self) -> usize {
        1
    }

    /// Bytes allocated for it; those that it shares count in full.
    pub fn heap_bytes(&self) -> usize {
        2 * size_of::<usize>() + size_of::<Vec<u8>>() + self.0.capacity()
    }
}

impl Deref for LongString {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for LongString {
    fn from(bytes: Vec<u8>) -> LongString {
        LongString(Arc::new(bytes))
    }
}

impl fmt::Debug for LongString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_no_copy_and_sees_no_change() {
        let mut string = LongString::from(vec![7; 1000]);
        let at = string.as_ptr();
        assert!(!string.is_shared());
        let share = string.share();
        assert_eq!((share.as_ptr(), &*share), (at, &*string));
        assert!(string.is_shared() && share.is_shared());
        string.as_mut_vec()[0] = b'!';
        string.as_mut_vec().push(b'!');
        assert_eq!((string[0], string.len()), (b'!', 1001));
        assert_eq!((share[0], share.len(), share.as_ptr()), (7, 1000, at));
        assert!(!string.is_shared() && !share.is_shared());
    }

    #[test]
    fn the_only_owner_changes_it_in_place() {
        let mut bytes = Vec::with_capacity(2000);
        bytes.resize(1000, 7);
        let mut string = LongString::from(bytes);
        let at = string.as_ptr();
        drop(string.share());
        string.as_mut_vec().extend_from_slice(&[8; 1000]);
        assert_eq!((string.as_ptr(), string.capacity(), string.len()), (at, 2000, 2000));
        assert!(string.heap_bytes() > 2000);
    }
}
