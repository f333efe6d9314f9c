//! What is still to come of a reply that is made in parts (see [`ochre_engine::Sequel`]).

use std::collections::VecDeque;

use ochre_engine::Promise;

/// Promises of one connection with what comes behind each of them.
pub struct Rest {
    pieces: VecDeque<(Promise, Vec<u8>)>,
    /// When it was promised, unix time in ms.
    since_ms: i64,
}

/// What became of a call for the next part.
pub struct Part {
    /// A promise that is fulfilled.
    pub fulfilled: Option<Promise>,
    /// Whether nothing is left to come.
    pub is_last: bool,
}

impl Rest {
    /// Takes promises with all that is behind the first of them in the output.
    pub fn take(out: &mut Vec<u8>, promises: Vec<Promise>, now_ms: i64) -> Rest {
        let mut pieces = VecDeque::with_capacity(promises.len());
        for promise in promises.into_iter().rev() {
            let behind = out.split_off(promise.at.min(out.len()));
            pieces.push_front((promise, behind));
        }
        Rest { pieces, since_ms: now_ms }
    }

    /// Adds what comes behind all of it.
    pub fn add(&mut self, bytes: &[u8]) {
        if let Some((_, behind)) = self.pieces.back_mut() {
            behind.extend_from_slice(bytes);
        }
    }

    /// How long it has been promised, ms.
    pub fn age_ms(&self, now_ms: i64) -> i64 {
        now_ms - self.since_ms
    }

    /// Bytes of memory for what comes behind promises.
    pub fn memory_bytes(&self) -> usize {
        self.pieces.iter().map(|(_, behind)| size_of::<Promise>() + behind.capacity()).sum()
    }

    /// Writes the next part, of not many more than `bytes` bytes.
    pub fn write(&mut self, out: &mut Vec<u8>, bytes: usize) -> Part {
        let mut fulfilled = None;
        if let Some((promise, _)) = self.pieces.front_mut()
            && !promise.write(out, bytes)
            && let Some((mut promise, behind)) = self.pieces.pop_front()
        {
            out.extend_from_slice(&behind);
            self.pieces.front_mut().into_iter().for_each(|(next, _)| promise.leave_costs_to(next));
            fulfilled = Some(promise);
        }
        Part { fulfilled, is_last: self.pieces.is_empty() }
    }

    /// The promises that nobody wants any more.
    pub fn into_promises(self) -> impl Iterator<Item = Promise> {
        self.pieces.into_iter().map(|(promise, _)| promise)
    }
}
