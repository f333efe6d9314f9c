//! Steps that lock one stripe after the other: a sequence of commands, and SCAN's walk over the keyspace.

use super::{Held, View};
use crate::hash::Key;
use crate::standstill::Patience;

impl<'k> View<'k> {
    /// Locks the stripe of a key, and none else. To be let go before anything is waited for.
    /// Whether it has; not while everything is held for nobody knows how long.
    #[inline]
    pub fn try_hold(&mut self, key: Key<'_>) -> bool {
        self.let_go();
        let index = self.keyspace.stripe_of(key.hash.position());
        match self.keyspace.try_lock_stripe(index, Patience::UntilBusy) {
            Some(guard) => self.exchange(Held::One(index, guard)),
            None => return false,
        }
        true
    }

    /// Lets go before the next is taken: whoever holds one stripe and waits for one of a lower number can block those who
    /// lock in order.
    #[inline]
    fn hold_stripe(&mut self, index: usize) {
        self.let_go();
        self.exchange(Held::One(index, self.keyspace.lock_stripe(index)));
    }

    /// Lets go of all stripes.
    #[inline]
    pub fn let_go(&mut self) {
        if !matches!(self.held, Held::None) {
            self.tell(0);
            self.exchange(Held::None);
        }
    }

    /// Holds something else. The usual cases are told apart so that they are dealt with here and not by a call.
    #[inline]
    fn exchange(&mut self, held: Held<'k>) {
        let before = std::mem::replace(&mut self.held, held);
        match before {
            // There is nothing to drop.
            Held::None => std::mem::forget(before),
            Held::One(_, guard) => drop(guard),
            others => drop(others),
        }
    }

    /// Makes the stripe of a position the one that this view holds. A view that holds all stripes (in a transaction)
    /// stays as it is.
    ///
    /// What was done to the stripe that is let go reaches the journal first, as a unit of its own: once the lock is gone,
    /// others may change the same keys, and the journal has to tell both in the order in which they happened.
    pub fn walk_to(&mut self, position: u64) {
        let index = self.keyspace.stripe_of(position);
        match &self.held {
            Held::None => {}
            Held::One(of, _) if *of != index => {
                self.keyspace.journal.append(&self.effects.unit);
                self.effects.unit.clear();
            }
            Held::One(..) | Held::Some(_) | Held::All(_) => return,
        }
        self.hold_stripe(index);
    }
}
