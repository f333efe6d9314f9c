//! Where the lines of a table are, readable without its lock: for prefetches only.
//!
//! A prefetch never faults, so a stale address does no harm. What must not happen is a read of memory that is gone:
//! so the copy of the directory that is kept here never moves. There is one array per directory depth, made when a
//! table first gets that deep, and it stays; together they are twice the largest at most (16 bytes per 400 keys).
//!
//! Locking for this would not only cost the lock: an atomic instruction between two misses makes the second wait for the
//! first, and it is the overlapping of misses that makes batches fast. Measured only on a busy machine, where the gain
//! was within the noise (0.44 to 0.42 us per GET at pipeline 64).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::hash::Key;
use crate::segment::Hint;
use crate::table::{Moved, Table};

/// Deeper directories are not followed: their tables have a billion keys.
const DEPTH_MAX: usize = 22;

/// The hints of one table.
pub(crate) struct Hints {
    depth: AtomicU32,
    width: u32,
    levels: [OnceLock<Box<[Words]>>; DEPTH_MAX + 1],
}

#[derive(Default)]
struct Words {
    lines: AtomicU64,
    segment: AtomicU64,
}

impl Hints {
    pub(crate) fn new(width: u32) -> Hints {
        Hints { depth: AtomicU32::new(0), width, levels: [const { OnceLock::new() }; DEPTH_MAX + 1] }
    }

    /// Asks the processor for the line of a key.
    #[inline]
    pub(crate) fn prefetch(&self, key: Key<'_>) {
        let (depth, position) = (self.depth.load(Relaxed), key.hash.position());
        let relative = position & ((1u64 << self.width) - 1);
        let words = self.levels.get(depth as usize).and_then(OnceLock::get);
        if let Some(words) = words.and_then(|words| words.get((relative >> (self.width - depth)) as usize)) {
            let hint = Hint { lines: words.lines.load(Relaxed), segment: words.segment.load(Relaxed) };
            hint.prefetch(position);
        }
    }

    /// Follows what a table has moved. The caller holds the table's lock.
    #[cold]
    pub(crate) fn follow(&self, table: &Table, moved: Moved) {
        let depth = table.depth() as usize;
        let Some(level) = self.levels.get(depth) else { return };
        let words = level.get_or_init(|| (0..1usize << depth).map(|_| Words::default()).collect());
        let range = match moved {
            Moved::Nothing => 0..0,
            Moved::Range(start, end) => start..end,
            Moved::Everything => 0..words.len(),
        };
        for index in range {
            let hint = table.hint(index).unwrap_or(Hint { lines: 0, segment: 0 });
            words[index].lines.store(hint.lines, Relaxed);
            words[index].segment.store(hint.segment, Relaxed);
        }
        self.depth.store(depth as u32, Relaxed);
    }
}
