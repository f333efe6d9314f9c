//! How much of a core a thread gets that another one wants, too.

/// For whom a thread steps back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// Clients wait for what it does, but others must not wait for it: a third of the core.
    Second,
    /// Nobody waits for it: a tenth.
    Last,
}

/// Lowers the priority of this thread. Whoever serves clients then gets the core as soon as there is something to do, and not
/// once this thread has had its time slice of some milliseconds. Where the system knows no priorities of threads, or
/// refuses, it stays.
pub fn step_back(priority: Priority) {
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
