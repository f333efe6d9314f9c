//! What clients cannot see: events, what counts as a change, the journal. Expected is what Redis 8.6.3 does.

use crate::testing::{Harness, observe};

#[test]
fn changes_are_told_counted_and_journalled() {
    observe(&[
        (
            "geoadd g ch 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
            ":2|",
            "g=new g=zadd",
            2,
            "ZADD g ch 3479099956230698 Palermo 3479447370796909 Catania",
        ),
        ("geoadd g 13.361389 38.115556 Palermo", ":0|", "", 0, ""),
        ("geosearchstore e g fromlonlat 15 37 byradius 200 km", ":2|", "e=new e=geosearchstore", 2, "="),
        ("geosearchstore e g fromlonlat 0 0 byradius 1 km", ":0|", "e=del", 1, "="),
        ("georadius g 15 37 200 km store e", ":2|", "e=new e=georadiusstore", 2, "="),
        ("georadiusbymember g Palermo 1 km storedist e", ":1|", "e=overwritten e=georadiusstore", 1, "="),
        ("georadius missing 15 37 200 km store e", ":0|", "missing=keymiss e=del", 1, "="),
        ("geosearch missing frommember x byradius 1 km", "*0|", "missing=keymiss", 0, ""),
    ]);
}

#[test]
fn of_many_places_the_nearest_are_found() {
    let mut client = Harness::new();
    for at in 0..400 {
        client.run(&format!("geoadd g {} {} p{at}", f64::from(at) / 100.0, f64::from(at % 7) / 1000.0));
    }
    let nearest = "*3|$2|p0|$2|p1|$2|p2|";
    assert_eq!(client.run("geosearch g fromlonlat 0 0 byradius 500 km asc count 3"), nearest);
    assert_eq!(client.run("geosearch g fromlonlat 0 0 byradius 500 km count 3"), nearest);
    let farthest = client.run("geosearch g fromlonlat 0 0 byradius 500 km desc count 2");
    assert_eq!(farthest, "*2|$4|p399|$4|p398|");
}
