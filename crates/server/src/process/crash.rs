//! Crash reports: what the log says when the server dies of a bug, by a fatal signal or by a panic.
//!
//! A fatal signal is collected in its handler and reported by a thread of this file (see `sys/fatal.rs` for why). A panic is
//! reported by the thread that panicked, from the panic hook, and then ends the process: locks may be held over half-made
//! changes, so no thread may go on. There is one report per process; a thread that crashes during it waits for the end.
//!
//! What the server adds (INFO, the client list, the command being run) comes from callbacks, each run in a thread of its own
//! and given up after [`SECTION_LIMIT`]: the crashed thread may hold any lock. Even so they should use `try_lock`.
//!
//! Markers and the first lines are Redis's, because tools search logs for them.

use std::fmt::Write as _;
use std::io;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::Mutex;

use super::build::Build;
use super::logger::{Level, logger};
use super::stack::{self, Modules};
use super::sys::{self, FatalSignal, Trace};

/// How long one section may take to be written.
const SECTION_LIMIT: Duration = Duration::from_secs(1);
/// Memory that the fast test at the end of a report tries.
const MEMORY_TEST_MB: usize = 32;
/// Name of the threads that produce sections: a panic of theirs ends the section, not the report.
const SECTION_THREAD: &str = "crash_section";
/// Name of the thread that reports fatal signals.
const REPORTER_THREAD: &str = "crash_reporter";

/// Settings of crash reports; all may change while the server runs.
#[derive(Debug, Clone)]
pub struct CrashSettings {
    /// `crash-log-enabled`: without it a crash is as the system makes it.
    pub enabled: bool,
    /// `crash-memcheck-enabled`: test some memory at the end of the report.
    pub memory_check: bool,
    /// `use-exit-on-panic`: after a panic exit with status 1 instead of aborting.
    pub exit_on_panic: bool,
    /// The pidfile to remove: Redis's rule is only that of a daemon without supervisor.
    pub pidfile: Option<PathBuf>,
    /// What the report says of the program.
    pub build: Build,
}

/// The thread that crashed, for callbacks that look up what it was doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashedThread {
    /// The system's number.
    pub tid: i32,
    /// Its name.
    pub name: String,
}

/// A part of the report that the server provides.
#[derive(Clone)]
pub struct Section {
    /// As in `------ TITLE ------`: "INFO OUTPUT", "CLIENT LIST OUTPUT", "CURRENT CLIENT INFO", ...
    pub title: &'static str,
    /// Its text; empty leaves the section out.
    pub text: Arc<dyn Fn(&CrashedThread) -> String + Send + Sync>,
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section").field("title", &self.title).finish_non_exhaustive()
    }
}

static SETTINGS: Mutex<Option<CrashSettings>> = Mutex::new(None);
static SECTIONS: Mutex<Vec<Section>> = Mutex::new(Vec::new());
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Starts crash reports, or changes their settings. The first call starts the reporter's thread: after
/// [`daemonize`](super::daemonize), before workers.
pub fn install(settings: CrashSettings) -> io::Result<()> {
    if let Some(reporter) = sys::reporter()? {
        let run = move || {
            ochre_memory::use_first_arena();
            reporter.wait();
            // A panic of ours ends the report early; the crashed thread must be let go all the same.
            let _ = std::panic::catch_unwind(|| sys::fatal_signal().map(|signal| report_signal(&signal)));
            reporter.done();
        };
        let thread = std::thread::Builder::new().name(REPORTER_THREAD.to_owned());
        sys::with_fatal_blocked(|| thread.spawn(run))?;
    }
    sys::install_stack_sampler();
    if settings.enabled {
        sys::enable_fatal_handlers();
    } else {
        // Also at the start: std's own handler of SIGSEGV lets a process survive one that was sent by kill.
        sys::disable_fatal_handlers();
    }
    *SETTINGS.lock() = Some(settings);
    if !HOOKED.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(on_panic));
    }
    Ok(())
}

/// Adds a section to the report, behind those added before.
pub fn add_section(section: Section) {
    SECTIONS.lock().push(section);
}

/// Writes the stacks of all other threads to the log, under `headline`; the server goes on. For SIGALRM and the watchdog.
pub fn log_all_stacks(headline: &str) {
    logger().from_signal_handler(Level::Warning, headline);
    raw("\n------ STACK TRACE ------\n");
    stack::all_threads(None, &Modules::read(), &mut raw);
    raw("\n------ STACK TRACE DONE ------\n");
    logger().from_signal_handler(Level::Warning, "--------\n");
}

/// Crashes by SIGSEGV, for DEBUG SEGFAULT. Returns only if that signal is blocked or handled otherwise.
pub fn segfault() {
    sys::raise_here(rustix::process::Signal::SEGV.as_raw());
}

fn settings() -> Option<CrashSettings> {
    SETTINGS.try_lock_for(SECTION_LIMIT)?.clone()
}

fn raw(text: &str) {
    logger().raw(Level::Warning, text);
}

fn line(text: &str) {
    logger().write(Level::Warning, text);
}

fn begin() {
    raw("\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n");
}

fn end(settings: &CrashSettings) {
    raw("\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n       \
         Please report the crash to the Ochre project, with all of the text above.\n\n  \
         Suspect RAM error? Use ochre-server --test-memory to verify it.\n\n  \
         Some other issues could be detected by ochre-server --check-system\n");
    if let Some(pidfile) = &settings.pidfile {
        // Not there is as good as removed.
        let _ = std::fs::remove_file(pidfile);
    }
}

fn report_signal(signal: &FatalSignal) {
    let Some(settings) = settings() else { return };
    let modules = Modules::read();
    begin();
    for text in signal_lines(signal, &settings.build) {
        line(&text);
    }
    // First what takes no time: who supervises the process may not wait for the rest.
    raw(&format!(
        "\nStack of the crashed thread, addresses only:\n{}",
        stack::addresses(&signal.trace, &modules)
    ));
    raw("\n------ STACK TRACE ------\nEIP:\n");
    raw(&format!("{}\n", stack::describe(signal.instruction, &modules)));
    stack::all_threads(Some(&signal.trace), &modules, &mut raw);
    raw("\n------ STACK TRACE DONE ------\n");
    if !signal.registers.is_empty() {
        raw("\n------ REGISTERS ------\n");
        line(&register_lines(&signal.registers));
    }
    sections(signal.trace.tid);
    memory_test(&settings);
    end(&settings);
}

fn signal_lines(signal: &FatalSignal, build: &Build) -> Vec<String> {
    let mut lines = vec![format!(
        "Ochre {} crashed by signal: {}, si_code: {}",
        build.version, signal.signal, signal.code
    )];
    if let Some(address) = signal.address {
        lines.push(format!("Accessing address: {address:#x}"));
    }
    if let Some((pid, uid)) = signal.sender {
        lines.push(format!("Killed by PID: {pid}, UID: {uid}"));
    }
    if signal.instruction != 0 {
        lines.push(format!("Crashed running the instruction at: {:#x}", signal.instruction));
    }
    lines.push(format!("commit={}, modified={}, build={}", build.commit, u8::from(build.modified), build.id));
    lines
}

/// Two to a line, from the second line on: the first is the log line's prefix alone.
fn register_lines(registers: &[(&str, u64)]) -> String {
    let mut out = String::new();
    for (i, (name, value)) in registers.iter().enumerate() {
        let gap = if i % 2 == 0 { '\n' } else { ' ' };
        // Writing to a string cannot fail.
        let _ = write!(out, "{gap}{name}:{value:016x}");
    }
    out
}

fn sections(tid: i32) {
    let crashed = CrashedThread { tid, name: stack::thread_name(tid) };
    let sections = SECTIONS.try_lock_for(SECTION_LIMIT).map(|s| s.clone()).unwrap_or_default();
    for section in sections {
        let text = section_text(&section, &crashed, SECTION_LIMIT);
        if !text.is_empty() {
            raw(&format!("\n------ {} ------\n{text}", section.title));
        }
    }
}

/// The section's text, or why there is none.
fn section_text(section: &Section, crashed: &CrashedThread, limit: Duration) -> String {
    let (give, take) = mpsc::channel();
    let (produce, crashed) = (Arc::clone(&section.text), crashed.clone());
    let thread = std::thread::Builder::new().name(SECTION_THREAD.to_owned());
    let spawned = thread.spawn(move || give.send(produce(&crashed)).is_ok());
    match spawned.map(|_| take.recv_timeout(limit)) {
        Ok(Ok(text)) => text,
        Ok(Err(mpsc::RecvTimeoutError::Timeout)) => "(not available: what it needs is locked)\n".to_owned(),
        Ok(Err(mpsc::RecvTimeoutError::Disconnected)) => "(not available: it panicked)\n".to_owned(),
        Err(error) => format!("(not available: {error})\n"),
    }
}

fn memory_test(settings: &CrashSettings) {
    if !settings.memory_check {
        return;
    }
    raw("\n------ FAST MEMORY TEST ------\n");
    raw(&match super::memtest::test(MEMORY_TEST_MB, 1, &mut |_| ()) {
        Some(0) => format!(
            "Fast memory test of {MEMORY_TEST_MB} MB PASSED, however your memory can still be broken. Please run a \
             memory test for several hours if possible.\n"
        ),
        Some(_) => "!!! MEMORY ERROR DETECTED! Check your memory ASAP !!!\n".to_owned(),
        None => "Not enough free memory to test.\n".to_owned(),
    });
}

/// The panic hook. Returns (to unwind) only in the threads of this file.
fn on_panic(info: &PanicHookInfo<'_>) {
    if matches!(std::thread::current().name(), Some(SECTION_THREAD | REPORTER_THREAD)) {
        return;
    }
    if !sys::claim_report() {
        loop {
            std::thread::park();
        }
    }
    let message = info.payload_as_str().unwrap_or("a value that is no text");
    let place = info.location().map_or_else(String::new, |l| format!("{}:{}", l.file(), l.line()));
    let settings = settings();
    begin();
    for text in panic_lines(message, &place) {
        line(&text);
    }
    if let Some(settings) = settings.as_ref().filter(|s| s.enabled) {
        report_panic(settings);
    }
    if let Some(settings) = &settings {
        end(settings);
    }
    sys::disable_fatal_handlers();
    if settings.is_some_and(|s| s.exit_on_panic) {
        std::process::exit(1);
    }
    std::process::abort();
}

fn report_panic(settings: &CrashSettings) {
    let modules = Modules::read();
    let (trace, text) = stack::this_thread(&modules);
    raw(&format!("\n------ STACK TRACE ------\n\n{} {} *\n{text}", trace.tid, stack::thread_name(trace.tid)));
    stack::all_threads(None, &modules, &mut raw);
    raw("\n------ STACK TRACE DONE ------\n");
    let Trace { tid, .. } = trace;
    sections(tid);
    memory_test(settings);
}

/// Redis tells a failed assertion from another unrecoverable error; so does the text of a Rust panic.
fn panic_lines(message: &str, place: &str) -> Vec<String> {
    match message.strip_prefix("assertion failed: ") {
        Some(expression) => {
            vec!["=== ASSERTION FAILED ===".to_owned(), format!("==> {place} '{expression}' is not true")]
        }
        None if message.starts_with("assertion `") => {
            vec!["=== ASSERTION FAILED ===".to_owned(), format!("==> {place} {message}")]
        }
        None => vec![
            "------------------------------------------------".to_owned(),
            "!!! Software Failure. Press left mouse button to continue".to_owned(),
            format!("Guru Meditation: {message} #{place}"),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(limit: Duration, text: impl Fn(&CrashedThread) -> String + Send + Sync + 'static) -> String {
        let crashed = CrashedThread { tid: 1, name: "worker".into() };
        section_text(&Section { title: "T", text: Arc::new(text) }, &crashed, limit)
    }

    /// For what has to end, on however busy a machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn sections_cannot_stop_the_report() {
        assert_eq!(section(SECTION_LIMIT, |c| format!("{} {}", c.tid, c.name)), "1 worker");
        assert!(section(PATIENCE, |_| panic!("on purpose")).contains("panicked"));
        let (hold, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        assert!(
            section(Duration::from_millis(20), move |_| format!("{:?}", wait.lock().recv()))
                .contains("locked")
        );
        drop(hold);
    }

    #[test]
    fn panics_and_assertions() {
        let cases = [
            ("assertion failed: x > 1", "=== ASSERTION FAILED ===", "==> f.rs:3 'x > 1' is not true"),
            (
                "assertion `left == right` failed",
                "=== ASSERTION FAILED ===",
                "==> f.rs:3 assertion `left == right` failed",
            ),
            ("boom", "---", "Guru Meditation: boom #f.rs:3"),
        ];
        for (message, first, last) in cases {
            let lines = panic_lines(message, "f.rs:3");
            assert!(lines[0].starts_with(first), "{lines:?}");
            assert_eq!(lines.last().unwrap(), last);
        }
    }

    #[test]
    fn registers() {
        let text = register_lines(&[("RAX", 1), ("RBX", 2), ("RIP", u64::MAX)]);
        assert_eq!(text, "\nRAX:0000000000000001 RBX:0000000000000002\nRIP:ffffffffffffffff");
    }
}
