//! How long list operations take, and how much memory elements do: nanoseconds and bytes, for the record.
//!
//! `cargo run --release -p ochre-types --example list_speed`. Each figure is the best of five rounds.

use std::hint::black_box;
use std::ops::ControlFlow;

use ochre_types::list::{End, List, ListLimits};
use ochre_types::listpack::Listpack;
use ochre_types::lzf;
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 5;

/// Processor time of this thread: other work on the machine does not count.
fn cpu_ns() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Prints the best time per operation of a few rounds.
fn measure(name: &str, operations: usize, mut round: impl FnMut()) {
    let best = (0..ROUNDS).map(|_| {
        let start = cpu_ns();
        round();
        (cpu_ns() - start) as f64 / operations as f64
    });
    println!("{name:<34} {:8.1} ns", best.fold(f64::INFINITY, f64::min));
}

fn elements(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("elem{number:06}")).collect()
}

fn filled(elements: &[String], end: End) -> List {
    let limits = ListLimits::default();
    let mut list = List::new();
    elements.iter().for_each(|element| list.push(end, [element.as_bytes()], &limits));
    list
}

fn ends(elements: &[String], name: &str) {
    let limits = ListLimits::default();
    for (end, word) in [(End::Tail, "R"), (End::Head, "L")] {
        measure(&format!("{word}PUSH {name}"), elements.len(), || drop(black_box(filled(elements, end))));
        let lists: Vec<List> = (0..ROUNDS).map(|_| filled(elements, End::Tail)).collect();
        let mut lists = lists.into_iter();
        measure(&format!("{word}POP {name}"), elements.len(), || {
            let Some(mut list) = lists.next() else { return };
            for _ in 0..elements.len() {
                list.pop(end, 1, &limits, |item| _ = black_box(item.len()));
            }
        });
    }
}

fn queues(elements: &[String], name: &str) {
    let limits = ListLimits::default();
    for (push, pop, words) in [(End::Head, End::Tail, "LPUSH, RPOP"), (End::Tail, End::Head, "RPUSH, LPOP")] {
        let mut list = filled(elements, End::Tail);
        measure(&format!("{words} {name}"), 200_000, || {
            for number in 0..200_000 {
                list.push(push, [elements[number % elements.len()].as_bytes()], &limits);
                list.pop(pop, 1, &limits, |item| _ = black_box(item.len()));
            }
        });
    }
}

fn ranges(list: &List, name: &str) {
    let mut reply = Vec::with_capacity(1 << 16);
    for count in [100, 600] {
        measure(&format!("LRANGE 0 {} {name}", count - 1), 1000, || {
            for _ in 0..1000 {
                reply.clear();
                list.range(0, count, |item| item.write_to(&mut reply));
                black_box(&reply);
            }
        });
    }
}

fn middle(elements: &[String]) {
    let limits = ListLimits::default();
    let mut list = filled(elements, End::Tail);
    let index = |step: usize| step * 7919 % elements.len();
    measure("LINDEX of 1M", 100_000, || {
        (0..100_000).for_each(|step| _ = black_box(list.get(index(step), |item| item.len())));
    });
    measure("LSET of 1M, same size", 100_000, || {
        (0..100_000).for_each(|step| _ = black_box(list.set(index(step), b"elem999999", &limits)));
    });
    measure("insertion into 1M", 50_000, || {
        (0..50_000).for_each(|step| list.insert(index(step), b"elem999999", &limits));
    });
    memory(&list, "after insertions");
    // One in ten is that by now.
    measure("LREM near the head of 1M", 1000, || {
        (0..1000).for_each(|_| _ = black_box(list.remove(b"elem999999", 1, End::Head, &limits)));
    });
    measure("LPOS of the last of 1M, per element", elements.len(), || {
        list.find(b"elem999998", End::Head, usize::MAX, |_| ControlFlow::Break(()));
    });
}

fn memory(list: &List, name: &str) {
    let per_element = list.heap_bytes() as f64 / list.len() as f64;
    println!("{:<34} {per_element:8.2} bytes", format!("an element of {}, {name}", list.len()));
}

fn memories(elements: &[String]) {
    memory(&filled(elements, End::Head), "LPUSH");
    memory(&filled(elements, End::Tail), "RPUSH");
}

/// Looking up the fields of a small hash, whose values are texts, or texts and integers in no order.
fn fields() {
    let fields: Vec<String> = (0..20).map(|number| format!("field{number:04}")).collect();
    let mut listpack = Listpack::new();
    for mixed in [false, true] {
        listpack = Listpack::new();
        for (number, field) in fields.iter().enumerate() {
            listpack.push_back(field.as_bytes());
            if mixed && number * number % 7 < 3 {
                listpack.push_back((number * 1000).to_string().as_bytes());
            } else {
                listpack.push_back(format!("value:{number:06}").as_bytes());
            }
        }
        measure(&format!("find one of 20 fields, mixed {mixed}"), 100_000, || {
            for step in 0..100_000 {
                let field = black_box(&fields)[step * 7 % 20].as_bytes();
                black_box(listpack.first().and_then(|first| listpack.find(first, field, 1)));
            }
        });
    }
    measure("an element more, up to 40", 40_000, || {
        for _ in 0..1000 {
            let mut listpack = Listpack::new();
            fields.iter().chain(&fields).for_each(|field| listpack.push_back(field.as_bytes()));
            black_box(listpack);
        }
    });
    measure("walk over 40 elements", 100_000, || {
        (0..100_000)
            .for_each(|_| _ = black_box(black_box(&listpack).iter().map(|item| item.len()).sum::<usize>()));
    });
}

/// Bytes of a node, compressed and back.
fn compression(elements: &[String]) {
    let input = elements.iter().take(800).flat_map(|element| element.bytes()).collect::<Vec<u8>>();
    let compressed = lzf::compress(&input, input.len()).unwrap_or_default();
    println!("LZF of {} bytes: {}", input.len(), compressed.len());
    measure("LZF compress, per KiB", 100 * input.len() / 1024, || {
        (0..100).for_each(|_| _ = black_box(lzf::compress(&input, input.len())));
    });
    measure("LZF decompress, per KiB", 100 * input.len() / 1024, || {
        (0..100).for_each(|_| _ = black_box(lzf::decompress(&compressed, input.len())));
    });
}

fn main() {
    let many = elements(1_000_000);
    [100, 600, 1500].into_iter().for_each(|count| memories(&many[..count]));
    memories(&many);
    ends(&many, "of 1M");
    ends(&elements(600), "of 600");
    queues(&elements(500), "at 500");
    queues(&elements(10_000), "at 10,000");
    ranges(&filled(&elements(600), End::Tail), "of 600");
    ranges(&filled(&many, End::Tail), "of 1M");
    middle(&many);
    fields();
    compression(&many);
}
