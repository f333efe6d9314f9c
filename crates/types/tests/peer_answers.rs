//! Tables of answers that real servers gave to our own requests: hard cases of rounding and formatting.

use ochre_types::listpack::Listpack;
use ochre_types::{LongDouble, format_f64, parse_f64};

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('|').collect())
}

fn increment_by_float(value: &str, increment: &str) -> String {
    let read = |text: &str| LongDouble::parse(text.as_bytes());
    match read(value).zip(read(increment)).map(|(value, increment)| value + increment) {
        None => "not a float".to_owned(),
        Some(sum) if sum.is_nan() || sum.is_infinite() => "out of range".to_owned(),
        Some(sum) => sum.to_human_string(),
    }
}

#[test]
fn sums_of_long_doubles() {
    let mut count = 0;
    for row in rows(include_str!("incrbyfloat.txt")) {
        let [value, increment, expected] = row[..] else { panic!("{row:?}") };
        assert_eq!(increment_by_float(value, increment), expected, "{value:?} + {increment:?}");
        count += 1;
    }
    assert!(count > 100);
}

#[test]
fn texts_of_doubles() {
    let mut count = 0;
    for row in rows(include_str!("doubles.txt")) {
        let [score, expected] = row[..] else { panic!("{row:?}") };
        assert_eq!(format_f64(parse_f64(score.as_bytes()).unwrap()), expected, "{score}");
        count += 1;
    }
    assert!(count > 50);
}

#[test]
fn bytes_of_listpacks() {
    let mut count = 0;
    for line in include_str!("listpacks.txt").lines().filter(|line| !line.starts_with('#')) {
        let (elements, expected) = line.rsplit_once('|').expect("elements and bytes");
        let (mut forwards, mut backwards) = (Listpack::new(), Listpack::new());
        elements.split('|').for_each(|element| forwards.push_back(element.as_bytes()));
        elements.rsplit('|').for_each(|element| backwards.push_front(element.as_bytes()));
        let bytes: String = forwards.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(bytes, expected, "{elements}");
        assert_eq!(forwards.as_bytes(), backwards.as_bytes());
        count += 1;
    }
    assert!(count > 20);
}
