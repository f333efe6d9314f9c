//! Things that any thread hands to one other, which sleeps while there is nothing.
//!
//! Who puts the first thing into an empty inbox has to wake the reader, and nobody else: the reader takes all at once. The
//! decision and the thing go in under one lock, so no thing can come between a reader that found nothing and its sleep
//! without being announced. `tests/interleavings` tries all orders.

use crate::sync::Mutex;

/// Where things wait, in the order in which they came.
pub struct Inbox<T>(Mutex<Vec<T>>);

impl<T> Default for Inbox<T> {
    fn default() -> Inbox<T> {
        Inbox(Mutex::new(Vec::new()))
    }
}

impl<T> Inbox<T> {
    /// Puts a thing in. Whether the reader is to be woken.
    #[must_use]
    pub fn put(&self, thing: T) -> bool {
        let mut things = self.0.lock();
        things.push(thing);
        things.len() == 1
    }

    /// Takes everything, the oldest first, in exchange for an empty vector whose memory is used again.
    pub fn take(&self, into: &mut Vec<T>) {
        assert!(into.is_empty(), "what was taken before would wait for a wake that never comes");
        std::mem::swap(&mut *self.0.lock(), into);
    }
}
