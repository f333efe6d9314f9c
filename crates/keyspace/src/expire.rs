//! Removing expired keys, and fields of hashes, in the background, without an index of expiry times.
//!
//! Every segment knows a lower bound of its keys' expiry times and of their fields', every table that of its segments; a bit
//! in each slot tells which keys have any. A hash in turn knows when its next field expires (see `ochre_types::hash`). A sweeper walks the
//! segments that may have something to remove, a few hundred keys at a time, one stripe lock at a time. When keys
//! expire in a wave, the workers sweep between their batches until it is over; when expired keys are rare among
//! expiring ones, a few segments per tick keep the stale share small for a thousandth of a core.
//!
//! Rejected: an ordered index (16-40 bytes per expiring key), a timing wheel (8-16), random probing as Redis does
//! (leaves a tenth of the keys by design and cannot tell when it is done).

use crate::effects::Effects;
use crate::keyspace::Keyspace;
use crate::standstill::Level;

/// Walks one worker's share of the stripes.
#[derive(Debug)]
pub struct Sweeper {
    share: usize,
    of: usize,
    stripe: usize,
    db: u32,
    position: u64,
}

/// What one step of a sweeper did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepStep {
    /// Keys with times looked at.
    pub looked_at: usize,
    /// Keys removed.
    pub expired: usize,
    /// Fields of hashes removed.
    pub fields: usize,
    /// Whether the step ended a round over the whole share.
    pub round_ended: bool,
}

impl Sweeper {
    /// A sweeper for the `share`-th of `of` parts of the stripes.
    pub fn new(share: usize, of: usize) -> Sweeper {
        Sweeper { share, of: of.max(1), stripe: share, db: 0, position: 0 }
    }

    /// Goes on to the next segment that may have expired keys and removes them; returns after one, or at the end of
    /// the share. While everything is held for long, the round is over. A stripe that somebody has is passed over until the next
    /// round: who waited for it would walk behind one that goes from stripe to stripe, and serve nobody until that one is done.
    pub fn step(&mut self, keyspace: &Keyspace, now_ms: i64, effects: &mut Effects) -> SweepStep {
        loop {
            if self.stripe >= keyspace.stripes() {
                (self.stripe, self.db, self.position) = (self.share, 0, 0);
                return SweepStep { round_ended: true, ..SweepStep::default() };
            }
            let Some(mut view) = keyspace.view_free_stripe(self.stripe, now_ms, effects) else {
                if keyspace.standstill.level() != Level::None {
                    return SweepStep { round_ended: true, ..SweepStep::default() };
                }
                (self.stripe, self.db, self.position) = (self.stripe + self.of, 0, 0);
                continue;
            };
            while (self.db as usize) < view.databases_made(self.stripe) {
                if self.position == 0 && !view.may_expire(self.stripe, self.db) {
                    self.db += 1;
                    continue;
                }
                let sweep = view.sweep(self.stripe, self.db, self.position);
                keyspace.journal.append(&view.effects().unit);
                view.effects().unit.clear();
                match sweep.next {
                    Some(next) => self.position = next,
                    None => (self.db, self.position) = (self.db + 1, 0),
                }
                if sweep.looked_at > 0 {
                    return SweepStep {
                        looked_at: sweep.looked_at,
                        expired: sweep.expired,
                        fields: sweep.fields,
                        round_ended: false,
                    };
                }
            }
            (self.stripe, self.db) = (self.stripe + self.of, 0);
        }
    }
}
