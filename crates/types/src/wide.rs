//! Work on long runs of bytes, compiled for what the processor at hand can do. Unsafe leaf module.
//!
//! The loops over bitmaps and registers are ordinary code that a compiler turns into vector instructions by itself: how
//! wide ones depends on the processor it may assume, and a binary for all of them may assume little. So such work is
//! compiled several times, and the best version that this processor runs is chosen when it is called (two loads and a
//! branch). What is unsafe about that, calling a function whose instructions the processor might lack, is here and
//! nowhere else.
//!
//! Rejected: intrinsics of each instruction set. Counting the bits of 1 MiB takes as long (the compiler finds the same
//! instructions), and there would be as many versions to read as there are instruction sets.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Some work on long runs of bytes. `run` has to be `#[inline(always)]`, and so does all that it calls in its loops:
/// only what is inlined is compiled for the wider instructions.
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;

    /// Does it where there is an instruction that counts the bits of each element of a vector, in case that is worth another
    /// way.
    #[inline(always)]
    fn run_counting(self) -> Self::Output
    where
        Self: Sized,
    {
        self.run()
    }
}

/// Whether wider instructions are used where there are some (PFDEBUG SIMD).
static ENABLED: AtomicBool = AtomicBool::new(true);

/// Allows or forbids instructions that not every processor has, for the whole process; whether they are used from now
/// on. What is computed is the same.
pub fn use_wide_instructions(enabled: bool) -> bool {
    ENABLED.store(enabled, Relaxed);
    enabled && level() != Level::Any
}

/// What a processor can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    /// What every one of its architecture can.
    Any,
    /// AVX2, BMI1, BMI2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with byte permutations and population counts.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

#[cfg(target_arch = "x86_64")]
fn level() -> Level {
    let has_avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt");
    let has_avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512bitalg")
        && is_x86_feature_detected!("avx512vpopcntdq");
    match (has_avx2, has_avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        (false, _) => Level::Any,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn level() -> Level {
    Level::Any
}

/// Does work with the widest instructions there are.
#[inline]
pub(crate) fn widely<W: Work>(work: W) -> W::Output {
    if !ENABLED.load(Relaxed) {
        return work.run();
    }
    match level() {
        Level::Any => work.run(),
        // SAFETY: the processor has been found to have all features that the function is compiled with.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { with_avx2(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { with_avx512(work) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(
    enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512bitalg,avx512vpopcntdq"
)]
fn with_avx512<W: Work>(work: W) -> W::Output {
    work.run_counting()
}

/// Runs a test once with what the processor has and once without: both must give the same.
#[cfg(test)]
pub(crate) fn in_every_way<R: PartialEq + std::fmt::Debug>(compute: impl Fn() -> R) -> R {
    let plain = {
        use_wide_instructions(false);
        compute()
    };
    use_wide_instructions(true);
    let wide = compute();
    assert_eq!(plain, wide);
    wide
}
