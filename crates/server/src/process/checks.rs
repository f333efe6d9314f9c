//! Settings of the machine that harm a server, found at start-up and named in the log.
//!
//! Redis warns of memory overcommit because its `fork` needs as much address space again. Ochre does not fork, so only
//! the strict mode is worth a warning, which refuses memory before it is used up. For the same reason transparent huge
//! pages are welcome here (one written byte costs two megabytes only after a fork); `disable-thp` still switches them off.

use std::fs::read_to_string;
use std::time::{Duration, Instant};

use super::info::CpuTimes;

const OVERCOMMIT: &str = "/proc/sys/vm/overcommit_memory";
const CLOCK: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// Logs warnings about the machine, and switches huge pages off for this process if `disable_thp`.
///
/// Before threads are started: the switch is inherited, not shared.
pub fn warn_of_machine(disable_thp: bool) {
    for check in [overcommit, xen_clock] {
        if let Some(Err(problem)) = check() {
            crate::warning!("WARNING {problem}");
        }
    }
    if disable_thp && let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        crate::warning!("WARNING Transparent huge pages could not be switched off: {error}");
    }
}

/// What a check found: nothing if it could not look, else fine or a problem in words.
pub type Finding = Option<Result<(), String>>;

/// All checks by name, for `--check-system`. The clock's takes a twentieth of a second.
pub fn check_system() -> Vec<(&'static str, Finding)> {
    vec![("slow-clocksource", slow_clock()), ("xen-clocksource", xen_clock()), ("overcommit", overcommit())]
}

fn overcommit() -> Finding {
    let strict = overcommit_is_strict(&read_to_string(OVERCOMMIT).ok()?);
    Some(ok_unless(strict, || {
        "Memory overcommit is strict (vm.overcommit_memory = 2): memory may be refused while some is still free. To \
         allow it run 'sysctl vm.overcommit_memory=1' and add that setting to /etc/sysctl.conf."
            .to_owned()
    }))
}

fn xen_clock() -> Finding {
    let xen = read_to_string(CLOCK).ok()?.trim() == "xen";
    Some(ok_unless(xen, || {
        "The system uses the slow 'xen' clock source; 'tsc' is faster where it is available.".to_owned()
    }))
}

/// A clock that is read without entering the kernel costs user time only: more than a tenth of the rest shows one that is not.
fn slow_clock() -> Finding {
    let (start, before) = (Instant::now(), CpuTimes::of_this_thread());
    while start.elapsed() < Duration::from_millis(50) {}
    let after = CpuTimes::of_this_thread();
    let system = after.system_us.saturating_sub(before.system_us);
    let user = after.user_us.saturating_sub(before.user_us);
    let name = read_to_string(CLOCK).unwrap_or_default();
    Some(ok_unless(system * 10 > system + user, || {
        format!("Slow system clocksource detected: '{}'. Every command reads the clock.", name.trim())
    }))
}

fn ok_unless(bad: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if bad { Err(problem()) } else { Ok(()) }
}

/// Logs a warning if the system cuts `tcp-backlog` down.
pub fn warn_of_backlog(backlog: u32) {
    let limit =
        read_to_string("/proc/sys/net/core/somaxconn").ok().and_then(|v| v.trim().parse::<u32>().ok());
    if let Some(limit) = limit.filter(|&l| l > 0 && l < backlog) {
        crate::warning!(
            "WARNING: The TCP backlog setting of {backlog} cannot be enforced because /proc/sys/net/core/somaxconn is \
             set to the lower value of {limit}."
        );
    }
}

/// Logs a warning if `maxmemory` looks like a mistake. In bytes; 0 is no limit.
pub fn warn_of_maxmemory(maxmemory_bytes: u64) {
    if (1..1 << 20).contains(&maxmemory_bytes) {
        crate::warning!(
            "WARNING: You specified a maxmemory value that is less than 1MB (current value is {maxmemory_bytes} \
             bytes). Are you sure this is what you really want?"
        );
    }
}

fn overcommit_is_strict(setting: &str) -> bool {
    setting.trim() == "2"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_a_name_and_an_answer() {
        let found = check_system();
        assert_eq!(
            found.iter().map(|f| f.0).collect::<Vec<_>>(),
            ["slow-clocksource", "xen-clocksource", "overcommit"]
        );
        assert!(found[0].1.is_some());
        assert_eq!(ok_unless(true, || "x".into()), Err("x".into()));
        assert_eq!(ok_unless(false, || "x".into()), Ok(()));
    }

    #[test]
    fn settings() {
        for (text, strict) in [("0\n", false), ("1\n", false), ("2\n", true)] {
            assert_eq!(overcommit_is_strict(text), strict);
        }
    }
}
