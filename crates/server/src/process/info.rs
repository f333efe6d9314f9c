//! Facts about the process and the machine, for INFO, MEMORY and crash reports.
//!
//! Everything is read when asked for; where the system has no answer the value is 0 or empty, as in Redis.

use std::fs::read_to_string;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::sys::{Usage, rusage};

/// What the server knows about itself from its start on.
#[derive(Debug, Clone)]
pub struct ProcessFacts {
    /// 40 random hexadecimal digits: another one at each start.
    pub run_id: String,
    /// Absolute path of the program.
    pub executable: PathBuf,
    /// `os`: name, release and machine of the system.
    pub os: String,
    /// `arch_bits`.
    pub arch_bits: u32,
    /// `monotonic_clock`: where intervals come from.
    pub monotonic_clock: &'static str,
    /// `gcc_version`: there is no C compiler to name, so zeros stand here, as in a Redis built by another one.
    pub gcc_version: &'static str,
    started: Instant,
}

impl ProcessFacts {
    /// Collects them. `argv0` is what the program was called by, for systems that do not name its file.
    pub fn collect(argv0: &str) -> Self {
        let name = rustix::system::uname();
        let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
        let executable = std::env::current_exe().or_else(|_| std::path::absolute(argv0));
        Self {
            run_id: random_hex_40(),
            executable: executable.unwrap_or_default(),
            os: format!("{} {} {}", text(name.sysname()), text(name.release()), text(name.machine())),
            arch_bits: usize::BITS,
            monotonic_clock: "POSIX clock_gettime",
            gcc_version: "0.0.0",
            started: Instant::now(),
        }
    }

    /// Time since the start.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// 40 hexadecimal digits from the system's random numbers: run ids, replication ids, node names.
pub fn random_hex_40() -> String {
    let mut bytes = [0_u8; 20];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(n) => filled += n,
            Err(rustix::io::Errno::INTR) => {}
            // A kernel without the call (before 3.17): the hasher's keys come from /dev/urandom there.
            Err(_) => {
                use std::hash::{BuildHasher as _, RandomState};
                bytes.iter_mut().zip(0_u8..).for_each(|(b, i)| *b = RandomState::new().hash_one(i) as u8);
                break;
            }
        }
    }
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// CPU times in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// In the kernel.
    pub system_us: u64,
    /// Outside.
    pub user_us: u64,
}

impl CpuTimes {
    /// Of all threads of this process.
    pub fn of_process() -> Self {
        Self::of(Usage::Process)
    }

    /// Of children that have ended.
    pub fn of_children() -> Self {
        Self::of(Usage::Children)
    }

    /// Of the calling thread. INFO's `…_main_thread` must be asked on the main thread, or kept by it.
    pub fn of_this_thread() -> Self {
        Self::of(Usage::Thread)
    }

    fn of(whose: Usage) -> Self {
        let (system_us, user_us) = rusage(whose);
        Self { system_us, user_us }
    }
}

/// Resident memory of the process in bytes.
pub fn resident_bytes() -> u64 {
    let pages =
        read_to_string("/proc/self/statm").ok().and_then(|s| s.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}

/// Memory of the machine in bytes.
pub fn total_system_memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    // Both are C's `unsigned long`, whose width is the platform's.
    #[allow(clippy::unnecessary_cast)]
    (info.totalram as u64).saturating_mul(u64::from(info.mem_unit))
}

/// Sums over all mappings of the process, in bytes (`/proc/self/smaps_rollup`, or `smaps` on old kernels).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryMaps {
    /// In memory.
    pub resident: u64,
    /// Its own share of it.
    pub proportional: u64,
    /// Written and not shared.
    pub private_dirty: u64,
    /// Read only so far, and not shared.
    pub private_clean: u64,
    /// Backed by no file.
    pub anonymous: u64,
    /// In huge pages.
    pub anonymous_huge: u64,
    /// Swapped out.
    pub swap: u64,
}

impl MemoryMaps {
    /// Reads them: the kernel walks all page tables, so this takes milliseconds per gigabyte.
    pub fn read() -> Self {
        let text = read_to_string("/proc/self/smaps_rollup").or_else(|_| read_to_string("/proc/self/smaps"));
        text.map_or_else(|_| Self::default(), |text| Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut sums = Self::default();
        for line in text.lines() {
            let Some((name, rest)) = line.split_once(':') else { continue };
            let field = match name {
                "Rss" => &mut sums.resident,
                "Pss" => &mut sums.proportional,
                "Private_Dirty" => &mut sums.private_dirty,
                "Private_Clean" => &mut sums.private_clean,
                "Anonymous" => &mut sums.anonymous,
                "AnonHugePages" => &mut sums.anonymous_huge,
                "Swap" => &mut sums.swap,
                _ => continue,
            };
            let kib = rest.trim().strip_suffix(" kB").and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            *field = field.saturating_add(kib.saturating_mul(1024));
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts() {
        let facts = ProcessFacts::collect("ochre-server");
        assert_eq!(facts.run_id.len(), 40);
        assert!(facts.run_id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        assert_ne!(facts.run_id, random_hex_40());
        assert!(facts.executable.is_absolute());
        assert_eq!(facts.os.split(' ').count(), 3);
        assert!(facts.uptime() < Duration::from_secs(60));
    }

    #[test]
    fn memory() {
        let (resident, total) = (resident_bytes(), total_system_memory_bytes());
        assert!(total > 1 << 20);
        assert!(resident > 100_000 && resident < total, "{resident} of {total}");
        assert!(MemoryMaps::read().resident > 100_000);
    }

    #[test]
    fn maps_are_summed() {
        let text = "7f-80 rw-p 0:0 [x]\nRss: 8 kB\nPss: 4 kB\nSwap:  1 kB\n80-81 r--p\nRss:  16 kB\nPss_Anon: 9 kB\nRss: x\n";
        let expected =
            MemoryMaps { resident: 24 << 10, proportional: 4 << 10, swap: 1 << 10, ..Default::default() };
        assert_eq!(MemoryMaps::parse(text), expected);
    }

    #[test]
    fn cpu_times_add_up() {
        let total = |t: CpuTimes| t.system_us + t.user_us;
        let thread = CpuTimes::of_this_thread();
        // The kernel rounds each of the two down, and splits a thread's time otherwise than the process's.
        assert!(total(thread) <= total(CpuTimes::of_process()) + 2);
        assert!(total(CpuTimes::of_process()) > 0);
        let _ = CpuTimes::of_children();
    }
}
