//! The 24-bit access clock of an entry: when it was used (or modified) last, or how often.
//!
//! LRU and LRM: seconds, modulo 2^24 (194 days). LFU: minutes modulo 2^16 of the last decay above an 8-bit logarithmic
//! counter, as described in the Redis documentation on key eviction ("The new LFU mode").

use crate::settings::Policy;

/// The counter that a new key starts with, so that it is not the first to go.
pub const LFU_INITIAL: u32 = 5;
const CLOCK_MASK: u32 = 0x00ff_ffff;

/// The parameters of frequency counting.
#[derive(Clone, Copy, Debug)]
pub struct Lfu {
    /// The higher, the more uses a counter stands for.
    pub log_factor: u32,
    /// Minutes after which an unused counter drops by one; 0 never.
    pub decay_minutes: u32,
}

/// Seconds modulo 2^24.
pub fn seconds_clock(now_ms: i64) -> u32 {
    (now_ms.div_euclid(1000) as u32) & CLOCK_MASK
}

fn minutes_clock(now_ms: i64) -> u32 {
    (now_ms.div_euclid(60_000) as u32) & 0xffff
}

/// The clock of a key that is being created.
pub fn initial(policy: Policy, now_ms: i64) -> u32 {
    if policy.is_lfu() { minutes_clock(now_ms) << 8 | LFU_INITIAL } else { seconds_clock(now_ms) }
}

/// Milliseconds since a key was used (or modified), to the second.
pub fn idle_ms(access: u32, now_ms: i64) -> i64 {
    i64::from(seconds_clock(now_ms).wrapping_sub(access) & CLOCK_MASK) * 1000
}

/// The use counter after its decay.
pub fn frequency(access: u32, now_ms: i64, lfu: Lfu) -> u32 {
    let elapsed = minutes_clock(now_ms).wrapping_sub(access >> 8) & 0xffff;
    let periods = elapsed.checked_div(lfu.decay_minutes).unwrap_or(0);
    (access & 0xff).saturating_sub(periods)
}

/// The clock after one more use; `random` is a uniform number below 2^32.
pub fn count_use(access: u32, now_ms: i64, lfu: Lfu, random: u32) -> u32 {
    let counter = frequency(access, now_ms, lfu);
    let base = f64::from(counter.saturating_sub(LFU_INITIAL));
    let chance = 1.0 / (base * f64::from(lfu.log_factor) + 1.0);
    let up = counter < 255 && f64::from(random) / 4_294_967_296.0 < chance;
    minutes_clock(now_ms) << 8 | (counter + u32::from(up))
}

/// The clock of a key whose idle time or use count is given (RESTORE).
pub fn from_idle_ms(idle_ms: i64, now_ms: i64) -> u32 {
    seconds_clock(now_ms.saturating_sub(idle_ms))
}

/// The clock of a key with the given use counter.
pub fn from_frequency(frequency: u8, now_ms: i64) -> u32 {
    minutes_clock(now_ms) << 8 | u32::from(frequency)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LFU: Lfu = Lfu { log_factor: 10, decay_minutes: 1 };

    #[test]
    fn idle_time_survives_the_wrap() {
        let start = ((1i64 << 24) - 2) * 1000;
        let access = seconds_clock(start);
        assert_eq!(idle_ms(access, start + 5_000), 5_000);
    }

    #[test]
    fn counters_rise_slowly_and_decay() {
        let now = 1_000_000_000;
        let mut access = initial(Policy::AllKeysLfu, now);
        assert_eq!(frequency(access, now, LFU), LFU_INITIAL);
        access = count_use(access, now, LFU, 0);
        assert_eq!(frequency(access, now, LFU), LFU_INITIAL + 1);
        access = count_use(access, now, LFU, u32::MAX);
        assert_eq!(frequency(access, now, LFU), LFU_INITIAL + 1);
        assert_eq!(frequency(access, now + 4 * 60_000, LFU), 2);
        assert_eq!(frequency(access, now + 4 * 60_000, Lfu { decay_minutes: 0, ..LFU }), 6);
    }
}
