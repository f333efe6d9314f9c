//! What streams cost: time to add, read and acknowledge, bytes per entry and per pending entry.
//!
//! `cargo run --release -p ochre-types --features ochre-memory/jemalloc --example stream_speed`

use std::fs;
use std::hint::black_box;

use ochre_types::listpack::Listpack;
use ochre_types::stream::{Entry, IdRequest, NodeLimits, Stream, StreamId};

#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

const ENTRIES: u64 = 2_000_000;
/// Entries added in each millisecond.
const PER_MS: u64 = 50;
const START_MS: u64 = 1_700_000_000_000;
const READ: u64 = 10;

fn main() {
    let before = ochre_memory::used_bytes();
    let mut stream = Stream::new();
    report("add, four short values", ENTRIES, || fill(&mut stream, ENTRIES));
    let per_entry = |bytes: usize| bytes as f64 / ENTRIES as f64;
    println!("{:40} {:8.2} bytes per entry", "allocated", per_entry(stream.heap_bytes()));
    println!(
        "{:40} {:8.2} bytes per entry",
        "taken from the allocator",
        per_entry(ochre_memory::used_bytes() - before)
    );
    report("add and trim to 1000", ENTRIES, || add_and_trim(ENTRIES));
    report("range of 100, per entry", ENTRIES, || {
        let count = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.fields().count()).sum();
        black_box::<usize>(count);
    });
    report("range back, per entry", ENTRIES, || {
        black_box(stream.range_back(StreamId::MIN, StreamId::MAX).count());
    });
    report("get by ID, all in turn", ENTRIES / 7, || {
        for n in 0..ENTRIES / 7 {
            let id = StreamId::new(START_MS + n * 7 / PER_MS, n * 7 % PER_MS);
            assert!(stream.get(id).is_some());
        }
    });
    save_and_load(&stream);
    read_and_acknowledge(&mut stream);
    pending(&mut stream);
}

fn fill(stream: &mut Stream, entries: u64) {
    for n in 0..entries {
        add(stream, n);
    }
}

fn add(stream: &mut Stream, n: u64) {
    let fields: [&[u8]; 8] = [b"f1", b"v1", b"f2", b"v2", b"f3", b"v3", b"f4", b"v4"];
    let now_ms = (START_MS + n / PER_MS) as i64;
    let added = stream.add(IdRequest::Auto, black_box(&fields), NodeLimits::default(), now_ms);
    assert!(added.is_ok());
}

fn add_and_trim(entries: u64) {
    use ochre_types::stream::{References, Trim, TrimTo};
    let mut stream = Stream::new();
    let trim = Trim { to: TrimTo::Len(1000), approximate: false, limit: 0, references: References::Keep };
    for n in 0..entries {
        add(&mut stream, n);
        stream.trim(&trim);
    }
    assert_eq!(stream.len(), 1000);
}

fn save_and_load(stream: &Stream) {
    report("nodes to listpacks, per entry", ENTRIES, || {
        black_box(stream.nodes().map(|(_, node)| node.as_bytes().len()).sum::<usize>());
    });
    let nodes: Vec<_> = stream.nodes().map(|(id, node)| (id, node.as_bytes().to_vec())).collect();
    report("listpacks to nodes, per entry", ENTRIES, || {
        let mut copy = Stream::new();
        for (id, bytes) in &nodes {
            let node = Listpack::from_bytes(bytes);
            assert!(node.is_ok_and(|node| copy.restore_node(*id, &node).is_ok()));
        }
    });
}

fn read_and_acknowledge(stream: &mut Stream) {
    assert!(stream.create_group(b"group", StreamId::MIN, None).is_ok());
    report("read 10 for a group and acknowledge them", ENTRIES / READ, || {
        for _ in 0..ENTRIES / READ {
            let delivery = stream.deliver(b"group", b"consumer", Some(READ), false, START_MS as i64);
            let Ok(Some(delivery)) = delivery else { continue };
            let ids: Vec<StreamId> =
                stream.range(delivery.first, delivery.last).map(|entry| entry.id()).collect();
            assert_eq!(stream.acknowledge(b"group", &ids), Ok(READ));
        }
    });
}

fn pending(stream: &mut Stream) {
    let (before, taken) = (stream.heap_bytes(), ochre_memory::used_bytes());
    assert!(stream.create_group(b"other", StreamId::MIN, None).is_ok());
    report("read for a group", ENTRIES, || {
        for n in 0..ENTRIES / READ {
            let consumer = [b'a' + (n % 20) as u8];
            assert!(stream.deliver(b"other", &consumer, Some(READ), false, n as i64).is_ok());
        }
    });
    let bytes = (stream.heap_bytes() - before) as f64 / ENTRIES as f64;
    println!("{:40} {bytes:8.2} bytes per pending entry", "allocated");
    let bytes = (ochre_memory::used_bytes() - taken) as f64 / ENTRIES as f64;
    println!("{:40} {bytes:8.2} bytes per pending entry", "taken from the allocator");
    report("first claim of what is idle", 1, || {
        assert!(stream.claim_idle(b"other", b"a", 10, up_to(10), ENTRIES as i64).is_ok());
    });
    report("claim 10 that are idle", 100_000, || {
        for n in 0..100_000 {
            let claimed = stream.claim_idle(b"other", b"a", 10, up_to(10), (ENTRIES + n) as i64);
            assert_eq!(claimed.map(|claims| claims.len()), Ok(10));
        }
    });
    let bytes = (stream.heap_bytes() - before) as f64 / ENTRIES as f64;
    println!("{:40} {bytes:8.2} bytes per pending entry", "allocated, with the order by time");
}

/// Allows so many entries.
fn up_to(mut count: u64) -> impl FnMut(&Entry<'_>) -> bool {
    move |_| count.checked_sub(1).map(|less| count = less).is_some()
}

fn report(what: &str, times: u64, run: impl FnOnce()) {
    let start = cpu_ns();
    run();
    println!("{what:40} {:8.1} ns", (cpu_ns() - start) as f64 / times as f64);
}

/// Nanoseconds that this process has been running, on Linux: others may use the machine too.
fn cpu_ns() -> u64 {
    let stat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}
