//! From the text of a case file to cases.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::pattern::Pattern;
use super::syntax::parse_reply;
use super::{Captures, Mode};

/// A file of cases.
#[derive(Clone, Debug)]
pub struct CaseFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its lines.
    pub lines: Vec<String>,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// One case: steps that begin with an empty server and new connections.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Where it begins, counted from 1.
    pub line: usize,
    /// Kinds of servers for which it is meant; all if empty.
    pub only: Vec<String>,
    /// The only modes in which it runs; all if empty.
    pub modes: Vec<String>,
    /// Modes in which it does not run.
    pub except: Vec<String>,
    /// Settings for its time.
    pub config: Vec<(String, String)>,
    /// What is done.
    pub steps: Vec<Step>,
}

/// One request and its reply.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands, counted from 1.
    pub line: usize,
    /// Which client sends; the first has the empty name.
    pub client: String,
    /// What is sent.
    pub send: Send,
    /// Whether it is sent again until the reply matches.
    pub retry: bool,
    /// What comes back.
    pub expect: Expect,
    /// The lines of the file that say so, counted from 0.
    pub reply_lines: Range<usize>,
}

/// What a step sends.
#[derive(Clone, Debug)]
pub enum Send {
    /// A request of these arguments.
    Request(Vec<Vec<u8>>),
    /// Bytes.
    Raw(Vec<u8>),
}

/// What a step gets.
#[derive(Clone, Debug)]
pub enum Expect {
    /// A reply: for RESP2 and for RESP3.
    Reply(Pattern, Pattern),
    /// No reply.
    Nothing,
    /// The end of the connection.
    Closed,
    /// It is not known yet.
    Unknown,
}

impl Case {
    /// Whether it is meant for a mode and a kind of server.
    pub fn applies(&self, mode: Mode, kind: &str) -> bool {
        let listed = |words: &[String]| {
            words.iter().any(|word| match word.split_once('/') {
                Some((only, word)) => only == kind && mode.is_called(word),
                None => mode.is_called(word),
            })
        };
        (self.only.is_empty() || self.only.iter().any(|word| word == kind))
            && (self.modes.is_empty() || listed(&self.modes))
            && !listed(&self.except)
    }
}

impl Send {
    /// The same with the values of names put in.
    ///
    /// # Errors
    /// A name that has no value.
    pub fn filled(&self, captures: &Captures) -> Result<Send, String> {
        Ok(match self {
            Send::Request(args) => {
                Send::Request(args.iter().map(|arg| fill(arg, captures)).collect::<Result<_, _>>()?)
            }
            Send::Raw(bytes) => Send::Raw(fill(bytes, captures)?),
        })
    }

    /// Whether it needs a value that must be received first.
    pub fn needs_captures(&self) -> bool {
        self.filled(&Captures::new()).is_err()
    }
}

/// Replaces `${name}` by the name's value and `${x*100}` by a hundred times x.
fn fill(text: &[u8], captures: &Captures) -> Result<Vec<u8>, String> {
    let mut filled = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.windows(2).position(|pair| pair == b"${") {
        let len = rest[start..].iter().position(|&byte| byte == b'}').ok_or("${ without }")?;
        let name = String::from_utf8_lossy(&rest[start + 2..start + len]).into_owned();
        filled.extend_from_slice(&rest[..start]);
        filled.extend_from_slice(&value_of(&name, captures)?);
        rest = &rest[start + len + 1..];
    }
    filled.extend_from_slice(rest);
    Ok(filled)
}

fn value_of(name: &str, captures: &Captures) -> Result<Vec<u8>, String> {
    if let Some((part, times)) = name.split_once('*') {
        let times = times.parse().map_err(|_| format!("{times} is not a number"))?;
        return Ok(part.as_bytes().repeat(times));
    }
    captures.get(name).cloned().ok_or_else(|| format!("nothing is called {name}"))
}

impl CaseFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn read(path: &Path) -> Result<CaseFile, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        CaseFile::parse(path, &text)
    }

    /// Reads all files of a folder, in the order of their names.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read_all(folder: &Path) -> Result<Vec<CaseFile>, String> {
        let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        paths.sort();
        paths.iter().map(|path| CaseFile::read(path)).collect()
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn parse(path: &Path, text: &str) -> Result<CaseFile, String> {
        let mut file = CaseFile {
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            cases: Vec::new(),
        };
        let mut at = 0;
        while at < file.lines.len() {
            let line = file.lines[at].trim();
            let number = at + 1;
            let next = if line.is_empty() || line.starts_with('#') {
                Ok(number)
            } else if let Some(title) = line.strip_prefix("case ") {
                file.cases.push(Case { title: title.trim().to_owned(), line: number, ..Case::default() });
                Ok(number)
            } else {
                let case =
                    file.cases.last_mut().ok_or_else(|| "this stands before the first case".to_owned());
                case.and_then(|case| take_line(case, &file.lines, at))
            };
            at = next.map_err(|error| format!("{}:{number}: {error}", path.display()))?;
        }
        Ok(file)
    }
}

/// Reads a line of a case, and with a request the lines of its reply: where to go on.
fn take_line(case: &mut Case, lines: &[String], at: usize) -> Result<usize, String> {
    let line = lines[at].trim();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if let Some(text) = line.strip_prefix("only:") {
        case.only = words(text);
    } else if let Some(text) = line.strip_prefix("modes:") {
        case.modes = known_modes(words(text))?;
    } else if let Some(text) = line.strip_prefix("except:") {
        case.except = known_modes(words(text))?;
    } else if let Some(text) = line.strip_prefix("config:") {
        let (name, value) = text.trim().split_once(' ').ok_or("a directive and its value")?;
        let value = value.trim();
        case.config.push((name.to_owned(), if value == "\"\"" { String::new() } else { value.to_owned() }));
    } else {
        let (client, retry, send) = parse_send(line)?.ok_or("neither a request nor a setting of the case")?;
        let end = reply_end(lines, at + 1);
        let expect = parse_expect(&lines[at + 1..end])?;
        case.steps.push(Step { line: at + 1, client, send, retry, expect, reply_lines: at + 1..end });
        return Ok(end);
    }
    Ok(at + 1)
}

fn known_modes(words: Vec<String>) -> Result<Vec<String>, String> {
    let mode_of = |word: &String| word.split_once('/').map_or(word.clone(), |(_, mode)| mode.to_owned());
    match words.iter().find(|word| !Mode::ALL.iter().any(|mode| mode.is_called(&mode_of(word)))) {
        Some(word) => Err(format!("{word} is not a mode")),
        None => Ok(words),
    }
}

/// Who sends, whether until it matches, and what.
type Sending = (String, bool, Send);

fn parse_send(line: &str) -> Result<Option<Sending>, String> {
    let Some((head, tail)) = line.split_once('>') else { return Ok(None) };
    let (name, retry) = match head.strip_suffix('?') {
        Some(name) => (name, true),
        None => (head, false),
    };
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) || tail.starts_with('[') {
        return Ok(None);
    }
    let (raw, text) = match tail.strip_prefix('>') {
        Some(text) => (true, text),
        None => (false, tail),
    };
    let args = ochre_resp::split_args(text.trim().as_bytes()).ok_or("a quote is not closed")?;
    let send = if raw { Send::Raw(args.concat()) } else { Send::Request(args) };
    Ok(Some((name.to_owned(), retry, send)))
}

/// Where the reply that begins at a line ends: at a blank line, a comment, or the next request.
fn reply_end(lines: &[String], from: usize) -> usize {
    let ends = |line: &String| {
        let line = line.trim();
        line.is_empty()
            || line.starts_with("# ")
            || line.starts_with("case ")
            || matches!(parse_send(line), Ok(Some(_)) | Err(_))
    };
    lines[from..].iter().position(ends).map_or(lines.len(), |len| from + len)
}

fn parse_expect(lines: &[String]) -> Result<Expect, String> {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    let only = |prefix: &str| -> Vec<&str> {
        lines.iter().filter_map(|line| line.strip_prefix(prefix)).map(str::trim).collect()
    };
    match lines.first().copied() {
        None => Err("a reply is missing; ? stands for one that is not known".to_owned()),
        Some("none") => Ok(Expect::Nothing),
        Some("closed") => Ok(Expect::Closed),
        Some("?") => Ok(Expect::Unknown),
        Some(line) if line.starts_with("2|") || line.starts_with("3|") => {
            Ok(Expect::Reply(parse_reply(&only("2|").join("\n"))?, parse_reply(&only("3|").join("\n"))?))
        }
        Some(_) => {
            let pattern = parse_reply(&lines.join("\n"))?;
            Ok(Expect::Reply(pattern.clone(), pattern))
        }
    }
}
