//! When fields expire.

use super::value::{Condition, ExpireOutcome, PersistOutcome, is_expired};
use super::word::{Look, LookMut};
use super::{Hash, expiring};

impl Hash {
    /// Sets when a field expires (unix time in ms) if the condition holds. A time that is not after `now_ms` removes the
    /// field. A field that expired and is still there counts as there, and may come back to life.
    ///
    /// As in Redis, the hash then has the encoding for times, whether the field is there or not.
    pub fn expire(&mut self, name: &[u8], at_ms: i64, condition: Condition, now_ms: i64) -> ExpireOutcome {
        self.make_expiring();
        let Some(found) = self.find(name) else { return ExpireOutcome::NoField };
        if !condition.allows(found.expire_ms, at_ms) {
            return ExpireOutcome::ConditionNotMet;
        }
        if at_ms <= now_ms {
            self.remove(name);
            return ExpireOutcome::Deleted;
        }
        self.set_time(name, Some(at_ms));
        ExpireOutcome::Set
    }

    /// Lets a field not expire any more. One that expired is not there.
    pub fn persist(&mut self, name: &[u8], now_ms: i64) -> PersistOutcome {
        match self.find(name).map(|found| found.expire_ms) {
            None => PersistOutcome::NoField,
            Some(None) => PersistOutcome::NoExpiry,
            Some(at_ms) if is_expired(at_ms, now_ms) => PersistOutcome::NoField,
            Some(_) => {
                self.set_time(name, None);
                PersistOutcome::Persisted
            }
        }
    }

    /// Sets the time of a field that is there, in a hash that has room for times.
    fn set_time(&mut self, name: &[u8], expire_ms: Option<i64>) {
        if let Look::Expiring(pack) = self.0.look()
            && !pack.fits(expiring::TIME_BYTES_MAX)
        {
            self.make_table(0);
        }
        match self.0.look_mut() {
            LookMut::Empty | LookMut::Packed(_) | LookMut::Shaped(_) => {}
            LookMut::Table(table) => table.set_time(name, expire_ms),
            LookMut::Expiring(pack) => {
                if let Some(place) = expiring::find(pack, name) {
                    expiring::set_time(pack, place, name, expire_ms);
                }
            }
        }
    }

    /// Removes up to `max` fields that expired before `now_ms`, calling `visit` with the name of each. Returns how many;
    /// [`Hash::may_have_expired`] says whether there may be more. Costs what is due, not what is there: in a table about 16
    /// fields for each range that is due, and at most `max` ranges, for some may turn out to have none any more.
    pub fn expire_due(&mut self, now_ms: i64, max: usize, visit: &mut dyn FnMut(&[u8])) -> usize {
        if !self.may_have_expired(now_ms) {
            return 0;
        }
        match self.0.look_mut() {
            LookMut::Empty | LookMut::Packed(_) | LookMut::Shaped(_) => 0,
            LookMut::Expiring(pack) => expiring::expire_due(pack, now_ms, max, visit),
            LookMut::Table(table) => table.expire_due(now_ms, max, visit),
        }
    }
}
