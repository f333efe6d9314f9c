//! When the fields of a big hash are due: a lower bound for every range of the hash order, and their minimum.
//!
//! The order of the table (positions, the upper 48 bits of hashes) is cut into a power of two of equal ranges. Every
//! range knows a time before which none of its fields expires, and the ranges are the leaves of a tree of minima:
//!
//! ```text
//! 1:                 min of all            the next expiry, in one look
//! 2 3:           min         min
//! 4 5 6 7:    range 0 ...  ... range 3     a range that is due is found going down
//! ```
//!
//! A bound may be too early, since fields are deleted, persisted and postponed without telling; then a sweep looks at
//! the range (about 16 fields), finds nothing and corrects it, once for every field that lied. It is never too late.
//! That is a byte for a field of the hash, and nothing for a hash whose fields do not expire.
//!
//! Ranges double with the table: the halves of a range inherit its bound. That copies a byte for every field
//! the table has, at memory speed, each time it doubles.
//!
//! Rejected: a heap or a tree of the fields that expire (16 to 40 bytes for each, and an update for every change of an
//! expiry), a bound in every segment of the table alone (finding the segments that are due means asking all).

use ochre_table::POSITION_BITS;

/// Fields that a range has about, at most.
const RANGE_FIELDS: usize = 16;
const RANGES_MAX_LOG: u32 = 26;
const NEVER: i64 = i64::MAX;

/// Lower bounds of expiry times by range.
#[derive(Clone, Debug)]
pub(super) struct Due {
    mins: Vec<i64>,
    log: u32,
}

impl Due {
    /// Bounds for a table of `fields` fields of which none expires.
    pub(super) fn new(fields: usize) -> Due {
        let log = log_for(fields);
        Due { mins: vec![NEVER; 2 << log], log }
    }

    /// A time before which no field expires, `None` when none does at all.
    #[inline]
    pub(super) fn next_ms(&self) -> Option<i64> {
        Some(self.mins[1]).filter(|&min| min != NEVER)
    }

    /// Takes note that a field at `position` expires at `at_ms`, in a table of `fields` fields.
    pub(super) fn note(&mut self, position: u64, at_ms: i64, fields: usize) {
        while self.log < log_for(fields) {
            self.double();
        }
        let mut node = (1 << self.log) + self.range_of(position);
        // Never as a time would be no bound at all.
        let at_ms = at_ms.min(NEVER - 1);
        while node > 0 && self.mins[node] > at_ms {
            self.mins[node] = at_ms;
            node /= 2;
        }
    }

    /// The first range with a bound below `now_ms`.
    pub(super) fn first_due(&self, now_ms: i64) -> Option<usize> {
        if self.mins[1] >= now_ms {
            return None;
        }
        let mut node = 1;
        while node < 1 << self.log {
            node = 2 * node + usize::from(self.mins[2 * node] >= now_ms);
        }
        Some(node - (1 << self.log))
    }

    /// All ranges with a bound below `now_ms`, unless those are more than one of `share`.
    pub(super) fn all_due(&self, now_ms: i64, share: usize) -> Option<Vec<usize>> {
        let (mut ranges, mut nodes) = (Vec::new(), vec![1]);
        while let Some(node) = nodes.pop() {
            if self.mins[node] >= now_ms {
                continue;
            }
            match node.checked_sub(1 << self.log) {
                None => nodes.extend([2 * node, 2 * node + 1]),
                Some(_) if ranges.len() >= (1 << self.log) / share => return None,
                Some(range) => ranges.push(range),
            }
        }
        Some(ranges)
    }

    /// Corrects the bound of a range.
    pub(super) fn set(&mut self, range: usize, min_ms: Option<i64>) {
        let mut node = (1 << self.log) + range;
        self.mins[node] = min_ms.map_or(NEVER, |min| min.min(NEVER - 1));
        while node > 1 {
            node /= 2;
            self.mins[node] = self.mins[2 * node].min(self.mins[2 * node + 1]);
        }
    }

    /// The range of a position.
    #[inline]
    pub(super) fn range_of(&self, position: u64) -> usize {
        (position >> (POSITION_BITS - self.log)) as usize
    }

    /// The first position of a range.
    #[inline]
    pub(super) fn start_of(&self, range: usize) -> u64 {
        (range as u64) << (POSITION_BITS - self.log)
    }

    /// Bytes allocated.
    pub(super) fn heap_bytes(&self) -> usize {
        self.mins.capacity() * size_of::<i64>()
    }

    /// Cuts every range in two.
    fn double(&mut self) {
        let leaves = 1usize << self.log;
        let mut mins = vec![NEVER; 4 * leaves];
        mins[..2 * leaves].copy_from_slice(&self.mins);
        for (range, halves) in mins[2 * leaves..].chunks_exact_mut(2).enumerate() {
            halves.fill(self.mins[leaves + range]);
        }
        (self.mins, self.log) = (mins, self.log + 1);
    }
}

fn log_for(fields: usize) -> u32 {
    fields.div_ceil(RANGE_FIELDS).max(1).next_power_of_two().ilog2().min(RANGES_MAX_LOG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    const POSITIONS: u64 = 1 << POSITION_BITS;

    #[test]
    fn the_earliest_time_is_known_and_found() {
        let mut due = Due::new(1000);
        assert_eq!((due.next_ms(), due.first_due(i64::MAX)), (None, None));
        due.note(POSITIONS - 1, 50, 1000);
        due.note(0, 70, 1000);
        assert_eq!((due.next_ms(), due.first_due(50)), (Some(50), None));
        assert_eq!(
            (due.all_due(50, 4), due.all_due(51, 4)),
            (Some(vec![]), Some(vec![due.range_of(POSITIONS - 1)]))
        );
        assert_eq!(due.all_due(71, 4).map(|ranges| ranges.len()), Some(2));
        assert_eq!(due.all_due(71, 60), None, "one of 64, but two are due");
        let range = due.first_due(51).expect("the last range is due");
        assert_eq!(range, due.range_of(POSITIONS - 1));
        due.set(range, None);
        assert_eq!((due.next_ms(), due.first_due(71)), (Some(70), Some(0)));
        due.note(9, i64::MAX, 1000);
        due.set(0, Some(i64::MAX));
        assert_eq!(due.next_ms(), Some(i64::MAX - 1), "late, but not never");
    }

    #[test]
    fn bounds_hold_while_ranges_double() {
        let mut rng = Rng::new(3);
        let mut due = Due::new(0);
        let mut noted = Vec::new();
        for fields in 0..5000 {
            let (position, at_ms) = (rng.below(POSITIONS), rng.below(1_000_000) as i64);
            due.note(position, at_ms, fields);
            noted.push((position, at_ms));
        }
        assert!(due.heap_bytes() >= 2 * 8 * 5000 / RANGE_FIELDS);
        noted.sort_by_key(|&(_, at_ms)| at_ms);
        for &(position, at_ms) in &noted {
            let bound = due.mins[(1 << due.log) + due.range_of(position)];
            assert!(bound <= at_ms);
        }
        assert_eq!(due.next_ms(), Some(noted[0].1));
        for range in 0..1usize << due.log {
            assert_eq!(due.range_of(due.start_of(range)), range);
        }
    }
}
