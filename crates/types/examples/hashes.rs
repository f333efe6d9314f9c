//! What hashes cost: nanoseconds for each operation, bytes for each hash and field.
//!
//! `cargo run --release -p ochre-types --example hashes`. Bytes are those of the blocks, rounded as an allocator with
//! jemalloc's classes does; a key in the keyspace adds about 48 (entry, object, slot and a key of 16 bytes).

use std::hint::black_box;
use std::time::Instant;

use ochre_types::Rng;
use ochre_types::hash::{Hash, HashLimits, shapes_heap_bytes};

const LIMITS: HashLimits = HashLimits { entries_max: 512, value_bytes_max: 64 };
const KEY_BYTES: usize = 48;

fn main() {
    small("10 fields of their own names", 10, |hash, field| format!("f{hash:03}-{field}"));
    small("10 fields of shared names", 10, |_, field| format!("field{field}"));
    small("5 fields of shared names", 5, |_, field| format!("field{field}"));
    small("20 fields of shared names", 20, |_, field| format!("field{field:02}"));
    big(1_000_000);
    println!("shapes: {} bytes", shapes_heap_bytes());
}

fn time<R>(what: &str, operations: usize, run: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = run();
    println!("  {:28} {:8.1} ns", what, start.elapsed().as_nanos() as f64 / operations as f64);
    result
}

/// The fastest of several rounds: what the machine does besides only ever adds.
fn best<R>(what: &str, operations: usize, mut run: impl FnMut() -> R) {
    const ROUNDS: usize = 15;
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_nanos()
    });
    let nanos = rounds.min().unwrap_or(0);
    println!("  {what:28} {:8.1} ns", nanos as f64 / operations as f64);
}

fn small(title: &str, fields: usize, name: impl Fn(usize, usize) -> String) {
    const HASHES: usize = 500;
    println!("{title}:");
    let names: Vec<Vec<String>> =
        (0..HASHES).map(|hash| (0..fields).map(|field| name(hash, field)).collect()).collect();
    let mut rng = Rng::new(1);
    let fill = |value: &str| {
        let make = |names: &Vec<String>| {
            let mut hash = Hash::new();
            hash.set_all(names.iter().map(|name| (name.as_bytes(), value.as_bytes())), &LIMITS);
            hash
        };
        names.iter().map(make).collect::<Vec<Hash>>()
    };
    best("HSET of all, and drop", HASHES, || fill("abcd-xyz"));
    let mut hashes = fill("abcd-xyz");
    let bytes = hashes.iter().map(Hash::heap_bytes).sum::<usize>() / HASHES;
    println!("  {bytes} bytes, {} with a key; shaped: {}", bytes + KEY_BYTES, hashes[HASHES - 1].is_shaped());
    let picks: Vec<(usize, usize)> =
        (0..20_000).map(|_| (rng.below(HASHES as u64) as usize, rng.below(fields as u64) as usize)).collect();
    best("HGET", picks.len(), || {
        for &(hash, field) in &picks {
            black_box(hashes[hash].get(names[hash][field].as_bytes(), 0));
        }
    });
    best("HSET", picks.len(), || {
        for &(hash, field) in &picks {
            hashes[hash].set(names[hash][field].as_bytes(), b"zyx-dcba", &LIMITS);
        }
    });
    best("HGETALL", HASHES, || hashes.iter().map(|hash| hash.live(0).map(black_box).count()).sum::<usize>());
    hashes.iter_mut().zip(&names).for_each(|(hash, names)| {
        hash.set(names[fields / 2].as_bytes(), b"100000", &LIMITS);
    });
    best("HINCRBY", picks.len(), || {
        for &(hash, _) in &picks {
            black_box(hashes[hash].increment(names[hash][fields / 2].as_bytes(), 1, 0, &LIMITS).is_ok());
        }
    });
}

fn big(fields: usize) {
    println!("a hash of {fields} fields:");
    let names: Vec<String> = (0..fields).map(|field| format!("f:{field:08}")).collect();
    let mut hash = Hash::new();
    time("HSET of new", fields, || {
        for name in &names {
            hash.set(name.as_bytes(), b"0123456789", &LIMITS);
        }
    });
    println!("  {:.1} bytes for a field", hash.heap_bytes() as f64 / fields as f64);
    let mut rng = Rng::new(2);
    let picks: Vec<usize> = (0..fields).map(|_| rng.below(fields as u64) as usize).collect();
    time("HGET", fields, || {
        for &pick in &picks {
            black_box(hash.get(names[pick].as_bytes(), 0));
        }
    });
    time("HSET", fields, || {
        for &pick in &picks {
            hash.set(names[pick].as_bytes(), b"9876543210", &LIMITS);
        }
    });
    for &pick in &picks[..1000] {
        hash.set(names[pick].as_bytes(), b"1000000", &LIMITS);
    }
    time("HINCRBY", 1_000_000, || {
        for round in 0..1_000_000 {
            black_box(hash.increment(names[picks[round % 1000]].as_bytes(), 1, 0, &LIMITS).is_ok());
        }
    });
    time("walk, a field", fields, || hash.live(0).map(black_box).count());
    time("HEXPIRE", fields, || {
        for (field, name) in names.iter().enumerate() {
            let at_ms = 1 + (field as i64 * 7919) % 1_000_000;
            hash.expire(name.as_bytes(), at_ms, ochre_types::hash::Condition::Always, 0);
        }
    });
    println!("  {:.1} bytes for a field that expires", hash.heap_bytes() as f64 / fields as f64);
    time("expire a hundredth, a field", fields / 100, || hash.expire_due(10_001, usize::MAX, &mut |_| ()));
    time("expire the others, a field", fields, || hash.expire_due(i64::MAX, usize::MAX, &mut |_| ()));
}
