//! What sorted sets cost: time of the operations on a large one, and memory.
//! `cargo run --release -p ochre-types --features ochre-memory/jemalloc --example zsets`

mod measure;

use std::time::{Duration, Instant};

use ochre_types::Rng;
use ochre_types::zset::{
    AddRule, Aggregate, Direction, ScoreRange, Weighted, ZSet, ZSetLimits, limit_ranks, zinter, zunion,
};

use measure::name;

/// As in the server.
#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

const MEMBERS: u64 = 1_000_000;
const RULE: AddRule =
    AddRule { existence: ochre_types::zset::Existence::Any, comparison: ochre_types::zset::Comparison::Any };

/// Time that this thread has had a processor (Linux tells), so that others on the machine count less.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn timed<R>(what: &str, count: u64, run: impl FnOnce() -> R) -> R {
    let (start, processor_start) = (Instant::now(), processor_time());
    let result = run();
    let elapsed = match (processor_start, processor_time()) {
        (Some(start), Some(end)) => end - start,
        _ => start.elapsed(),
    };
    println!("{what:<52} {:8.1} ns", elapsed.as_nanos() as f64 / count as f64);
    result
}

fn add(set: &mut ZSet, member: &[u8], score: f64) {
    let added = set.add(member, score, RULE, &ZSetLimits::default());
    assert!(added.is_ok());
}

/// Members in an order that has nothing to do with that in which they were added.
fn shuffled(seed: u64) -> Vec<[u8; 12]> {
    let mut rng = Rng::new(seed);
    (0..MEMBERS).map(|_| name(rng.below(MEMBERS))).collect()
}

fn filled(score: impl Fn(u64, &mut Rng) -> f64) -> ZSet {
    let (mut set, mut rng) = (ZSet::new(), Rng::new(1));
    (0..MEMBERS).for_each(|number| add(&mut set, &name(number), score(number, &mut rng)));
    set
}

fn per_member(what: &str, set: &ZSet) {
    println!("{what:<52} {:8.1} bytes", set.heap_bytes() as f64 / set.len() as f64);
}

fn main() {
    fill();
    let mut set = filled(|_, rng| rng.next_f64());
    look(&set);
    change(&mut set);
    combine(&set);
    take(set);
    small();
}

fn fill() {
    let set = timed("ZADD of 1 M, rising scores", MEMBERS, || filled(|number, _| number as f64));
    per_member("a member of 12 bytes, added in order", &set);
    let set =
        timed("ZADD of 1 M, integer scores below 1000", MEMBERS, || filled(|_, rng| rng.below(1000) as f64));
    per_member("a member of 12 bytes, many equal scores", &set);
    let set = timed("ZADD of 1 M, one score", MEMBERS, || filled(|_, _| 0.0));
    per_member("a member of 12 bytes, one score", &set);
    let set = timed("ZADD of 1 M, random scores", MEMBERS, || filled(|_, rng| rng.next_f64()));
    per_member("a member of 12 bytes, random scores", &set);
    timed("COPY, each", MEMBERS, || set.clone());
    timed("freeing, each", MEMBERS, || drop(set));
}

fn look(set: &ZSet) {
    let asked = shuffled(2);
    timed("ZSCORE", MEMBERS, || assert!(asked.iter().all(|member| set.score(member).is_some())));
    timed("ZMSCORE of 16, each", MEMBERS, || {
        asked.chunks(16).for_each(|members| {
            let members: Vec<&[u8]> = members.iter().map(|member| &member[..]).collect();
            set.scores(&members, &mut |score| assert!(score.is_some()));
        });
    });
    timed("ZRANK", MEMBERS, || {
        assert!(asked.iter().all(|member| set.rank(member, Direction::Ascending).is_some()));
    });
    let mut rng = Rng::new(3);
    for direction in [Direction::Ascending, Direction::Descending] {
        timed("ZRANGE of 100 (or ZREVRANGE)", 10_000, || {
            let mut bytes = 0;
            for _ in 0..10_000 {
                let from = rng.below(MEMBERS - 100) as usize;
                bytes +=
                    set.range(from..from + 100, direction).map(|(member, _)| member.len()).sum::<usize>();
            }
            assert_eq!(bytes, 12 * 100 * 10_000);
        });
    }
    timed("ZRANGEBYSCORE LIMIT 1000 10", 100_000, || {
        for _ in 0..100_000 {
            let range = ScoreRange {
                min: std::ops::Bound::Excluded(rng.next_f64() * 0.9),
                max: std::ops::Bound::Included(1.0),
            };
            let ranks = limit_ranks(set.ranks_of_scores(&range), 1000, 10, Direction::Ascending);
            assert_eq!(set.range(ranks, Direction::Ascending).filter(|(_, score)| *score > 0.0).count(), 10);
        }
    });
    timed("ZRANGE 0 -1, each", MEMBERS, || {
        let bytes: usize = set.iter().map(|(member, _)| member.len()).sum();
        assert_eq!(bytes as u64, 12 * MEMBERS);
    });
    timed("ZRANDMEMBER", MEMBERS, || {
        (0..MEMBERS / 10).for_each(|_| set.draw(10, &mut rng, &mut |_, _| {}));
    });
}

fn change(set: &mut ZSet) {
    let (asked, limits) = (shuffled(4), ZSetLimits::default());
    let mut rng = Rng::new(5);
    timed("ZINCRBY by a millionth", MEMBERS, || {
        for member in &asked {
            assert!(set.increment(member, 1e-6, RULE, &limits).is_ok());
        }
    });
    timed("ZADD of existing members, random scores", MEMBERS, || {
        asked.iter().for_each(|member| add(set, member, rng.next_f64()));
    });
    timed("ZREM and ZADD, half of each", MEMBERS, || {
        for member in &asked[..MEMBERS as usize / 2] {
            set.remove(member);
            add(set, member, rng.next_f64());
        }
    });
    per_member("a member of 12 bytes, after all that", set);
}

fn combine(set: &ZSet) {
    let mut other = ZSet::new();
    (0..MEMBERS / 2).for_each(|number| add(&mut other, &name(number * 3), number as f64));
    let inputs = [Weighted { source: set, weight: 1.0 }, Weighted { source: &other, weight: 2.0 }];
    timed("ZUNION of 1 M and 500 k, each", MEMBERS * 3 / 2, || zunion(&inputs, Aggregate::Sum));
    timed("ZINTER of 1 M and 500 k, each of the smaller", MEMBERS / 2, || zinter(&inputs, Aggregate::Sum));
}

fn take(mut set: ZSet) {
    timed("ZPOPMIN", 100_000, || {
        (0..100_000).for_each(|_| set.pop(Direction::Ascending, 1, &mut |_, _| {}));
    });
    timed("ZPOPMAX 100, each", 100_000, || {
        (0..1000).for_each(|_| set.pop(Direction::Descending, 100, &mut |_, _| {}));
    });
    timed("ZREMRANGEBYRANK of 400 k, each", 400_000, || {
        set.remove_ranks(1000..401_000, Direction::Ascending, &mut |_, _| {});
    });
    per_member("a member of 12 bytes, after that", &set);
}

fn small() {
    let mut set = ZSet::new();
    (0..20).for_each(|number| add(&mut set, &name(number), number as f64 * 1.5));
    println!("{:<52} {:8} bytes", "a small one of 20, without its key", set.heap_bytes());
    let members: Vec<[u8; 12]> = (0..20).map(name).collect();
    timed("ZSCORE in it", MEMBERS, || {
        (0..MEMBERS).for_each(|at| assert!(set.score(&members[at as usize % 20]).is_some()));
    });
    timed("ZINCRBY in it", MEMBERS, || {
        (0..MEMBERS).for_each(|at| {
            assert!(set.increment(&members[at as usize % 20], 1.0, RULE, &ZSetLimits::default()).is_ok());
        });
    });
    timed("ZREM and ZADD in it", MEMBERS, || {
        (0..MEMBERS).for_each(|at| {
            set.remove(&members[at as usize % 20]);
            add(&mut set, &members[at as usize % 20], (at % 31) as f64);
        });
    });
    timed("ZRANGE 0 -1 of it", MEMBERS, || {
        (0..MEMBERS).for_each(|_| assert_eq!(set.iter().count(), 20));
    });
}
