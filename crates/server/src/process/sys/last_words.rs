//! The reduced report of a crash whose full report failed: a few lines, written inside the signal handler.
//!
//! No allocation, no lock, no standard stream: one buffer on the stack and `write(2)` to a file opened for it.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

/// Path of the log for the last words; null for standard output. Never freed: a handler may be reading it.
static EMERGENCY_LOG: AtomicPtr<c_char> = AtomicPtr::new(std::ptr::null_mut());

/// Names the file for the last words of a crash whose report failed; `None` is standard output.
pub(in crate::process) fn set_emergency_log(path: Option<&Path>) {
    let path = path.and_then(|p| CString::new(p.as_os_str().as_bytes()).ok());
    EMERGENCY_LOG.store(path.map_or(std::ptr::null_mut(), CString::into_raw), Release);
}

/// What the last words tell, all of it found in the handler.
pub(super) struct Facts<'a> {
    /// Why this is all there is.
    pub(super) reason: &'a str,
    /// Signal and `si_code`.
    pub(super) signal: (i32, i32),
    /// The address whose use failed.
    pub(super) address: usize,
    /// The instruction that was running.
    pub(super) instruction: usize,
    /// The stack, innermost frame first.
    pub(super) stack: &'a [AtomicUsize],
}

/// Writes the reduced report.
pub(super) fn write(facts: &Facts<'_>) {
    let mut text = StackText { bytes: [0; 2048], len: 0 };
    let pid = rustix::process::getpid().as_raw_nonzero();
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
    let (signal, code) = facts.signal;
    // What does not fit is cut; this text never fails.
    let _ = writeln!(text, "{pid}:signal-handler ({time}) {}", facts.reason);
    let _ = writeln!(
        text,
        "crashed by signal: {signal}, si_code: {code}, address: {:#x}, instruction: {:#x}",
        facts.address, facts.instruction
    );
    for address in facts.stack {
        let _ = writeln!(text, "[{:#x}]", address.load(Relaxed));
    }
    emergency_write(&text.bytes[..text.len]);
}

fn emergency_write(text: &[u8]) {
    let path = EMERGENCY_LOG.load(Acquire);
    if path.is_null() {
        let _ = rustix::io::write(rustix::stdio::stdout(), text);
        return;
    }
    // SAFETY: made by `CString::into_raw` and never freed.
    let path = unsafe { CStr::from_ptr(path) };
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::APPEND | OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    if let Ok(file) = rustix::fs::open(path, flags, Mode::from_raw_mode(0o644)) {
        let _ = rustix::io::write(&file, text);
    }
}

/// A text of fixed capacity; what does not fit is cut off.
struct StackText {
    bytes: [u8; 2048],
    len: usize,
}

impl std::fmt::Write for StackText {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        let n = s.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_text_cuts() {
        let mut text = StackText { bytes: [0; 2048], len: 0 };
        for _ in 0..300 {
            write!(text, "0123456789").unwrap();
        }
        assert_eq!(text.len, 2048);
        assert!(text.bytes.ends_with(b"01234567"));
    }
}
