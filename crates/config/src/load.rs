//! Loading: the file, the standard input and the command line.
//!
//! As with the peers, the three are joined to one text in this order and read line by line, so that the last word wins
//! and an error's line number counts over all of them. `--port 6380` becomes the line `port "6380"`.
//!
//! A directive of the table is set at once. Statements that only other parts of the server understand (users, renamed
//! commands, modules, Sentinel's lines) are collected with the place they came from, so that a later error about one
//! of them can still name its line ([`Origin::error`]).
//!
//! Bounds: `include` nests to [`DEEPEST`] and reads [`MOST_FILES`] files at most, so a file that includes itself is an
//! error and not an endless loop.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ochre_resp::split_args;

use crate::Directive;
use crate::config::Config;
use crate::error::{ConfigError, os_reason};
use crate::files::{FileSource, has_wildcard};
use crate::number::Refusal;
use crate::record::{Effect, Kind, Record};
use crate::table;
use crate::value::{Value, until_nul};

const DEEPEST: usize = 16;
const MOST_FILES: usize = 1000;

/// Directives of old versions: accepted with one argument, and without any effect.
const WITHDRAWN: [&[u8]; 5] = [
    b"list-max-ziplist-entries",
    b"list-max-ziplist-value",
    b"lua-replicate-commands",
    b"io-threads-do-reads",
    b"events-per-io-thread",
];

/// What loading found besides values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Absolute path of the configuration file, which CONFIG REWRITE writes.
    pub config_file: Option<PathBuf>,
    /// Whether the server runs as a Sentinel.
    pub sentinel: bool,
    /// `user name rules...`: the arguments after `user`.
    pub users: Vec<Statement>,
    /// `rename-command old new`: the two arguments.
    pub renames: Vec<Statement>,
    /// `loadmodule path arguments...`: the arguments after `loadmodule`.
    pub modules: Vec<Statement>,
    /// `sentinel ...`: the arguments after `sentinel`.
    pub sentinel_lines: Vec<Statement>,
    /// Directives that were set, each once.
    pub set: Vec<Directive>,
    /// Directives that were set and mean nothing to this server, each once; to be named in the log.
    pub ignored: Vec<Directive>,
    /// Withdrawn directives that were set, each once; to be named in the log.
    pub withdrawn: Vec<String>,
}

/// A line that another part of the server understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its arguments.
    pub args: Vec<Vec<u8>>,
    /// Where it stands.
    pub origin: Origin,
}

/// A line of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its number, from 1.
    pub number: usize,
    /// The line without surrounding blanks.
    pub text: Vec<u8>,
}

impl Origin {
    /// The error of this line.
    #[must_use]
    pub fn error(&self, reason: impl Into<String>) -> ConfigError {
        ConfigError::Line { number: self.number, text: self.text.clone(), reason: reason.into() }
    }
}

impl Config {
    /// Loads what a command line asks for: `[file] [-] [--directive value ...]`, without the program's name and without
    /// the switches that are no directives (`--help`, `--version`, ...), which the caller looks for first.
    ///
    /// `sentinel` says that the program was called by a name that means Sentinel; the word `--sentinel` says so too.
    ///
    /// # Errors
    /// The first line that is wrong, or a file that cannot be read. Values before it have been set.
    pub fn load_args<A: AsRef<[u8]>>(
        &mut self,
        args: &[A],
        sentinel: bool,
        stdin: &mut dyn FnMut() -> io::Result<Vec<u8>>,
        files: &dyn FileSource,
    ) -> Result<Loaded, ConfigError> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        let mut loader = Loader::new(self, files);
        loader.loaded.sentinel = sentinel || args.contains(&b"--sentinel".as_slice());
        loader.note_current_dir()?;
        let mut text = Vec::new();
        let mut options = args.as_slice();
        if let [file, rest @ ..] = args.as_slice()
            && !file.starts_with(b"-")
        {
            let path = files.absolute(as_path(file)).map_err(|error| cannot_open(file, &error))?;
            text = loader.read_files(path.as_os_str().as_bytes())?;
            loader.loaded.config_file = Some(path);
            options = rest;
        }
        let command_line = CommandLine::read(options, options.len() == args.len());
        if command_line.stdin {
            append(&mut text, &stdin().map_err(|error| cannot_open(b"stdin", &error))?);
        }
        text.push(b'\n');
        text.extend(command_line.text);
        loader.lines(&text, 0)?;
        loader.finish()
    }

    /// Loads the text of a configuration file.
    ///
    /// # Errors
    /// The first line that is wrong, or an included file that cannot be read. Values before it have been set.
    pub fn load_text(
        &mut self,
        text: &[u8],
        sentinel: bool,
        files: &dyn FileSource,
    ) -> Result<Loaded, ConfigError> {
        let mut loader = Loader::new(self, files);
        loader.loaded.sentinel = sentinel;
        loader.note_current_dir()?;
        loader.lines(text, 0)?;
        loader.finish()
    }
}

/// The options of a command line as lines of a configuration.
struct CommandLine {
    text: Vec<u8>,
    stdin: bool,
}

impl CommandLine {
    /// A word that begins with `--` starts a directive, unless the one before still waits for its first argument:
    /// `--requirepass --secret` sets a password. `--save` and `--sentinel` may go without an argument. A single `-` in
    /// first or last place stands for the standard input.
    fn read(options: &[&[u8]], from_first: bool) -> CommandLine {
        let mut line = CommandLine { text: Vec::new(), stdin: false };
        let mut complete = true;
        for (at, word) in options.iter().enumerate() {
            let last = at + 1 == options.len();
            if *word == b"-" && (last || (at == 0 && from_first)) {
                line.stdin = true;
            } else if complete && word.starts_with(b"--") {
                line.start_directive(&word[2..]);
                let next_is_directive = options.get(at + 1).is_some_and(|next| next.starts_with(b"--"));
                complete = is_complete(word, next_is_directive);
                if word.eq_ignore_ascii_case(b"--save") && (next_is_directive || last) {
                    line.text.extend(b"\"\"");
                }
            } else {
                ochre_resp::append_quoted(&mut line.text, word);
                line.text.push(b' ');
                complete = true;
            }
        }
        line
    }

    fn start_directive(&mut self, name: &[u8]) {
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.text.extend(name);
        self.text.push(b' ');
    }
}

/// Whether a directive needs no further word: it came with its value ("--port 6380" as one word), or it is one of the
/// two that may stand alone and another directive follows.
fn is_complete(word: &[u8], next_is_directive: bool) -> bool {
    let has_value = split_args(word).is_none_or(|words| words.len() != 1);
    let may_stand_alone = word.eq_ignore_ascii_case(b"--save") || word.eq_ignore_ascii_case(b"--sentinel");
    has_value || (may_stand_alone && next_is_directive)
}

struct Loader<'a> {
    config: &'a mut Config,
    files: &'a dyn FileSource,
    loaded: Loaded,
    /// The first `save` replaces the default save points; later ones add to it.
    save_seen: bool,
    files_read: usize,
}

impl<'a> Loader<'a> {
    fn new(config: &'a mut Config, files: &'a dyn FileSource) -> Loader<'a> {
        Loader { config, files, loaded: Loaded::default(), save_seen: false, files_read: 0 }
    }

    fn note_current_dir(&mut self) -> Result<(), ConfigError> {
        let dir = self.files.absolute(Path::new("")).map_err(|error| cannot_open(b".", &error))?;
        let dir = without_trailing_slash(dir);
        self.config.put(Directive::Dir, Value::Text(dir.as_os_str().as_bytes().into()));
        Ok(())
    }

    /// Reads a file, or all files that a pattern matches, one after the other.
    fn read_files(&mut self, path: &[u8]) -> Result<Vec<u8>, ConfigError> {
        let paths = if has_wildcard(path) {
            self.files.expand(as_path(path)).map_err(|error| cannot_open(path, &error))?
        } else {
            vec![as_path(path).to_path_buf()]
        };
        let mut text = Vec::new();
        for path in paths {
            let name = path.as_os_str().as_bytes();
            self.files_read += 1;
            if self.files_read > MOST_FILES {
                return Err(ConfigError::Open {
                    path: lossy(name),
                    reason: "Too many included files".to_owned(),
                });
            }
            append(&mut text, &self.files.read(&path).map_err(|error| cannot_open(name, &error))?);
        }
        Ok(text)
    }

    fn lines(&mut self, text: &[u8], depth: usize) -> Result<(), ConfigError> {
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let text = trim(until_nul(line));
            if !text.is_empty() && !text.starts_with(b"#") {
                self.line(Origin { number: at + 1, text: text.to_vec() }, depth)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, origin: Origin, depth: usize) -> Result<(), ConfigError> {
        let words = split_args(&origin.text)
            .ok_or_else(|| origin.error("Unbalanced quotes in configuration line"))?;
        let Some((name, args)) = words.split_first() else { return Ok(()) };
        let name = name.to_ascii_lowercase();
        if let Some(named) = table::find(&name) {
            return self.directive(named.record, args).map_err(|reason| origin.error(reason));
        }
        match (name.as_slice(), args) {
            (name, [_]) if WITHDRAWN.contains(&name) => self.note_withdrawn(name),
            (b"include", [path]) => return self.include(path, &origin, depth),
            (b"rename-command", [_, _]) => {
                self.loaded.renames.push(Statement { args: args.to_vec(), origin })
            }
            (b"user", [_, ..]) => self.loaded.users.push(Statement { args: args.to_vec(), origin }),
            (b"loadmodule", [_, ..]) => self.loaded.modules.push(Statement { args: args.to_vec(), origin }),
            (b"sentinel", []) => {}
            (b"sentinel", _) if self.loaded.sentinel => {
                self.loaded.sentinel_lines.push(Statement { args: args.to_vec(), origin });
            }
            (b"sentinel", _) => return Err(origin.error("sentinel directive while not in sentinel mode")),
            _ => return Err(origin.error("Bad directive or wrong number of arguments")),
        }
        Ok(())
    }

    fn include(&mut self, path: &[u8], origin: &Origin, depth: usize) -> Result<(), ConfigError> {
        if depth == DEEPEST {
            return Err(origin.error("include directives are nested too deeply"));
        }
        let text = self.read_files(path)?;
        self.lines(&text, depth + 1)
    }

    fn directive(&mut self, record: &Record, args: &[Vec<u8>]) -> Result<(), String> {
        let args = divide(record, args)?;
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let value = Value::parse(record, &args, self.config.value(record.id)).map_err(Refusal::into_owned)?;
        let value = match record.kind {
            Kind::Save => self.add_save_points(value, &args),
            Kind::Dir => self.enter(value)?,
            _ => value,
        };
        self.config.put(record.id, value);
        if !self.loaded.set.contains(&record.id) {
            self.loaded.set.push(record.id);
        }
        if record.effect == Effect::Meaningless && !self.loaded.ignored.contains(&record.id) {
            self.loaded.ignored.push(record.id);
        }
        Ok(())
    }

    /// Save points of several lines add up; an empty argument drops those before.
    fn add_save_points(&mut self, value: Value, args: &[&[u8]]) -> Value {
        let first = !std::mem::replace(&mut self.save_seen, true);
        match (value, self.config.save_points()) {
            (Value::Save(added), earlier) if !first && !matches!(args, [b""]) => {
                Value::Save(Arc::from([earlier, &added].concat()))
            }
            (value, _) => value,
        }
    }

    fn enter(&self, value: Value) -> Result<Value, String> {
        let Value::Text(dir) = &value else { return Ok(value) };
        let path = self.files.enter(as_path(dir)).map_err(|error| os_reason(&error))?;
        Ok(Value::Text(path.into_os_string().into_vec().into()))
    }

    fn note_withdrawn(&mut self, name: &[u8]) {
        let name = lossy(name);
        if !self.loaded.withdrawn.contains(&name) {
            self.loaded.withdrawn.push(name);
        }
    }

    /// Checks what only the whole configuration shows.
    fn finish(self) -> Result<Loaded, ConfigError> {
        let logfile = self.config.text(Directive::Logfile);
        if !logfile.is_empty() {
            self.files.probe_append(as_path(logfile)).map_err(|error| ConfigError::Whole {
                reason: format!("Can't open the log file: {}", os_reason(&error)),
            })?;
        }
        if self.config.bool(Directive::ClusterEnabled) && self.config.replica_of().is_some() {
            let reason = "replicaof directive not allowed in cluster mode".to_owned();
            return Err(ConfigError::Whole { reason });
        }
        Ok(self.loaded)
    }
}

/// The arguments of a directive: one, or for a list any number, which may also come as one quoted argument.
fn divide<'a>(record: &Record, args: &'a [Vec<u8>]) -> Result<Cow<'a, [Vec<u8>]>, String> {
    match args {
        [all] if record.takes_many() && !all.is_empty() => {
            let words = split_args(all).ok_or("Unbalanced quotes in configuration line")?;
            Ok(Cow::Owned(words))
        }
        [_] => Ok(Cow::Borrowed(args)),
        _ if record.takes_many() => Ok(Cow::Borrowed(args)),
        _ => Err("wrong number of arguments".to_owned()),
    }
}

/// The line without blanks around it; as with the peers, these are fewer characters than those that separate words.
pub(crate) fn trim(line: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| b" \t\r\n".contains(byte);
    let start = line.iter().take_while(|byte| is_blank(byte)).count();
    let line = &line[start..];
    let end = line.iter().rev().take_while(|byte| is_blank(byte)).count();
    &line[..line.len() - end]
}

/// Appends a source of lines. The peers glue its first line to a last line without an end; here it starts a new one.
fn append(text: &mut Vec<u8>, source: &[u8]) {
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend(source);
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn without_trailing_slash(path: PathBuf) -> PathBuf {
    path.components().collect()
}

fn cannot_open(path: &[u8], error: &io::Error) -> ConfigError {
    ConfigError::Open { path: lossy(path), reason: os_reason(error) }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
