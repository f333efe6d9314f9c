//! Loading the data at the start: on a thread of its own, while clients are already answered that data are being loaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::Instant;

use ochre_config::Directive;
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
        // Where it failed, nothing is to be done with what was loaded until the server has ended.
        if run(&engine, &control) {
            engine.set_loading(false);
            state.0.store(LOADED, SeqCst);
            control.wake();
        }
    });
    loading
}

/// Loads; whether that succeeded.
fn run(engine: &Arc<Engine>, control: &Control) -> bool {
    let has_log = engine.config.read().bool(Directive::Appendonly);
    let loaded = if has_log { load_with_log(engine) } else { load_snapshot(engine) };
    let Err(why) = loaded else { return true };
    control.fail(vec![why, "Fatal error loading the DB, check server logs. Exiting.".to_owned()]);
    false
}

/// Loads what the log has, or, before there is one, the snapshot; then the log goes on, or begins with that.
fn load_with_log(engine: &Arc<Engine>) -> Result<(), String> {
    let start = Instant::now();
    let loaded = engine.load_log()?;
    match &loaded {
        Some(_) => {
            log::warn!("DB loaded from append only file: {:.3} seconds", start.elapsed().as_secs_f64());
        }
        None => load_snapshot(engine)?,
    }
    engine.begin_log_at_start(loaded.map_or(0, |loaded| loaded.base_size))
}

fn load_snapshot(engine: &Engine) -> Result<(), String> {
    let start = Instant::now();
    if let Some(loaded) = engine.load_snapshot().map_err(|failure| failure.to_string())? {
        log::warn!(
            "Done loading RDB, keys loaded: {}, keys expired: {}, empty keys skipped: {}.",
            loaded.keys,
            loaded.expired,
            loaded.empty
        );
        log::warn!("DB loaded from disk: {:.3} seconds", start.elapsed().as_secs_f64());
    }
    Ok(())
}
