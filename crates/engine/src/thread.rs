//! Threads for what takes long and must be done in any case.

use std::sync::Arc;
use std::thread::Builder;

use parking_lot::Mutex;

/// Runs something on a thread of its own, or here if the system gives none: a thread that cannot be started keeps nothing back.
pub fn spawn_or_run(name: &str, run: impl FnOnce() + Send + 'static) {
    let shared = Arc::new(Mutex::new(Some(run)));
    let take = |shared: &Mutex<Option<_>>| shared.lock().take();
    let theirs = Arc::clone(&shared);
    let started = Builder::new().name(name.to_owned()).spawn(move || {
        if let Some(run) = take(&theirs) {
            run();
        }
    });
    if started.is_err()
        && let Some(run) = take(&shared)
    {
        run();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::spawn_or_run;

    #[test]
    fn it_runs_once_and_elsewhere() {
        let (sender, receiver) = channel();
        spawn_or_run("test", move || {
            sender.send(std::thread::current().name().map(str::to_owned)).expect("somebody waits");
        });
        assert_eq!(receiver.recv(), Ok(Some("test".to_owned())));
        assert!(receiver.recv().is_err(), "once");
    }
}
