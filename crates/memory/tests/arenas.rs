//! For how long freed pages stay with the allocator.
#![cfg(feature = "jemalloc")]

use ochre_memory::{Counted, limit_freed_pages, tuning_integer};

#[global_allocator]
static ALLOCATOR: Counted = Counted;

#[test]
fn freed_pages_stay_as_long_as_is_said_whatever_their_arena() {
    limit_freed_pages(4);
    // The thread of a test has another arena than the main thread.
    drop(std::hint::black_box(vec![1_u8; 3 << 20]));
    tuning_integer("epoch", Some(1)).expect("figures can be brought up to date");
    let decays: Vec<i64> = (0..tuning_integer("opt.narenas", None).expect("there are arenas"))
        .filter_map(|arena| tuning_integer(&format!("stats.arenas.{arena}.dirty_decay_ms"), None).ok())
        .collect();
    assert_eq!(tuning_integer("arenas.dirty_decay_ms", None).expect("it can be asked for"), 2500);
    assert_eq!(decays.first(), Some(&2500));
    for (workers, decay_ms) in [(1, 10_000), (0, 10_000), (10, 1000), (200, 1000)] {
        limit_freed_pages(workers);
        assert_eq!(tuning_integer("arenas.dirty_decay_ms", None).expect("it can be asked for"), decay_ms);
    }
}
