//! What it costs to pin sets, hashes and sorted sets of a million elements, to change them while they are pinned, to read
//! what was pinned and to let go of it.
//! `cargo run --release -p ochre-types --features ochre-memory/jemalloc --example pins`

mod measure;

use std::time::Instant;

use ochre_types::hash::{Hash, HashLimits};
use ochre_types::set::{Set, SetLimits};
use ochre_types::zset::{AddRule, ZSet, ZSetLimits};
use ochre_types::{Object, Pinned, Portion, Rng};

use measure::{cpu_ns, name};

/// As in the server.
#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

const ELEMENTS: u64 = 1_000_000;

fn timed<R>(what: &str, count: u64, run: impl FnOnce() -> R) -> R {
    let (start, cpu_start) = (Instant::now(), cpu_ns());
    let result = run();
    // The system counts in steps of its own, which are too long for one thing.
    let elapsed = if count == 1 { start.elapsed().as_nanos() } else { u128::from(cpu_ns() - cpu_start) };
    println!("  {what:<44} {:10.1} ns", elapsed as f64 / count as f64);
    result
}

/// SADD or SREM, HSET, ZADD of an element at random.
fn write(object: &mut Object, rng: &mut Rng) {
    let name = name(rng.below(ELEMENTS));
    match object {
        Object::Set(set) => drop(set.remove(&name) || set.add(&name, &SetLimits::default())),
        Object::Hash(hash) => {
            let limits = HashLimits { entries_max: 512, value_bytes_max: 64 };
            hash.set(&name, &name[..10], &limits);
        }
        Object::ZSet(set) => {
            let score = rng.below(ELEMENTS) as f64;
            set.add(&name, score, AddRule::default(), &ZSetLimits::default()).expect("a number");
        }
        _ => {}
    }
}

fn read(pinned: &mut Pinned) -> usize {
    let (portion, mut bytes) = (Portion::of_elements(1_000), 0);
    match pinned {
        Pinned::Set(pin) => while pin.read(portion, &mut |item| bytes += item.len()) {},
        Pinned::Hash(pin) => while pin.read(portion, 0, &mut |entry| bytes += entry.name.len()) {},
        Pinned::ZSet(pin) => while pin.read(portion, &mut |item, _| bytes += item.len()) {},
        Pinned::String(_) | Pinned::List(_) | Pinned::Stream(_) => unreachable!("see `pin_speed`"),
    }
    bytes
}

fn pin(object: &mut Object) -> Pinned {
    object.as_mut().pin()
}

fn measure(kind: &str, mut object: Object) {
    println!("{kind}");
    let mut rng = Rng::new(3);
    timed("a write without pins", ELEMENTS, || (0..ELEMENTS).for_each(|_| write(&mut object, &mut rng)));
    let mut first = timed("pin", 1, || pin(&mut object));
    let again = timed("pin again, nothing changed", 1, || pin(&mut object));
    drop(again);
    timed("each of the first 1000 writes", 1_000, || (0..1_000).for_each(|_| write(&mut object, &mut rng)));
    timed("a write of the next million", ELEMENTS, || {
        (0..ELEMENTS).for_each(|_| write(&mut object, &mut rng))
    });
    let before = ochre_memory::used_bytes();
    timed("reading, each element", ELEMENTS, || assert!(read(&mut first) > 0));
    timed("letting go, each element", ELEMENTS, || drop(first));
    let kept = before.saturating_sub(ochre_memory::used_bytes());
    println!("  {:<44} {:10.1} bytes", "was kept, for an element", kept as f64 / ELEMENTS as f64);
    timed("a write without pins again", ELEMENTS, || {
        (0..ELEMENTS).for_each(|_| write(&mut object, &mut rng))
    });
}

fn main() {
    let mut rng = Rng::new(1);
    for mut object in [Object::Set(Set::new()), Object::Hash(Hash::new()), Object::ZSet(ZSet::new())] {
        (0..ELEMENTS * 3).for_each(|_| write(&mut object, &mut rng));
        let kind = object.type_name();
        measure(kind, object);
    }
}
