//! CPU time of the process, its children and the calling thread (`getrusage`).
#![allow(unsafe_code)]

/// Whose time to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Usage {
    /// All threads of this process.
    Process,
    /// Children that have ended and were waited for.
    Children,
    /// The calling thread; the whole process where the system cannot tell.
    Thread,
}

/// System and user time in microseconds; zeros if the system refuses, which it does not for these arguments.
pub(in crate::process) fn rusage(whose: Usage) -> (u64, u64) {
    let who = match whose {
        Usage::Process => libc::RUSAGE_SELF,
        Usage::Children => libc::RUSAGE_CHILDREN,
        #[cfg(target_os = "linux")]
        Usage::Thread => libc::RUSAGE_THREAD,
        #[cfg(not(target_os = "linux"))]
        Usage::Thread => libc::RUSAGE_SELF,
    };
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for one `rusage`, which is plain integers: all zeros is a value of it, so
    // reading it is right whether or not the call filled it.
    let usage = unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    };
    (micros(usage.ru_stime), micros(usage.ru_utime))
}

fn micros(t: libc::timeval) -> u64 {
    u64::try_from(t.tv_sec).unwrap_or(0).saturating_mul(1_000_000) + u64::try_from(t.tv_usec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time() {
        let before = rusage(Usage::Thread).1;
        let mut x = 1_u64;
        while rusage(Usage::Thread).1 == before {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        let thread = rusage(Usage::Thread);
        let process = rusage(Usage::Process);
        assert!(process.0 + process.1 + 2 >= thread.0 + thread.1, "{process:?} {thread:?}");
    }
}
