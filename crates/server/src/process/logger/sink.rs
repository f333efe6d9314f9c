//! Where lines go: standard output or a file that others may move away, and syslog beside it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Format;
use super::syslog::Syslog;
use super::{Level, Line, LogSettings, TimestampFormat};

/// The open ends of the log, and the buffer a line is put together in.
#[derive(Debug)]
pub(super) struct Sink {
    format: Format,
    timestamp: TimestampFormat,
    file: Option<LogFile>,
    syslog: Option<Syslog>,
    line: String,
}

impl Sink {
    /// Standard output, legacy format.
    pub(super) const fn new() -> Self {
        let (format, timestamp) = (Format::Legacy, TimestampFormat::Legacy);
        Self { format, timestamp, file: None, syslog: None, line: String::new() }
    }

    pub(super) fn configure(&mut self, settings: &LogSettings) -> io::Result<()> {
        self.file = settings.file.as_deref().map(LogFile::open).transpose()?;
        self.format = settings.format;
        self.timestamp = settings.timestamp;
        if self.syslog.as_ref().map(Syslog::settings) != settings.syslog.as_ref() {
            self.syslog = settings.syslog.clone().map(Syslog::new);
        }
        Ok(())
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|f| f.path.as_path())
    }

    pub(super) fn write_line(&mut self, line: &Line<'_>) {
        let mut text = std::mem::take(&mut self.line);
        text.clear();
        line.render(self.format, self.timestamp, &mut text);
        self.write_unlogged(text.as_bytes());
        self.line = text;
        self.send_to_syslog(line.level, line.message);
    }

    pub(super) fn write_raw(&mut self, level: Level, text: &str) {
        self.write_unlogged(text.as_bytes());
        self.send_to_syslog(level, text);
    }

    /// To the file or standard output alone.
    pub(super) fn write_unlogged(&mut self, bytes: &[u8]) {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => write_stdout(bytes),
        }
    }

    fn send_to_syslog(&mut self, level: Level, message: &str) {
        if let Some(syslog) = &mut self.syslog {
            syslog.send(level, message);
        }
    }
}

/// Writes to descriptor 1 itself: std's handle buffers behind a lock and panics when the other end is gone.
fn write_stdout(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(n) if n > 0 => bytes = &bytes[n.min(bytes.len())..],
            Err(rustix::io::Errno::INTR) => {}
            _ => return,
        }
    }
}

/// An open log file and what it was when it was opened.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    identity: (u64, u64),
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o644).open(path)?;
        let metadata = file.metadata()?;
        Ok(Self { path: path.to_path_buf(), file, identity: (metadata.dev(), metadata.ino()) })
    }

    /// Writes to the file that the path names now.
    fn write(&mut self, bytes: &[u8]) {
        let now = std::fs::metadata(&self.path).ok().map(|m| (m.dev(), m.ino()));
        if now != Some(self.identity) {
            match Self::open(&self.path) {
                Ok(file) => *self = file,
                // As in Redis, whose `fopen` fails: the line is lost.
                Err(_) => return,
            }
        }
        // There is nobody to tell of a log that cannot be written.
        let _ = self.file.write_all(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_follows_its_path() {
        let dir = std::env::temp_dir().join(format!("ochre-log-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (path, moved) = (dir.join("log"), dir.join("log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write(b"one\n");
        std::fs::rename(&path, &moved).unwrap();
        log.write(b"two\n");
        assert_eq!(std::fs::read(&moved).unwrap(), b"one\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"two\n");
        File::create(&path).unwrap();
        log.write(b"three\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"three\n");
        std::fs::remove_dir_all(&dir).unwrap();
        log.write(b"nowhere\n");
        assert!(LogFile::open(&path).is_err());
    }

    #[test]
    fn settings_that_fail_change_nothing() {
        let mut sink = Sink::new();
        let settings = LogSettings {
            file: Some("/nonexistent/dir/log".into()),
            format: Format::Json,
            ..Default::default()
        };
        assert!(sink.configure(&settings).is_err());
        assert_eq!((sink.format, sink.file()), (Format::Legacy, None));
    }
}
