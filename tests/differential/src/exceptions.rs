//! Documented differences, from one file that is read when a run starts.
//!
//! Records are separated by blank lines; `#` begins a comment. A record holds
//!
//! ```text
//! oracle: redis | valkey      (left out: both)
//! command: PATTERN            what was sent, as reports show it; `*` is anything, case does not matter
//! ours: PATTERN               the reply of side A, escaped (left out: anything)
//! theirs: PATTERN             the reply of side B
//! avoid: yes                  never send it: its effect differs, so everything after it would
//! reason: TEXT                required
//! ```

use crate::grammar::Oracle;
use crate::text::{escape, matches};

/// One documented difference.
#[derive(Clone, Debug, Default)]
struct Exception {
    command: String,
    ours: Option<String>,
    theirs: Option<String>,
    avoid: bool,
    reason: String,
    other_oracle: bool,
}

/// The exceptions that hold against one oracle.
#[derive(Clone, Debug, Default)]
pub struct Exceptions(Vec<Exception>);

impl Exceptions {
    /// Reads `file`. Errors name the record that lacks a command or a reason, or the line that is no field.
    pub fn parse(file: &str, oracle: Oracle) -> Result<Self, String> {
        let lines: Vec<&str> = file.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
        let records = lines.split(|line| line.is_empty()).filter(|record| !record.is_empty());
        let parsed: Result<Vec<_>, _> = records.map(|record| parse_record(record, oracle)).collect();
        Ok(Self(parsed?.into_iter().filter(|exception| !exception.other_oracle).collect()))
    }

    /// Whether `command` must not be sent at all.
    pub fn avoids(&self, command: &str) -> bool {
        self.0.iter().any(|exception| exception.avoid && matches(&exception.command, command))
    }

    /// The reason why these replies to `command` may differ.
    pub fn accepts(&self, command: &str, ours: &[u8], theirs: &[u8]) -> Option<&str> {
        let fits = |pattern: &Option<String>, reply: &[u8]| {
            pattern.as_ref().is_none_or(|pattern| matches(pattern, &escape(reply)))
        };
        let found = self.0.iter().find(|exception| {
            !exception.avoid
                && matches(&exception.command, command)
                && fits(&exception.ours, ours)
                && fits(&exception.theirs, theirs)
        });
        found.map(|exception| exception.reason.as_str())
    }
}

fn parse_record(lines: &[&str], oracle: Oracle) -> Result<Exception, String> {
    let mut exception = Exception::default();
    for line in lines {
        let (field, value) = line.split_once(':').ok_or_else(|| format!("not a field: {line}"))?;
        let value = value.trim().to_owned();
        match (field, value.as_str()) {
            ("command", _) => exception.command = value,
            ("ours", _) => exception.ours = Some(value),
            ("theirs", _) => exception.theirs = Some(value),
            ("reason", _) => exception.reason = value,
            ("avoid", "yes") => exception.avoid = true,
            ("oracle", "redis") => exception.other_oracle = oracle != Oracle::Redis,
            ("oracle", "valkey") => exception.other_oracle = oracle != Oracle::Valkey,
            _ => return Err(format!("not a field: {line}")),
        }
    }
    if exception.command.is_empty() || exception.reason.is_empty() {
        return Err(format!("a record needs a command and a reason: {}", lines.join(" / ")));
    }
    Ok(exception)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\n\noracle: redis\ncommand: GET *\nours: $1*\ntheirs: $-1*\nreason: because\n\n\ncommand: LOLWUT*\navoid: yes\nreason: art\n";

    #[test]
    fn records_apply_to_their_oracle_and_replies() {
        let redis = Exceptions::parse(FILE, Oracle::Redis).unwrap();
        assert_eq!(redis.accepts("get a", b"$1\r\nx\r\n", b"$-1\r\n"), Some("because"));
        assert_eq!(redis.accepts("get a", b"$-1\r\n", b"$1\r\nx\r\n"), None);
        assert_eq!(redis.accepts("LOLWUT", b"a", b"b"), None);
        assert!(redis.avoids("lolwut version 5") && !redis.avoids("GET a"));
        let valkey = Exceptions::parse(FILE, Oracle::Valkey).unwrap();
        assert_eq!(valkey.accepts("get a", b"$1\r\nx\r\n", b"$-1\r\n"), None);
        assert!(valkey.avoids("LOLWUT"));
    }

    #[test]
    fn malformed_records_are_errors() {
        for file in [
            "command: a\n",
            "reason: a\n",
            "nonsense\n",
            "command: a\nreason: b\ncolour: red\n",
            "command: a\nreason: b\navoid: perhaps\n",
        ] {
            assert!(Exceptions::parse(file, Oracle::Redis).is_err(), "{file}");
        }
    }

    #[test]
    fn the_file_of_the_project_is_well_formed() {
        Exceptions::parse(include_str!("../exceptions.txt"), Oracle::Redis).unwrap();
        Exceptions::parse(include_str!("../exceptions.txt"), Oracle::Valkey).unwrap();
    }
}
