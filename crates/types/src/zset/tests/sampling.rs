//! Random members and scans.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::*;
use crate::Rng;

fn numbered(len: usize, limits: &ZSetLimits) -> ZSet {
    let mut set = ZSet::new();
    for number in 0..len {
        set.add(format!("m{number}").as_bytes(), number as f64, AddRule::default(), limits).unwrap();
    }
    set
}

const SMALL: ZSetLimits = ZSetLimits { listpack_entries_max: 1000, listpack_value_bytes_max: 64 };

#[test]
fn draws_are_fair() {
    let mut rng = Rng::new(12);
    for limits in [SMALL, BIG] {
        let set = numbered(20, &limits);
        let mut counts: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        set.draw(40_000, &mut rng, &mut |member, _| *counts.entry(member.to_vec()).or_default() += 1);
        assert!(
            counts.len() == 20 && counts.values().all(|count| (1_750..2_250).contains(count)),
            "{counts:?}"
        );
        ZSet::new().draw(5, &mut rng, &mut |_, _| panic!("it is empty"));
    }
}

#[test]
fn samples_are_distinct_and_fair() {
    let mut rng = Rng::new(13);
    for limits in [SMALL, BIG] {
        let set = numbered(40, &limits);
        for count in [0, 1, 3, 20, 39, 40, usize::MAX] {
            let mut counts: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
            for _ in 0..2000 {
                let mut shown = BTreeSet::new();
                set.sample(count, &mut rng, &mut |member, score| {
                    assert_eq!(set.score(&member.to_vec()), Some(score));
                    assert!(shown.insert(member.to_vec()));
                });
                assert_eq!(shown.len(), count.min(40));
                shown.into_iter().for_each(|member| *counts.entry(member).or_default() += 1);
            }
            let expected = 2000.0 * count.min(40) as f64 / 40.0;
            let near = |seen: &u32| (f64::from(*seen) - expected).abs() <= 5.0 * expected.sqrt();
            assert!(counts.values().all(near), "{count}: {counts:?}");
        }
    }
}

#[test]
fn samples_of_all_are_in_order() {
    let set = numbered(300, &BIG);
    let mut scores = Vec::new();
    set.sample(300, &mut Rng::new(1), &mut |_, score| scores.push(score));
    assert!(scores.is_sorted() && scores.len() == 300);
}

#[test]
fn what_is_pinned_is_drawn_from_as_it_was() {
    for limits in [SMALL, BIG] {
        let mut set = numbered(300, &limits);
        let pinned = set.pin_range(7..9, Direction::Descending);
        assert!((0..300).all(|number| set.remove(format!("m{number}").as_bytes())));
        for count in [50, 300] {
            let mut drawn = BTreeSet::new();
            pinned.sample(count, &mut Rng::new(3), &mut |member, score| {
                assert_eq!(member.to_vec(), format!("m{score}").into_bytes());
                assert!(drawn.insert(member.to_vec()));
            });
            assert_eq!(drawn.len(), count);
        }
        let mut seen = 0;
        pinned.draw(1000, &mut Rng::new(3), &mut |_, score| seen += usize::from(score < 300.0));
        assert_eq!(seen, 1000);
        let range = ScoreRange { min: Bound::Included(290.0), max: Bound::Excluded(292.0) };
        assert_eq!(pinned.range_of_scores(&range).map(|(_, score)| score).sum::<f64>(), 581.0);
    }
}

#[test]
fn scans_show_all_that_stays() {
    for limits in [SMALL, BIG] {
        let mut set = numbered(900, &limits);
        let (mut cursor, mut seen, mut calls) = (0, BTreeSet::new(), 0);
        loop {
            cursor = set.scan(cursor, 10, &mut |member, _| {
                seen.insert(member.to_vec());
            });
            calls += 1;
            if cursor == 0 {
                break;
            }
            set.remove(format!("m{}", 500 + calls).as_bytes());
            set.add(format!("new{calls}").as_bytes(), 0.0, AddRule::default(), &limits).unwrap();
        }
        assert!((0..500).all(|number| seen.contains(format!("m{number}").as_bytes())));
        assert_eq!(calls == 1, set.encoding_name() == "listpack");
    }
    assert_eq!(numbered(100, &BIG).scan(u64::MAX, usize::MAX, &mut |_, _| {}), 0);
}
