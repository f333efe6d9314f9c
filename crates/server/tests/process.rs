//! Process behaviour with real child processes: crash reports, daemons, supervisors, titles, signals.
//!
//! The program is its own child: called as `process child ROLE DIR` it plays one role and writes its log to `DIR/log`.
//! Nothing waits for a fixed time: the parent waits for what must appear, up to [`LIMIT`], or for the child's end.

// A test program with its own `main`: the linter cannot tell that all of it is tests.
#![allow(clippy::unwrap_used)]

use std::fs::read_to_string;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ochre_server::process::build::Build;
use ochre_server::process::crash::{CrashSettings, Section};
use ochre_server::process::logger::{Format, Level, LogSettings, Role, TimestampFormat};
use ochre_server::process::signals::{ShutdownSignal, SignalHooks};
use ochre_server::process::title::TitleVariables;
use ochre_server::process::watchdog::Watchdog;
use ochre_server::process::{PidFile, Supervised, Supervisor, crash, daemonize, logger, signals, title};
use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// A name and what it runs.
type Test = (&'static str, fn(&Stage));

fn main() -> ExitCode {
    let arguments: Vec<String> =
        title::init().into_iter().map(|a| a.to_string_lossy().into_owned()).collect();
    if let [_, child, role, dir] = arguments.as_slice()
        && child == "child"
    {
        play(role, Path::new(dir));
        return ExitCode::SUCCESS;
    }
    let filter = arguments.iter().skip(1).find(|a| !a.starts_with('-'));
    let tests: [Test; 15] = [
        ("log_lines", log_lines),
        ("segfault", segfault),
        ("segfault_from_outside", segfault_from_outside),
        ("abort", abort),
        ("stack_overflow", stack_overflow),
        ("jump_to_nowhere", jump_to_nowhere),
        ("crash_in_a_section", crash_in_a_section),
        ("crash_log_disabled", crash_log_disabled),
        ("panic", panic_report),
        ("assertion", assertion),
        ("stacks_on_sigalrm", stacks_on_sigalrm),
        ("watchdog", watchdog),
        ("daemon_with_pidfile", daemon_with_pidfile),
        ("notify", notify),
        ("title_and_second_interrupt", title_and_second_interrupt),
    ];
    for (name, test) in tests.into_iter().filter(|(n, _)| filter.is_none_or(|f| n.contains(f.as_str()))) {
        test(&Stage::new(name));
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

// ---- The child's roles ----

fn play(role: &str, dir: &Path) {
    match role {
        "daemon" => return daemon(dir),
        "log" => return write_log(dir),
        _ => {}
    }
    logger::install(&LogSettings { file: Some(dir.join("log")), ..Default::default() }).unwrap();
    match role {
        "notify" => return supervised(),
        "title" => return titled(),
        _ => {}
    }
    crash::add_section(Section {
        title: "INFO OUTPUT",
        text: Arc::new(|c| format!("crashed_thread:{}\n", c.name)),
    });
    crash::install(CrashSettings {
        enabled: role != "disabled",
        memory_check: role == "segfault",
        exit_on_panic: role == "assertion",
        pidfile: Some(dir.join("pid")),
        build: Build { version: "9.9.9", commit: "00000000", modified: false, id: "0".repeat(16) },
    })
    .unwrap();
    std::fs::write(dir.join("pid"), "1\n").unwrap();
    // A second thread, so that reports have other stacks to show.
    std::thread::Builder::new().name("other_worker".into()).spawn(idle_function_of_another_thread).unwrap();
    while !IDLE.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    crash_as(role, dir);
}

fn crash_as(role: &str, dir: &Path) {
    match role {
        "segfault" | "disabled" => crash::segfault(),
        "abort" => std::process::abort(),
        "overflow" => {
            std::hint::black_box(overflow_the_stack(1));
        }
        "jump" => jump_to_address(),
        "section" => {
            crash::add_section(Section {
                title: "BAD SECTION",
                text: Arc::new(|_| {
                    crash::segfault();
                    String::new()
                }),
            });
            crash::segfault();
        }
        "panic" => {
            let thread = std::thread::Builder::new().name("worker".into());
            let _ = thread.spawn(|| panic!("the sky fell")).unwrap().join();
        }
        "assertion" => assert!(dir.as_os_str().is_empty()),
        "watchdog" => stall_for_the_watchdog(dir),
        _ => wait_for_signals(),
    }
}

/// Whether the other thread is in its function: one that is only starting has no stack to show.
static IDLE: AtomicBool = AtomicBool::new(false);

#[inline(never)]
fn idle_function_of_another_thread() {
    IDLE.store(true, Ordering::Release);
    loop {
        std::thread::park();
    }
}

#[inline(never)]
#[allow(unconditional_recursion)]
fn overflow_the_stack(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    overflow_the_stack(depth + 1) + frame[usize::try_from(depth % 512).unwrap()]
}

#[inline(never)]
#[allow(unsafe_code)]
fn jump_to_address() {
    let nowhere = std::ptr::without_provenance::<()>(0x10);
    // SAFETY: none: this crashes, which is what is tested.
    let function: extern "C" fn() = unsafe { std::mem::transmute(nowhere) };
    function();
    // Not the last call, or it would be a jump without a frame of its own.
    std::hint::black_box(());
}

#[inline(never)]
fn stall_for_the_watchdog(dir: &Path) {
    let mut watchdog = Watchdog::default();
    let heartbeat = watchdog.watch();
    assert_eq!(watchdog.set_period(1, 100).unwrap(), 20);
    heartbeat.busy();
    wait_until("the watchdog's report", || log(dir).contains("STACK TRACE DONE"));
    heartbeat.idle();
}

/// Says "ready", then waits for the first request to end.
fn wait_for_signals() {
    let (wake, woken) = std::sync::mpsc::channel();
    let hooks = SignalHooks { wake: Box::new(move || wake.send(()).unwrap()), clean_up: Box::new(|| ()) };
    signals::install(hooks).unwrap();
    println!("ready");
    woken.recv().unwrap();
    assert_eq!(signals::shutdown_requested(), Some(ShutdownSignal::Terminate));
}

/// Every level under every setting of it, then the formats, then a file and back.
fn write_log(dir: &Path) {
    let mut settings = LogSettings::default();
    for level in Level::ALL {
        settings.level = level;
        logger::install(&settings).unwrap();
        ochre_server::debug!("at {}: debug", level.name());
        ochre_server::verbose!("at {}: verbose", level.name());
        ochre_server::notice!("at {}: notice", level.name());
        ochre_server::warning!("at {}: warning", level.name());
    }
    settings.level = Level::Notice;
    settings.timestamp = TimestampFormat::Iso8601;
    logger::logger().set_role(Role::Sentinel);
    for format in [Format::Legacy, Format::Logfmt, Format::Json] {
        settings.format = format;
        logger::install(&settings).unwrap();
        log::warn!("a \"format\"");
    }
    settings.file = Some(dir.join("log"));
    logger::install(&settings).unwrap();
    log::error!("to the file");
    settings.file = Some(dir.join("no/such/directory"));
    assert!(logger::install(&settings).is_err());
    logger::logger().raw(Level::Warning, "still to the file\n");
}

fn daemon(dir: &Path) {
    daemonize().unwrap();
    logger::install(&LogSettings { file: Some(dir.join("log")), ..Default::default() }).unwrap();
    logger::logger().set_role(Role::Replica);
    let (wake, woken) = std::sync::mpsc::channel();
    let hooks = SignalHooks { wake: Box::new(move || wake.send(()).unwrap()), clean_up: Box::new(|| ()) };
    signals::install(hooks).unwrap();
    let pidfile = PidFile::create(dir.join("pid"));
    woken.recv().unwrap();
    pidfile.remove();
}

fn supervised() {
    let supervisor = Supervisor::start(Supervised::Auto);
    assert_eq!(supervisor.mode(), Supervised::Systemd);
    supervisor.ready();
    supervisor.stopping();
}

/// Shows a title far longer than the arguments, then a short one, and waits for interrupts that it ignores.
fn titled() {
    let variables = TitleVariables { title: "x".repeat(300), port: 7, ..Default::default() };
    title::set(&title::expand("TEST {title} {listen-addr} {port} end", &variables).unwrap());
    let hooks = SignalHooks { wake: Box::new(|| ()), clean_up: Box::new(|| println!("cleaned")) };
    signals::install(hooks).unwrap();
    println!("ready {}", std::env::var("OCHRE_TEST_VARIABLE").unwrap());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    title::set("short");
    println!("ready {}", std::env::var("OCHRE_TEST_VARIABLE").unwrap());
    idle_function_of_another_thread();
}

// ---- The parent's tests ----

/// A directory for one test, and the children in it; both go when it ends.
struct Stage {
    dir: PathBuf,
}

impl Stage {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ochre-process-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["child", role]).arg(&self.dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Standard error stays ours: it is where a failing child explains itself.
        command.env("OCHRE_TEST_VARIABLE", "kept");
        command
    }

    fn spawn(&self, role: &str) -> Play {
        Play(self.command(role).spawn().unwrap())
    }

    /// Runs a role to its end.
    fn run(&self, role: &str) -> (ExitStatus, String) {
        let status = self.spawn(role).end();
        (status, log(&self.dir))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A running child, killed if the test fails.
struct Play(Child);

impl Play {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn end(mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the child's end", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    fn stdout(&mut self) -> BufReader<std::process::ChildStdout> {
        BufReader::new(self.0.stdout.take().unwrap())
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn log(dir: &Path) -> String {
    read_to_string(dir.join("log")).unwrap_or_default()
}

/// What every full report holds.
fn assert_report(log: &str, patterns: &[&str]) {
    let always = [
        "BUG REPORT START",
        "------ STACK TRACE ------",
        "idle_function_of_another_thread",
        "expected stacktraces.",
        "------ STACK TRACE DONE ------",
        "------ INFO OUTPUT ------",
        "BUG REPORT END",
    ];
    let mut rest = log;
    for pattern in always {
        let at = rest.find(pattern).unwrap_or_else(|| panic!("no {pattern:?} (in order) in:\n{log}"));
        rest = &rest[at..];
    }
    for pattern in patterns {
        assert!(log.contains(pattern), "no {pattern:?} in:\n{log}");
    }
    assert_eq!(log.matches("STACK TRACE -").count(), 1, "{log}");
    assert!(!log.contains("_handler at "), "frames of signal handlers:\n{log}");
}

fn log_lines(stage: &Stage) {
    let child = stage.command("log").env("TZ", "XYZ-5:30").spawn().unwrap();
    let pid = child.id();
    let mut child = Play(child);
    let mut output = String::new();
    child.stdout().read_to_string(&mut output).unwrap();
    assert_eq!(child.end().code(), Some(0));
    let mut lines = output.lines();
    let marks = [".debug", "-verbose", "*notice", "#warning"];
    for (setting, level) in marks.iter().enumerate() {
        for line in &marks[setting..] {
            let (mark, word) = line.split_at(1);
            let text = lines.next().unwrap();
            assert!(text.starts_with(&format!("{pid}:M ")), "{text}");
            assert!(text.ends_with(&format!(" {mark} at {}: {word}", &level[1..])), "{text}");
        }
    }
    let (legacy, logfmt, json) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
    assert!(
        legacy.starts_with(&format!("{pid}:X 20")) && legacy.ends_with("+05:30 * a \"format\""),
        "{legacy}"
    );
    assert!(logfmt.starts_with(&format!("pid={pid} role=sentinel timestamp=\"20")), "{logfmt}");
    assert!(logfmt.ends_with("+05:30\" level=notice message=\"a 'format'\""), "{logfmt}");
    assert!(json.starts_with(&format!("{{\"pid\":{pid},\"role\":\"sentinel\",\"timestamp\":\"20")), "{json}");
    assert!(json.ends_with("+05:30\",\"level\":\"notice\",\"message\":\"a \\\"format\\\"\"}"), "{json}");
    assert_eq!(lines.next(), None);
    let log = log(&stage.dir);
    assert!(log.ends_with("\"message\":\"to the file\"}\nstill to the file\n"), "{log}");
}

fn segfault(stage: &Stage) {
    let (status, log) = stage.run("segfault");
    assert_eq!(status.signal(), Some(11), "{log}");
    let code_and_stack =
        ["Ochre 9.9.9 crashed by signal: 11", "crash_as", "FAST MEMORY TEST", "PASSED", "REGISTERS"];
    assert_report(&log, &code_and_stack);
    assert!(!stage.dir.join("pid").exists(), "a crash removes the pidfile");
}

fn segfault_from_outside(stage: &Stage) {
    let mut child = stage.spawn("wait");
    child.stdout().read_line(&mut String::new()).unwrap();
    child.signal(Signal::SEGV);
    assert_eq!(child.end().signal(), Some(11));
    let sender = format!("Killed by PID: {}, UID: ", std::process::id());
    assert_report(&log(&stage.dir), &["si_code: 0", &sender, "Accessing address: 0x", "wait_for_signals"]);
}

fn abort(stage: &Stage) {
    let (status, log) = stage.run("abort");
    assert_eq!(status.signal(), Some(6), "{log}");
    assert_report(&log, &["crashed by signal: 6", "crash_as"]);
}

fn stack_overflow(stage: &Stage) {
    let (status, log) = stage.run("overflow");
    assert_eq!(status.signal(), Some(11), "{log}");
    assert_report(&log, &["crashed by signal: 11", "#2 0x", "overflow_the_stack at "]);
}

fn jump_to_nowhere(stage: &Stage) {
    let (status, log) = stage.run("jump");
    assert_eq!(status.signal(), Some(11), "{log}");
    assert_report(
        &log,
        &[
            "Accessing address: 0x10",
            "Crashed running the instruction at: 0x10",
            "#0 0x10\n#1 ",
            "jump_to_address",
        ],
    );
}

fn crash_in_a_section(stage: &Stage) {
    let (status, log) = stage.run("section");
    assert_eq!(status.signal(), Some(11), "{log}");
    assert_report(&log, &["------ BAD SECTION ------\n(not available"]);
}

fn crash_log_disabled(stage: &Stage) {
    let (status, log) = stage.run("disabled");
    assert_eq!((status.signal(), log.as_str()), (Some(11), ""));
}

fn panic_report(stage: &Stage) {
    let (status, log) = stage.run("panic");
    assert_eq!(status.signal(), Some(6), "{log}");
    let patterns =
        ["Guru Meditation: the sky fell #", "tests/process.rs:", "crash_as", "crashed_thread:worker"];
    assert_report(&log, &patterns);
}

fn assertion(stage: &Stage) {
    let (status, log) = stage.run("assertion");
    assert_eq!(status.code(), Some(1), "{log}");
    assert_report(
        &log,
        &["=== ASSERTION FAILED ===", "'dir.as_os_str().is_empty()' is not true", "crash_as"],
    );
}

fn stacks_on_sigalrm(stage: &Stage) {
    let mut child = stage.spawn("wait");
    child.stdout().read_line(&mut String::new()).unwrap();
    child.signal(Signal::ALARM);
    wait_until("the stacks", || log(&stage.dir).contains("STACK TRACE DONE"));
    child.signal(Signal::TERM);
    assert_eq!(child.end().code(), Some(0));
    let log = log(&stage.dir);
    for pattern in [
        "Received SIGALRM",
        "wait_for_signals",
        "idle_function_of_another_thread",
        "Received SIGTERM scheduling",
    ] {
        assert!(log.contains(pattern), "no {pattern:?} in:\n{log}");
    }
    assert!(!log.contains("BUG REPORT"), "{log}");
}

fn watchdog(stage: &Stage) {
    let (status, log) = stage.run("watchdog");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(
        log.contains("--- WATCHDOG TIMER EXPIRED ---") && log.contains("stall_for_the_watchdog"),
        "{log}"
    );
}

fn daemon_with_pidfile(stage: &Stage) {
    let mut child = stage.spawn("daemon");
    let mut output = String::new();
    child.stdout().read_to_string(&mut output).unwrap();
    assert_eq!((child.end().code(), output.as_str()), (Some(0), ""));
    let mut pid = 0;
    wait_until("the pidfile", || {
        pid = read_to_string(stage.dir.join("pid"))
            .ok()
            .and_then(|t| t.strip_suffix('\n')?.parse().ok())
            .unwrap_or(0);
        pid != 0
    });
    let stat = read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned();
    assert_eq!(session, pid.to_string(), "a session of its own");
    for fd in 0..3 {
        assert_eq!(std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap(), Path::new("/dev/null"));
    }
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    wait_until("the pidfile to go", || !stage.dir.join("pid").exists());
    let log = log(&stage.dir);
    assert!(
        log.contains(&format!("{pid}:signal-handler (")) && log.contains(&format!("\n{pid}:S ")),
        "{log}"
    );
}

fn notify(stage: &Stage) {
    let path = stage.dir.join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let child =
        stage.command("notify").env("NOTIFY_SOCKET", &path).env_remove("UPSTART_JOB").spawn().unwrap();
    assert_eq!(Play(child).end().code(), Some(0));
    for expected in ["STATUS=Ochre is loading...\n", "READY=1\n", "STOPPING=1\n"] {
        let mut buffer = [0; 100];
        let n = socket.recv(&mut buffer).unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..n]).unwrap(), expected);
    }
}

fn title_and_second_interrupt(stage: &Stage) {
    let mut child = stage.spawn("title");
    let mut stdout = child.stdout();
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Some(line)
    });
    assert_eq!(lines.next().unwrap(), "ready kept\n");
    let cmdline = |child: &Play| {
        let text = read_to_string(format!("/proc/{}/cmdline", child.0.id())).unwrap();
        text.trim_end_matches('\0').to_owned()
    };
    assert_eq!(cmdline(&child), format!("TEST {} *:7 7 end", "x".repeat(300)));
    drop(child.0.stdin.take());
    assert_eq!(lines.next().unwrap(), "ready kept\n");
    assert_eq!(cmdline(&child), "short");
    child.signal(Signal::INT);
    wait_until("the first interrupt", || log(&stage.dir).contains("Received SIGINT scheduling shutdown..."));
    child.signal(Signal::INT);
    assert_eq!(lines.next().unwrap(), "cleaned\n");
    assert_eq!(child.end().code(), Some(1));
    assert!(log(&stage.dir).contains("You insist... exiting now."));
}
