//! Walking over a hash in parts.

use super::value::Entry;
use super::word::Look;
use super::{Hash, table};

impl Hash {
    /// Calls `visit` for some fields that have not expired, from a cursor on (0 at the beginning): about `count` in a
    /// table, all in one run of bytes. Returns the next cursor, 0 at the end.
    ///
    /// Fields that are there from the first call to the last are visited at least once, whatever is added and removed
    /// meanwhile, and exactly once if nothing is; that includes the hash becoming a table, since whoever got a cursor other
    /// than 0 has one of a table.
    pub fn scan(&self, cursor: u64, count: usize, now_ms: i64, visit: &mut dyn FnMut(Entry<'_>)) -> u64 {
        let Look::Table(table) = self.0.look() else {
            self.live(now_ms).for_each(visit);
            return 0;
        };
        table.fields().scan(cursor, count, &mut |field| {
            if !table::has_expired(field, now_ms) {
                visit(table::entry(field));
            }
        })
    }
}
