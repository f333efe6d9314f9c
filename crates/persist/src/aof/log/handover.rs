//! The double buffer between those who fill and the one who empties.
//!
//! Who puts the first thing in after the other one took everything has to wake it, and nobody else. The decision and the
//! thing go in under one lock, so nothing can come between an emptier that found nothing and its sleep without being
//! announced. `tests/interleavings` tries all orders.

use crate::sync::Mutex;

/// What is being filled.
#[derive(Debug, Default)]
struct Filling<T> {
    content: T,
    is_announced: bool,
}

/// A double buffer.
#[derive(Debug, Default)]
pub struct Handover<T>(Mutex<Filling<T>>);

impl<T> Handover<T> {
    /// Puts something in. Whether the emptier is to be woken.
    #[must_use]
    #[inline]
    pub fn put(&self, fill: impl FnOnce(&mut T)) -> bool {
        let mut filling = self.0.lock();
        fill(&mut filling.content);
        !std::mem::replace(&mut filling.is_announced, true)
    }

    /// Takes everything in exchange for something empty; whether there was anything.
    pub fn take(&self, empty: &mut T) -> bool {
        let mut filling = self.0.lock();
        let was_announced = std::mem::replace(&mut filling.is_announced, false);
        if was_announced {
            std::mem::swap(&mut filling.content, empty);
        }
        was_announced
    }
}
