//! What the table knows about one directive.
//!
//! A [`Record`] is plain constant data: the parser, the printer, CONFIG SET's checks, CONFIG REWRITE, the documentation
//! tests and the web console all read the same record, so that a directive is declared in exactly one place. Records
//! are written with the small constructors below and refined by chaining (`.immutable()`, `.alias(..)`), which keeps
//! the table itself to one or two lines per directive.

use crate::Directive;
use crate::value::Value;

/// Accepts a value or gives the error text of the refusal.
pub type Check = fn(&Value) -> Result<(), &'static str>;

/// Accepts the change from one value to another or gives the error text of the refusal.
pub type LiveCheck = fn(&Value, &Value) -> Result<(), &'static str>;

/// One directive: everything that does not change while the server runs.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// The typed identity, which is also the index into the table.
    pub id: Directive,
    /// The canonical name: the one CONFIG REWRITE writes.
    pub name: &'static str,
    /// Other accepted names (older spellings and the names of the other peer).
    pub aliases: &'static [&'static str],
    /// Type, range and default.
    pub kind: Kind,
    /// When the value may change.
    pub mutability: Mutability,
    /// CONFIG GET finds it by its exact name only, never by a pattern.
    pub hidden: bool,
    /// CONFIG SET is refused with LOADING while a data set is being loaded.
    pub denied_while_loading: bool,
    /// The value is a secret: logs, the slow log and MONITOR must redact it.
    pub sensitive: bool,
    /// CONFIG SET reports it as changed even when the text is the same (files may have changed behind their names).
    pub always_applied: bool,
    /// What the server does with the value.
    pub effect: Effect,
    /// A check beyond type and range, with the error text of a refusal.
    pub check: Option<Check>,
    /// A check of CONFIG SET only, given the old value and the new one.
    pub live_check: Option<LiveCheck>,
    /// One line for people.
    pub summary: &'static str,
}

/// The type of a directive's value, with its default.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `yes` or `no`.
    Bool(bool),
    /// A number in a range.
    Integer(Integer),
    /// Any text in one argument.
    Text(Text),
    /// One word of a list; the number is the default's code.
    Choice(&'static [Word], u32),
    /// Several words of a list, combined bit by bit.
    Flags(&'static [Word], u32),
    /// `save`: pairs of seconds and changes.
    Save,
    /// `client-output-buffer-limit`: hard and soft limits of three classes of clients.
    OutputBufferLimits,
    /// `oom-score-adj-values`: three numbers.
    OomScoreAdjValues,
    /// `latency-tracking-info-percentiles`: numbers from 0 to 100.
    Percentiles,
    /// A list of listening addresses; the slice is the default.
    Addresses(&'static [&'static str]),
    /// `replicaof`: a host and a port, or nothing.
    ReplicaOf,
    /// `notify-keyspace-events`: a set of one-letter classes.
    KeyspaceEvents,
    /// `dir`: the working directory.
    Dir,
}

/// A number's range, default and notation.
#[derive(Debug, Clone, Copy)]
pub struct Integer {
    /// Value when nothing is configured.
    pub default: i128,
    /// Smallest accepted value.
    pub min: i128,
    /// Largest accepted value.
    pub max: i128,
    /// How the number is written.
    pub unit: Unit,
    /// Accepted values outside of this range are silently moved to its border.
    pub clamp: Option<(i128, i128)>,
}

/// The notation of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Decimal digits, strictly.
    Plain,
    /// Bytes with an optional unit: b, k, kb, m, mb, g, gb.
    Bytes,
    /// As [`Unit::Bytes`], or negative numbers in plain notation.
    SignedBytes,
    /// As [`Unit::Bytes`], or `N%`, which is stored as -N.
    BytesOrPercent,
    /// Octal digits (permissions).
    Octal,
}

/// A text's default and its reading of the empty string.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Value when nothing is configured.
    pub default: &'static str,
    /// The empty string means "not set", so CONFIG REWRITE drops the line.
    pub empty_is_unset: bool,
    /// Bytes are kept as they are; other texts end at a NUL byte, as the names of files do.
    pub binary: bool,
}

/// One word of an enumeration.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The spelling; compared without case.
    pub text: &'static str,
    /// The stored value. Two words may share one; the first is the one that is printed.
    pub code: u32,
    /// Named in the error text of a refusal. Synonyms taken from the other peer are not, to keep the text of Redis.
    pub listed: bool,
}

/// When a value may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// At any time.
    Modifiable,
    /// At start-up only.
    Immutable,
    /// By CONFIG SET only if `enable-protected-configs` allows it to this client.
    Protected,
}

/// What the server does with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes behaviour.
    Used,
    /// It is kept, printed and rewritten; the part of the server that will use it comes later.
    StoredForLater,
    /// It has no meaning in this design (fork, one main thread, ...). It is accepted, and named once in the log.
    Meaningless,
}

impl Record {
    const fn new(id: Directive, name: &'static str, kind: Kind, summary: &'static str) -> Record {
        Record {
            id,
            name,
            aliases: &[],
            kind,
            mutability: Mutability::Modifiable,
            hidden: false,
            denied_while_loading: false,
            sensitive: false,
            always_applied: false,
            effect: Effect::Used,
            check: None,
            live_check: None,
            summary,
        }
    }

    pub(crate) const fn flag(
        id: Directive,
        name: &'static str,
        default: bool,
        summary: &'static str,
    ) -> Record {
        Record::new(id, name, Kind::Bool(default), summary)
    }

    pub(crate) const fn integer(
        id: Directive,
        name: &'static str,
        default: i128,
        (min, max): (i128, i128),
        summary: &'static str,
    ) -> Record {
        let integer = Integer { default, min, max, unit: Unit::Plain, clamp: None };
        Record::new(id, name, Kind::Integer(integer), summary)
    }

    pub(crate) const fn bytes(
        id: Directive,
        name: &'static str,
        default: i128,
        range: (i128, i128),
        summary: &'static str,
    ) -> Record {
        Record::integer(id, name, default, range, summary).unit(Unit::Bytes)
    }

    pub(crate) const fn text(
        id: Directive,
        name: &'static str,
        default: &'static str,
        summary: &'static str,
    ) -> Record {
        Record::new(id, name, Kind::Text(Text { default, empty_is_unset: false, binary: false }), summary)
    }

    /// A text that is not set by default, and again when it is set to the empty string.
    pub(crate) const fn optional(id: Directive, name: &'static str, summary: &'static str) -> Record {
        Record::new(id, name, Kind::Text(Text { default: "", empty_is_unset: true, binary: false }), summary)
    }

    pub(crate) const fn choice(
        id: Directive,
        name: &'static str,
        words: &'static [Word],
        default: u32,
        summary: &'static str,
    ) -> Record {
        Record::new(id, name, Kind::Choice(words, default), summary)
    }

    pub(crate) const fn flags(
        id: Directive,
        name: &'static str,
        words: &'static [Word],
        default: u32,
        summary: &'static str,
    ) -> Record {
        Record::new(id, name, Kind::Flags(words, default), summary)
    }

    pub(crate) const fn special(
        id: Directive,
        name: &'static str,
        kind: Kind,
        summary: &'static str,
    ) -> Record {
        Record::new(id, name, kind, summary).always_applied()
    }

    pub(crate) const fn alias(mut self, aliases: &'static [&'static str]) -> Record {
        self.aliases = aliases;
        self
    }

    pub(crate) const fn immutable(mut self) -> Record {
        self.mutability = Mutability::Immutable;
        self
    }

    pub(crate) const fn protected(mut self) -> Record {
        self.mutability = Mutability::Protected;
        self
    }

    pub(crate) const fn hidden(mut self) -> Record {
        self.hidden = true;
        self
    }

    pub(crate) const fn denied_while_loading(mut self) -> Record {
        self.denied_while_loading = true;
        self
    }

    pub(crate) const fn sensitive(mut self) -> Record {
        self.sensitive = true;
        self
    }

    pub(crate) const fn always_applied(mut self) -> Record {
        self.always_applied = true;
        self
    }

    pub(crate) const fn later(mut self) -> Record {
        self.effect = Effect::StoredForLater;
        self
    }

    pub(crate) const fn meaningless(mut self) -> Record {
        self.effect = Effect::Meaningless;
        self
    }

    pub(crate) const fn check(mut self, check: Check) -> Record {
        self.check = Some(check);
        self
    }

    pub(crate) const fn live_check(
        mut self,
        check: fn(&Value, &Value) -> Result<(), &'static str>,
    ) -> Record {
        self.live_check = Some(check);
        self
    }

    pub(crate) const fn binary(mut self) -> Record {
        if let Kind::Text(text) = self.kind {
            self.kind = Kind::Text(Text { binary: true, ..text });
        }
        self
    }

    pub(crate) const fn unit(mut self, unit: Unit) -> Record {
        if let Kind::Integer(integer) = self.kind {
            self.kind = Kind::Integer(Integer { unit, ..integer });
        }
        self
    }

    pub(crate) const fn clamp(mut self, min: i128, max: i128) -> Record {
        if let Kind::Integer(integer) = self.kind {
            self.kind = Kind::Integer(Integer { clamp: Some((min, max)), ..integer });
        }
        self
    }

    /// In a file the directive takes any number of arguments; in CONFIG SET its one argument is split at spaces.
    #[must_use]
    pub const fn takes_many(&self) -> bool {
        matches!(
            self.kind,
            Kind::Flags(..)
                | Kind::Save
                | Kind::OutputBufferLimits
                | Kind::OomScoreAdjValues
                | Kind::Percentiles
                | Kind::Addresses(_)
                | Kind::ReplicaOf
        )
    }
}
