//! How one line looks: three formats, three timestamps, and the local time they show.
//!
//! Times are local ones by the rules of `TZ`, or of `/etc/localtime` where `TZ` is not set, read once per process;
//! daylight saving follows those rules while the server runs. An unreadable zone is UTC.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::{Format, Level, Role, TimestampFormat};

/// Longest message in bytes; the rest is cut (Redis's buffer of 1024 with its final NUL).
pub const MESSAGE_LEN_MAX: usize = 1023;

static ZONE: LazyLock<tz::TimeZone> = LazyLock::new(|| {
    let zone = match std::env::var("TZ") {
        Ok(name) => tz::TimeZone::from_posix_tz(&name),
        Err(_) => tz::TimeZone::local(),
    };
    zone.unwrap_or_else(|_| tz::TimeZone::utc())
});

/// The parts of a line.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Process number.
    pub pid: u32,
    /// What the process is.
    pub role: Role,
    /// The line's level.
    pub level: Level,
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// The text.
    pub message: &'a str,
}

impl Line<'_> {
    /// Appends the line, newline included, in the process's time zone.
    pub(super) fn render(&self, format: Format, timestamp: TimestampFormat, out: &mut String) {
        let seconds = (self.time_ms / 1000).cast_signed();
        let offset_s = ZONE.find_local_time_type(seconds).map_or(0, tz::LocalTimeType::ut_offset);
        self.render_at(format, timestamp, offset_s, out);
    }

    fn render_at(&self, format: Format, timestamp: TimestampFormat, offset_s: i32, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = match format {
            Format::Legacy => self.legacy(timestamp, offset_s, out),
            Format::Logfmt => self.logfmt(timestamp, offset_s, out),
            Format::Json => self.json(timestamp, offset_s, out),
        };
    }

    fn legacy(&self, timestamp: TimestampFormat, offset_s: i32, out: &mut String) -> std::fmt::Result {
        write!(out, "{}:{} ", self.pid, self.role.letter())?;
        write_time(self.time_ms, timestamp, offset_s, out)?;
        writeln!(out, " {} {}", self.level.mark(), self.message)
    }

    fn logfmt(&self, timestamp: TimestampFormat, offset_s: i32, out: &mut String) -> std::fmt::Result {
        write!(out, "pid={} role={} timestamp=\"", self.pid, self.role.name())?;
        write_time(self.time_ms, timestamp, offset_s, out)?;
        write!(out, "\" level={} message=\"", self.level.structured_name())?;
        // A quote or a line end would break the pair; logfmt has no escapes that every reader knows.
        out.extend(self.message.chars().map(|c| match c {
            '"' => '\'',
            '\n' | '\r' => ' ',
            c => c,
        }));
        out.write_str("\"\n")
    }

    fn json(&self, timestamp: TimestampFormat, offset_s: i32, out: &mut String) -> std::fmt::Result {
        write!(out, "{{\"pid\":{},\"role\":\"{}\",\"timestamp\":\"", self.pid, self.role.name())?;
        write_time(self.time_ms, timestamp, offset_s, out)?;
        write!(out, "\",\"level\":\"{}\",\"message\":\"", self.level.structured_name())?;
        for c in self.message.chars() {
            write_json_char(c, out)?;
        }
        out.write_str("\"}\n")
    }
}

fn write_json_char(c: char, out: &mut String) -> std::fmt::Result {
    match c {
        '"' => out.write_str("\\\""),
        '\\' => out.write_str("\\\\"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\x08' => out.write_str("\\b"),
        '\x0c' => out.write_str("\\f"),
        c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)),
        c => out.write_char(c),
    }
}

/// The local time of a syslog datagram: `Mon DD HH:MM:SS`, the day padded with a space.
pub(super) fn syslog_time(seconds: u64) -> String {
    let seconds = seconds.cast_signed();
    let offset_s = ZONE.find_local_time_type(seconds).map_or(0, tz::LocalTimeType::ut_offset);
    let Ok(t) = tz::UtcDateTime::from_timespec(seconds.saturating_add(offset_s.into()), 0) else {
        return "Jan  1 00:00:00".to_owned();
    };
    format!(
        "{} {:2} {:02}:{:02}:{:02}",
        month_name(t.month()),
        t.month_day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

fn month_name(month: u8) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[usize::from(month.clamp(1, 12)) - 1]
}

fn write_time(time_ms: u64, format: TimestampFormat, offset_s: i32, out: &mut String) -> std::fmt::Result {
    if format == TimestampFormat::Milliseconds {
        return write!(out, "{time_ms}");
    }
    let (seconds, ms) = ((time_ms / 1000).cast_signed(), time_ms % 1000);
    let Ok(t) = tz::UtcDateTime::from_timespec(seconds.saturating_add(offset_s.into()), 0) else {
        return write!(out, "{time_ms}");
    };
    let (year, month, day) = (t.year(), t.month(), t.month_day());
    let clock = format_args!("{:02}:{:02}:{:02}.{ms:03}", t.hour(), t.minute(), t.second());
    if format == TimestampFormat::Legacy {
        return write!(out, "{day:02} {} {year} {clock}", month_name(month));
    }
    let (sign, offset) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs());
    write!(out, "{year:04}-{month:02}-{day:02}T{clock}{sign}{:02}:{:02}", offset / 3600, offset % 3600 / 60)
}

/// The longest beginning of `message` within [`MESSAGE_LEN_MAX`] that ends between two characters.
pub(super) fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_LEN_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use Format::{Json, Legacy, Logfmt};

    /// 2026-11-21 07:25:11.051 UTC.
    const TIME_MS: u64 = 1_795_245_911_051;

    fn render(format: Format, timestamp: TimestampFormat, offset_s: i32, message: &str) -> String {
        let line = Line { pid: 15997, role: Role::Primary, level: Level::Verbose, time_ms: TIME_MS, message };
        let mut out = String::new();
        line.render_at(format, timestamp, offset_s, &mut out);
        out
    }

    #[test]
    fn formats() {
        use TimestampFormat::{Iso8601, Legacy as Old, Milliseconds};
        let cases = [
            (Legacy, Old, 0, "15997:M 21 Nov 2026 07:25:11.051 - a \"b\"\n"),
            (Legacy, Old, -8 * 3600, "15997:M 20 Nov 2026 23:25:11.051 - a \"b\"\n"),
            (Legacy, Milliseconds, 3600, "15997:M 1795245911051 - a \"b\"\n"),
            (Legacy, Iso8601, 5 * 3600 + 1800, "15997:M 2026-11-21T12:55:11.051+05:30 - a \"b\"\n"),
            (Legacy, Iso8601, -3 * 3600 - 1800, "15997:M 2026-11-21T03:55:11.051-03:30 - a \"b\"\n"),
            (
                Logfmt,
                Iso8601,
                0,
                "pid=15997 role=primary timestamp=\"2026-11-21T07:25:11.051+00:00\" level=info message=\"a 'b'\"\n",
            ),
            (
                Json,
                Old,
                0,
                "{\"pid\":15997,\"role\":\"primary\",\"timestamp\":\"21 Nov 2026 07:25:11.051\",\"level\":\"info\",\"message\":\"a \\\"b\\\"\"}\n",
            ),
        ];
        for (format, timestamp, offset_s, expected) in cases {
            assert_eq!(render(format, timestamp, offset_s, "a \"b\""), expected);
        }
    }

    #[test]
    fn special_characters() {
        let text = "q\" b\\ t\t r\r n\n f\x0c b\x08 e\x1b ü";
        let json = render(Json, TimestampFormat::Legacy, 0, text);
        assert!(
            json.ends_with(",\"message\":\"q\\\" b\\\\ t\\t r\\r n\\n f\\f b\\b e\\u001b ü\"}\n"),
            "{json}"
        );
        let logfmt = render(Logfmt, TimestampFormat::Legacy, 0, text);
        assert!(logfmt.ends_with(" message=\"q' b\\ t\t r  n  f\x0c b\x08 e\x1b ü\"\n"), "{logfmt}");
        assert!(render(Legacy, TimestampFormat::Legacy, 0, text).ends_with(&format!(" - {text}\n")));
    }

    #[test]
    fn messages_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(2000)).len(), 1023);
        assert_eq!(cut(&"ü".repeat(2000)).len(), 1022);
    }

    #[test]
    fn the_far_future_still_renders() {
        let mut out = String::new();
        write_time(u64::MAX, TimestampFormat::Legacy, 0, &mut out).unwrap();
        assert!(!out.is_empty());
    }
}
