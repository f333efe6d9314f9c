//! What a reply must be.

use std::collections::HashMap;

use ochre_resp::Value;
use ochre_types::{Case, glob_match};

/// Values that patterns gave names to.
pub type Captures = HashMap<String, Vec<u8>>;

/// The forms of an expected reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `+OK`
    Simple(Vec<u8>),
    /// `-ERR text`
    Error(Vec<u8>),
    /// `:1`
    Integer(i64),
    /// `"text"`
    Bulk(Vec<u8>),
    /// `nil`: `_`, or `$-1` for RESP2
    Nil,
    /// `nil[]`: `_`, or `*-1` for RESP2
    NilArray,
    /// `[a b ...]`; three dots in the end allow further elements
    Array(Vec<Pattern>, Rest),
    /// `{k v k v}`; a flat array for RESP2
    Map(Vec<Pattern>, Rest),
    /// `~[a b]`; an array for RESP2
    Set(Vec<Pattern>, Rest),
    /// `>[a b]`; an array for RESP2
    Push(Vec<Pattern>, Rest),
    /// `,1.5`; a string for RESP2
    Double(Vec<u8>),
    /// `#t` and `#f`; 1 and 0 for RESP2
    Boolean(bool),
    /// `=txt:"text"`; a string for RESP2
    Verbatim(Vec<u8>, Vec<u8>),
    /// `<any>`
    Any,
    /// `<int>`, `<int 1..10>`
    Range(i64, i64),
    /// `<like "glob">`: a string, status or verbatim text
    Like(Vec<u8>),
    /// `<error "glob">`
    ErrorLike(Vec<u8>),
    /// `<length 10>`: a string of so many bytes
    Length(usize),
    /// `<sorted [a b]>`: these elements, in any order
    Unordered(Vec<Pattern>),
    /// `<has {k v}>`: a map (flat in RESP2) with these pairs among others
    Has(Vec<Pattern>),
    /// `<PATTERN as name>`
    Named(Box<Pattern>, String),
}

/// Whether an aggregate may go on behind its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It must end.
    None,
    /// It may go on.
    Anything,
}

impl Pattern {
    /// Whether a reply of the protocol is what was expected; names go to `captures`.
    pub fn matches(&self, value: &Value, resp3: bool, captures: &mut Captures) -> bool {
        match (self, value) {
            (Pattern::Any, _) => true,
            (Pattern::Named(inner, name), _) => {
                inner.matches(value, resp3, captures) && capture(name, value, captures)
            }
            (Pattern::Nil, Value::Bulk(None)) | (Pattern::NilArray, Value::Array(None)) => !resp3,
            (Pattern::Nil | Pattern::NilArray, Value::Null) => resp3,
            (Pattern::Simple(text), Value::Simple(found)) | (Pattern::Error(text), Value::Error(found)) => {
                text == found
            }
            (Pattern::Integer(number), Value::Integer(found)) => number == found,
            (Pattern::Range(low, high), Value::Integer(found)) => (low..=high).contains(&found),
            (Pattern::Bulk(text), Value::Bulk(Some(found))) => text == found,
            (Pattern::Double(text), Value::Double(found)) => resp3 && text == found,
            (Pattern::Double(text), Value::Bulk(Some(found))) => !resp3 && text == found,
            (Pattern::Boolean(truth), Value::Boolean(found)) => truth == found,
            (Pattern::Boolean(truth), Value::Integer(found)) => !resp3 && i64::from(*truth) == *found,
            (Pattern::Verbatim(kind, text), Value::Verbatim { format, text: found }) => {
                resp3 && kind == format && text == found
            }
            (Pattern::Verbatim(_, text), Value::Bulk(Some(found))) => !resp3 && text == found,
            (Pattern::Like(glob), _) => {
                value.as_bytes().is_some_and(|text| glob_match(glob, text, Case::Sensitive))
            }
            (Pattern::ErrorLike(glob), Value::Error(text)) => glob_match(glob, text, Case::Sensitive),
            (Pattern::Length(len), _) => value.as_bytes().is_some_and(|text| text.len() == *len),
            _ => self.matches_aggregate(value, resp3, captures),
        }
    }

    fn matches_aggregate(&self, value: &Value, resp3: bool, captures: &mut Captures) -> bool {
        match (self, value) {
            (Pattern::Array(patterns, rest), Value::Array(Some(values)))
            | (Pattern::Set(patterns, rest), Value::Set(values))
            | (Pattern::Push(patterns, rest), Value::Push(values)) => {
                all_match(patterns, values, *rest, resp3, captures)
            }
            (
                Pattern::Set(patterns, rest) | Pattern::Push(patterns, rest) | Pattern::Map(patterns, rest),
                Value::Array(Some(values)),
            ) => !resp3 && all_match(patterns, values, *rest, resp3, captures),
            (Pattern::Map(patterns, rest), Value::Map(pairs)) => {
                all_match(patterns, &flat(pairs), *rest, resp3, captures)
            }
            (Pattern::Unordered(patterns), _) => {
                let mut left: Vec<Value> = value.as_elements().unwrap_or_default().to_vec();
                let found = patterns.iter().all(|pattern| take(pattern, &mut left, resp3, captures));
                value.as_elements().is_some() && found && left.is_empty()
            }
            (Pattern::Has(patterns), Value::Map(pairs)) => has(patterns, &flat(pairs), resp3, captures),
            (Pattern::Has(patterns), Value::Array(Some(values))) => has(patterns, values, resp3, captures),
            _ => false,
        }
    }
}

fn all_match(
    patterns: &[Pattern],
    values: &[Value],
    rest: Rest,
    resp3: bool,
    captures: &mut Captures,
) -> bool {
    let enough = match rest {
        Rest::None => values.len() == patterns.len(),
        Rest::Anything => values.len() >= patterns.len(),
    };
    enough && patterns.iter().zip(values).all(|(pattern, value)| pattern.matches(value, resp3, captures))
}

/// Takes the first value that matches out of those that are left.
fn take(pattern: &Pattern, left: &mut Vec<Value>, resp3: bool, captures: &mut Captures) -> bool {
    let found = left.iter().position(|value| pattern.matches(value, resp3, captures));
    found.map(|at| left.remove(at)).is_some()
}

fn has(patterns: &[Pattern], values: &[Value], resp3: bool, captures: &mut Captures) -> bool {
    patterns.chunks(2).all(|wanted| {
        values.chunks(2).any(|pair| {
            pair.len() == wanted.len()
                && wanted.iter().zip(pair).all(|(pattern, value)| pattern.matches(value, resp3, captures))
        })
    })
}

fn flat(pairs: &[(Value, Value)]) -> Vec<Value> {
    pairs.iter().flat_map(|(key, value)| [key.clone(), value.clone()]).collect()
}

fn capture(name: &str, value: &Value, captures: &mut Captures) -> bool {
    let text = match value {
        Value::Integer(number) => number.to_string().into_bytes(),
        other => match other.as_bytes() {
            Some(text) => text.to_vec(),
            None => return false,
        },
    };
    captures.insert(name.to_owned(), text);
    true
}
