//! The value of a directive: text to value and back, by the directive's kind.

use std::borrow::Cow;
use std::sync::Arc;

use crate::number::{self, Refusal};
use crate::record::{Kind, Record, Text, Word};
use crate::special::{self, KeyspaceEvents, OutputBufferLimit, ReplicaOf, SavePoint};

/// The current value of one directive. Cloning it never copies a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Integer`]; percents are negative.
    Integer(i128),
    /// Of [`Kind::Text`] and [`Kind::Dir`]. An unset text is empty.
    Text(Arc<[u8]>),
    /// Of [`Kind::Choice`] and [`Kind::Flags`].
    Code(u32),
    /// Of [`Kind::Save`].
    Save(Arc<[SavePoint]>),
    /// Of [`Kind::OutputBufferLimits`], in the order of [`crate::ClientClass::ALL`].
    Limits(Arc<[OutputBufferLimit; 3]>),
    /// Of [`Kind::OomScoreAdjValues`].
    Scores([i32; 3]),
    /// Of [`Kind::Percentiles`].
    Percentiles(Arc<[f64]>),
    /// Of [`Kind::Addresses`].
    Addresses(Arc<[Vec<u8>]>),
    /// Of [`Kind::ReplicaOf`].
    ReplicaOf(Option<Arc<ReplicaOf>>),
    /// Of [`Kind::KeyspaceEvents`].
    Events(KeyspaceEvents),
}

impl Value {
    /// The value when nothing is configured.
    pub(crate) fn default_of(record: &Record) -> Value {
        match record.kind {
            Kind::Bool(default) => Value::Bool(default),
            Kind::Integer(integer) => Value::Integer(integer.default),
            Kind::Text(text) => Value::Text(text.default.as_bytes().into()),
            Kind::Choice(_, default) | Kind::Flags(_, default) => Value::Code(default),
            Kind::Save => Value::Save(Arc::new(special::DEFAULT_SAVE)),
            Kind::OutputBufferLimits => Value::Limits(Arc::new(special::DEFAULT_LIMITS)),
            Kind::OomScoreAdjValues => Value::Scores(special::DEFAULT_SCORES),
            Kind::Percentiles => Value::Percentiles(Arc::new(special::DEFAULT_PERCENTILES)),
            Kind::Addresses(default) => {
                Value::Addresses(default.iter().map(|address| address.as_bytes().to_vec()).collect())
            }
            Kind::ReplicaOf => Value::ReplicaOf(None),
            Kind::KeyspaceEvents => Value::Events(KeyspaceEvents::default()),
            Kind::Dir => Value::Text(Arc::new(*b".")),
        }
    }

    /// Reads the arguments of a directive whose value is `old`, and checks them.
    pub(crate) fn parse(record: &Record, args: &[&[u8]], old: &Value) -> Result<Value, Refusal> {
        let value = Value::read(record, args, old)?;
        if let Some(check) = record.check {
            check(&value)?;
        }
        Ok(value)
    }

    fn read(record: &Record, args: &[&[u8]], old: &Value) -> Result<Value, Refusal> {
        Ok(match record.kind {
            Kind::Bool(_) => Value::Bool(parse_bool(single(args)?)?),
            Kind::Integer(integer) => Value::Integer(number::parse(&integer, single(args)?)?),
            Kind::Text(text) => Value::Text(parse_text(&text, single(args)?).into()),
            Kind::Choice(words, _) => Value::Code(parse_words(words, &[single(args)?])?),
            Kind::Flags(words, _) => Value::Code(parse_words(words, args)?),
            Kind::Save => Value::Save(special::parse_save(args)?.into()),
            Kind::OutputBufferLimits => Value::Limits(Arc::new(special::parse_limits(args, limits_of(old))?)),
            Kind::OomScoreAdjValues => Value::Scores(special::parse_scores(args)?),
            Kind::Percentiles => Value::Percentiles(special::parse_percentiles(args)?.into()),
            Kind::Addresses(_) => Value::Addresses(special::parse_addresses(args)?),
            Kind::ReplicaOf => Value::ReplicaOf(special::parse_replica_of(args)?.map(Arc::new)),
            Kind::KeyspaceEvents => Value::Events(KeyspaceEvents::parse(single(args)?)?),
            Kind::Dir => Value::Text(until_nul(single(args)?).into()),
        })
    }

    /// The text CONFIG GET shows.
    pub(crate) fn print(&self, record: &Record) -> Vec<u8> {
        match self {
            Value::Bool(value) => yes_no(*value).into(),
            Value::Integer(value) => match record.kind {
                Kind::Integer(integer) => number::print(integer.unit, *value).into(),
                _ => value.to_string().into(),
            },
            Value::Text(text) => text.to_vec(),
            Value::Code(code) => match record.kind {
                Kind::Choice(words, _) | Kind::Flags(words, _) => print_words(words, *code).into(),
                _ => Vec::new(),
            },
            Value::Save(points) => special::print_save(points).into(),
            Value::Limits(limits) => special::print_limits(limits).into(),
            Value::Scores(scores) => special::join(scores.iter().map(i32::to_string)).into(),
            Value::Percentiles(percentiles) => special::print_percentiles(percentiles).into(),
            Value::Addresses(addresses) => addresses.join(&b' '),
            Value::ReplicaOf(None) => Vec::new(),
            Value::ReplicaOf(Some(master)) => [&master.host, format!(" {}", master.port).as_bytes()].concat(),
            Value::Events(events) => events.print().into(),
        }
    }
}

pub(crate) fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn single<'a>(args: &[&'a [u8]]) -> Result<&'a [u8], Refusal> {
    match args {
        [arg] => Ok(arg),
        _ => Err("wrong number of arguments".into()),
    }
}

fn limits_of(old: &Value) -> [OutputBufferLimit; 3] {
    match old {
        Value::Limits(limits) => **limits,
        _ => special::DEFAULT_LIMITS,
    }
}

fn parse_bool(arg: &[u8]) -> Result<bool, Refusal> {
    match arg.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

fn parse_text<'a>(text: &Text, arg: &'a [u8]) -> &'a [u8] {
    if text.binary { arg } else { until_nul(arg) }
}

/// The part before the first NUL byte, which is all that a C string can hold.
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
}

/// The codes of all given words together. No word at all is refused.
fn parse_words(words: &[Word], args: &[&[u8]]) -> Result<u32, Refusal> {
    let code = |arg: &&[u8]| {
        words.iter().find(|word| word.text.as_bytes().eq_ignore_ascii_case(arg)).map(|word| word.code)
    };
    args.iter()
        .map(code)
        .reduce(|all, one| Some(all? | one?))
        .flatten()
        .ok_or_else(|| Cow::Owned(format!("argument(s) must be one of the following: {}", list_words(words))))
}

fn list_words(words: &[Word]) -> String {
    let listed: Vec<&str> = words.iter().filter(|word| word.listed).map(|word| word.text).collect();
    listed.join(", ")
}

/// The word of a code, or else the words that make it up.
pub(crate) fn print_words(words: &[Word], code: u32) -> String {
    if let Some(word) = words.iter().find(|word| word.code == code) {
        return word.text.to_owned();
    }
    let mut rest = code;
    let mut parts = Vec::new();
    for word in words {
        if word.code != 0 && word.code & rest == word.code {
            rest &= !word.code;
            parts.push(word.text);
        }
    }
    parts.join(" ")
}
