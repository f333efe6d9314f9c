//! What the parts of a hash, and its users, tell each other.

use crate::listpack::Item;

/// What a hash may be and still be in one run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLimits {
    /// Fields (`hash-max-listpack-entries`).
    pub entries_max: usize,
    /// Bytes of a name or value (`hash-max-listpack-value`).
    pub value_bytes_max: usize,
}

impl HashLimits {
    /// Whether a field may stay in one run of bytes.
    #[inline]
    pub(super) fn allow(&self, name: &[u8], value: &[u8]) -> bool {
        name.len() <= self.value_bytes_max && value.len() <= self.value_bytes_max
    }
}

/// A field as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name.
    pub name: Item<'a>,
    /// Its value.
    pub value: Item<'a>,
    /// When it expires, unix time in ms.
    pub expire_ms: Option<i64>,
}

impl Entry<'_> {
    /// Whether it has expired at `now_ms`.
    #[inline]
    pub fn is_expired(&self, now_ms: i64) -> bool {
        is_expired(self.expire_ms, now_ms)
    }
}

/// Whether a time has passed at `now_ms`: a field still exists in the millisecond of its expiry.
#[inline]
pub(super) fn is_expired(expire_ms: Option<i64>, now_ms: i64) -> bool {
    expire_ms.is_some_and(|at_ms| at_ms < now_ms)
}

/// What a write makes of the time when a field expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewExpiry {
    /// It does not expire (any more).
    Never,
    /// It stays as it was; a new field does not expire.
    Keep,
    /// It expires then, unix time in ms.
    At(i64),
}

/// What a write did to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOutcome {
    /// The field is new.
    Created,
    /// The field was there, expired or not.
    Updated,
    /// Its time has passed already, so it is gone, if it was there.
    Expired,
}

/// When a time is to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// In any case.
    Always,
    /// If the field does not expire.
    IfNone,
    /// If it does.
    IfAny,
    /// If it makes the field live longer; one that does not expire lives longest.
    IfLater,
    /// If it makes the field live less long.
    IfEarlier,
}

impl Condition {
    /// Whether a field's time `old_ms` is to become `new_ms`.
    pub(super) fn allows(self, old_ms: Option<i64>, new_ms: i64) -> bool {
        match (self, old_ms) {
            (Condition::Always, _) => true,
            (Condition::IfNone, old) => old.is_none(),
            (Condition::IfAny, old) => old.is_some(),
            (Condition::IfLater, old) => old.is_some_and(|old| new_ms > old),
            (Condition::IfEarlier, old) => old.is_none_or(|old| new_ms < old),
        }
    }
}

/// What setting a time did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpireOutcome {
    /// There is no such field.
    NoField,
    /// The condition does not hold.
    ConditionNotMet,
    /// The time is set.
    Set,
    /// The time has passed already, so the field is gone.
    Deleted,
}

/// When a field expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldExpiry {
    /// There is no such field.
    NoField,
    /// It does not.
    Never,
    /// Then, unix time in ms.
    At(i64),
}

/// What taking a time away did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistOutcome {
    /// There is no such field.
    NoField,
    /// It does not expire.
    NoExpiry,
    /// It does not expire any more.
    Persisted,
}
