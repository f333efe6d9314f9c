//! The tables of one stripe, by database.
//!
//! There may be thousands of databases, most of which are never used, and a table for each of them in every stripe would
//! take hundreds of megabytes. So only the first few have theirs from the start; a database above those gets its table,
//! and all below it get theirs, with the first key that it has in this stripe. Until then one empty table stands for all
//! that are not made; and emptying the last database that has keys gives such tables back. A look-up costs what it would cost with all of them: a load and a comparison.
//!
//! Rejected: a pointer per database (one more load for every command).

use std::ops::{Index, IndexMut};

use crate::table::Table;

/// Databases that have their table from the start: as many as there are by default.
const MADE_FIRST: usize = 16;

/// Tables by database; those that nobody has written to need not exist.
pub(crate) struct Tables {
    made: Vec<Table>,
    /// What those look like that are not made. Elsewhere, because what is in here shares few cache lines with the lock.
    empty: Box<Empty>,
}

struct Empty {
    table: Table,
    stripe_bits: u32,
}

impl Empty {
    /// Whether a table is empty and has never grown.
    fn is_like(&self, table: &Table) -> bool {
        table.is_empty() && table.memory_bytes() == self.table.memory_bytes()
    }
}

impl Tables {
    /// Empty tables of so many databases, for one of 2^`stripe_bits` stripes.
    pub(crate) fn new(databases: usize, stripe_bits: u32) -> Tables {
        let made = (0..databases.min(MADE_FIRST)).map(|_| Table::new(stripe_bits)).collect();
        Tables { made, empty: Box::new(Empty { table: Table::new(stripe_bits), stripe_bits }) }
    }

    /// A database's table, if it is made; to be changed without adding to it.
    #[inline]
    pub(crate) fn made_mut(&mut self, db: usize) -> Option<&mut Table> {
        self.made.get_mut(db)
    }

    /// The number of those that are made: databases from here on have no key.
    pub(crate) fn len(&self) -> usize {
        self.made.len()
    }

    /// All that are made, from database 0 on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Table> {
        self.made.iter()
    }

    /// The same, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.made.iter_mut()
    }

    /// Takes a database's table away if there is anything in it or it has grown: an empty one stands in its place. Tables
    /// that were made for databases behind it go, too, once they are all that is left.
    pub(crate) fn take(&mut self, db: usize) -> Option<Table> {
        let (empty, made) = (&self.empty, self.made.get_mut(db)?);
        if empty.is_like(made) {
            return None;
        }
        let taken = std::mem::replace(made, Table::new(empty.stripe_bits));
        if db + 1 == self.made.len() {
            self.trim();
        }
        Some(taken)
    }

    fn trim(&mut self) {
        let used = self.made.iter().rposition(|table| !self.empty.is_like(table)).map_or(0, |last| last + 1);
        if used.max(MADE_FIRST) < self.made.len() {
            self.made.truncate(used.max(MADE_FIRST));
            self.made.shrink_to_fit();
        }
    }

    /// Exchanges the tables of two databases; whether there was anything to exchange.
    pub(crate) fn swap(&mut self, a: usize, b: usize) -> bool {
        if self[a].is_empty() && self[b].is_empty() {
            return false;
        }
        self.make(a.max(b));
        self.made.swap(a, b);
        true
    }

    #[cold]
    fn empty(&self) -> &Table {
        &self.empty.table
    }

    #[cold]
    fn make(&mut self, db: usize) {
        if db >= self.made.len() {
            self.made.resize_with(db + 1, || Table::new(self.empty.stripe_bits));
        }
    }
}

impl Index<usize> for Tables {
    type Output = Table;

    #[inline]
    fn index(&self, db: usize) -> &Table {
        match self.made.get(db) {
            Some(table) => table,
            None => self.empty(),
        }
    }
}

impl IndexMut<usize> for Tables {
    /// The table is made if it is not there: for what may add to it.
    #[inline]
    fn index_mut(&mut self, db: usize) -> &mut Table {
        if db >= self.made.len() {
            self.make(db);
        }
        &mut self.made[db]
    }
}

#[cfg(test)]
mod tests {
    use crate::{Effects, Expiry, Keyspace, Locks, NewValue};

    const LAST: u32 = 9_999;

    /// The number of tables, of all stripes together.
    fn made(keyspace: &Keyspace) -> usize {
        keyspace.each_stripe().map(|stripe| stripe.tables.len()).sum()
    }

    #[test]
    fn a_database_costs_nothing_until_it_is_written_to() {
        let keyspace = Keyspace::new(10_000, 1, 7);
        let few = keyspace.stripes() * super::MADE_FIRST;
        let mut effects = Effects::default();
        let mut view = keyspace.view(Locks::All, 1, &mut effects);
        for number in 0..1000 {
            let name = format!("key:{number}");
            let key = view.key(name.as_bytes());
            assert!(view.read(LAST, key).is_none() && !view.exists(LAST, key) && !view.is_expired(LAST, key));
            assert!(!view.remove(LAST, key) && !view.set_expire(LAST, key, Some(5)));
            assert!(view.transfer((LAST, key), (LAST - 1, key)).is_none());
        }
        view.swap(LAST, LAST - 1);
        for index in 0..keyspace.stripes() {
            assert!(!view.may_expire(index, LAST) && view.sweep(index, LAST, 0).next.is_none());
        }
        assert_eq!((view.len(LAST), view.clear(LAST).len(), view.random_key(LAST)), (0, 0, None));
        drop(view);
        assert_eq!((made(&keyspace), keyspace.database_size(LAST)), (few, Default::default()));
    }

    #[test]
    fn any_database_can_be_written_to_exchanged_and_emptied() {
        let keyspace = Keyspace::new(10_000, 1, 7);
        let mut effects = Effects::default();
        let mut view = keyspace.view(Locks::All, 1, &mut effects);
        let key = view.key(b"key");
        view.set(LAST, key, NewValue::Int(7), Expiry::At(100));
        assert_eq!((view.len(LAST), view.len(LAST - 1), view.expiring(LAST)), (1, 0, 1));
        view.swap(LAST, 3);
        assert_eq!((view.len(LAST), view.len(3)), (0, 1));
        view.swap(LAST - 5, 3);
        assert!(view.read(LAST - 5, key).is_some() && view.read(3, key).is_none());
        assert_eq!((view.clear(LAST - 5).len(), view.len(LAST - 5)), (1, 0));
        drop(view);
        // Only the stripe of the key has more tables than it began with.
        assert_eq!(made(&keyspace), (keyspace.stripes() - 1) * super::MADE_FIRST + 10_000);
    }

    #[test]
    fn tables_are_given_back_when_their_databases_are_emptied() {
        let keyspace = Keyspace::new(10_000, 1, 7);
        let few = keyspace.stripes() * super::MADE_FIRST;
        let mut effects = Effects::default();
        let mut view = keyspace.view(Locks::All, 1, &mut effects);
        for db in [3, 100, LAST] {
            for number in 0..1000 {
                let name = format!("key:{number}");
                let key = view.key(name.as_bytes());
                view.set(db, key, NewValue::Int(7), Expiry::Clear);
            }
        }
        view.clear(LAST);
        drop(view);
        assert_eq!(made(&keyspace), keyspace.stripes() * 101, "database 100 still has keys in all stripes");
        let mut view = keyspace.view(Locks::All, 1, &mut effects);
        // As FLUSHALL does.
        (0..=LAST).for_each(|db| drop(view.clear(db)));
        let key = view.key(b"key");
        assert!(view.len(100) == 0 && view.read(100, key).is_none());
        drop(view);
        assert_eq!(made(&keyspace), few);
        let mut view = keyspace.view(Locks::All, 1, &mut effects);
        view.set(LAST, key, NewValue::Int(7), Expiry::Clear);
        assert!(view.read(LAST, key).is_some());
    }
}
