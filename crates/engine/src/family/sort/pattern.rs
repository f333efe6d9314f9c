//! What BY and GET make of an element: `weight_*` is the string of the key whose name has the element in place of the
//! first `*`; `object_*->name` a field of the hash there; `#` the element itself. A pattern without `*` leads nowhere.
//!
//! Peers look at patterns as C strings: what is after a NUL is no `*` and no `->`, but part of the name.

use ochre_keyspace::{EntryRef, ValueRef, View};
use ochre_types::ObjectRef;

use crate::family::strings::StringRef;

/// A pattern, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    /// The element itself.
    Element,
    /// Nothing, whatever the element.
    Nothing,
    /// The value of another key.
    Key {
        /// What is before the element in the name.
        before: &'a [u8],
        /// What is after it.
        after: &'a [u8],
        /// The field that is meant, if the value is a hash.
        field: Option<&'a [u8]>,
    },
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

impl<'a> Pattern<'a> {
    /// Takes a pattern apart.
    pub fn parse(text: &'a [u8]) -> Pattern<'a> {
        if until_nul(text) == b"#" {
            return Pattern::Element;
        }
        let Some(star) = until_nul(text).iter().position(|byte| *byte == b'*') else {
            return Pattern::Nothing;
        };
        let (before, rest) = (&text[..star], &text[star + 1..]);
        let arrow = until_nul(rest).windows(2).position(|two| two == b"->");
        match arrow.map(|at| (&rest[..at], &rest[at + 2..])) {
            Some((after, field)) if !until_nul(field).is_empty() => {
                Pattern::Key { before, after, field: Some(field) }
            }
            _ => Pattern::Key { before, after: rest, field: None },
        }
    }

    /// Whether other keys are looked at.
    pub fn leads_to_keys(&self) -> bool {
        matches!(self, Pattern::Key { .. })
    }

    /// Calls `take` with what the pattern makes of an element. The key that it leads to is read, with all that this
    /// entails.
    pub fn with_value<R>(
        &self,
        view: &mut View<'_>,
        db: u32,
        element: &[u8],
        take: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let (before, after, field) = match self {
            Pattern::Element => return take(Some(element)),
            Pattern::Nothing => return take(None),
            Pattern::Key { before, after, field } => (before, after, field),
        };
        let name = [before, element, after].concat();
        let (key, now_ms) = (view.key(&name), view.now_ms());
        match (view.read(db, key), field) {
            (Some(entry), Some(field)) => with_field(entry, field, now_ms, take),
            (Some(entry), None) => match StringRef::of(entry) {
                Ok(string) => string.with(|bytes| take(Some(bytes))),
                Err(_) => take(None),
            },
            (None, _) => take(None),
        }
    }
}

fn with_field<R>(entry: EntryRef<'_>, field: &[u8], now_ms: i64, take: impl FnOnce(Option<&[u8]>) -> R) -> R {
    let value = match entry.value() {
        ValueRef::Object(ObjectRef::Hash(hash)) => hash.get(field, now_ms),
        _ => None,
    };
    match value {
        Some(item) => item.with_bytes(|bytes| take(Some(bytes))),
        None => take(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart() {
        let key = |before: &'static str, after: &'static str, field: Option<&'static str>| Pattern::Key {
            before: before.as_bytes(),
            after: after.as_bytes(),
            field: field.map(str::as_bytes),
        };
        let cases = [
            ("#", Pattern::Element),
            ("#\0x", Pattern::Element),
            ("##", Pattern::Nothing),
            ("", Pattern::Nothing),
            ("nosort", Pattern::Nothing),
            ("a->b", Pattern::Nothing),
            ("a\0*", Pattern::Nothing),
            ("*", key("", "", None)),
            ("w_*", key("w_", "", None)),
            ("a*b*c", key("a", "b*c", None)),
            ("*->f", key("", "", Some("f"))),
            ("h*:x->f->g", key("h", ":x", Some("f->g"))),
            ("*->", key("", "->", None)),
            ("*->\0f", key("", "->\0f", None)),
            ("*a\0->f", key("", "a\0->f", None)),
            ("->*", key("->", "", None)),
            ("*#", key("", "#", None)),
        ];
        for (text, expected) in cases {
            assert_eq!(Pattern::parse(text.as_bytes()), expected, "{text:?}");
        }
    }
}
