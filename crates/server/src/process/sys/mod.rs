//! The only `unsafe` code of the process folder: system calls that rustix has no safe form of.
//!
//! Each file is a leaf with a safe interface, and states why its calls are sound:
//!
//! | file | call | why not safe code |
//! |---|---|---|
//! | `fork.rs` | `fork` | daemonizing keeps the open files and the parsed configuration, a new program would not |
//! | `args.rs` | writes over the argument area | the only way `ps` shows a title; no kept-up crate does it on Linux |
//! | `usage.rs` | `getrusage` | INFO's CPU times are in microseconds, `/proc` counts in hundredths of seconds |
//! | `last_words.rs` | reads a leaked C string | a handler must not allocate or lock |
//! | `fatal.rs` | `sigaction`, `ucontext_t`, stack walks | crash reports; signal-hook refuses these signals |

mod args;
mod fatal;
mod fork;
mod last_words;
mod registers;
mod usage;

pub(super) use args::ArgumentArea;
pub(super) use fatal::{
    FatalSignal, SAMPLE_SIGNAL, Trace, capture_here, capture_thread, claim_report, disable_fatal_handlers,
    enable_fatal_handlers, fatal_signal, install_stack_sampler, raise_here, reporter, with_fatal_blocked,
};
pub(super) use fork::{Side, fork};
pub(super) use last_words::set_emergency_log;
pub(super) use usage::{Usage, rusage};
