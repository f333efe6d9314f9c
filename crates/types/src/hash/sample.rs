//! Fields at random. Expired ones are passed over: a few by drawing again, many by looking at all.

use ochre_table::{Draw, Map};

use super::Hash;
use super::field::Field;
use super::pinned::PinnedHash;
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
            Look::Table(table) if !self.may_have_expired(now_ms) => {
                draw_many(table.fields(), count, rng, visit);
            }
            _ => draw_of(&self.live(now_ms).collect::<Vec<_>>(), count, rng, visit),
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
            Look::Table(table) if !self.may_have_expired(now_ms) => {
                sample(table.fields(), count, rng, visit);
            }
            _ => select(self.live(now_ms), self.live_len(now_ms), count, rng, visit),
        }
    }
}

/// The same of a hash as it was.
impl PinnedHash {
    /// See [`Hash::random_many`].
    pub fn random_many(&self, count: usize, rng: &mut Rng, now_ms: i64, visit: &mut dyn FnMut(Entry<'_>)) {
        match self.table() {
            Ok(fields) if !self.may_have_expired(now_ms) => draw_many(fields, count, rng, visit),
            Ok(fields) => draw_of(&live(fields, now_ms), count, rng, visit),
            Err(flat) => flat.random_many(count, rng, now_ms, visit),
        }
    }

    /// See [`Hash::random_distinct`].
    pub fn random_distinct(
        &self,
        count: usize,
        rng: &mut Rng,
        now_ms: i64,
        visit: &mut dyn FnMut(Entry<'_>),
    ) {
        match self.table() {
            Ok(fields) if !self.may_have_expired(now_ms) => sample(fields, count, rng, visit),
            Ok(fields) => {
                let live = live(fields, now_ms);
                select(live.iter().copied(), live.len(), count, rng, visit);
            }
            Err(flat) => flat.random_distinct(count, rng, now_ms, visit),
        }
    }
}

fn live(fields: &Map<Field>, now_ms: i64) -> Vec<Entry<'_>> {
    fields.iter().map(table::entry).filter(|entry| !entry.is_expired(now_ms)).collect()
}

fn draw_many(fields: &Map<Field>, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Entry<'_>)) {
    fields.draw_many(count, &mut Drawn(rng), &mut |field| visit(table::entry(field)));
}

fn draw_of(live: &[Entry<'_>], count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Entry<'_>)) {
    for _ in 0..if live.is_empty() { 0 } else { count } {
        visit(live[rng.below(live.len() as u64) as usize]);
    }
}

fn sample(fields: &Map<Field>, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Entry<'_>)) {
    fields.sample(count, &mut Drawn(rng), &mut |field| visit(table::entry(field)));
}

/// Selection sampling: each of the `left` live fields is taken with the share of those still wanted among those still to come.
fn select<'a>(
    live: impl Iterator<Item = Entry<'a>>,
    mut left: usize,
    count: usize,
    rng: &mut Rng,
    visit: &mut dyn FnMut(Entry<'_>),
) {
    let mut wanted = count.min(left);
    for entry in live {
        if rng.below(left as u64) < wanted as u64 {
            wanted -= 1;
            visit(entry);
        }
        left -= 1;
    }
}
