//! Levels, roles and formats, with their names in the configuration and in log lines.

/// `loglevel`, lowest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Much, for development.
    Debug = 0,
    /// Rarely useful detail.
    Verbose = 1,
    /// What one wants in production.
    #[default]
    Notice = 2,
    /// Only what matters most.
    Warning = 3,
    /// As a setting: no line at all.
    Nothing = 4,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 5] = [Self::Debug, Self::Verbose, Self::Notice, Self::Warning, Self::Nothing];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        ["debug", "verbose", "notice", "warning", "nothing"][self as usize]
    }

    /// The level of a configuration name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name().eq_ignore_ascii_case(name))
    }

    /// The mark in a legacy line.
    pub(super) fn mark(self) -> char {
        ['.', '-', '*', '#', '#'][self as usize]
    }

    /// The name in logfmt and JSON lines, where "verbose" is "info".
    pub(super) fn structured_name(self) -> &'static str {
        ["debug", "info", "notice", "warning", "warning"][self as usize]
    }

    /// The level of a `log` record: see the table at the head of [`super`].
    pub fn from_log(level: log::Level) -> Self {
        match level {
            log::Level::Trace | log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Verbose,
            log::Level::Warn => Self::Notice,
            log::Level::Error => Self::Warning,
        }
    }

    /// The `log` crate's filter that lets this level's lines through.
    pub(super) fn filter(self) -> log::LevelFilter {
        match self {
            Self::Debug => log::LevelFilter::Debug,
            Self::Verbose => log::LevelFilter::Info,
            Self::Notice => log::LevelFilter::Warn,
            Self::Warning => log::LevelFilter::Error,
            Self::Nothing => log::LevelFilter::Off,
        }
    }
}

/// What the process is, as its log lines show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// A Sentinel.
    Sentinel = 0,
    /// A process that works on RDB or AOF files for another.
    Child = 1,
    /// A replica.
    Replica = 2,
    /// A primary.
    Primary = 3,
}

impl Role {
    pub(super) fn from_number(number: u8) -> Self {
        [Self::Sentinel, Self::Child, Self::Replica, Self::Primary][usize::from(number.min(3))]
    }

    /// The letter in a legacy line.
    pub(super) fn letter(self) -> char {
        ['X', 'C', 'S', 'M'][self as usize]
    }

    /// The name in logfmt and JSON lines.
    pub(super) fn name(self) -> &'static str {
        ["sentinel", "RDB/AOF", "replica", "primary"][self as usize]
    }
}

/// `log-format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// `PID:ROLE DD Mon YYYY HH:MM:SS.mmm MARK message`.
    #[default]
    Legacy,
    /// `key=value` pairs.
    Logfmt,
    /// One object per line.
    Json,
}

impl Format {
    /// The format of a configuration name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [("legacy", Self::Legacy), ("logfmt", Self::Logfmt), ("json", Self::Json)];
        all.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, f)| f)
    }
}

/// `log-timestamp-format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `DD Mon YYYY HH:MM:SS.mmm`, local time.
    #[default]
    Legacy,
    /// `YYYY-MM-DDTHH:MM:SS.mmm+HH:MM`, local time.
    Iso8601,
    /// Milliseconds since 1970.
    Milliseconds,
}

impl TimestampFormat {
    /// The format of a configuration name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let all =
            [("legacy", Self::Legacy), ("iso8601", Self::Iso8601), ("milliseconds", Self::Milliseconds)];
        all.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, f)| f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for level in Level::ALL {
            assert_eq!(Level::from_name(&level.name().to_uppercase()), Some(level));
        }
        assert_eq!(Level::from_name("info"), None);
        assert_eq!(Format::from_name("JSON"), Some(Format::Json));
        assert_eq!(Format::from_name("xml"), None);
        assert_eq!(TimestampFormat::from_name("iso8601"), Some(TimestampFormat::Iso8601));
    }

    #[test]
    fn the_filter_lets_exactly_the_level_and_above_through() {
        for setting in Level::ALL {
            for record in log::Level::iter() {
                let wanted = Level::from_log(record) >= setting && record != log::Level::Trace;
                assert_eq!(record <= setting.filter(), wanted, "{setting:?} {record:?}");
            }
        }
    }
}
