//! Looks at several entries at once, for commands that compute one value from many.

use super::{Held, View};
use crate::entry::EntryRef;
use crate::hash::Key;
use crate::stripe::StripeData;

impl View<'_> {
    /// The entry of a key that this step has read before, and so knows to be there. Without a trace, and as the view is
    /// only borrowed for reading, next to others.
    pub fn entry(&self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let table = &self.held_stripe(key)?.tables[db as usize];
        table.entry(table.find(key)?)
    }

    fn held_stripe(&self, key: Key<'_>) -> Option<&StripeData> {
        let index = self.keyspace.stripe_of(key.hash.position());
        match &self.held {
            Held::One(of, guard) if *of == index => Some(guard),
            Held::Some(guards) => {
                let at = guards.binary_search_by_key(&index, |(of, _)| *of).ok()?;
                Some(&guards[at].1)
            }
            Held::All(guards) => guards.get(index).map(|guard| &**guard),
            Held::None | Held::One(..) => None,
        }
    }
}
