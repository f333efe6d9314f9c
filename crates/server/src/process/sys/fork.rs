//! `fork`, allowed only while the process has one thread.
//!
//! The danger of `fork` in Rust is the child of a process with several threads: locks held by threads that do not
//! exist there (the allocator's among them) stay locked for ever. With one thread the child is an exact copy, and
//! every Rust invariant that held before the call holds in both processes. So the thread count is checked, not assumed.
#![allow(unsafe_code)]

use std::io;

/// Which of the two processes a successful [`fork`] returned in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Side {
    /// The caller; the child runs on its own.
    Parent,
    /// The new process.
    Child,
}

/// Duplicates the process. Fails when it has more than one thread, or when the system refuses.
pub(in crate::process) fn fork() -> io::Result<Side> {
    if thread_count()? != 1 {
        return Err(io::Error::other("cannot fork once threads are running"));
    }
    // SAFETY: the process has exactly one thread, this one, so no lock can be left held in the child and no thread
    // can start between the check and the call.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        _ => Ok(Side::Parent),
    }
}

/// Threads of this process; 1 where the system does not tell (the caller's order of start-up then vouches for it).
fn thread_count() -> io::Result<usize> {
    match std::fs::read_dir("/proc/self/task") {
        Ok(tasks) => Ok(tasks.count()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(1),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_with_several_threads() {
        let (stop, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        assert!(fork().is_err());
        drop(stop);
        assert!(other.join().unwrap().is_err());
    }
}
