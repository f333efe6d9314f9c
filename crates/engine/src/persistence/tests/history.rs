//! What a client's history says may be found on a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Bits of a mark that say which point was acknowledged last.
const ACKNOWLEDGED_BITS: u32 = 32;

/// The points of a history.
pub(super) struct History {
    /// The state at each.
    points: Vec<String>,
    /// The last point that may be on the disk, and below it the last that must be.
    marks: Arc<AtomicU64>,
}

/// How far a history was at some moment: which points may be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(pub(super) u64);

impl Mark {
    fn acknowledged(self) -> usize {
        (self.0 & ((1 << ACKNOWLEDGED_BITS) - 1)) as usize
    }

    fn issued(self) -> usize {
        (self.0 >> ACKNOWLEDGED_BITS) as usize
    }
}

impl History {
    /// A history that begins here, with something that is durable.
    pub(super) fn new(state: String) -> History {
        History { points: vec![state], marks: Arc::default() }
    }

    /// The next point is about to be there.
    pub(super) fn issue(&self) {
        self.marks.fetch_add(1 << ACKNOWLEDGED_BITS, SeqCst);
    }

    /// The point that was issued, as it is; its number.
    pub(super) fn add(&mut self, state: String) -> usize {
        self.points.push(state);
        self.points.len() - 1
    }

    /// This point is durable, and was said to be.
    pub(super) fn acknowledge(&self, point: usize) {
        let before = self.mark();
        if point > before.acknowledged() {
            self.marks.fetch_add((point - before.acknowledged()) as u64, SeqCst);
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.marks.load(SeqCst))
    }

    /// Asks for the mark, at any moment and on any thread.
    pub(super) fn ask(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let marks = Arc::clone(&self.marks);
        move || marks.load(SeqCst)
    }

    /// The state now.
    pub(super) fn last(&self) -> &str {
        self.points.last().map_or("", String::as_str)
    }

    /// Whether what was found is a point that may be found, given how far the history was.
    pub(super) fn check(&self, found: &str, mark: Mark) -> Result<(), String> {
        let (from, to) = (mark.acknowledged(), mark.issued().min(self.points.len() - 1));
        if self.points[from..=to].iter().any(|point| point == found) {
            return Ok(());
        }
        Err(match self.points.iter().position(|point| point == found) {
            Some(point) => format!("point {point} is there instead of one of {from} to {to}"),
            None => format!("what is there was never there; it should be one of {from} to {to}"),
        })
    }
}
