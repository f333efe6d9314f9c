//! Stacks as text: the threads of this process, and names for their instruction addresses.
//!
//! Runs as ordinary code, never in a signal handler. A frame shows its address, then what the debugging information
//! gives (inlined functions too), then the module and the offset in it, which suffice for `addr2line` if the program
//! was stripped.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::sys::{SAMPLE_SIGNAL, Trace, capture_here, capture_thread};

/// How long one thread may take to show its stack: long enough for a machine under load.
const THREAD_LIMIT: Duration = Duration::from_secs(2);
/// How long all of them may take.
const ALL_LIMIT: Duration = Duration::from_secs(10);
/// The functions that a signal interrupts a thread with; what is above them is not the thread's own.
const HANDLERS: [&str; 2] = ["stack_sample_handler", "fatal_signal_handler"];

/// The module (program or library) that each address belongs to.
#[derive(Debug, Default)]
pub(super) struct Modules(Vec<(std::ops::Range<usize>, usize, String)>);

impl Modules {
    pub(super) fn read() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/self/maps").unwrap_or_default())
    }

    /// Lines of `start-end rights offset device inode path`.
    fn parse(maps: &str) -> Self {
        let entry = |line: &str| {
            let mut fields = line.split_ascii_whitespace();
            let (start, end) = fields.next()?.split_once('-')?;
            let offset = usize::from_str_radix(fields.nth(1)?, 16).ok()?;
            let path = fields.nth(2).filter(|p| p.starts_with('/'))?;
            let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
            Some((range, offset, path.to_owned()))
        };
        Self(maps.lines().filter_map(entry).collect())
    }

    fn place(&self, address: usize) -> Option<(&str, usize)> {
        let (range, offset, path) = self.0.iter().find(|(range, ..)| range.contains(&address))?;
        Some((path, address - range.start + offset))
    }
}

/// Hands the stacks of all threads to `write`, one after the other: names are looked up in the debugging information of
/// the whole program, which takes its time. The calling thread's is left out, unless it is the `crashed` one, whose trace
/// is given, which gets a star and comes first.
pub(super) fn all_threads(crashed: Option<&Trace>, modules: &Modules, write: &mut dyn FnMut(&str)) {
    let own_tid = rustix::thread::gettid().as_raw_nonzero().get();
    let (mut shown, mut expected) = (0, 0);
    let start = Instant::now();
    let mut threads = thread_ids();
    threads.sort_unstable_by_key(|tid| (crashed.is_none_or(|trace| trace.tid != *tid), *tid));
    for tid in threads {
        let trace = match crashed {
            Some(trace) if trace.tid == tid => Some(trace.clone()),
            _ if tid == own_tid => continue,
            // The allocator's own threads, for example: waiting for them would be in vain, and seconds for each.
            _ if blocks_samples(tid) => None,
            _ => capture_thread(tid, THREAD_LIMIT.min(ALL_LIMIT.saturating_sub(start.elapsed()))),
        };
        expected += 1;
        if let Some(trace) = trace {
            shown += 1;
            let star = if crashed.is_some_and(|c| c.tid == tid) { " *" } else { "" };
            write(&format!("\n{tid} {}{star}\n{}", thread_name(tid), frames(&trace, modules)));
        }
    }
    write(&format!("\n{shown}/{expected} expected stacktraces.\n"));
}

/// The addresses of a stack with their modules, without names: quick, and enough for `addr2line`.
pub(super) fn addresses(trace: &Trace, modules: &Modules) -> String {
    let line = |(index, address): (usize, &usize)| match modules.place(*address) {
        Some((path, offset)) => format!("#{index} {address:#x} ({path}+{offset:#x})\n"),
        None => format!("#{index} {address:#x}\n"),
    };
    trace.addresses.iter().enumerate().map(line).collect()
}

/// The calling thread's stack.
pub(super) fn this_thread(modules: &Modules) -> (Trace, String) {
    let trace = capture_here();
    let text = frames(&trace, modules);
    (trace, text)
}

/// One line about one address: the function, behind ` < ` those it was inlined into, and the module.
pub(super) fn describe(address: usize, modules: &Modules) -> String {
    let mut out = format!("{address:#x}");
    let mut gap = " ";
    backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
        // Writing to a string cannot fail.
        let _ = match (symbol.name(), symbol.filename(), symbol.lineno()) {
            (Some(name), Some(file), Some(line)) => write!(out, "{gap}{name:#} at {}:{line}", file.display()),
            (Some(name), ..) => write!(out, "{gap}{name:#}"),
            _ => Ok(()),
        };
        gap = " < ";
    });
    match modules.place(address) {
        Some((path, offset)) => out + &format!(" ({path}+{offset:#x})"),
        None => out,
    }
}

pub(super) fn thread_name(tid: i32) -> String {
    std::fs::read_to_string(format!("/proc/self/task/{tid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// Whether a thread blocks the signal that samples its stack.
fn blocks_samples(tid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).unwrap_or_default();
    blocks(&status, SAMPLE_SIGNAL)
}

/// Whether the kernel's description of a thread has a signal among those that are blocked.
fn blocks(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

fn thread_ids() -> Vec<i32> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    tasks.filter_map(|t| t.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn frames(trace: &Trace, modules: &Modules) -> String {
    let lines: Vec<String> = trace.addresses.iter().map(|&a| describe(a, modules)).collect();
    // Below the handler there is one more frame of the kernel's making, then the interrupted function.
    let handler = lines.iter().rposition(|l| HANDLERS.iter().any(|h| l.contains(h)));
    let own = &lines[handler.map_or(0, |i| (i + 2).min(lines.len()))..];
    own.iter().enumerate().map(|(i, line)| format!("#{i} {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        let maps =
            "7f00-7fff r-xp 00001000 08:01 5   /usr/lib/x.so\n8000-9000 rw-p 00000000 00:00 0  [heap]\nbad\n";
        let modules = Modules::parse(maps);
        assert_eq!(modules.place(0x7f10), Some(("/usr/lib/x.so", 0x1010)));
        assert_eq!(modules.place(0x8000), None);
    }

    #[test]
    fn threads_that_block_the_signal_are_passed_over() {
        let status =
            |mask: &str| format!("Name:\tx\nSigPnd:\tffffffffffffffff\nSigBlk:\t{mask}\nSigIgn:\t0\n");
        assert!(blocks(&status("fffffffe7ffbfeff"), 12) && blocks(&status("0000000000000800"), 12));
        assert!(!blocks(&status("fffffffffffff7ff"), 12) && !blocks("", 12));
    }

    #[test]
    fn frames_have_names_and_modules() {
        let (_, text) = this_thread(&Modules::read());
        assert!(text.contains("frames_have_names_and_modules"), "{text}");
        assert!(text.contains("+0x"), "{text}");
    }
}
