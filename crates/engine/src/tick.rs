//! A clock for measuring how long a command took: a few nanoseconds to read. Unsafe leaf module.
//!
//! The time stamp counter, where it ticks at a constant rate on all cores; `Instant` elsewhere (about 20 ns).
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::time::Instant;

struct Scale {
    start: Instant,
    #[cfg(target_arch = "x86_64")]
    counter: Option<Counter>,
}

#[cfg(target_arch = "x86_64")]
struct Counter {
    first: u64,
    /// Nanoseconds per tick, times 2^32.
    factor: u64,
}

static SCALE: OnceLock<Scale> = OnceLock::new();

/// Measures the counter's rate; takes two milliseconds. To be called once at start.
pub fn calibrate() {
    SCALE.get_or_init(|| {
        let start = Instant::now();
        #[cfg(target_arch = "x86_64")]
        let counter = is_constant().then(|| {
            let (first, first_ns) = both_clocks(start);
            while start.elapsed().as_micros() < 2_000 {
                std::hint::spin_loop();
            }
            let (last, last_ns) = both_clocks(start);
            let (ticks, nanos) = (last.saturating_sub(first), last_ns - first_ns);
            Counter { first, factor: ((u128::from(nanos) << 32) / u128::from(ticks.max(1))) as u64 }
        });
        Scale {
            start,
            #[cfg(target_arch = "x86_64")]
            counter,
        }
    });
}

/// The counter and the time since `start` at one moment, ns: of a few attempts that during which least came between, lest
/// the rate of a busy machine be that of its scheduler.
#[cfg(target_arch = "x86_64")]
fn both_clocks(start: Instant) -> (u64, u64) {
    let read = |_| {
        let before = counter();
        let nanos = start.elapsed().as_nanos() as u64;
        let took = counter().saturating_sub(before);
        (took, before + took / 2, nanos)
    };
    (0..16).map(read).min().map_or((counter(), 0), |(_, ticks, nanos)| (ticks, nanos))
}

#[cfg(target_arch = "x86_64")]
fn counter() -> u64 {
    // SAFETY: RDTSC is part of the x86-64 baseline and has no preconditions in user mode.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Whether the counter's rate depends on neither frequency nor sleep states (CPUID 8000_0007, EDX bit 8), and the
/// system itself trusts it.
#[cfg(target_arch = "x86_64")]
fn is_constant() -> bool {
    std::fs::read_to_string("/proc/cpuinfo")
        .is_ok_and(|text| text.contains("constant_tsc") && text.contains("nonstop_tsc"))
}

/// Nanoseconds since an arbitrary beginning.
#[inline]
pub fn now_ns() -> u64 {
    let Some(scale) = SCALE.get() else {
        calibrate();
        return 0;
    };
    #[cfg(target_arch = "x86_64")]
    if let Some(of) = &scale.counter {
        let ticks = counter().saturating_sub(of.first);
        return ((u128::from(ticks) * u128::from(of.factor)) >> 32) as u64;
    }
    scale.start.elapsed().as_nanos() as u64
}

/// Nanoseconds since `start_ns`, which is moved to now.
#[inline]
pub fn lap(start_ns: &mut u64) -> u64 {
    let end_ns = now_ns();
    end_ns.saturating_sub(std::mem::replace(start_ns, end_ns))
}

#[cfg(test)]
mod tests {
    /// Ticks taken inside of an interval are no longer than it, ticks taken around it no shorter, whatever the
    /// machine does in between. Five per cent for the calibration.
    #[test]
    fn ticks_are_nanoseconds() {
        super::calibrate();
        let (outer_ns, outer) = (super::now_ns(), std::time::Instant::now());
        let inner_ns = super::now_ns();
        while outer.elapsed().as_millis() < 20 {}
        let inner_took_ns = (super::now_ns() - inner_ns) as f64;
        let took_ns = outer.elapsed().as_nanos() as f64;
        let outer_took_ns = (super::now_ns() - outer_ns) as f64;
        assert!(inner_took_ns <= took_ns * 1.05 && outer_took_ns >= took_ns * 0.95);
    }
}
