//! Fatal signals and stacks of other threads: what must run inside a signal handler, and nothing else.
//!
//! A handler may interrupt any instruction, the allocator's included, so these handlers only *collect*: they store
//! numbers in static atomics, write one byte to a pipe and wait. A thread of ours, the reporter (`crash.rs`), does
//! everything that allocates, locks or formats. The crashed thread stays in its handler meanwhile, so its stack and
//! heap do not move, and dies by its signal afterwards: a core dump still shows the place.
//!
//! - The reporter may hang (the crashed thread may hold the allocator's lock): the handler waits for a limited time,
//!   then writes a few lines itself, with a buffer on the stack and `write(2)`, and dies.
//! - The stack walk may crash (a smashed stack): the second handler, nested on the same thread, keeps the frames found so
//!   far and goes on. A crash of the reporter itself gives the few lines. A second thread that crashes waits for death.
//! - Walking the stack is the unwinder's table walk. It takes no lock with glibc 2.35 and later, and its one-time set-up
//!   is done when the handlers are installed.
//! - `SA_ONSTACK`: std gives every thread an alternate stack, so that even a stack overflow is reported.
//!
//! Every value a handler stores is an atomic, so nothing here can be a data race; the stage orders them.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, AtomicUsize};
use std::time::{Duration, Instant};

use libc::{c_int, c_void, siginfo_t};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{last_words, registers};

/// The signals that end in a report.
const FATAL: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];
/// The signal by which [`capture_thread`] reaches other threads.
pub(in crate::process) const SAMPLE_SIGNAL: c_int = libc::SIGUSR2;
/// Frames kept per stack.
const FRAMES_MAX: usize = 96;
/// How long a crashed thread waits for its report.
const REPORT_LIMIT: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

// Stages of a report: `STAGE` says how far, `OWNER` whose it is.
const IDLE: u32 = 0;
const WALKING: u32 = 1;
const REPORTING: u32 = 2;
static STAGE: AtomicU32 = AtomicU32::new(IDLE);
static OWNER: AtomicI32 = AtomicI32::new(0);
static REPORTER_TID: AtomicI32 = AtomicI32::new(0);

static SIGNAL: AtomicI32 = AtomicI32::new(0);
static CODE: AtomicI32 = AtomicI32::new(0);
static ADDRESS: AtomicUsize = AtomicUsize::new(0);
static SENDER_PID: AtomicI32 = AtomicI32::new(0);
static SENDER_UID: AtomicU32 = AtomicU32::new(0);
static INSTRUCTION: AtomicUsize = AtomicUsize::new(0);
static REGISTERS: [AtomicU64; registers::REGISTERS_MAX] =
    [const { AtomicU64::new(0) }; registers::REGISTERS_MAX];
static CRASH_STACK: Frames = Frames::new();

// The sampler's one request at a time: `SAMPLE` goes FREE or TAKEN -> ASKED -> TAKING -> TAKEN.
const FREE: u32 = 0;
const ASKED: u32 = 1;
const TAKING: u32 = 2;
const TAKEN: u32 = 3;
static SAMPLER: Mutex<()> = Mutex::new(());
static SAMPLE: AtomicU32 = AtomicU32::new(FREE);
static SAMPLE_TID: AtomicI32 = AtomicI32::new(0);
static SAMPLE_STACK: Frames = Frames::new();

static PIPES: OnceLock<Pipes> = OnceLock::new();

struct Pipes {
    wake: (OwnedFd, OwnedFd),
    done: (OwnedFd, OwnedFd),
}

/// Instruction addresses of one stack, innermost first.
struct Frames {
    len: AtomicUsize,
    addresses: [AtomicUsize; FRAMES_MAX],
}

impl Frames {
    const fn new() -> Self {
        Self { len: AtomicUsize::new(0), addresses: [const { AtomicUsize::new(0) }; FRAMES_MAX] }
    }

    /// Walks the calling thread's stack. Allocates nothing.
    fn walk(&self) {
        self.len.store(0, Relaxed);
        // SAFETY: "unsynchronized" warns of the symbol cache and of Windows' library; this only unwinds.
        unsafe {
            backtrace::trace_unsynchronized(|frame| {
                let len = self.len.load(Relaxed);
                self.addresses[len].store(frame.ip().addr(), Relaxed);
                self.len.store(len + 1, Release);
                len + 1 < FRAMES_MAX
            });
        }
    }

    fn replace(&self, from: usize, to: usize) {
        for address in &self.addresses {
            let _ = address.compare_exchange(from, to, Relaxed, Relaxed);
        }
    }

    fn to_vec(&self) -> Vec<usize> {
        let len = self.len.load(Acquire).min(FRAMES_MAX);
        self.addresses[..len].iter().map(|a| a.load(Relaxed)).collect()
    }
}

/// One thread's stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::process) struct Trace {
    /// The system's number of the thread.
    pub(in crate::process) tid: i32,
    /// Instruction addresses, innermost first.
    pub(in crate::process) addresses: Vec<usize>,
}

/// What a fatal signal told.
#[derive(Debug, Clone)]
pub(in crate::process) struct FatalSignal {
    /// Its number.
    pub(in crate::process) signal: i32,
    /// The kernel's reason (`si_code`).
    pub(in crate::process) code: i32,
    /// The address whose use failed, for memory faults.
    pub(in crate::process) address: Option<usize>,
    /// Process and user that sent it, if one did.
    pub(in crate::process) sender: Option<(i32, u32)>,
    /// The instruction that was running; 0 on processors whose registers this file cannot read.
    pub(in crate::process) instruction: usize,
    /// Names and values of the registers, in the order of display.
    pub(in crate::process) registers: Vec<(&'static str, u64)>,
    /// The crashed thread's stack, the handler's own frames included.
    pub(in crate::process) trace: Trace,
}

/// The reporter's end of the pipes.
#[derive(Debug)]
pub(in crate::process) struct Reporter(&'static OwnedFd, &'static OwnedFd);

impl Reporter {
    /// Waits until a fatal signal has been collected. The thread starts with these signals blocked, see
    /// [`with_fatal_blocked`]; from here on its own crashes are noticed.
    pub(in crate::process) fn wait(&self) {
        REPORTER_TID.store(own_tid(), Release);
        let mut byte = [0_u8; 1];
        while !matches!(rustix::io::read(self.0, &mut byte), Ok(1)) {}
        mask_fatal(libc::SIG_UNBLOCK);
    }

    /// Lets the crashed thread die.
    pub(in crate::process) fn done(&self) {
        // A full pipe cannot be: one byte is ever written.
        let _ = rustix::io::write(self.1, &[1]);
    }
}

/// Prepares the reporter's pipes; the caller runs the reporter's thread. `None` from the second call on.
pub(in crate::process) fn reporter() -> io::Result<Option<Reporter>> {
    if PIPES.get().is_some() {
        return Ok(None);
    }
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let made = Pipes { wake: pipe()?, done: pipe()? };
    if PIPES.set(made).is_err() {
        return Ok(None);
    }
    Ok(PIPES.get().map(|p| Reporter(&p.wake.0, &p.done.1)))
}

/// Takes the right to write the one report of this process; for panics, whose thread can write it itself.
pub(in crate::process) fn claim_report() -> bool {
    let claimed = STAGE.compare_exchange(IDLE, REPORTING, SeqCst, SeqCst).is_ok();
    if claimed {
        OWNER.store(own_tid(), Release);
    }
    claimed
}

/// Installs the handlers of the fatal signals.
pub(in crate::process) fn enable_fatal_handlers() {
    capture_here();
    for signal in FATAL {
        set_handler(
            signal,
            fatal_signal_handler as *const () as usize,
            libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER,
        );
    }
}

/// Gives the fatal signals back to the system: they kill without a report.
pub(in crate::process) fn disable_fatal_handlers() {
    for signal in FATAL {
        set_handler(signal, libc::SIG_DFL, 0);
    }
}

/// Runs `spawn` with the fatal signals blocked, which threads it starts inherit: a signal sent to the process goes to one
/// that does not block it, and the reporter could not wait for itself.
pub(in crate::process) fn with_fatal_blocked<T>(spawn: impl FnOnce() -> T) -> T {
    mask_fatal(libc::SIG_BLOCK);
    let result = spawn();
    mask_fatal(libc::SIG_UNBLOCK);
    result
}

/// Blocks or unblocks the fatal signals in the calling thread.
fn mask_fatal(how: c_int) {
    // SAFETY: a signal set is plain data that `sigemptyset` initializes; the calls change this thread's mask alone.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in FATAL {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut());
    }
}

/// Installs the handler by which [`capture_thread`] reaches other threads (SIGUSR2).
pub(in crate::process) fn install_stack_sampler() {
    capture_here();
    set_handler(
        SAMPLE_SIGNAL,
        stack_sample_handler as *const () as usize,
        libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART,
    );
}

/// What the fatal signal told, once there was one.
pub(in crate::process) fn fatal_signal() -> Option<FatalSignal> {
    (STAGE.load(SeqCst) == REPORTING && SIGNAL.load(Acquire) != 0).then(|| FatalSignal {
        signal: SIGNAL.load(Relaxed),
        code: CODE.load(Relaxed),
        address: matches!(SIGNAL.load(Relaxed), libc::SIGSEGV | libc::SIGBUS).then(|| ADDRESS.load(Relaxed)),
        sender: (CODE.load(Relaxed) == libc::SI_USER)
            .then(|| (SENDER_PID.load(Relaxed), SENDER_UID.load(Relaxed))),
        instruction: INSTRUCTION.load(Relaxed),
        registers: registers::NAMES.iter().zip(&REGISTERS).map(|(n, r)| (*n, r.load(Relaxed))).collect(),
        trace: Trace { tid: OWNER.load(Relaxed), addresses: CRASH_STACK.to_vec() },
    })
}

/// The calling thread's stack.
pub(in crate::process) fn capture_here() -> Trace {
    let frames = Frames::new();
    frames.walk();
    Trace { tid: own_tid(), addresses: frames.to_vec() }
}

/// Another thread's stack: interrupts it for as long as the walk takes. `None` if the thread is gone, blocks the signal,
/// or does not answer within `limit`. One caller at a time: others get `None`.
pub(in crate::process) fn capture_thread(tid: i32, limit: Duration) -> Option<Trace> {
    let _one_at_a_time = SAMPLER.try_lock()?;
    // A thread caught in the middle of an earlier walk still owns the slot: it would write into this sample.
    if SAMPLE.load(SeqCst) == TAKING {
        return None;
    }
    SAMPLE_TID.store(tid, SeqCst);
    SAMPLE.store(ASKED, SeqCst);
    let sent = send_to_thread(tid, SAMPLE_SIGNAL);
    let deadline = Instant::now() + limit;
    while sent && SAMPLE.load(SeqCst) != TAKEN && Instant::now() < deadline {
        std::thread::sleep(Duration::from_micros(200));
    }
    let _ = SAMPLE.compare_exchange(ASKED, FREE, SeqCst, SeqCst);
    (SAMPLE.load(SeqCst) == TAKEN).then(|| Trace { tid, addresses: SAMPLE_STACK.to_vec() })
}

/// Sends a signal to the calling thread, as `raise(3)`.
pub(in crate::process) fn raise_here(signal: i32) {
    send_to_thread(own_tid(), signal);
}

/// Ends the process by `signal` and its default action, so that its parent sees it and a core is written if wanted.
fn die_by(signal: i32) -> ! {
    set_handler(signal, libc::SIG_DFL, 0);
    raise_here(signal);
    // Only if the signal is blocked in this thread, or is one that does not kill.
    // SAFETY: ends the process at once, without destructors.
    unsafe { libc::_exit(128 + signal) }
}

fn own_tid() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

fn send_to_thread(tid: i32, signal: c_int) -> bool {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: plain numbers; a thread that is gone gives an error. The process number is ours, so that a thread number
    // that the system has reused elsewhere cannot be hit.
    unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, signal) == 0 }
}

fn set_handler(signal: c_int, handler: libc::sighandler_t, flags: c_int) {
    // SAFETY: `sigaction` is plain data, zeros are a value of it; the handlers given are `extern "C"` functions of the
    // signature that SA_SIGINFO asks for, or SIG_DFL; they do only what a handler may (see the head of this file).
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

extern "C" fn stack_sample_handler(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    let asked = SAMPLE_TID.load(SeqCst) == own_tid();
    if asked && SAMPLE.compare_exchange(ASKED, TAKING, SeqCst, SeqCst).is_ok() {
        SAMPLE_STACK.walk();
        SAMPLE.store(TAKEN, SeqCst);
    }
}

extern "C" fn fatal_signal_handler(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let tid = own_tid();
    match STAGE.compare_exchange(IDLE, WALKING, SeqCst, SeqCst) {
        Ok(_) => {
            OWNER.store(tid, Release);
            collect(signal, info, context);
        }
        // The walk itself crashed: what it found so far is the trace.
        Err(WALKING) if OWNER.load(Acquire) == tid => {}
        Err(_) if OWNER.load(Acquire) == tid || REPORTER_TID.load(Acquire) == tid => {
            say_last("Crashed while writing the crash report. This is a reduced one.");
            die_by(signal);
        }
        Err(_) => wait_for_death(),
    }
    STAGE.store(REPORTING, SeqCst);
    if !reported() {
        say_last("The crash report could not be finished. This is a reduced one.");
    }
    die_by(SIGNAL.load(Relaxed));
}

/// Stores everything the kernel told and walks the stack.
fn collect(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes valid pointers to handlers installed with SA_SIGINFO, alive until the handler returns.
    // The accessors read a union that is plain integers whichever signal it was.
    unsafe {
        CODE.store((*info).si_code, Relaxed);
        ADDRESS.store((*info).si_addr().addr(), Relaxed);
        SENDER_PID.store((*info).si_pid(), Relaxed);
        SENDER_UID.store((*info).si_uid(), Relaxed);
    }
    // SAFETY: as above; for these handlers the third argument is a `ucontext_t`.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let instruction = registers::registers(context, &REGISTERS);
    INSTRUCTION.store(instruction, Relaxed);
    SIGNAL.store(signal, Release);
    // After a jump to a bad address the unwinder would read the instruction there and crash: while it walks, the
    // interrupted frame pretends to be in a function that exists.
    if instruction != 0 && instruction == ADDRESS.load(Relaxed) {
        let existing = fatal_signal_handler as *const () as usize;
        registers::set_instruction(context, existing);
        CRASH_STACK.walk();
        registers::set_instruction(context, instruction);
        CRASH_STACK.replace(existing, instruction);
    } else {
        CRASH_STACK.walk();
    }
}

/// Wakes the reporter and waits for it; false if there is none or it took too long.
fn reported() -> bool {
    let Some(pipes) = PIPES.get() else { return false };
    if rustix::io::write(&pipes.wake.1, &[1]).is_err() {
        return false;
    }
    let start = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec;
    loop {
        match poll(&mut [PollFd::new(&pipes.done.0, PollFlags::IN)], Some(&REPORT_LIMIT)) {
            Ok(ready) => return ready > 0,
            Err(rustix::io::Errno::INTR) => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec;
                if now - start > REPORT_LIMIT.tv_sec {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
}

/// A thread that crashed while another's report is being written stops here until the process ends.
fn wait_for_death() -> ! {
    loop {
        let _ = poll(&mut [], None);
    }
}

fn say_last(reason: &str) {
    let frames = CRASH_STACK.len.load(Acquire).min(FRAMES_MAX);
    last_words::write(&last_words::Facts {
        reason,
        signal: (SIGNAL.load(Relaxed), CODE.load(Relaxed)),
        address: ADDRESS.load(Relaxed),
        instruction: INSTRUCTION.load(Relaxed),
        stack: &CRASH_STACK.addresses[..frames],
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_stack_has_frames() {
        assert!(capture_here().addresses.len() > 3);
    }

    #[test]
    fn another_threads_stack() {
        install_stack_sampler();
        let (tell, tid) = std::sync::mpsc::channel();
        let (stop, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            tell.send(own_tid()).unwrap();
            let _ = wait.recv();
        });
        let tid = tid.recv().unwrap();
        let trace = capture_thread(tid, Duration::from_secs(10)).unwrap();
        assert_eq!(trace.tid, tid);
        assert!(trace.addresses.len() > 2);
        drop(stop);
        other.join().unwrap();
    }
}
