//! Where the journal's bytes go in.

use std::sync::Arc;

use super::shared::Shared;

/// Takes units in the journal's order. There is one for a log, called with the journal locked.
pub struct LogSink {
    pub(super) shared: Arc<Shared>,
    pub(super) noted_s: u64,
}

impl LogSink {
    /// Adds a whole unit that begins at `offset` of the journal, at this time in seconds.
    #[inline]
    pub fn append(&mut self, offset: u64, unit: &[u8], now_s: u64) {
        let is_due = now_s > self.noted_s && self.shared.settings.has_timestamps();
        if is_due {
            self.noted_s = now_s;
        }
        self.shared.push(offset + unit.len() as u64, unit, is_due.then_some(now_s));
    }
}
