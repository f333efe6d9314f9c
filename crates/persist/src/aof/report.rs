//! What is to be logged, as values: who decides does not log, and tests read what would be.

/// A line for the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// Something that people must know.
    Warning(String),
    /// Something that is as it should be.
    Notice(String),
}

impl Report {
    /// The words.
    pub fn text(&self) -> &str {
        match self {
            Report::Warning(text) | Report::Notice(text) => text,
        }
    }

    /// Hands it to the log.
    pub fn emit(&self) {
        match self {
            Report::Warning(text) => log::error!("{text}"),
            Report::Notice(text) => log::warn!("{text}"),
        }
    }
}

/// Hands all to the log.
pub fn emit_all(reports: &[Report]) {
    reports.iter().for_each(Report::emit);
}
