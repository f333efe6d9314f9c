//! How much of a core a thread gets that another one wants, too, and what else sets a thread apart that helps the workers.

use std::sync::OnceLock;

/// What threads that help do first.
static PREPARATION: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// Says what every thread that helps the workers does first; only the first call counts.
pub fn prepare_helpers(preparation: impl Fn() + Send + Sync + 'static) {
    drop(PREPARATION.set(Box::new(preparation)));
}

/// To be called first by a thread that helps the workers: from the one that started it, it has what belongs to a worker (the
/// cores that it may run on).
pub fn become_helper() {
    if let Some(preparation) = PREPARATION.get() {
        preparation();
    }
}

/// For whom a thread steps back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// Clients wait for what it does, but others must not wait for it: a third of the core.
    Second,
    /// Nobody waits for it: a tenth.
    Last,
}

/// Makes this thread one that helps, and lowers its priority. Whoever serves clients then gets the core as soon as there is something to do, and not
/// once this thread has had its time slice of some milliseconds. Where the system knows no priorities of threads, or
/// refuses, it stays.
pub fn step_back(priority: Priority) {
    become_helper();
    #[cfg(target_os = "linux")]
    {
        let niceness = match priority {
            Priority::Second => 5,
            Priority::Last => 10,
        };
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), niceness);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = priority;
}
