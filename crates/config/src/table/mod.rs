//! All records in one array that the directive's identity indexes, and the names under which they are found.
//!
//! The families beside this file declare records in the order in which a reader wants them; [`TABLE`] puts them in the
//! order of [`Directive`] when the crate is compiled, and refuses to compile if one is missing or declared twice.

mod cluster;
mod keyspace;
mod network;
mod persistence;
mod process;
mod replication;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Directive as D;
use crate::record::Record;

const I32: i128 = i32::MAX as i128;
const I32_MIN: i128 = i32::MIN as i128;
const U32: i128 = u32::MAX as i128;
const I64: i128 = i64::MAX as i128;
const U64: i128 = u64::MAX as i128;
const PORT: (i128, i128) = (0, 65_535);

const FAMILIES: &[&[Record]] = &[
    network::RECORDS,
    process::RECORDS,
    keyspace::RECORDS,
    persistence::RECORDS,
    replication::RECORDS,
    cluster::RECORDS,
];

/// Every directive; `TABLE[d as usize]` is the record of `d`.
pub static TABLE: [Record; D::COUNT] = assemble();

const fn assemble() -> [Record; D::COUNT] {
    let mut table = [FAMILIES[0][0]; D::COUNT];
    let mut seen = [false; D::COUNT];
    let mut declared = 0;
    let mut family = 0;
    while family < FAMILIES.len() {
        let mut at = 0;
        while at < FAMILIES[family].len() {
            let record = FAMILIES[family][at];
            assert!(!seen[record.id as usize], "a directive is declared twice");
            seen[record.id as usize] = true;
            table[record.id as usize] = record;
            declared += 1;
            at += 1;
        }
        family += 1;
    }
    assert!(declared == D::COUNT, "a directive is not declared");
    table
}

/// A directive as one of its names finds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    /// The name, in lower case.
    pub(crate) name: &'static str,
    pub(crate) record: &'static Record,
}

/// Every name, canonical ones and aliases, in alphabetical order.
pub(crate) static NAMES: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let mut names: Vec<Named> = TABLE
        .iter()
        .flat_map(|record| {
            let all = std::iter::once(record.name).chain(record.aliases.iter().copied());
            all.map(move |name| Named { name, record })
        })
        .collect();
    names.sort_by_key(|named| named.name);
    names
});

static BY_NAME: LazyLock<HashMap<&'static [u8], &'static Named>> =
    LazyLock::new(|| NAMES.iter().map(|named| (named.name.as_bytes(), named)).collect());

/// Finds a directive by a name or an alias, in any case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Named> {
    BY_NAME.get(name.to_ascii_lowercase().as_slice()).copied()
}
