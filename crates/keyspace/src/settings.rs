//! What the keyspace needs to know of the configuration, readable without a lock.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::access::Lfu;

/// Which keys may go when memory runs out, and which of them first (`maxmemory-policy`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Policy {
    /// None: commands that need memory are refused.
    #[default]
    NoEviction,
    /// Any key, the one not used for longest.
    AllKeysLru,
    /// Any key, the one used least often.
    AllKeysLfu,
    /// Any key, the one not modified for longest.
    AllKeysLrm,
    /// Any key at random.
    AllKeysRandom,
    /// A key with an expiry, the one not used for longest.
    VolatileLru,
    /// A key with an expiry, the one used least often.
    VolatileLfu,
    /// A key with an expiry, the one not modified for longest.
    VolatileLrm,
    /// A key with an expiry, at random.
    VolatileRandom,
    /// The key that expires soonest.
    VolatileTtl,
}

const POLICIES: [(Policy, &str); 10] = [
    (Policy::NoEviction, "noeviction"),
    (Policy::AllKeysLru, "allkeys-lru"),
    (Policy::AllKeysLfu, "allkeys-lfu"),
    (Policy::AllKeysLrm, "allkeys-lrm"),
    (Policy::AllKeysRandom, "allkeys-random"),
    (Policy::VolatileLru, "volatile-lru"),
    (Policy::VolatileLfu, "volatile-lfu"),
    (Policy::VolatileLrm, "volatile-lrm"),
    (Policy::VolatileRandom, "volatile-random"),
    (Policy::VolatileTtl, "volatile-ttl"),
];

impl Policy {
    /// The policy of a configured name.
    pub fn from_name(name: &str) -> Option<Policy> {
        POLICIES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(policy, _)| *policy)
    }

    /// The configured name.
    pub fn name(self) -> &'static str {
        POLICIES[self as usize].1
    }

    /// Whether only keys with an expiry may go.
    pub fn only_expiring(self) -> bool {
        self as u8 >= Policy::VolatileLru as u8
    }

    /// Whether what was not used for longest goes first.
    pub fn is_lru(self) -> bool {
        matches!(self, Policy::AllKeysLru | Policy::VolatileLru)
    }

    /// Whether the access clock counts uses rather than telling the time.
    pub fn is_lfu(self) -> bool {
        matches!(self, Policy::AllKeysLfu | Policy::VolatileLfu)
    }

    /// Whether the access clock tells the last modification.
    pub fn is_lrm(self) -> bool {
        matches!(self, Policy::AllKeysLrm | Policy::VolatileLrm)
    }

    /// Whether any key is as good as any other.
    pub fn is_random(self) -> bool {
        matches!(self, Policy::AllKeysRandom | Policy::VolatileRandom)
    }
}

/// Settings that may change at any time; each is read on its own.
#[derive(Debug, Default)]
pub struct Settings {
    /// `maxmemory`, bytes; 0 is no limit.
    pub maxmemory_bytes: AtomicU64,
    policy: AtomicU8,
    reads_set_no_clock: AtomicBool,
    /// `maxmemory-samples`.
    pub samples: AtomicU32,
    /// `maxmemory-eviction-tenacity`, 0 to 100.
    pub tenacity: AtomicU32,
    /// `lfu-log-factor`.
    pub lfu_log_factor: AtomicU32,
    /// `lfu-decay-time`, minutes.
    pub lfu_decay_minutes: AtomicU32,
    /// Classes of keyspace events that somebody wants to hear of; 0 is none.
    pub notify_classes: AtomicU32,
    /// Whether expired keys are removed in the background.
    pub active_expire: AtomicBool,
    /// Whether keys expire at all when touched (`DEBUG SET-ACTIVE-EXPIRE` leaves this alone).
    pub lazy_expire_disabled: AtomicBool,
    /// While data are loaded nothing expires by itself: what is loaded says when a key is gone.
    pub loading: AtomicBool,
    /// `import-mode`: keys whose time has come are hidden, but only writes remove them; nothing is evicted.
    pub import_mode: AtomicBool,
    /// Until then the same holds, unix time in ms (CLIENT PAUSE).
    pub expiry_paused_until_ms: AtomicI64,
    /// `lazyfree-lazy-expire`: whether expired keys are propagated as UNLINK.
    pub lazyfree_expire: AtomicBool,
    /// `lazyfree-lazy-eviction`.
    pub lazyfree_eviction: AtomicBool,
    /// `lazyfree-lazy-server-del`.
    pub lazyfree_server_del: AtomicBool,
    /// Added to the clock, ms; only tests set it.
    pub clock_offset_ms: AtomicI64,
}

impl Settings {
    /// The defaults of a server without a configuration file.
    pub fn new() -> Settings {
        let settings = Settings::default();
        settings.samples.store(5, Relaxed);
        settings.tenacity.store(10, Relaxed);
        settings.lfu_log_factor.store(10, Relaxed);
        settings.lfu_decay_minutes.store(1, Relaxed);
        settings.active_expire.store(true, Relaxed);
        settings
    }

    /// Whether keys whose time has come stay, and are like any other.
    #[inline]
    pub fn keeps_expired(&self) -> bool {
        self.lazy_expire_disabled.load(Relaxed) || self.loading.load(Relaxed)
    }

    /// Whether keys whose time has come are hidden rather than removed: in import mode and while clients are paused.
    pub fn hides_expired(&self, now_ms: i64) -> bool {
        self.import_mode.load(Relaxed) || self.expiry_paused_until_ms.load(Relaxed) > now_ms
    }

    /// The eviction policy.
    #[inline]
    pub fn policy(&self) -> Policy {
        POLICIES[usize::from(self.policy.load(Relaxed)) % POLICIES.len()].0
    }

    /// How uses are counted where that is the policy.
    pub fn lfu(&self) -> Lfu {
        Lfu {
            log_factor: self.lfu_log_factor.load(Relaxed),
            decay_minutes: self.lfu_decay_minutes.load(Relaxed),
        }
    }

    /// Changes the eviction policy.
    pub fn set_policy(&self, policy: Policy) {
        self.policy.store(policy as u8, Relaxed);
        self.reads_set_no_clock.store(policy.is_lfu() || policy.is_lrm(), Relaxed);
    }

    /// Whether a read does something else to an access clock than setting it to the present time.
    #[inline]
    pub fn reads_set_no_clock(&self) -> bool {
        self.reads_set_no_clock.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_their_names_in_order() {
        for (index, (policy, name)) in POLICIES.iter().enumerate() {
            assert_eq!((*policy as usize, policy.name()), (index, *name));
            assert_eq!(Policy::from_name(&name.to_uppercase()), Some(*policy));
            assert_eq!(policy.only_expiring(), name.starts_with("volatile"));
        }
    }
}
