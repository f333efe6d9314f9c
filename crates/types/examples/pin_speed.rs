//! Loops over the hot operations of lists and streams, one at a time, to be run under callgrind.
//!
//! `valgrind --tool=callgrind target/release/examples/pin_speed rpush`

use std::hint::black_box;

use ochre_types::list::{End, List, ListLimits};
use ochre_types::stream::{IdRequest, NodeLimits, Stream, StreamId};

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

fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    match what.as_str() {
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
