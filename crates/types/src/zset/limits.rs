//! What a command may ask of a sorted set: limits of its encodings, rules of ZADD, directions.

/// Up to what a sorted set is small: `zset-max-listpack-entries` and `zset-max-listpack-value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZSetLimits {
    /// Members of a small sorted set, at most.
    pub listpack_entries_max: usize,
    /// Bytes of each of its members, at most.
    pub listpack_value_bytes_max: usize,
}

impl Default for ZSetLimits {
    fn default() -> ZSetLimits {
        ZSetLimits { listpack_entries_max: 128, listpack_value_bytes_max: 64 }
    }
}

/// Which members ZADD touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Existence {
    /// New ones and existing ones.
    #[default]
    Any,
    /// New ones only (NX).
    OnlyNew,
    /// Existing ones only (XX).
    OnlyExisting,
}

/// Which new scores an existing member takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Comparison {
    /// Any.
    #[default]
    Any,
    /// Only one greater than the score it has (GT).
    Greater,
    /// Only one less than the score it has (LT).
    Less,
}

impl Comparison {
    /// Whether `new` may take the place of `old`.
    pub(super) fn allows(self, old: f64, new: f64) -> bool {
        match self {
            Comparison::Any => true,
            Comparison::Greater => new > old,
            Comparison::Less => new < old,
        }
    }
}

/// The conditions of ZADD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AddRule {
    /// NX or XX.
    pub existence: Existence,
    /// GT or LT.
    pub comparison: Comparison,
}

/// What ZADD did with one member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Added {
    /// It is new, with this score.
    New(f64),
    /// It has this score now, another one than before.
    Updated(f64),
    /// It had this score already.
    Same(f64),
    /// The rule did not allow it: the answer to ZADD INCR is null.
    Refused,
}

impl Added {
    /// The score the member has after it, `None` if the rule did not allow anything.
    pub fn score(self) -> Option<f64> {
        match self {
            Added::New(score) | Added::Updated(score) | Added::Same(score) => Some(score),
            Added::Refused => None,
        }
    }

    /// Whether the sorted set was changed.
    pub fn changed(self) -> bool {
        matches!(self, Added::New(_) | Added::Updated(_))
    }
}

/// The score would be NaN, which no member may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl std::fmt::Display for NotANumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("resulting score is not a number (NaN)")
    }
}

impl std::error::Error for NotANumber {}

/// A direction to walk in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// From the lowest score to the highest.
    #[default]
    Ascending,
    /// From the highest score to the lowest (REV).
    Descending,
}
