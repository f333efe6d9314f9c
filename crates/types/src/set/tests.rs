//! Sets against a `BTreeSet`, with tiny limits that make them cross encodings all the time.

mod long;

use std::collections::BTreeSet;

use super::*;
use crate::Rng;
use crate::listpack::{Item, Listpack};

const TINY: SetLimits = SetLimits { intset_entries: 10, listpack_entries: 8, listpack_value: 6 };

type Model = BTreeSet<Vec<u8>>;

/// Mostly integers at times, words at others, long ones now and then.
fn member(rng: &mut Rng, kinds: u64, range: u64) -> Vec<u8> {
    let number = rng.below(range);
    match rng.below(kinds) {
        1 => format!("w{number}").into_bytes(),
        2 => format!("a longer member {number}").into_bytes(),
        3 => format!("{}", (number as i64 - 20) << (number % 40)).into_bytes(),
        4 => format!("0{number}").into_bytes(),
        _ => number.to_string().into_bytes(),
    }
}

fn members(set: &Set) -> Vec<Vec<u8>> {
    set.iter().map(|item| item.to_vec()).collect()
}

fn check(set: &Set, model: &Model) {
    assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
    let all = members(set);
    assert_eq!(all.len(), model.len());
    assert_eq!(&all.into_iter().collect::<Model>(), model);
    for parts in [1, 3, 1000] {
        let (mut scanned, mut position, mut cursor) = (Vec::new(), Some(0), 0);
        while let Some(at) = position {
            position = set.visit_part(at, parts, &mut |item| scanned.push(item.to_vec()));
        }
        assert_eq!(scanned.len(), model.len(), "{parts}");
        loop {
            cursor = set.scan(cursor, parts, &mut |item| scanned.push(item.to_vec()));
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(scanned.len(), model.len() * 2);
        assert_eq!(&scanned.into_iter().collect::<Model>(), model);
    }
    let copy = set.clone();
    assert_eq!((&copy, copy.encoding_name()), (set, set.encoding_name()));
    let again = match (set.to_intset_bytes(), set.as_pack()) {
        _ if set.is_empty() => return,
        (Some(bytes), _) => Set::from_intset_bytes(&bytes),
        (_, Some(pack)) => Set::from_listpack(&pack.to_listpack()),
        _ => return,
    };
    assert_eq!(again.map(|again| members(&again)), Ok(members(set)));
}

/// A set and its model, built by `steps` random operations.
fn grown(rng: &mut Rng, steps: u64) -> (Set, Model) {
    let (mut set, mut model) = (Set::new(), Model::new());
    let (kinds, range) = (rng.below(5) + 1, rng.below(60) + 5);
    for _ in 0..steps {
        let member = member(rng, kinds, range);
        if rng.below(4) > 0 {
            assert_eq!(set.add(&member, &TINY), model.insert(member));
        } else {
            assert_eq!(set.remove(&member), model.remove(&member));
        }
    }
    (set, model)
}

#[test]
fn random_operations_agree_with_a_sorted_set() {
    let mut seen = BTreeSet::new();
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let steps = rng.below(80);
        let (mut set, mut model) = grown(&mut rng, steps);
        seen.insert(set.encoding_name());
        check(&set, &model);
        let asked: Vec<Vec<u8>> = (0..40).map(|_| member(&mut rng, 5, 60)).collect();
        let mut answers = Vec::new();
        set.contains_each(asked.iter().map(|member| &member[..]), |answer| answers.push(answer));
        assert_eq!(answers, asked.iter().map(|member| model.contains(member)).collect::<Vec<_>>());
        assert!(asked.iter().all(|member| set.contains(member) == model.contains(member)));
        while !set.is_empty() {
            let (before, count) = (set.len(), rng.below(20) as usize + 1);
            set.pop(count, &mut rng, &TINY, &mut |item| assert!(model.remove(&item.to_vec())));
            assert_eq!(set.len(), before.saturating_sub(count));
            check(&set, &model);
        }
        set.pop(3, &mut rng, &TINY, &mut |_| panic!("nothing is left"));
        assert!(set.random(&mut rng).is_none());
    }
    assert_eq!(seen, BTreeSet::from(["hashtable", "intset", "listpack"]));
}

fn names(set: &Set) -> (&'static str, usize) {
    (set.encoding_name(), set.len())
}

fn set_of(members: &[&str], limits: &SetLimits) -> Set {
    let first = members.first().map_or(&b""[..], |first| first.as_bytes());
    let mut set = Set::for_members(first, members.len(), limits);
    members.iter().for_each(|member| {
        set.add(member.as_bytes(), limits);
    });
    set
}

fn numbers(range: std::ops::Range<i64>, limits: &SetLimits) -> Set {
    let mut set = Set::new();
    range.for_each(|number| {
        set.add(number.to_string().as_bytes(), limits);
    });
    set
}

fn words(count: usize, limits: &SetLimits) -> Set {
    let mut set = set_of(&["x"], limits);
    (1..count).for_each(|number| {
        set.add(format!("w{number}").as_bytes(), limits);
    });
    set
}

#[test]
fn encodings_change_at_the_limits() {
    let limits = SetLimits::default();
    assert_eq!(names(&numbers(0..512, &limits)), ("intset", 512));
    assert_eq!(names(&numbers(0..513, &limits)), ("hashtable", 513));
    assert_eq!(names(&words(128, &limits)), ("listpack", 128));
    assert_eq!(names(&words(129, &limits)), ("hashtable", 129));
    for (bytes, encoding) in [(64, "listpack"), (65, "hashtable")] {
        assert_eq!(names(&set_of(&["a", &"x".repeat(bytes)], &limits)), (encoding, 2));
    }
    for (ints, encoding) in [(127, "listpack"), (128, "hashtable")] {
        let mut set = numbers(0..ints, &limits);
        set.add(b"word", &limits);
        assert_eq!(names(&set), (encoding, ints as usize + 1));
    }
    let mut set = numbers(0..3, &SetLimits { listpack_value: 1, ..limits });
    assert!(set.add(b"w", &SetLimits { listpack_value: 1, ..limits }));
    assert_eq!(set.encoding_name(), "listpack");
    let mut set = numbers(-3..3, &limits);
    set.add(b"w", &SetLimits { listpack_value: 1, ..limits });
    assert_eq!(set.encoding_name(), "hashtable", "-3 is longer than allowed");
    assert!(set.contains(b"-3") && set.remove(b"w") && set.encoding_name() == "hashtable");
}

#[test]
fn a_set_is_made_for_what_is_about_to_come() {
    let limits = SetLimits::default();
    for (first, count, encoding) in
        [("1", 512, "intset"), ("1", 513, "hashtable"), ("01", 128, "listpack"), ("01", 129, "hashtable")]
    {
        assert_eq!(Set::for_members(first.as_bytes(), count, &limits).encoding_name(), encoding);
    }
    let (mut ints, mut texts) = (numbers(0..3, &limits), words(3, &limits));
    ints.expect(512, &limits);
    texts.expect(128, &limits);
    assert_eq!((names(&ints), names(&texts)), (("intset", 3), ("listpack", 3)));
    ints.expect(513, &limits);
    texts.expect(129, &limits);
    assert_eq!((names(&ints), names(&texts)), (("hashtable", 3), ("hashtable", 3)));
}

#[test]
fn taking_out_nearly_all_starts_small_again() {
    let (limits, mut rng) = (SetLimits::default(), Rng::new(5));
    for (set, popped, encoding) in [
        (words(1000, &limits), 833, "hashtable"),
        (words(1000, &limits), 900, "listpack"),
        (numbers(0..1000, &limits), 990, "listpack"),
        (numbers(0..100, &limits), 99, "intset"),
        (words(1000, &limits), 840, "hashtable"),
    ] {
        let (mut set, len) = (set.clone(), set.len());
        set.pop(popped, &mut rng, &limits, &mut |_| {});
        assert_eq!(names(&set), (encoding, len - popped));
    }
}

/// Six standard deviations of the sum of squares.
fn assert_fair(counts: &[u32]) {
    let classes = counts.len() as f64;
    let mean = counts.iter().map(|count| f64::from(*count)).sum::<f64>() / classes;
    let square: f64 = counts.iter().map(|count| (f64::from(*count) - mean).powi(2) / mean).sum();
    assert!(square < classes + 6.0 * (2.0 * classes).sqrt(), "{square} for {classes}: {counts:?}");
}

#[test]
fn every_member_is_drawn_equally_often_in_every_encoding() {
    let small = SetLimits { listpack_entries: 0, intset_entries: 0, ..TINY };
    for limits in [SetLimits::default(), small] {
        for set in [numbers(0..40, &limits), words(40, &limits)] {
            let (mut rng, all) = (Rng::new(9), members(&set));
            let index = |item: Item<'_>| all.iter().position(|one| item.eq_bytes(one)).expect("a member");
            let (mut drawn, mut sampled, mut popped) = ([0; 40], [0; 40], [0; 40]);
            for _ in 0..1000 {
                drawn[set.random(&mut rng).map_or(0, index)] += 1;
                set.draw_many(3, &mut rng, &mut |item| drawn[index(item)] += 1);
                let mut chosen = BTreeSet::new();
                set.sample(7, &mut rng, &mut |item| assert!(chosen.insert(index(item))));
                assert_eq!(chosen.len(), 7);
                chosen.into_iter().for_each(|index| sampled[index] += 1);
                for count in [1, 3] {
                    set.clone().pop(count, &mut rng, &limits, &mut |item| popped[index(item)] += 1);
                }
            }
            assert_eq!((drawn.iter().sum::<u32>(), popped.iter().sum::<u32>()), (4000, 4000));
            [drawn, sampled, popped].iter().for_each(|counts| assert_fair(counts));
        }
    }
}

fn collected(visit: impl FnOnce(&mut dyn FnMut(Item<'_>)) -> usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let count = visit(&mut |item| all.push(item.to_vec()));
    assert_eq!(count, all.len());
    all
}

fn as_model(members: Vec<Vec<u8>>) -> Model {
    let count = members.len();
    let model: Model = members.into_iter().collect();
    assert_eq!(model.len(), count, "each once");
    model
}

#[test]
fn what_several_sets_have_in_common_agrees_with_sorted_sets() {
    for seed in 0..600 {
        let mut rng = Rng::new(seed);
        let made: Vec<(Set, Model)> = (0..rng.below(12) + 1)
            .map(|_| {
                let steps = if rng.below(4) == 0 { 400 } else { rng.below(60) };
                grown(&mut rng, steps)
            })
            .collect();
        let mut chosen: Vec<&(Set, Model)> = made.iter().collect();
        if rng.below(5) == 0 {
            chosen.push(&made[rng.below(made.len() as u64) as usize]);
        }
        let sets: Vec<&Set> = chosen.iter().map(|(set, _)| set).collect();
        let models: Vec<&Model> = chosen.iter().map(|(_, model)| model).collect();

        let all = models.iter().fold(Model::new(), |sum, model| &sum | model);
        assert_eq!(as_model(collected(|visit| union(&sets, 0, visit))), all);
        assert_eq!(as_model(members(&store_union(&sets, &TINY))), all);

        let common = models[1..].iter().fold(models[0].clone(), |common, model| &common & model);
        assert_eq!(as_model(collected(|visit| intersection(&sets, 0, visit))), common);
        assert_eq!(as_model(members(&store_intersection(&sets, &TINY))), common);
        assert_eq!(intersection(&sets, 0, &mut |_| {}), common.len());
        assert_eq!(intersection(&sets, 3, &mut |_| {}), common.len().min(3));
        assert_eq!(union(&sets, 3, &mut |_| {}), all.len().min(3));

        let rest = models[1..].iter().fold(models[0].clone(), |rest, model| &rest - model);
        assert_eq!(as_model(collected(|visit| difference(&sets, 0, visit))), rest);
        assert_eq!(difference(&sets, 3, &mut |_| {}), rest.len().min(3));
        assert_eq!(as_model(members(&store_difference(&sets, &TINY))), rest);
    }
}

#[test]
fn integers_come_in_order() {
    let limits = SetLimits::default();
    let (a, b) = (numbers(-5..5, &limits), numbers(2..9, &limits));
    let texts = |range: std::ops::Range<i64>| range.map(|n| n.to_string().into_bytes()).collect::<Vec<_>>();
    assert_eq!(collected(|visit| union(&[&b, &a], 0, visit)), texts(-5..9));
    assert_eq!(collected(|visit| intersection(&[&a, &b], 0, visit)), texts(2..5));
    assert_eq!(collected(|visit| difference(&[&a, &b], 0, visit)), texts(-5..2));
}

#[test]
fn stored_results_have_the_encoding_that_their_making_leads_to() {
    let limits = SetLimits::default();
    let (ints, texts, many) = (numbers(0..100, &limits), words(50, &limits), words(300, &limits));
    let tables = [numbers(0..600, &limits), numbers(400..1000, &limits)];
    assert_eq!(names(&store_union(&[&ints, &texts], &limits)), ("hashtable", 150));
    assert_eq!(names(&store_union(&[&texts], &limits)), ("listpack", 50));
    assert_eq!(names(&store_union(&[&ints, &ints], &limits)), ("intset", 100));
    assert_eq!(names(&store_intersection(&[&many, &texts], &limits)), ("listpack", 50));
    assert_eq!(names(&store_intersection(&[&tables[0], &tables[1]], &limits)), ("intset", 200));
    assert_eq!(names(&store_intersection(&[&many, &many], &limits)), ("hashtable", 300));
    assert_eq!(names(&store_difference(&[&many, &texts], &limits)), ("hashtable", 250));
    assert_eq!(names(&store_difference(&[&tables[0], &tables[1]], &limits)), ("intset", 400));
    let few = [&many, &texts, &texts, &texts, &texts];
    assert_eq!(names(&store_difference(&few, &limits)), ("hashtable", 250));
    assert_eq!(names(&store_difference(&[&many, &many], &limits)), ("intset", 0));
    // The same ten members, by either way.
    let (first, most, one) = (words(200, &limits), words(190, &limits), words(1, &limits));
    assert_eq!(names(&store_difference(&[&first, &most], &limits)), ("listpack", 10));
    let removing: Vec<&Set> = [&first, &most].into_iter().chain([&one; 9]).collect();
    assert_eq!(names(&store_difference(&removing, &limits)), ("hashtable", 10));
}

#[test]
fn memory_of_small_and_large_sets() {
    let limits = SetLimits::default();
    assert_eq!(size_of::<Set>(), 8);
    assert_eq!(numbers(0..20, &limits).heap_bytes(), 32);
    assert_eq!(numbers(1_000_000..1_000_020, &limits).heap_bytes(), 64);
    let mut large = Set::new();
    (0..100_000).for_each(|n| {
        large.add(format!("member:{n:05}").as_bytes(), &limits);
    });
    let each = large.heap_bytes() as f64 / 1e5;
    assert!((24.0..29.0).contains(&each), "{each} bytes for a member of 12");
    assert_eq!((large.free_effort(), numbers(0..20, &limits).free_effort()), (100_000, 1));
}

#[test]
fn listpacks_from_outside_have_no_member_twice() {
    let mut listpack = Listpack::new();
    assert!(Set::from_listpack(&listpack).is_err());
    [&b"a"[..], b"1", b"b"].into_iter().for_each(|member| listpack.push_back(member));
    assert!(Set::from_listpack(&listpack).is_ok());
    listpack.push_back(b"1");
    assert!(Set::from_listpack(&listpack).is_err());
    assert!(Set::from_intset_bytes(b"short").is_err());
}
