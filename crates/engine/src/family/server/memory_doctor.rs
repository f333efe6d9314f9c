//! MEMORY DOCTOR: findings from the figures, as text for people.

use super::facts::{Excess, MemoryFigures};

/// Below this use nothing can be told, bytes.
const ENOUGH_BYTES: u64 = 5 << 20;
/// Less than this is not worth a word, bytes.
const NOTABLE_BYTES: i64 = 10 << 20;
/// So many more are resident for huge pages whatever there is.
const HUGE_PAGES_BYTES: i64 = 64 << 20;
/// A client on average takes less than this, bytes.
const CLIENT_BYTES: u64 = 200 << 10;

type Finding = (fn(&MemoryFigures) -> bool, &'static str);

const FINDINGS: [Finding; 5] = [
    (
        |memory| memory.peak as f64 > memory.used as f64 * 1.5,
        " * Former peak: once this server used more than one and a half times the memory that it uses now. The \
         allocator may keep what it had then, so the fragmentation ratio looks worse than it is; memory that is used \
         again will fill it. MEMORY PURGE returns unused pages at once.",
    ),
    (
        |memory| is_notable(memory.fragmentation(), 1.4) && memory.fragmentation().bytes > HUGE_PAGES_BYTES,
        " * Fragmentation: the process has more than 1.4 times as much memory resident as it uses. The causes are \
         told apart below if they are the allocator's; if nothing follows, look at the former peak.",
    ),
    (
        |memory| is_notable(memory.allocator_fragmentation(), 1.1),
        " * Allocator: pages that are only partly used take more than a tenth on top of what is used. Values whose \
         sizes change a lot do this.",
    ),
    (
        |memory| {
            is_notable(memory.resident_overhead(), 1.1) && memory.resident_overhead().bytes > HUGE_PAGES_BYTES
        },
        " * Process: more than a tenth of what is resident is not in use by the allocator. Huge pages are whole where only \
         parts of them are needed ('disable-thp yes' does without them); else look at the stacks of threads.",
    ),
    (
        |memory| memory.clients > CLIENT_BYTES * memory.client_count as u64,
        " * Clients: on average a client takes more than 200 kB. Look for clients that read their replies slowly or \
         send huge requests (CLIENT LIST, field tot-mem), and at client-output-buffer-limit and maxmemory-clients.",
    ),
];

fn is_notable(excess: Excess, ratio: f64) -> bool {
    excess.ratio > ratio && excess.bytes > NOTABLE_BYTES
}

/// The report.
pub(super) fn report(memory: &MemoryFigures) -> String {
    if memory.used < ENOUGH_BYTES {
        return "This server uses so little memory that there is nothing to examine yet. Ask again once it holds \
                data.\n"
            .to_owned();
    }
    let found: Vec<&str> =
        FINDINGS.iter().filter(|(applies, _)| applies(memory)).map(|(_, text)| *text).collect();
    if found.is_empty() {
        return "Memory is in good health: no problems were found.\n".to_owned();
    }
    format!("Problems were found with the memory of this server:\n\n{}\n", found.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_follow_the_figures() {
        let mebi = 1 << 20;
        let healthy = || MemoryFigures {
            used: 100 * mebi,
            peak: 100 * mebi,
            resident: 110 * mebi,
            client_count: 10,
            allocator: ochre_memory::Report {
                allocated: 100 << 20,
                active: 102 << 20,
                resident: 105 << 20,
                ..Default::default()
            },
            ..Default::default()
        };
        assert!(report(&MemoryFigures::default()).contains("so little memory"));
        assert!(report(&healthy()).contains("good health"));
        assert!(report(&MemoryFigures { peak: 151 * mebi, ..healthy() }).contains("* Former peak"));
        let with_huge_pages = report(&MemoryFigures { resident: 160 * mebi, ..healthy() });
        assert!(with_huge_pages.contains("good health"), "{with_huge_pages}");
        let resident = report(&MemoryFigures { resident: 180 * mebi, ..healthy() });
        assert!(resident.contains("* Fragmentation") && resident.contains("* Process"), "{resident}");
        assert!(report(&MemoryFigures { clients: 10 * mebi, ..healthy() }).contains("* Clients"));
        let mut partly = healthy();
        partly.allocator.active = 120 << 20;
        assert!(report(&partly).contains("* Allocator"));
    }
}
