//! The command line of the tool.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Whose lines are printed and options are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Those of redis-check-rdb.
    Redis,
    /// Those of valkey-check-rdb.
    Valkey,
}

/// In which form statistics are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatisticsFormat {
    /// A line for each figure, a column for each type.
    #[default]
    Table,
    /// A line for each figure of each type.
    Info,
    /// The table, separated by commas.
    Csv,
}

/// What is to be checked, and how it is reported.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) file: PathBuf,
    pub(super) style: Style,
    /// The form of statistics, if they are wanted.
    pub(super) format: Option<StatisticsFormat>,
    /// Where they go, if not to the standard output.
    pub(super) output: Option<PathBuf>,
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Check(Options),
    Version,
    Help(String),
    Wrong(String),
}

/// The last part of a name.
pub(super) fn base_name(name: &str) -> &str {
    Path::new(name).file_name().and_then(|base| base.to_str()).unwrap_or(name)
}

fn usage(name: &str, style: Style) -> String {
    match style {
        Style::Redis => format!("Usage: {name} <rdb-file-name>"),
        Style::Valkey => {
            format!("Usage: {name} <rdb-file-name> [--format table|info|csv] [--stats] [--output <file>]")
        }
    }
}

impl Options {
    pub(super) fn parse(name: &str, arguments: &[OsString]) -> Request {
        let style = if base_name(name).starts_with("redis-") { Style::Redis } else { Style::Valkey };
        let usage = usage(name, style);
        let Some((first, rest)) = arguments.split_first() else { return Request::Wrong(usage) };
        if rest.is_empty() && (first == "-v" || first == "--version") {
            return Request::Version;
        }
        if rest.is_empty() && (first == "-h" || first == "--help") {
            return Request::Help(usage);
        }
        let mut options = Options { file: first.into(), style, format: None, output: None };
        if style == Style::Redis && !rest.is_empty() || options.take(rest).is_none() {
            return Request::Wrong(usage);
        }
        Request::Check(options)
    }

    /// Takes what follows the file; nothing if it is not understood.
    fn take(&mut self, mut rest: &[OsString]) -> Option<()> {
        let (mut has_statistics, mut format) = (false, StatisticsFormat::default());
        while let [option, after @ ..] = rest {
            rest = after;
            if option == "--stats" {
                has_statistics = true;
                continue;
            }
            let (value, after) = rest.split_first()?;
            match option.to_str()? {
                "--output" => self.output = Some(value.into()),
                "--format" => format = format_of(value.to_str()?)?,
                _ => return None,
            }
            rest = after;
        }
        self.format = has_statistics.then_some(format);
        self.output = self.output.take().filter(|_| has_statistics);
        Some(())
    }
}

fn format_of(word: &str) -> Option<StatisticsFormat> {
    match word {
        "table" => Some(StatisticsFormat::Table),
        "info" => Some(StatisticsFormat::Info),
        "csv" => Some(StatisticsFormat::Csv),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Request {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        Options::parse(name, &words.map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn lines_that_are_understood() {
        let check = |file: &str, style, format, output: Option<&str>| {
            Request::Check(Options { file: file.into(), style, format, output: output.map(PathBuf::from) })
        };
        let table = Some(StatisticsFormat::Table);
        for (line, request) in [
            ("redis-check-rdb x.rdb", check("x.rdb", Style::Redis, None, None)),
            ("/bin/valkey-check-rdb x.rdb --stats", check("x.rdb", Style::Valkey, table, None)),
            (
                "ochre-check-rdb x --stats --format csv --output y",
                check("x", Style::Valkey, Some(StatisticsFormat::Csv), Some("y")),
            ),
            ("ochre-check-rdb x --format info", check("x", Style::Valkey, None, None)),
            ("ochre-check-rdb -v", Request::Version),
        ] {
            assert_eq!(parse(line), request, "{line}");
        }
    }

    #[test]
    fn lines_that_are_not() {
        for line in [
            "ochre-check-rdb",
            "redis-check-rdb x --stats",
            "ochre-check-rdb x y",
            "ochre-check-rdb x --format",
            "ochre-check-rdb x --format xml",
            "ochre-check-rdb x --output",
        ] {
            assert!(matches!(parse(line), Request::Wrong(_)), "{line}");
        }
    }
}
