//! What sets cost: processor time of the operations on a large one, and memory.
//! `cargo run --release -p ochre-types --features ochre-memory/jemalloc --example sets`

mod measure;

use ochre_types::Rng;
use ochre_types::set::{Set, SetLimits, intersection, store_union};

use measure::{cpu_ns, name};

/// As in the server.
#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

const MEMBERS: u64 = 1_000_000;

fn timed<R>(what: &str, count: u64, run: impl FnOnce() -> R) -> R {
    let start = cpu_ns();
    let result = run();
    println!("{what:<44} {:8.1} ns", (cpu_ns() - start) as f64 / count as f64);
    result
}

fn filled(numbers: impl Iterator<Item = u64>) -> Set {
    let limits = SetLimits::default();
    let mut set = Set::new();
    numbers.for_each(|number| {
        set.add(&name(number), &limits);
    });
    set
}

/// Numbers in an order that has nothing to do with that in which they were added.
fn shuffled(seed: u64) -> Vec<[u8; 12]> {
    let mut rng = Rng::new(seed);
    (0..MEMBERS).map(|_| name(rng.below(MEMBERS))).collect()
}

fn main() {
    let (limits, mut rng) = (SetLimits::default(), Rng::new(1));
    let mut large = timed("SADD, up to 1 M members", MEMBERS, || filled(0..MEMBERS));
    println!("{:<44} {:8.1} bytes", "a member of 12 bytes", large.heap_bytes() as f64 / MEMBERS as f64);
    let asked = shuffled(2);
    let count =
        timed("SISMEMBER, there", MEMBERS, || asked.iter().filter(|name| large.contains(*name)).count());
    assert_eq!(count as u64, MEMBERS);
    timed("SISMEMBER, not there", MEMBERS, || asked.iter().filter(|name| large.contains(&name[1..])).count());
    timed("SMISMEMBER of 16", MEMBERS, || {
        asked.chunks(16).for_each(|names| large.contains_each(names.iter().map(|name| &name[..]), |_| {}));
    });
    timed("SADD, there already", MEMBERS, || asked.iter().filter(|name| large.add(*name, &limits)).count());
    timed("SRANDMEMBER", MEMBERS, || (0..MEMBERS).filter(|_| large.random(&mut rng).is_some()).count());
    timed("SRANDMEMBER -1000, each", MEMBERS, || {
        (0..MEMBERS / 1000).for_each(|_| large.draw_many(1000, &mut rng, &mut |_| {}));
    });
    timed("SRANDMEMBER 1000, each", MEMBERS, || {
        (0..MEMBERS / 1000).for_each(|_| large.sample(1000, &mut rng, &mut |_| {}));
    });
    let mut bytes = 0;
    timed("SMEMBERS, each", MEMBERS, || large.iter().for_each(|item| bytes += item.len()));
    timed("SSCAN COUNT 10, each", MEMBERS, || {
        let mut cursor = 0;
        while {
            cursor = large.scan(cursor, 10, &mut |item| bytes += item.len());
            cursor != 0
        } {}
    });
    let other = filled(MEMBERS / 2..MEMBERS * 3 / 2);
    timed("SINTERCARD of two with 1 M, each", MEMBERS, || intersection(&[&large, &other], 0, &mut |_| {}));
    let union =
        timed("SUNIONSTORE of two with 1 M, each", MEMBERS * 2, || store_union(&[&large, &other], &limits));
    drop(union);
    timed("SPOP, 500 k of 1 M", MEMBERS / 2, || {
        (0..MEMBERS / 2).for_each(|_| large.pop(1, &mut rng, &limits, &mut |_| {}));
    });
    timed("SPOP 100, each, down to none", MEMBERS / 2, || {
        (0..MEMBERS / 200).for_each(|_| large.pop(100, &mut rng, &limits, &mut |_| {}));
    });
    assert!(large.is_empty() && bytes as u64 == MEMBERS * 24);
    let mut large = other;
    timed("SREM, all of 1 M", MEMBERS, || {
        (MEMBERS / 2..MEMBERS * 3 / 2).filter(|number| large.remove(&name(*number))).count()
    });
    assert!(large.is_empty());
    let (a, b) = (filled(0..10_000), filled(5_000..15_000));
    let common = timed("SINTER of two with 10 k, all of it", 100, || {
        (0..100).map(|_| intersection(&[&a, &b], 0, &mut |item| bytes += item.len())).sum::<usize>()
    });
    assert_eq!(common, 500_000);
    let mut ints = Set::new();
    (0..20u64).for_each(|number| {
        ints.add((number * 1000).to_string().as_bytes(), &limits);
    });
    println!("{:<44} {:8} bytes behind the 8", "a set of 20 integers", ints.heap_bytes());
    for len in [20, 60, 200, 400, 1000, 5000] {
        let each = filled(0..len).heap_bytes() as f64 / len as f64;
        println!("{:<44} {each:8.1} bytes", format!("a member of {len}"));
    }
}
