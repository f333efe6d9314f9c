//! What `--stats` shows: for each database and type how many keys there are, and how many elements of which sizes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ochre_types::listpack::Item;
use ochre_types::stream::StreamId;
use ochre_types::{Object, ObjectRef};

use super::super::decode::Value;
use super::histogram::Histogram;
use super::options::StatisticsFormat;

/// Types, in the order of columns.
const TYPES: [&str; 7] = ["string", "list", "set", "zset", "hash", "module", "stream"];
/// The column of modules.
pub(super) const MODULE: usize = 5;
/// The greatest number of elements, and the greatest size of one, that percentiles know.
const ELEMENTS_MAX: u64 = 200 * 1024;
const SIZE_MAX: u64 = 1024 * 1024;
/// All databases up to this one are shown, beyond it those that have keys.
const LISTED_DB_MAX: u64 = 16_383;

/// A figure: its name, and its text.
type Figure = (&'static str, fn(&Group) -> String);

/// The figures, in the order of lines. The first one is left out where each type has lines of its own.
const FIGURES: [Figure; 18] = [
    ("type.name", |group| TYPES[group.column].to_owned()),
    ("keys.total", |group| group.keys.to_string()),
    ("expire_keys.total", |group| group.expires.to_string()),
    ("already_expired.total", |group| group.expired.to_string()),
    ("keys.size", |group| group.key_bytes.to_string()),
    ("keys.value_size", |group| group.element_bytes.to_string()),
    ("elements.total", |group| group.elements.to_string()),
    ("elements.size", |group| group.element_bytes.to_string()),
    ("elements.num.max", |group| group.elements_max.to_string()),
    ("elements.num.avg", |group| average(group.elements, group.keys)),
    ("elements.num.p99", |group| percentile(&group.counts, 99.0)),
    ("elements.num.p90", |group| percentile(&group.counts, 90.0)),
    ("elements.num.p50", |group| percentile(&group.counts, 50.0)),
    ("elements.size.max", |group| group.size_max.to_string()),
    ("elements.size.avg", |group| average(group.element_bytes, group.elements)),
    ("elements.size.p99", |group| percentile(&group.sizes, 99.0)),
    ("elements.size.p90", |group| percentile(&group.sizes, 90.0)),
    ("elements.size.p50", |group| percentile(&group.sizes, 50.0)),
];

fn average(sum: u64, count: u64) -> String {
    let average = if count > 0 { sum as f32 / count as f32 } else { 0.0 };
    format!("{average:.2}")
}

fn percentile(histogram: &Histogram, percent: f64) -> String {
    format!("{:.2}", histogram.percentile(percent) as f32)
}

/// The keys of a type in a database.
#[derive(Debug)]
struct Group {
    column: usize,
    keys: u64,
    expires: u64,
    expired: u64,
    key_bytes: u64,
    elements: u64,
    element_bytes: u64,
    elements_max: u64,
    size_max: u64,
    counts: Histogram,
    sizes: Histogram,
}

impl Group {
    fn new(column: usize) -> Group {
        Group {
            column,
            keys: 0,
            expires: 0,
            expired: 0,
            key_bytes: 0,
            elements: 0,
            element_bytes: 0,
            elements_max: 0,
            size_max: 0,
            counts: Histogram::new(ELEMENTS_MAX),
            sizes: Histogram::new(SIZE_MAX),
        }
    }

    fn count(&mut self, elements: u64) {
        self.elements += elements;
        self.elements_max = self.elements_max.max(elements);
        self.counts.record(elements);
    }

    fn size(&mut self, bytes: usize) {
        let bytes = bytes as u64;
        self.element_bytes += bytes;
        self.size_max = self.size_max.max(bytes);
        self.sizes.record(bytes);
    }

    fn object(&mut self, object: &Object) {
        let size = |group: &mut Group, item: Item<'_>| group.size(item.len());
        match object.as_ref() {
            ObjectRef::String(string) => {
                self.count(1);
                self.size(string.len());
            }
            ObjectRef::List(list) => {
                list.range(0, usize::MAX, |item| size(self, item));
                self.count(list.len() as u64);
            }
            ObjectRef::Set(set) => {
                set.iter().for_each(|item| size(self, item));
                self.count(set.len() as u64);
            }
            ObjectRef::ZSet(zset) => {
                for (member, score) in zset.iter() {
                    self.size(member.len() + score_text_len(score));
                }
                // In a listpack the tool counts the scores as well.
                let elements = if zset.encoding_name() == "listpack" { 2 * zset.len() } else { zset.len() };
                self.count(elements as u64);
            }
            ObjectRef::Hash(hash) => {
                hash.iter().for_each(|field| self.size(field.name.len() + field.value.len()));
                self.count(hash.len() as u64);
            }
            ObjectRef::Stream(stream) => {
                for entry in stream.range(StreamId::MIN, StreamId::MAX) {
                    entry.fields().for_each(|(name, value)| self.size(name.len() + value.len()));
                }
                self.count(stream.len());
            }
        }
    }
}

/// Bytes of a score's text as Valkey's tool writes it: its shortest digits, with an exponent where it would have eight zeros
/// or more behind it or seven or more in front.
fn score_text_len(score: f64) -> usize {
    let sign = usize::from(score.is_sign_negative());
    if score.is_infinite() {
        return sign + "inf".len();
    }
    let text = format!("{:e}", score.abs());
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.len() };
    let digits = mantissa.len() - usize::from(mantissa.len() > 1);
    let exponent: i64 = exponent.parse().unwrap_or(0);
    // The power of ten that the digits, as an integer, are to be multiplied by.
    let power = exponent - (digits as i64 - 1);
    let zeros_max = 7 - sign as i64;
    sign + if power >= 0 && exponent < digits as i64 + zeros_max {
        digits + power as usize
    } else if power < 0 && (power > -7 || exponent.abs() < 4) {
        let before_point = digits as i64 + power;
        if before_point > 0 { digits + 1 } else { digits + 2 + before_point.unsigned_abs() as usize }
    } else {
        mantissa.len() + "e+".len() + exponent.unsigned_abs().to_string().len()
    }
}

fn column_of(value: &Value<'_>) -> usize {
    let name = match value {
        Value::String(_) => "string",
        Value::Object(object) => object.type_name(),
    };
    TYPES.iter().position(|column| *column == name).unwrap_or(MODULE)
}

/// The figures of a file.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    groups: BTreeMap<u64, [Option<Box<Group>>; TYPES.len()]>,
    db_max: u64,
}

impl Statistics {
    /// Takes note that there is a database.
    pub(super) fn see_db(&mut self, db: u64) {
        self.db_max = self.db_max.max(db);
    }

    /// Counts a key; `value` is none if it is a module's.
    pub(super) fn add(
        &mut self,
        db: u64,
        key_len: usize,
        value: Option<&Value<'_>>,
        expire_ms: Option<i64>,
        now_ms: i64,
    ) {
        let column = value.map_or(MODULE, column_of);
        let group = &mut self.groups.entry(db).or_default()[column];
        let group = group.get_or_insert_with(|| Box::new(Group::new(column)));
        group.keys += 1;
        group.key_bytes += key_len as u64;
        group.expires += u64::from(expire_ms.is_some());
        group.expired += u64::from(expire_ms.is_some_and(|ms| ms < now_ms));
        match value {
            None => group.count(1),
            Some(Value::String(text)) => {
                group.count(1);
                group.size(text.with_bytes(<[u8]>::len));
            }
            Some(Value::Object(object)) => group.object(object),
        }
    }

    /// Prints all figures.
    pub(super) fn print(&self, format: StatisticsFormat, out: &mut dyn Write) -> io::Result<()> {
        let none: [Option<Box<Group>>; TYPES.len()] = Default::default();
        let listed = 0..=self.db_max.min(LISTED_DB_MAX);
        let beyond = self.groups.keys().copied().filter(|db| *db > LISTED_DB_MAX);
        for db in listed.chain(beyond) {
            let groups = self.groups.get(&db).unwrap_or(&none);
            for figure in FIGURES {
                print_figure(db, groups, figure, format, out)?;
            }
        }
        Ok(())
    }
}

fn print_figure(
    db: u64,
    groups: &[Option<Box<Group>>; TYPES.len()],
    (name, text): Figure,
    format: StatisticsFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    let texts = groups.iter().enumerate().map(|(column, group)| match group {
        Some(group) => text(group),
        None => text(&Group::new(column)),
    });
    match format {
        StatisticsFormat::Table => {
            write!(out, "{:<30}", format!("db.{db}.{name}"))?;
            texts.into_iter().try_for_each(|text| write!(out, "\t{text:<5}"))?;
            writeln!(out)
        }
        StatisticsFormat::Csv => {
            write!(out, "db.{db}.{name}")?;
            texts.into_iter().try_for_each(|text| write!(out, ",{text}"))?;
            writeln!(out)
        }
        StatisticsFormat::Info if name == FIGURES[0].0 => Ok(()),
        StatisticsFormat::Info => {
            let mut lines = TYPES.iter().zip(texts);
            lines.try_for_each(|(column, text)| writeln!(out, "[info] db.{db}.type.{column}.{name}:{text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_as_the_tool_writes_them() {
        for (score, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (-1.5, "-1.5"),
            (10_000_000.0, "10000000"),
            (100_000_000.0, "1e+8"),
            (12e7, "120000000"),
            (1e10, "1e+10"),
            (0.001, "0.001"),
            (0.000_001, "0.000001"),
            (1e-7, "1e-7"),
            (12.25e-9, "1.225e-8"),
            (f64::NEG_INFINITY, "-inf"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(score_text_len(score), text.len(), "{text}");
        }
    }
}
