//! Strings that are integers, counted up and down in place.

use super::{Expiry, View};
use crate::entry::EntryRef;
use crate::hash::Key;
use crate::value::{NewValue, ValueRef};

impl View<'_> {
    /// Gives a key the integer that `next` makes of the one it holds, which `read` finds in any other value than an integer
    /// (`None`: there is no such key). The expiry stays. Returns the integer.
    ///
    /// # Errors
    /// Those of `next` and `read`; the value is not changed then.
    #[inline]
    pub fn update_int<E>(
        &mut self,
        db: u32,
        key: Key<'_>,
        read: impl FnOnce(Option<ValueRef<'_>>) -> Result<i64, E>,
        next: impl FnOnce(i64) -> Result<i64, E>,
    ) -> Result<i64, E> {
        if !self.keyspace.settings.reads_set_no_clock() {
            // All that an update entails, where that is little: an integer takes an integer's place, and nobody wants to
            // know. The path of every INCR, in one go.
            let (now_ms, clock) = (self.now_ms, self.clock);
            let stripe = self.stripe(key);
            let is_observed = stripe.has_observers();
            let table = stripe.tables.made_mut(db as usize).filter(|_| !is_observed);
            let seen = table.and_then(|table| table.seen_mut(key));
            if let Some(number) = seen.and_then(|entry| entry.use_int(now_ms, clock)) {
                *number = next(*number)?;
                let number = *number;
                stripe.counters.changes += 1;
                self.effects.dirty += 1;
                return Ok(number);
            }
        }
        self.update_int_slowly(db, key, |value| next(read(value)?))
    }

    #[inline(never)]
    fn update_int_slowly<E>(
        &mut self,
        db: u32,
        key: Key<'_>,
        next: impl FnOnce(Option<ValueRef<'_>>) -> Result<i64, E>,
    ) -> Result<i64, E> {
        let Some(location) = self.locate_to_write(db, key) else {
            let number = next(None)?;
            self.create(db, key, NewValue::Int(number), None);
            return Ok(number);
        };
        let number = next(self.table(db, key).entry(location).map(EntryRef::value))?;
        self.update_at(db, key, location, NewValue::Int(number), Expiry::Keep);
        Ok(number)
    }
}
