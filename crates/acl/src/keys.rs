//! Which keys a selector reaches, and whether to read or to write them.

use ochre_types::{Case, glob_match};

use crate::error::RuleError;
use crate::has_blanks;

/// Reading, writing, both or neither: what a pattern permits, or what a command needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Access(u8);

impl Access {
    /// Neither. A command that only asks whether a key is there needs any pattern that fits.
    pub const NONE: Access = Access(0);
    /// Reading.
    pub const READ: Access = Access(1);
    /// Writing.
    pub const WRITE: Access = Access(2);
    /// Both.
    pub const BOTH: Access = Access(3);

    /// This and another.
    #[must_use]
    pub fn with(self, other: Access) -> Access {
        Access(self.0 | other.0)
    }

    /// Whether it includes another.
    pub fn includes(self, other: Access) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Keys of a pattern, and what may be done to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyPattern {
    /// The pattern.
    pub pattern: Vec<u8>,
    /// What is permitted.
    pub access: Access,
}

impl KeyPattern {
    /// The pattern of a rule: `~pattern`, or `%` with `R`, `W` or both, `~`, and the pattern. The `~` may be missing from the
    /// second form, which then is a rule for the empty key.
    fn parse(rule: &[u8]) -> Result<KeyPattern, RuleError> {
        let (access, pattern) = match rule.strip_prefix(b"%") {
            Some(rest) => divide(rest)?,
            None => (Access::BOTH, &rule[1..]),
        };
        match has_blanks(pattern) {
            true => Err(RuleError::Syntax),
            false => Ok(KeyPattern { pattern: pattern.to_vec(), access }),
        }
    }

    fn rule(&self) -> Vec<u8> {
        let sign: &[u8] = match self.access {
            Access::READ => b"%R~",
            Access::WRITE => b"%W~",
            _ => b"~",
        };
        [sign, &self.pattern].concat()
    }
}

/// The letters of a rule, each at most once, and what follows the `~`.
fn divide(rest: &[u8]) -> Result<(Access, &[u8]), RuleError> {
    let end = rest.iter().position(|byte| *byte == b'~').unwrap_or(rest.len());
    let mut access = Access::NONE;
    for letter in &rest[..end] {
        let one = match letter.to_ascii_uppercase() {
            b'R' => Access::READ,
            b'W' => Access::WRITE,
            _ => return Err(RuleError::Syntax),
        };
        if access.includes(one) {
            return Err(RuleError::Syntax);
        }
        access = access.with(one);
    }
    match access {
        Access::NONE => Err(RuleError::Syntax),
        access => Ok((access, rest.get(end + 1..).unwrap_or_default())),
    }
}

/// The keys of a selector.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyPatterns {
    all: bool,
    patterns: Vec<KeyPattern>,
}

impl KeyPatterns {
    /// Permits all keys.
    pub fn permit_all(&mut self) {
        (self.all, self.patterns) = (true, Vec::new());
    }

    /// Permits none.
    pub fn clear(&mut self) {
        *self = KeyPatterns::default();
    }

    /// Adds the pattern of a rule that begins with `~` or `%`; one that is there already is permitted more.
    ///
    /// # Errors
    /// All keys are permitted already, or it is no pattern.
    pub fn add(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all {
            return Err(RuleError::KeyPatternNextToAll);
        }
        let new = KeyPattern::parse(rule)?;
        match self.patterns.iter_mut().find(|old| old.pattern == new.pattern) {
            Some(old) => old.access = old.access.with(new.access),
            None => self.patterns.push(new),
        }
        Ok(())
    }

    /// Whether every key is permitted, for everything.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Whether a key may be used like this; one pattern has to permit all of it.
    pub fn permits(&self, key: &[u8], access: Access) -> bool {
        let fits =
            |one: &KeyPattern| one.access.includes(access) && glob_match(&one.pattern, key, Case::Sensitive);
        self.all || self.patterns.iter().any(fits)
    }

    /// Whether every key may be used like this, those included that no argument names.
    pub fn permits_every_key(&self, access: Access) -> bool {
        let is_every = |one: &KeyPattern| one.access.includes(access) && one.pattern == b"*";
        self.all || self.patterns.iter().any(is_every)
    }

    /// The rules.
    pub fn rules(&self) -> Vec<Vec<u8>> {
        match self.all {
            true => vec![b"~*".to_vec()],
            false => self.patterns.iter().map(KeyPattern::rule).collect(),
        }
    }

    /// The rules, with blanks between.
    pub fn text(&self) -> Vec<u8> {
        self.rules().join(&b' ')
    }
}
