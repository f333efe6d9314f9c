//! Settings of the machine that harm a server, found at start-up and named in the log.
//!
//! Redis warns of memory overcommit because its `fork` needs as much address space again. Ochre does not fork, so only
//! the strict mode is worth a warning, which refuses memory before it is used up. Transparent huge pages hurt both:
//! one written byte can cost two megabytes. They are switched off for this process where `disable-thp` allows it.

use std::fs::read_to_string;

/// Logs warnings about the machine, and switches huge pages off for this process if `disable_thp`.
///
/// Before threads are started: the switch is inherited, not shared.
pub fn warn_of_machine(disable_thp: bool) {
    if read_to_string("/proc/sys/vm/overcommit_memory").is_ok_and(|v| overcommit_is_strict(&v)) {
        crate::warning!(
            "WARNING Memory overcommit is strict (vm.overcommit_memory = 2): memory may be refused while some is still \
             free. To allow it run 'sysctl vm.overcommit_memory=1' and add that setting to /etc/sysctl.conf."
        );
    }
    let thp = read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").is_ok_and(|v| thp_is_always(&v));
    if thp && !(disable_thp && rustix::thread::disable_transparent_huge_pages(true).is_ok()) {
        crate::warning!(
            "WARNING You have Transparent Huge Pages (THP) support enabled in your kernel. This costs memory and \
             latency. To change it run 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' as root, see to it \
             that this happens at every boot, and restart the server."
        );
    }
    if read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        .is_ok_and(|v| v.trim() == "xen")
    {
        crate::warning!(
            "WARNING The system uses the slow 'xen' clock source; 'tsc' is faster where it is available."
        );
    }
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

fn thp_is_always(setting: &str) -> bool {
    setting.contains("[always]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        for (text, strict) in [("0\n", false), ("1\n", false), ("2\n", true)] {
            assert_eq!(overcommit_is_strict(text), strict);
        }
        assert!(thp_is_always("[always] madvise never\n"));
        assert!(!thp_is_always("always [madvise] never\n"));
    }
}
