//! Fields at random. Expired ones are passed over: a few by drawing again, many by looking at all.

use ochre_table::Draw;

use super::Hash;
use super::table;
use super::value::Entry;
use super::word::Look;
use crate::Rng;

/// Draws that hit an expired field before all fields are looked at.
const ATTEMPTS_MAX: usize = 32;

/// Random numbers for the table.
struct Drawn<'a>(&'a mut Rng);

impl Draw for Drawn<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }
}

impl Hash {
    /// A field at random, each as likely as any other. O(1) in a table, else O(fields).
    pub fn random(&self, rng: &mut Rng, now_ms: i64) -> Option<Entry<'_>> {
        if let Look::Table(fields) = self.0.look() {
            for _ in 0..ATTEMPTS_MAX {
                let field = fields.fields().random(&mut Drawn(rng))?;
                if !table::has_expired(field, now_ms) {
                    return Some(table::entry(field));
                }
            }
        }
        let index = rng.below(self.live_len(now_ms) as u64) as usize;
        self.live(now_ms).nth(index)
    }

    /// Calls `visit` for `count` fields at random, independent of each other, so that one may come several times; for none
    /// if there is none. O(count), and O(fields) once.
    pub fn random_many(&self, count: usize, rng: &mut Rng, now_ms: i64, visit: &mut dyn FnMut(Entry<'_>)) {
        match self.0.look() {
            Look::Table(fields) if !self.may_have_expired(now_ms) => {
                let visit = &mut |field| visit(table::entry(field));
                fields.fields().draw_many(count, &mut Drawn(rng), visit);
            }
            _ => {
                let live: Vec<Entry<'_>> = self.live(now_ms).collect();
                for _ in 0..if live.is_empty() { 0 } else { count } {
                    visit(live[rng.below(live.len() as u64) as usize]);
                }
            }
        }
    }

    /// Calls `visit` for `count` different fields, for all if there are not more; every choice is equally likely. Their order
    /// is not random. How many there were is the lesser of `count` and [`Hash::live_len`]. At most O(fields).
    pub fn random_distinct(
        &self,
        count: usize,
        rng: &mut Rng,
        now_ms: i64,
        visit: &mut dyn FnMut(Entry<'_>),
    ) {
        match self.0.look() {
            Look::Table(fields) if !self.may_have_expired(now_ms) => {
                let visit = &mut |field| visit(table::entry(field));
                fields.fields().sample(count, &mut Drawn(rng), visit);
            }
            _ => self.select(count, rng, now_ms, visit),
        }
    }

    /// Selection sampling: each field is taken with the share of those still wanted among those still to come.
    fn select(&self, count: usize, rng: &mut Rng, now_ms: i64, visit: &mut dyn FnMut(Entry<'_>)) {
        let mut left = self.live_len(now_ms);
        let mut wanted = count.min(left);
        for entry in self.live(now_ms) {
            if rng.below(left as u64) < wanted as u64 {
                wanted -= 1;
                visit(entry);
            }
            left -= 1;
        }
    }
}
