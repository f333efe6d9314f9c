//! Statistics start anew.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::View;

use crate::engine::Engine;

impl Engine {
    /// Starts all statistics anew.
    pub fn reset_statistics(&self, _view: &mut View<'_>) {
        self.stats.connections.store(0, Relaxed);
        self.errors.reset();
    }
}
