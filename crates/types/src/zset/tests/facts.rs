//! What Redis does in particular cases, by example.

use super::*;

#[test]
fn zeros_lose_their_sign_only_while_small() {
    let small = zset(&[("m", -0.0)], &LIMITS);
    assert!(small.score(b"m").is_some_and(|score| score.is_sign_positive()));
    let mut big = zset(&[("m", -0.0)], &BIG);
    assert!(big.score(b"m").is_some_and(|score| score.is_sign_negative()));
    assert_eq!(big.add(b"m", 0.0, AddRule::default(), &BIG), Ok(Added::Same(0.0)));
    assert!(big.score(b"m").is_some_and(|score| score.is_sign_negative()), "equal scores are not changed");
}

#[test]
fn scores_that_are_no_numbers() {
    for limits in [LIMITS, BIG] {
        let mut set = zset(&[("m", f64::INFINITY)], &limits);
        let rule = AddRule::default();
        assert_eq!(set.increment(b"m", f64::NEG_INFINITY, rule, &limits), Err(NotANumber));
        assert_eq!(set.increment(b"m", f64::NAN, rule, &limits), Err(NotANumber));
        assert_eq!(set.add(b"x", f64::NAN, rule, &limits), Err(NotANumber));
        assert_eq!(texts(set.iter().map(pair)), "m inf");
    }
}

#[test]
fn small_ones_are_redis_listpacks() {
    let set = zset(&[("b", 2.5), ("a", 2.5), ("17", -3.0), ("c", 1e17)], &LIMITS);
    let list = set.as_pack().unwrap();
    let expected: [Item<'_>; 8] = [
        Item::Int(17),
        Item::Int(-3),
        Item::Bytes(b"a"),
        Item::Bytes(b"2.5"),
        Item::Bytes(b"b"),
        Item::Bytes(b"2.5"),
        Item::Bytes(b"c"),
        Item::Int(100_000_000_000_000_000),
    ];
    assert!(list.iter().eq(expected));
    assert_eq!(set.encoding_name(), "listpack");
}

#[test]
fn limits_decide_when_it_grows() {
    let number =
        |count: usize| -> Vec<(String, f64)> { (0..count).map(|at| (at.to_string(), at as f64)).collect() };
    let of = |count: usize| {
        let pairs = number(count);
        zset(&pairs.iter().map(|(member, score)| (&member[..], *score)).collect::<Vec<_>>(), &LIMITS)
    };
    assert_eq!([of(8), of(9)].map(|set| set.encoding_name()), ["listpack", "skiplist"]);
    let mut set = of(8);
    let rule = AddRule { existence: Existence::OnlyExisting, ..AddRule::default() };
    assert_eq!(set.add(&[b'x'; 100], 1.0, rule, &LIMITS), Ok(Added::Refused));
    assert_eq!(set.encoding_name(), "listpack", "what is not added does not count");
    let mut set = of(2);
    set.add(&[b'x'; 21], 1.0, AddRule::default(), &LIMITS).unwrap();
    assert_eq!(set.encoding_name(), "skiplist");
    set.make_small(&LIMITS);
    assert_eq!(set.encoding_name(), "skiplist", "a member is too long");
    assert!(set.remove(&[b'x'; 21]));
    assert_eq!(set.encoding_name(), "skiplist", "not small again by itself");
    set.make_small(&LIMITS);
    assert_eq!((set.encoding_name(), set.len()), ("listpack", 2));
}

#[test]
fn hints_decide_what_it_begins_as() {
    let begins = |len, member_len| ZSet::with_hints(len, member_len, &LIMITS).encoding_name();
    assert_eq!([begins(8, 20), begins(9, 1), begins(1, 21)], ["listpack", "skiplist", "skiplist"]);
    let mut set = zset(&[("a", 1.0)], &LIMITS);
    set.expect(8, &LIMITS);
    assert_eq!(set.encoding_name(), "listpack");
    set.expect(9, &LIMITS);
    assert_eq!((set.encoding_name(), set.len()), ("skiplist", 1));
    assert!(ZSet::with_hints(usize::MAX, usize::MAX, &LIMITS).is_empty());
}

/// What Redis answers to ZRANGEBYLEX with different scores, while the sorted set is small.
#[test]
fn ranges_of_members_with_different_scores() {
    let set = zset(&[("d", 1.0), ("a", 2.0), ("c", 3.0), ("b", 4.0)], &LIMITS);
    let ask = |min: &str, max: &str, direction| {
        let range = LexRange::parse(min.as_bytes(), max.as_bytes()).unwrap();
        set.ranks_of_members(&range, direction)
    };
    assert_eq!(ask("[b", "+", Direction::Ascending), 0..4);
    assert_eq!(ask("[b", "+", Direction::Descending), 2..4);
    assert_eq!(ask("[a", "[d", Direction::Ascending), 0..4);
    assert_eq!(ask("-", "[c", Direction::Ascending), 0..0, "the first one is above");
    assert_eq!(ask("[c", "+", Direction::Ascending), 0..0, "the last one is below");
}

#[test]
fn listpacks_from_outside() {
    let pack = |items: &[&str]| {
        let mut list = crate::listpack::Listpack::new();
        items.iter().for_each(|item| list.push_back(item.as_bytes()));
        ZSet::from_listpack(&list).map(|set| texts(set.iter().map(pair)))
    };
    assert_eq!(pack(&["a", "1", "b", "1", "0", "2.5"]).as_deref(), Ok("a 1, b 1, 0 2.5"));
    assert_eq!(pack(&[]).as_deref(), Ok(""));
    for wrong in [
        &["a"][..],
        &["a", "x"],
        &["a", "nan"],
        &["b", "1", "a", "1"],
        &["a", "2", "b", "1"],
        &["a", "1", "a", "2"],
    ] {
        assert!(pack(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn ranges_outside_are_cut() {
    for limits in [LIMITS, BIG] {
        let mut set = zset(&[("a", 1.0), ("b", 2.0)], &limits);
        for direction in [Direction::Ascending, Direction::Descending] {
            assert_eq!(set.range(1..usize::MAX, direction).len(), 1);
            assert_eq!(set.range(usize::MAX..usize::MAX, direction).count(), 0);
            assert_eq!(set.range(2..9, direction).count(), 0);
            #[allow(clippy::reversed_empty_ranges)]
            let reversed = 2..1;
            assert_eq!(set.range(reversed, direction).count(), 0);
        }
        assert_eq!(set.at(usize::MAX).map(pair), None);
        set.remove_ranks(5..usize::MAX, Direction::Descending, &mut |_, _| panic!("there is none"));
        set.pop(Direction::Descending, usize::MAX, &mut |_, _| {});
        assert!(set.is_empty());
        set.pop(Direction::Ascending, 1, &mut |_, _| panic!("it is empty"));
        assert_eq!(set.rank(b"a", Direction::Descending), None);
    }
}

#[test]
fn encodings_do_not_matter_for_equality() {
    let pairs = [("a", 1.0), ("7", 2.0)];
    assert_eq!(zset(&pairs, &LIMITS), zset(&pairs, &BIG));
    assert_ne!(zset(&pairs, &LIMITS), zset(&pairs[..1], &BIG));
    assert_ne!(zset(&pairs, &LIMITS), zset(&[("a", 1.0), ("8", 2.0)], &BIG));
    assert_eq!(format!("{:?}", zset(&pairs, &BIG)), "{\"a\": 1.0, \"7\": 2.0}");
}

#[test]
fn it_is_one_word() {
    assert_eq!(size_of::<ZSet>(), 8);
}
