//! Replying long strings: shared with the keyspace and copied in parts, once their stripe's lock is released.

use std::ops::Range;

use ochre_keyspace::{EntryRef, ValueRef};
use ochre_resp::ReplyWriter;
use ochre_types::{LongString, ObjectRef};

use super::StringRef;
use crate::call::Call;
use crate::error::Error;
use crate::sequel::{BYTES_AT_ONCE, Sequel};

/// Strings from this length on are shared once a reply has as much as is replied at once: less is copied sooner.
const SHARED_BYTES_MIN: usize = if cfg!(debug_assertions) { 8 * 1024 } else { 16 * 1024 };

/// What is replied of a key's string.
pub(super) enum StringReply<'a> {
    /// It is copied at once.
    AtOnce(StringRef<'a>),
    /// It is shared, and copied later.
    Later(LongString),
}

impl<'a> StringReply<'a> {
    /// The string of an entry.
    ///
    /// # Errors
    /// The entry holds another type.
    #[inline]
    pub(super) fn of(entry: EntryRef<'a>) -> Result<StringReply<'a>, Error> {
        StringReply::of_value(entry.value(), BYTES_AT_ONCE)
    }

    /// The same behind so many bytes of the same reply.
    #[inline]
    pub(super) fn behind(bytes: usize, entry: EntryRef<'a>) -> Result<StringReply<'a>, Error> {
        let later_from = if bytes < BYTES_AT_ONCE { BYTES_AT_ONCE } else { SHARED_BYTES_MIN };
        StringReply::of_value(entry.value(), later_from)
    }

    #[inline]
    fn of_value(value: ValueRef<'a>, later_from: usize) -> Result<StringReply<'a>, Error> {
        match value {
            ValueRef::Object(ObjectRef::String(string)) if string.len() >= later_from => {
                Ok(StringReply::Later(string.share()))
            }
            value => StringRef::of_value(value).map(StringReply::AtOnce),
        }
    }
}

/// The share of a range, if that is too long to be replied at once.
pub(super) fn long_range(entry: EntryRef<'_>, range: Range<usize>) -> Option<LongReply> {
    match entry.value() {
        ValueRef::Object(ObjectRef::String(string)) if range.len() >= BYTES_AT_ONCE => {
            Some(LongReply { string: string.share(), left: range, is_begun: false })
        }
        _ => None,
    }
}

impl Call<'_, '_> {
    /// Leaves a string to be replied in parts.
    #[cold]
    pub(in crate::family) fn promise_string(&mut self, string: LongString) {
        let left = 0..string.len();
        self.promise(Box::new(LongReply { string, left, is_begun: false }));
    }
}

/// The reply of a part of a long string.
pub(super) struct LongReply {
    string: LongString,
    /// What has not been written.
    left: Range<usize>,
    is_begun: bool,
}

impl Sequel for LongReply {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        if !std::mem::replace(&mut self.is_begun, true) {
            reply.raw(format!("${}\r\n", self.left.len()).as_bytes());
        }
        let end = self.left.start.saturating_add(bytes).min(self.left.end);
        reply.raw(&self.string[self.left.start..end]);
        self.left.start = end;
        if self.left.is_empty() {
            reply.raw(b"\r\n");
        }
        !self.left.is_empty()
    }
}
