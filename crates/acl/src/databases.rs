//! Which databases a selector reaches: all, unless `db=` says otherwise.

use std::collections::BTreeSet;

use crate::error::RuleError;

/// The databases of a selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Databases {
    /// `None`: all of them.
    chosen: Option<BTreeSet<u32>>,
}

impl Default for Databases {
    fn default() -> Databases {
        Databases::ALL
    }
}

impl Databases {
    /// All databases.
    pub const ALL: Databases = Databases { chosen: None };
    /// No database.
    pub const NONE: Databases = Databases { chosen: Some(BTreeSet::new()) };

    /// Those of a list: numbers with commas between.
    ///
    /// # Errors
    /// It is no such list, or a number is below 0 or beyond 31 bits.
    pub fn parse(list: &[u8]) -> Result<Databases, RuleError> {
        let chosen = list.split(|byte| *byte == b',').map(number).collect::<Result<_, _>>()?;
        Ok(Databases { chosen: Some(chosen) })
    }

    /// Whether all are permitted.
    pub fn is_all(&self) -> bool {
        self.chosen.is_none()
    }

    /// Whether one is permitted.
    pub fn permits(&self, db: u32) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&db))
    }

    /// The rule: `db=` with the numbers; `None` if all are permitted or none.
    pub fn list(&self) -> Option<String> {
        let chosen = self.chosen.as_ref().filter(|chosen| !chosen.is_empty())?;
        let numbers: Vec<String> = chosen.iter().map(u32::to_string).collect();
        Some(format!("db={}", numbers.join(",")))
    }
}

/// A number as C's `strtoll` reads it: blanks and a sign may precede it.
fn number(text: &[u8]) -> Result<u32, RuleError> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(RuleError::Syntax);
    }
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(10)?.checked_add(u32::from(digit - b'0')).filter(|value| *value <= i32::MAX as u32)
    });
    match value {
        Some(value) if value == 0 || !text.starts_with(b"-") => Ok(value),
        _ => Err(RuleError::DatabaseRange),
    }
}
