//! Places, distances and searches as real servers answered them, the order of what is found included.

use std::collections::HashMap;

use ochre_types::{Area, DistanceUnit, Position, Shape, geohash_text, push_distance, score_of, score_ranges};

/// A sorted set of places: names with their scores, in order.
#[derive(Default)]
struct Places {
    by_score: Vec<(u64, String)>,
    by_name: HashMap<String, u64>,
}

impl Places {
    fn add(&mut self, name: &str, score: u64) {
        self.by_score.push((score, name.to_owned()));
        self.by_score.sort();
        self.by_name.insert(name.to_owned(), score);
    }

    fn position(&self, name: &str) -> Position {
        Position::of_score(self.by_name[name] as f64)
    }

    /// What GEOSEARCH finds, without sorting.
    fn search(&self, shape: &Shape) -> String {
        let mut found = Vec::new();
        for range in score_ranges(shape) {
            let within = self.by_score.iter().filter(|(score, _)| range.contains(score));
            let inside = within
                .filter(|(score, _)| shape.distance_within_m(Position::of_score(*score as f64)).is_some());
            found.extend(inside.map(|(_, name)| name.as_str()));
        }
        found.join(" ")
    }
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

fn position(longitude: &str, latitude: &str) -> Position {
    Position::new(number(longitude), number(latitude)).expect("a place")
}

fn unit(name: &str) -> DistanceUnit {
    DistanceUnit::from_name(name.as_bytes()).expect("a unit")
}

#[test]
fn places_distances_and_searches() {
    let mut places = Places::default();
    let rows = include_str!("geo.txt").lines().filter(|line| !line.starts_with('#'));
    for row in rows {
        let fields: Vec<&str> = row.split('|').collect();
        match fields[..] {
            ["place", name, longitude, latitude, score, geohash] => {
                let found = score_of(position(longitude, latitude));
                assert_eq!(found.to_string(), score, "{row}");
                assert_eq!(String::from_utf8_lossy(&geohash_text(found as f64)), geohash, "{row}");
                places.add(name, found);
            }
            ["distance", from, to, name, expected] => {
                let distance_m = places.position(from).distance_m(places.position(to));
                let mut text = Vec::new();
                push_distance(&mut text, distance_m / unit(name).metres());
                assert_eq!(String::from_utf8_lossy(&text), expected, "{row}");
            }
            ["r", longitude, latitude, radius, name, expected] => {
                let area = Area::Radius(number(radius));
                let shape = Shape { area, centre: position(longitude, latitude), unit: unit(name) };
                assert_eq!(places.search(&shape), expected, "{row}");
            }
            ["b", longitude, latitude, width, height, name, expected] => {
                let area = Area::Box { width: number(width), height: number(height) };
                let shape = Shape { area, centre: position(longitude, latitude), unit: unit(name) };
                assert_eq!(places.search(&shape), expected, "{row}");
            }
            ["p", corners, expected] => {
                let corner = |text: &str| text.split_once(',').map(|(x, y)| position(x, y)).expect("a place");
                let shape = Shape::polygon(corners.split(' ').map(corner).collect());
                assert_eq!(places.search(&shape), expected, "{row}");
            }
            _ => panic!("{row}"),
        }
    }
    assert!(places.by_score.len() > 100);
}
