//! A test of memory by patterns: `--test-memory`, and the fast test at the end of a crash report.
//!
//! Redis's fast test rewrites the dying process's own pages, which other threads may be using. This one tests memory
//! fresh from the system instead: less of it, and never a second crash in the middle of a report.

/// One word and its complement, alternating, find bits that stick or follow a neighbour.
const PATTERNS: [u64; 6] =
    [0, u64::MAX, 0x5555_5555_5555_5555, 0x3333_3333_3333_3333, 0x0f0f_0f0f_0f0f_0f0f, 0x00ff_00ff_00ff_00ff];

/// Tests `megabytes` of fresh memory `passes` times and returns the number of words that did not keep their value;
/// `None` if the system does not give that much. `progress` is told each pass's number, from 1.
pub fn test(megabytes: usize, passes: u32, progress: &mut dyn FnMut(u32)) -> Option<u64> {
    let words = megabytes.checked_mul(1 << 17)?;
    let mut memory: Vec<u64> = Vec::new();
    memory.try_reserve_exact(words).ok()?;
    memory.resize(words, 0);
    let mut errors = 0;
    for pass in 1..=passes {
        progress(pass);
        errors += addresses(&mut memory);
        errors += noise(&mut memory, u64::from(pass));
        for pattern in PATTERNS {
            errors += check(&mut memory, |i| if i % 2 == 0 { pattern } else { !pattern });
        }
    }
    Some(errors)
}

/// Every word holds its index: finds address lines that stick.
fn addresses(memory: &mut [u64]) -> u64 {
    check(memory, |i| i as u64)
}

/// Every word holds a number that looks random (a step of splitmix64).
fn noise(memory: &mut [u64], seed: u64) -> u64 {
    check(memory, |i| {
        let x = (i as u64 ^ seed << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ x >> 32
    })
}

/// Writes `value(i)` everywhere, then counts the words that differ.
fn check(memory: &mut [u64], value: impl Fn(usize) -> u64) -> u64 {
    memory.iter_mut().enumerate().for_each(|(i, word)| *word = value(i));
    // Without the box the compiler may conclude that what was just written is what will be read.
    let memory = std::hint::black_box(memory);
    memory.iter().enumerate().filter(|&(i, &word)| word != value(i)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_memory_passes() {
        let mut seen = Vec::new();
        assert_eq!(test(1, 2, &mut |pass| seen.push(pass)), Some(0));
        assert_eq!(seen, [1, 2]);
        assert_eq!(test(usize::MAX, 1, &mut |_| ()), None);
        assert_eq!(test(usize::MAX >> 20, 1, &mut |_| ()), None);
    }

    #[test]
    fn a_broken_word_is_counted() {
        // A value that changes between writing and reading is a word that did not keep it.
        let asked = std::cell::Cell::new(0_u64);
        let errors = check(&mut [0; 8], |_| {
            asked.set(asked.get() + 1);
            if asked.get() == 11 { 1 } else { 0 }
        });
        assert_eq!(errors, 1);
    }
}
