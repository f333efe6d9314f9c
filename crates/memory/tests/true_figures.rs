//! The count of memory in use against what the allocator itself says is handed out.
//!
//! The allocator counts what lies in the caches of its threads as handed out; the count does not. That difference does
//! not depend on the load, so the growth is compared.
#![cfg(feature = "jemalloc")]

use std::collections::HashMap;
use std::sync::Barrier;

use ochre_memory::{Counted, report, used_bytes};

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Anything that holds memory.
type Load = Box<dyn Send>;

/// Sizes between 1 and `max`, the same at every call.
fn sizes(count: u64, max: u64) -> impl Iterator<Item = usize> {
    (0..count).map(move |index| 1 + (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) % max) as usize)
}

fn values(count: u64, max: u64) -> Vec<Vec<u8>> {
    sizes(count, max).map(|size| vec![1; size]).collect()
}

fn small() -> Load {
    Box::new(values(400_000, 120))
}

fn medium() -> Load {
    Box::new(values(8_000, 8_000))
}

fn large() -> Load {
    Box::new(values(60, 2_000_000))
}

fn grown() -> Load {
    let grow = |size: usize| {
        let mut value = Vec::new();
        (0..size).for_each(|byte| value.push(byte as u8));
        value
    };
    Box::new(sizes(10_000, 5_000).map(grow).collect::<Vec<_>>())
}

fn shrunk() -> Load {
    let mut values = values(20_000, 4_000);
    for value in &mut values {
        value.truncate(value.len() / 2);
        value.shrink_to_fit();
    }
    Box::new(values)
}

fn half_freed() -> Load {
    let mut values = values(200_000, 400);
    let mut stays = false;
    values.retain(|_| {
        stays = !stays;
        stays
    });
    Box::new(values)
}

fn table() -> Load {
    Box::new((0..300_000u64).map(|key| (key, key.to_string())).collect::<HashMap<_, _>>())
}

/// The count and the allocator's figure.
fn figures() -> (f64, f64) {
    (used_bytes() as f64, report().allocated as f64)
}

/// The figures while several threads hold a load that they made.
fn by_threads(load: fn() -> Load) -> (f64, f64) {
    const THREADS: usize = 3;
    let (made, read) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let held = load();
                made.wait();
                read.wait();
                drop(held);
            });
        }
        made.wait();
        let figures = figures();
        read.wait();
        figures
    })
}

/// A way to use memory, and its name.
type NamedLoad = (&'static str, fn() -> Load);

#[test]
fn the_count_grows_as_the_allocators_figure() {
    let loads: [NamedLoad; 7] = [
        ("small", small),
        ("medium", medium),
        ("large", large),
        ("grown", grown),
        ("shrunk", shrunk),
        ("half freed", half_freed),
        ("table", table),
    ];
    for (name, load) in loads {
        let before = figures();
        let held = load();
        check(name, before, figures());
        drop(held);
        check(&format!("{name}, by threads"), figures(), by_threads(load));
    }
}

fn check(name: &str, before: (f64, f64), after: (f64, f64)) {
    let (counted, allocated) = (after.0 - before.0, after.1 - before.1);
    assert!(allocated > 10e6, "{name}: {allocated} bytes are too few to tell");
    let ratio = counted / allocated;
    assert!((0.95..=1.05).contains(&ratio), "{name}: {counted} counted, {allocated} allocated");
}
