//! Sorted sets against a model of std's collections, small and big at the same time.

mod algebra;
mod facts;
mod long;
mod model;
mod sampling;

use super::*;
use crate::listpack::Item;

const LIMITS: ZSetLimits = ZSetLimits { listpack_entries_max: 8, listpack_value_bytes_max: 20 };
const BIG: ZSetLimits = ZSetLimits { listpack_entries_max: 0, listpack_value_bytes_max: 0 };

fn pair((member, score): (Item<'_>, f64)) -> (Vec<u8>, f64) {
    (member.to_vec(), score)
}

fn zset(pairs: &[(&str, f64)], limits: &ZSetLimits) -> ZSet {
    let mut set = ZSet::new();
    for (member, score) in pairs {
        set.add(member.as_bytes(), *score, AddRule::default(), limits).unwrap();
    }
    set
}

fn texts(pairs: impl IntoIterator<Item = (Vec<u8>, f64)>) -> String {
    let text = |(member, score): (Vec<u8>, f64)| format!("{} {score}", String::from_utf8_lossy(&member));
    pairs.into_iter().map(text).collect::<Vec<_>>().join(", ")
}
