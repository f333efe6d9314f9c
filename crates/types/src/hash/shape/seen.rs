//! How often something came, of much that comes: counters by fingerprint, of fixed size.
//!
//! A slot has the fingerprint of one thing and a count. Another thing that falls into it takes one off the count, and
//! gets the slot at zero: what comes often stays, what comes once is soon gone.

const SLOTS: usize = 1024;
const COUNT_MAX: u32 = 0xff;

/// Counters of what came.
pub(super) struct Seen {
    /// 24 bits of a hash above a count of 8; none until something came.
    slots: Vec<u32>,
}

impl Seen {
    pub(super) const fn new() -> Seen {
        Seen { slots: Vec::new() }
    }

    /// Counts what has this hash; how often it came, as far as is known (at most 255).
    pub(super) fn count(&mut self, hash: u64) -> u32 {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS];
        }
        let slot = &mut self.slots[hash as usize % SLOTS];
        let (fingerprint, count) = ((hash >> 40) as u32, *slot & COUNT_MAX);
        if count == 0 || *slot >> 8 == fingerprint {
            let count = (count + 1).min(COUNT_MAX);
            *slot = fingerprint << 8 | count;
            return count;
        }
        *slot -= 1;
        1
    }

    /// Bytes allocated.
    pub(super) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_often_stays() {
        let mut seen = Seen::new();
        let [often, once] = [1u64 << 40, 2 << 40];
        assert_eq!([often, often, often].map(|hash| seen.count(hash)), [1, 2, 3]);
        assert_eq!(seen.count(once), 1, "takes one off");
        assert_eq!(seen.count(often), 3);
        assert_eq!([once; 4].map(|hash| seen.count(hash)), [1; 4], "the last one got the slot");
        assert_eq!((seen.count(once), seen.count(often)), (2, 1));
        assert_eq!((0..1000).map(|_| seen.count(7)).max(), Some(255));
        assert_eq!(seen.heap_bytes(), 4 * SLOTS);
    }
}
