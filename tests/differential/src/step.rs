//! What a run does, one step after the other, and how a reproducer writes it down.

use crate::text;

/// One step, done to both servers before the next begins (commands of one client in a row may share a pipeline).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command of one of the clients.
    Command {
        /// Which client.
        client: usize,
        /// The command and its arguments.
        arguments: Vec<Vec<u8>>,
    },
    /// A session of its own: connect, send these bytes, half-close, read to the end.
    Session(Vec<u8>),
    /// Compare everything the servers hold.
    Check,
}

impl Step {
    /// One line: `CLIENT> COMMAND`, `session> "BYTES"` or `check`.
    pub fn show(&self) -> String {
        match self {
            Self::Command { client, arguments } => format!("{client}> {}", text::show(arguments)),
            Self::Session(bytes) => format!("session> \"{}\"", text::escape(bytes)),
            Self::Check => "check".to_owned(),
        }
    }

    /// Reads what [`Step::show`] wrote.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line == "check" {
            return Some(Self::Check);
        }
        let (who, what) = line.split_once("> ")?;
        let arguments = text::parse(what)?;
        if who == "session" {
            return arguments.into_iter().next().map(Self::Session);
        }
        Some(Self::Command { client: who.parse().ok()?, arguments })
    }
}

/// Reads a reproducer: one step a line, `#` comments. Errors with the first line that is no step.
pub fn parse_all(file: &str) -> Result<Vec<Step>, String> {
    let lines = file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| Step::parse(line).ok_or_else(|| format!("not a step: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_survive_as_text() {
        let steps = vec![
            Step::Command { client: 2, arguments: vec![b"SET".to_vec(), b"\x00> \"".to_vec()] },
            Step::Session(b"*1\r\n$4\r\nPING\r\n".to_vec()),
            Step::Session(vec![]),
            Step::Check,
        ];
        let file: String = steps.iter().map(|step| step.show() + "\n").collect();
        assert_eq!(parse_all(&format!("# comment\n\n{file}")).unwrap(), steps);
        assert!(parse_all("nonsense").is_err());
    }
}
