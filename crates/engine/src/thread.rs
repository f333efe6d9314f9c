//! Threads for what takes long and must be done in any case.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Builder;

use ochre_keyspace::{Priority, step_back};
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

/// Starts a thread that does something with what it is sent, without keeping workers from their cores, and ends without having done anything if that is nothing: so
/// whatever must not be begun without a thread can wait for it.
///
/// # Errors
/// The system gives no thread.
pub fn spawn_waiting<T: Send + 'static>(
    name: &str,
    run: impl FnOnce(T) + Send + 'static,
) -> io::Result<SyncSender<T>> {
    let (sender, receiver) = sync_channel(1);
    Builder::new().name(name.to_owned()).spawn(move || {
        if let Ok(value) = receiver.recv() {
            step_back(Priority::Second);
            run(value);
        }
    })?;
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::{spawn_or_run, spawn_waiting};

    #[test]
    fn it_waits_for_what_it_is_sent() {
        let (sender, receiver) = channel();
        let tell = move |value: u32| sender.send(value).expect("somebody waits");
        drop(spawn_waiting("test", tell.clone()).expect("a thread"));
        let thread = spawn_waiting("test", tell).expect("a thread");
        thread.send(7).expect("it waits");
        assert_eq!(receiver.recv(), Ok(7));
        assert!(receiver.recv().is_err(), "the other one did nothing");
    }

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
