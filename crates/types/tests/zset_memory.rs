//! What a sorted set says it has allocated is what it has allocated.

use ochre_types::Rng;
use ochre_types::zset::{AddRule, Direction, ZSet, ZSetLimits};

#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

/// Sums of threads are folded in steps of this size.
const UNCERTAIN_BYTES: usize = 2 * ochre_memory::FOLD_BYTES as usize;

fn allocated_since(before: usize) -> usize {
    ochre_memory::used_bytes().saturating_sub(before)
}

#[track_caller]
fn check(set: &ZSet, before: usize) {
    let (said, counted) = (set.heap_bytes(), allocated_since(before));
    assert!(said.abs_diff(counted) <= UNCERTAIN_BYTES, "{said} bytes said, {counted} counted");
}

#[test]
fn figures_are_those_of_the_allocator() {
    let (mut rng, limits) = (Rng::new(1), ZSetLimits::default());
    let before = ochre_memory::used_bytes();
    let mut set = ZSet::new();
    for number in 0..100_000u32 {
        // Lengths of one size class each: the allocator's classes above 128 bytes are coarser than what is asked for.
        let member = format!("{number:0len$}", len = 6 + rng.below(100) as usize);
        set.add(member.as_bytes(), rng.next_f64(), AddRule::default(), &limits).unwrap();
    }
    check(&set, before);
    let copied_before = ochre_memory::used_bytes();
    let copy = set.clone();
    check(&copy, copied_before);
    drop(copy);
    set.remove_ranks(10_000..90_000, Direction::Ascending, &mut |_, _| {});
    check(&set, before);
    drop(set);
    assert!(allocated_since(before) <= UNCERTAIN_BYTES);
}
