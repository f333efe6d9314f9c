//! What pins of lists and streams cost; and loops over their hot operations, one at a time, to be run under callgrind.
//!
//! `target/release/examples/pin_speed pins`, `valgrind --tool=callgrind target/release/examples/pin_speed rpush`

use std::hint::black_box;

use ochre_types::Portion;
use ochre_types::list::{End, List, ListLimits};
use ochre_types::stream::{Entry, IdRequest, NodeLimits, Stream, StreamId};
use rustix::time::{ClockId, clock_gettime};

const N: u64 = 100_000;

fn list() -> List {
    let limits = ListLimits::default();
    let mut list = List::new();
    for n in 0..N {
        list.push(End::Tail, [format!("elem{n:06}").as_bytes()], &limits);
    }
    list
}

fn add(stream: &mut Stream, n: u64) {
    let fields: [&[u8]; 8] = [b"f1", b"v1", b"f2", b"v2", b"f3", b"v3", b"f4", b"v4"];
    let now_ms = (1_700_000_000_000 + n / 50) as i64;
    let _ = black_box(stream.add(IdRequest::Auto, black_box(&fields), NodeLimits::default(), now_ms));
}

fn stream() -> Stream {
    let mut stream = Stream::new();
    (0..N).for_each(|n| add(&mut stream, n));
    stream
}

#[inline(never)]
fn push(list: &mut List, end: End) {
    let limits = ListLimits::default();
    (0..N).for_each(|_| list.push(end, [black_box(&b"elem123456"[..])], &limits));
}

#[inline(never)]
fn pop(list: &mut List, end: End) {
    let limits = ListLimits::default();
    (0..N).for_each(|_| list.pop(end, 1, &limits, |item| _ = black_box(item.len())));
}

#[inline(never)]
fn lindex(list: &List) {
    (0..N).for_each(|n| _ = black_box(list.get((n * 7919 % N) as usize, |item| item.len())));
}

#[inline(never)]
fn lset(list: &mut List) {
    let limits = ListLimits::default();
    (0..N).for_each(|n| _ = black_box(list.set((n * 7919 % N) as usize, b"elem999999", &limits)));
}

#[inline(never)]
fn xadd(stream: &mut Stream) {
    (0..N).for_each(|n| add(stream, n));
}

#[inline(never)]
fn xreadgroup(stream: &mut Stream) {
    for _ in 0..N / 10 {
        _ = black_box(stream.deliver(b"g", b"consumer", Some(10), false, 1_700_000_000_000));
    }
}

#[inline(never)]
fn xack(stream: &mut Stream, ids: &[StreamId]) {
    ids.chunks(10).for_each(|ids| _ = black_box(stream.acknowledge(b"g", ids)));
}

#[inline(never)]
fn xrange(stream: &Stream) {
    black_box(stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.fields().count()).sum::<usize>());
}

#[inline(never)]
fn get(stream: &Stream, ids: &[StreamId]) {
    ids.iter().step_by(7).for_each(|id| assert!(black_box(stream.get(*id)).is_some()));
}

/// Prints how long one call took, in microseconds of this thread.
fn timed<R>(name: &str, run: impl FnOnce() -> R) -> R {
    let cpu_ns = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec * 1_000_000_000 + time.tv_nsec
    };
    let start = cpu_ns();
    let result = run();
    println!("{name:<52} {:10.1} us", (cpu_ns() - start) as f64 / 1000.0);
    result
}

fn pins_of_lists() {
    let limits = ListLimits::default();
    let texts =
        [("1M of 10 bytes", vec![b'x'; 10], 1_000_000), ("100K of 10 KB", vec![b'x'; 10_000], 100_000)];
    for (name, text, len) in texts {
        let mut list = List::new();
        (0..len).for_each(|_| list.push(End::Tail, [text.as_slice()], &limits));
        let mut pinned = timed(&format!("pin a list, {name}"), || list.pin());
        timed("  first RPUSH", || list.push(End::Tail, [text.as_slice()], &limits));
        timed("  first LPOP", || list.pop(End::Head, 1, &limits, |_| {}));
        timed("  first LSET in the middle", || list.set(len / 2, &text, &limits));
        timed("  LSET in another node there", || list.set(len / 2 + 900, &text, &limits));
        let second = timed("  pin it again", || list.pin());
        timed("  read 1000", || {
            pinned.read(Portion::of_elements(1000), &mut |item| _ = black_box(item.len()))
        });
        timed("  read the rest", || {
            pinned.read(Portion::of_elements(usize::MAX), &mut |item| _ = black_box(item.len()))
        });
        drop((pinned, second));
        timed("  LSET after the pins", || list.set(len / 2 + 1000, &text, &limits));
    }
}

fn pins_of_streams() {
    let mut stream = Stream::new();
    (0..10 * N).for_each(|n| add(&mut stream, n));
    _ = stream.create_group(b"g", StreamId::MIN, None);
    for n in 0..10 * N / 10 {
        let consumer = if n % 4 == 0 { [b'x'] } else { [b'a' + (n % 20) as u8] };
        _ = stream.deliver(b"g", &consumer, Some(10), false, (n * 7919 % 100_003) as i64);
    }
    let id = |n: u64| StreamId::new(1_700_000_000_000 + n / 50, n % 50);
    let mut entries = timed("pin entries, 1M", || stream.pin_range(StreamId::MIN, StreamId::MAX, false));
    let whole = timed("pin a stream, 1M entries, 1M pending", || stream.pin());
    timed("  first XADD", || add(&mut stream, 10 * N));
    timed("  first XDEL in the middle", || stream.delete(&[id(5 * N)]));
    _ = timed("  first XACK in the middle", || stream.acknowledge(b"g", &[id(5 * N + 1)]));
    _ = timed("  XACK in another run there", || stream.acknowledge(b"g", &[id(5 * N + 200)]));
    timed("  pin it again", || stream.pin());
    timed("  read 1000 entries", || {
        entries.read(Portion::of_elements(1000), &mut |entry| _ = black_box(entry.fields().count()))
    });
    timed("  read the rest", || {
        entries.read(Portion::of_elements(usize::MAX), &mut |entry| _ = black_box(entry.fields().count()))
    });
    timed("  drop the pin", || drop((entries, whole)));
    for _ in 0..3 {
        let mut left = 10;
        let allows = |_: &Entry<'_>| {
            left -= 1;
            left >= 0
        };
        _ = timed("XREADGROUP CLAIM of 10, of 1M pending", || {
            stream.claim_idle(b"g", b"new", 0, allows, 1 << 40)
        });
    }
    _ = timed("XGROUP DELCONSUMER with 250K pending", || stream.delete_consumer(b"g", b"x"));
    _ = timed("  the next XREADGROUP CLAIM", || stream.claim_idle(b"g", b"new", 0, |_| false, 1 << 40));
    timed("  the next XPENDING", || stream.group(b"g").map(|group| group.pending_bounds()));
}

fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    match what.as_str() {
        "pins" => {
            pins_of_lists();
            pins_of_streams();
        }
        "rpush" => push(&mut List::new(), End::Tail),
        "lpush" => push(&mut List::new(), End::Head),
        "lpop" => pop(&mut list(), End::Head),
        "rpop" => pop(&mut list(), End::Tail),
        "lindex" => lindex(&list()),
        "lset" => lset(&mut list()),
        "xadd" => xadd(&mut Stream::new()),
        _ => {
            let mut stream = stream();
            let ids: Vec<StreamId> =
                stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id()).collect();
            if what == "xrange" {
                return xrange(&stream);
            }
            if what == "get" {
                return get(&stream, &ids);
            }
            _ = stream.create_group(b"g", StreamId::MIN, None);
            xreadgroup(&mut stream);
            if what == "xack" {
                xack(&mut stream, &ids);
            }
        }
    }
}
