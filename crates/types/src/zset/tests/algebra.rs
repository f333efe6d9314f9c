//! Union, intersection and difference against their definitions.

use std::collections::BTreeMap;

use super::*;
use crate::Rng;
use crate::set::{Set, SetLimits};

fn weighted<'a>(sources: &[(&'a dyn ZSource, f64)]) -> Vec<Weighted<'a>> {
    sources.iter().map(|(source, weight)| Weighted { source: *source, weight: *weight }).collect()
}

#[test]
fn by_example() {
    let first = zset(&[("a", 1.0), ("b", 2.0), ("c", 3.0)], &LIMITS);
    let second = zset(&[("b", 10.0), ("c", -1.0), ("d", f64::INFINITY), ("e", 0.0)], &BIG);
    let mut third = Set::new();
    for member in ["c", "e"] {
        third.add(member.as_bytes(), &SetLimits::default());
    }
    let inputs = weighted(&[(&first, 2.0), (&second, 3.0), (&third, 1.0)]);
    let union = |aggregate| texts(zunion(&inputs, aggregate).iter().map(pair));
    assert_eq!(union(Aggregate::Sum), "e 1, a 2, c 4, b 34, d inf");
    assert_eq!(union(Aggregate::Min), "c -3, e 0, a 2, b 4, d inf");
    assert_eq!(union(Aggregate::Max), "e 1, a 2, c 6, b 30, d inf");
    assert_eq!(union(Aggregate::Count), "a 2, d 3, e 4, b 5, c 6");
    let inter = |count: usize, aggregate| texts(zinter(&inputs[..count], aggregate).iter().map(pair));
    assert_eq!(inter(2, Aggregate::Sum), "c 3, b 34");
    assert_eq!(inter(3, Aggregate::Max), "c 6");
    assert_eq!(inter(3, Aggregate::Count), "c 6");
    assert_eq!(inter(0, Aggregate::Sum), "");
    assert_eq!(texts(zdiff(&[&first, &third]).iter().map(pair)), "a 1, b 2");
    assert_eq!(texts(zdiff(&[&first, &first]).iter().map(pair)), "");
    assert_eq!(texts(zdiff(&[&first]).iter().map(pair)), "a 1, b 2, c 3");
    assert!(zdiff(&[]).is_empty() && zunion(&[], Aggregate::Sum).is_empty());
    assert_eq!([0, 1, 2, 9].map(|limit| zinter_count(&[&first, &second], limit)), [2, 1, 2, 2]);
}

#[test]
fn sums_that_are_no_numbers_are_zero() {
    let (up, down) = (zset(&[("m", f64::INFINITY)], &BIG), zset(&[("m", f64::NEG_INFINITY)], &BIG));
    let both = weighted(&[(&up, 1.0), (&down, 1.0)]);
    assert_eq!(zunion(&both, Aggregate::Sum).score(b"m"), Some(0.0));
    assert_eq!(zinter(&both, Aggregate::Sum).score(b"m"), Some(0.0));
    let nothing = weighted(&[(&up, 0.0), (&up, 0.0)]);
    for aggregate in [Aggregate::Sum, Aggregate::Min, Aggregate::Max, Aggregate::Count] {
        assert_eq!(zunion(&nothing, aggregate).score(b"m"), Some(0.0));
        assert_eq!(zinter(&nothing, aggregate).score(b"m"), Some(0.0));
    }
}

#[test]
fn doubles_are_summed_from_the_smallest_input_on() {
    let large = zset(&[("m", 1e16), ("x", 1.0), ("y", 1.0)], &LIMITS);
    let middle = zset(&[("m", 1.0), ("x", 1.0)], &LIMITS);
    let small = zset(&[("m", 1.0)], &LIMITS);
    let inputs = weighted(&[(&large, 1.0), (&middle, 1.0), (&small, 1.0)]);
    assert_eq!(zunion(&inputs, Aggregate::Sum).score(b"m"), Some(1e16 + 2.0), "1e16 + 1 + 1 would be 1e16");
    assert_eq!(zinter(&inputs, Aggregate::Sum).score(b"m"), Some(1e16 + 2.0));
}

#[test]
fn random_inputs() {
    let mut rng = Rng::new(11);
    for _ in 0..300 {
        let scores: Vec<BTreeMap<String, f64>> = (0..1 + rng.below(4))
            .map(|_| {
                let size = 1 + rng.below(40);
                (0..rng.below(30)).map(|_| (rng.below(size).to_string(), rng.below(9) as f64)).collect()
            })
            .collect();
        let sets: Vec<ZSet> = scores
            .iter()
            .map(|scores| zset(&scores.iter().map(|(m, s)| (&m[..], *s)).collect::<Vec<_>>(), &LIMITS))
            .collect();
        let sources: Vec<&dyn ZSource> = sets.iter().map(|set| set as &dyn ZSource).collect();
        let inputs: Vec<Weighted<'_>> =
            sources.iter().map(|source| Weighted { source: *source, weight: 1.0 }).collect();
        let sum = |member: &String| scores.iter().filter_map(|scores| scores.get(member)).sum::<f64>();
        let check =
            |name: &str, found: ZSet, keep: &dyn Fn(&String) -> bool, score: &dyn Fn(&String) -> f64| {
                found.validate();
                let all: std::collections::BTreeSet<&String> =
                    scores.iter().flat_map(BTreeMap::keys).collect();
                let kept: BTreeMap<Vec<u8>, f64> = all
                    .into_iter()
                    .filter(|member| keep(member))
                    .map(|member| (member.as_bytes().to_vec(), score(member)))
                    .collect();
                assert_eq!(found.iter().map(pair).collect::<BTreeMap<_, _>>(), kept, "{name}");
            };
        let in_all = |member: &String| scores.iter().all(|scores| scores.contains_key(member));
        check("union", zunion(&inputs, Aggregate::Sum), &|_| true, &sum);
        check("intersection", zinter(&inputs, Aggregate::Sum), &in_all, &sum);
        let only_first = |member: &String| {
            scores[0].contains_key(member) && !scores[1..].iter().any(|scores| scores.contains_key(member))
        };
        check("difference", zdiff(&sources), &only_first, &|member| scores[0][member]);
        let (first, others) = (sources[0], &sources[1..]);
        for difference in crate::zset::algebra::both_differences(first, others) {
            check("each way", difference, &only_first, &|member| scores[0][member]);
        }
        let common = scores[0].keys().filter(|member| in_all(member)).count();
        assert_eq!(zinter_count(&sources, 0), common);
        assert_eq!(zinter_count(&sources, 3), common.min(3));
    }
}
