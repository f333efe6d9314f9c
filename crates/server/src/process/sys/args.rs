//! The memory that `ps` shows: the kernel's copy of the arguments, and behind it of the environment.
//!
//! Linux keeps the strings of `argv` and, right behind them, of the environment in one stretch of the first thread's
//! stack; `/proc/PID/cmdline` reads it. A title is written there. It may run on into the environment's part: the
//! kernel then shows everything up to the first NUL (that rule exists for setproctitle). So before the first write the
//! environment moves to the heap (`setenv` of every variable to its own value).
//!
//! Rejected: `PR_SET_MM_MAP`, which needs a kernel option; starting the program again with another `argv[0]`, which
//! cannot change the title later, as CONFIG SET proc-title-template does. `PR_SET_NAME` is kept beside it for `top`.
//!
//! Invariant: the last byte of the area is NUL for ever, so whoever still holds a pointer into it reads a C string.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;

/// The longest title, as in every setproctitle: one kernel buffer's worth is more than `ps` shows.
const TITLE_LEN_MAX: usize = 1024;

/// Exclusive hold of the argument area.
#[derive(Debug)]
pub(in crate::process) struct ArgumentArea {
    start: usize,
    len: usize,
    /// The whole area is cleared at the first title, later only what a title can reach.
    cleared: bool,
}

impl ArgumentArea {
    /// Finds the area and moves the environment out of it. `None` where the system does not say where it is, or once
    /// other threads run: the environment may only be rewritten by a process with one thread.
    ///
    /// `std::env::args` reads this memory each time it is called, so it returns parts of the title from the first
    /// [`write`](Self::write) on: the caller keeps its arguments before.
    pub(in crate::process) fn claim() -> Option<Self> {
        let tasks = std::fs::read_dir("/proc/self/task").ok()?.count();
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let area = parse_area(&stat)?;
        if tasks != 1 {
            return None;
        }
        // A name that starts with `=` cannot be set again; it stays where it is.
        let movable = |name: &OsString| !name.is_empty() && !name.as_bytes().contains(&b'=');
        for (name, value) in std::env::vars_os().filter(|(name, _)| movable(name)) {
            // SAFETY: the process has one thread, so nobody reads the environment meanwhile.
            unsafe { std::env::set_var(name, value) };
        }
        Some(Self { start: area.start, len: area.len(), cleared: false })
    }

    /// Puts `title` there, cut to what fits, NULs inside replaced by spaces.
    pub(in crate::process) fn write(&mut self, title: &[u8]) {
        let reach = if self.cleared { self.len.min(TITLE_LEN_MAX + 1) } else { self.len };
        self.cleared = true;
        let title = &title[..title.len().min(TITLE_LEN_MAX).min(self.len.saturating_sub(1))];
        let base: *mut u8 = std::ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: the kernel reported `start..start + len` as this process's arguments and environment, which are
        // writable stack memory above every frame for the life of the process, and `reach` and the title's length do
        // not exceed `len`. No Rust value lives there. Exclusive: `self` is the only one (one claim, kept in a lock).
        unsafe {
            base.write_bytes(0, reach);
            for (i, &byte) in title.iter().enumerate() {
                base.add(i).write(if byte == 0 { b' ' } else { byte });
            }
        }
    }
}

/// `arg_start` to `arg_end`, or to `env_end` where the environment follows at once: fields 48 to 51 of the line.
fn parse_area(stat: &str) -> Option<Range<usize>> {
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(45).map(|f| f.parse::<usize>().ok());
    let [arg_start, arg_end, env_start, env_end] = std::array::from_fn(|_| fields.next().flatten());
    let (start, end) = (arg_start?, arg_end?);
    let end = match (env_start, env_end) {
        (Some(env_start), Some(env_end)) if env_start == end && env_end > end => env_end,
        _ => end,
    };
    (start != 0 && end > start).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(area: &str) -> String {
        format!("7 (a) b) S{} {area} 0", " 1".repeat(44))
    }

    #[test]
    fn areas() {
        let cases = [
            ("100 120 120 200", Some(100..200)),
            ("100 120 130 200", Some(100..120)),
            ("0 0 0 0", None),
            ("120 100 100 90", None),
        ];
        for (fields, expected) in cases {
            assert_eq!(parse_area(&stat(fields)), expected, "{fields}");
        }
        assert_eq!(parse_area("7 (x) S 1 2"), None);
        assert_eq!(parse_area(""), None);
    }

    #[test]
    fn the_real_line_holds_an_area() {
        if let Ok(stat) = std::fs::read_to_string("/proc/self/stat") {
            assert!(parse_area(&stat).is_some_and(|a| a.len() > 1));
        }
    }
}
