//! The section about how long values are: for each database and type, how many values have a length from each power of two
//! up to the next. Bytes of strings, elements of anything else; streams are not counted, as in Redis.
//!
//! Redis counts exactly. Here the numbers are exact up to some thousand keys and estimates beyond that; see
//! `keyspace/sizes.rs`.

use ochre_keyspace::{KeySizes, SIZE_BINS};

use super::Scene;
use super::report::Report;

/// The types in Redis's order, and what their fields are called.
const TYPES: [(&str, &str); 5] = [
    ("string", "strings_sizes"),
    ("list", "lists_items"),
    ("set", "sets_items"),
    ("zset", "zsets_items"),
    ("hash", "hashes_items"),
];

pub(super) fn keysizes(scene: &Scene<'_>, report: &mut Report) {
    if let Some(sizes) = &scene.key_sizes {
        sizes.databases().into_iter().for_each(|db| database(sizes, db, report));
    }
}

fn database(sizes: &KeySizes, db: u32, report: &mut Report) {
    for (name, field) in TYPES {
        let Some(bins) = sizes.of(db, name) else { continue };
        let shown = bins.iter().enumerate().filter(|(_, count)| **count > 0);
        let shown: Vec<String> = shown.map(|(bin, count)| format!("{}={count}", label(bin))).collect();
        report.field(&format!("db{db}_distrib_{field}"), shown.join(","));
    }
}

/// The least length of a bin: `0`, `1`, `2`, ... `512`, `1K`, ... `1M`, ...
fn label(bin: usize) -> String {
    const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
    const { assert!(SIZE_BINS <= 10 * UNITS.len() + 1) };
    match bin.checked_sub(1) {
        None => "0".to_owned(),
        Some(power) => format!("{}{}", 1u32 << (power % 10), UNITS[power / 10]),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Harness;

    #[test]
    fn labels_are_powers_of_two() {
        let labels = [0, 1, 2, 10, 11, 12, 21, 22, 31, 41, 49].map(super::label);
        assert_eq!(labels, ["0", "1", "2", "512", "1K", "2K", "1M", "2M", "1G", "1T", "256T"]);
    }

    #[test]
    fn every_type_but_streams_is_counted_by_length() {
        let mut client = Harness::new();
        assert_eq!(client.run("info keysizes"), "$12|# Keysizes||");
        let long = vec![b'x'; 5000];
        client.run_args(&[b"set", b"long", &long]);
        for request in [
            "set s 12345678",
            "set other 1",
            "rpush l 1 2 3",
            "sadd set a b",
            "zadd z 1 a 2 b 3 c 4 d",
            "hset h a b",
            "xadd stream * a b",
            "select 3",
            "rpush l 1",
        ] {
            client.run(request);
        }
        let text = client.run("info keysizes");
        let lines: Vec<&str> = text.split('|').skip(2).filter(|line| !line.is_empty()).collect();
        assert_eq!(
            lines,
            [
                "db0_distrib_strings_sizes:1=1,8=1,4K=1",
                "db0_distrib_lists_items:2=1",
                "db0_distrib_sets_items:2=1",
                "db0_distrib_zsets_items:4=1",
                "db0_distrib_hashes_items:1=1",
                "db3_distrib_lists_items:1=1",
            ]
        );
    }
}
