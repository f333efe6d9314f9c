//! Loading the data at the start: on a thread of its own, while clients are already answered that data are being loaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::Instant;

use ochre_engine::{Engine, spawn_or_run};

use crate::control::Control;

// 0: under way.
const LOADED: u8 = 1;
const TOLD: u8 = 2;

/// Where loading stands.
#[derive(Default)]
pub struct Loading(AtomicU8);

impl Loading {
    /// Whether loading is over, once: for whoever says that the server is ready.
    pub fn is_over_now(&self) -> bool {
        self.0.compare_exchange(LOADED, TOLD, SeqCst, SeqCst).is_ok()
    }
}

/// Begins to load. If that fails, the server ends: going on without the data would lose them with the next snapshot.
pub fn begin(engine: &Arc<Engine>, control: &Arc<Control>) -> Arc<Loading> {
    let loading = Arc::new(Loading::default());
    engine.set_loading(true);
    let (engine, control, state) = (Arc::clone(engine), Arc::clone(control), Arc::clone(&loading));
    // Without a thread it is done here, before anybody is answered.
    spawn_or_run("loading", move || {
        run(&engine, &control);
        engine.set_loading(false);
        state.0.store(LOADED, SeqCst);
        control.wake();
    });
    loading
}

fn run(engine: &Engine, control: &Control) {
    let start = Instant::now();
    match engine.load_snapshot() {
        Ok(None) => {}
        Ok(Some(loaded)) => {
            log::warn!(
                "Done loading RDB, keys loaded: {}, keys expired: {}, empty keys skipped: {}.",
                loaded.keys,
                loaded.expired,
                loaded.empty
            );
            log::warn!("DB loaded from disk: {:.3} seconds", start.elapsed().as_secs_f64());
        }
        Err(failure) => {
            log::error!("{failure}");
            log::error!("Fatal error loading the DB, check server logs. Exiting.");
            control.end(1);
        }
    }
}
