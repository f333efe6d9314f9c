//! The command line: the spelling that users of redis-benchmark and valkey-benchmark know, and a few more
//! words.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::failure::Failure;
use crate::suite;
use crate::uri;

/// Where the server listens.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Over TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// Port number.
        port: u16,
    },
    /// Over a Unix socket at this path.
    Unix(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Tcp { host, port } => write!(out, "{host}:{port}"),
            Target::Unix(path) => write!(out, "{}", path.display()),
        }
    }
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    /// The long report.
    Text,
    /// One line per test (`-q`).
    Quiet,
    /// Comma-separated values, quoted.
    Csv,
    /// One JSON object per test and line.
    Json,
}

/// Everything that a command line can say. The usage text is the reference; here are the units.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the server listens.
    pub target: Target,
    /// Name for AUTH.
    pub user: Option<String>,
    /// Password for AUTH.
    pub password: Option<String>,
    /// Connections, over all threads.
    pub clients: usize,
    /// Commands per test, unless there is a duration.
    pub requests: Option<u64>,
    /// Length of a test.
    pub duration: Option<Duration>,
    /// Bytes of a value.
    pub data_size: usize,
    /// Number of the database.
    pub database: u32,
    /// Speak RESP3.
    pub resp3: bool,
    /// Turn client tracking on.
    pub tracking: bool,
    /// Threads; none is one thread, and reported as such.
    pub threads: Option<usize>,
    /// Use a connection for more than one batch.
    pub keep_alive: bool,
    /// Numbers replace placeholders and are below this.
    pub keyspace: Option<u64>,
    /// These numbers count up instead of being random.
    pub sequential: bool,
    /// Units sent before waiting for replies.
    pub pipeline: usize,
    /// How results are written.
    pub format: Format,
    /// Decimals of milliseconds in reports.
    pub precision: usize,
    /// Run the tests for ever.
    pub repeat: bool,
    /// Names of the tests to run, in lower case; none is all.
    pub tests: Option<Vec<String>>,
    /// Only open the connections.
    pub idle: bool,
    /// The last argument of the command comes from standard input.
    pub read_stdin: bool,
    /// Seed of the random numbers; none is the clock.
    pub seed: Option<u64>,
    /// Commands per second of an open loop; none is a closed loop.
    pub rate: Option<f64>,
    /// Functions in the library that FUNCTION LOAD loads.
    pub functions: u32,
    /// Keys that FCALL passes.
    pub function_keys: u32,
    /// The command and its arguments; empty for the default tests.
    pub command: Vec<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: Target::Tcp { host: "127.0.0.1".to_owned(), port: 6379 },
            user: None,
            password: None,
            clients: 50,
            requests: None,
            duration: None,
            data_size: 3,
            database: 0,
            resp3: false,
            tracking: false,
            threads: None,
            keep_alive: true,
            keyspace: None,
            sequential: false,
            pipeline: 1,
            format: Format::Text,
            precision: 3,
            repeat: false,
            tests: None,
            idle: false,
            read_stdin: false,
            seed: None,
            rate: None,
            functions: 10,
            function_keys: 1,
            command: Vec::new(),
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Measure.
    Run(Box<Options>),
    /// Print the usage text.
    Help,
    /// Print the version.
    Version,
}

/// Largest request size, connection count and pipeline that are taken seriously.
const DATA_MAX: u64 = 1 << 30;
const CLIENTS_MAX: u64 = 1_000_000;
const PIPELINE_MAX: u64 = 1_000_000;

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the reason.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Failure> {
        let mut options = Options::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(usage)? {
            match argument {
                Arg::Long("help") => return Ok(Request::Help),
                Arg::Short('v') | Arg::Long("version") => return Ok(Request::Version),
                Arg::Value(first) => {
                    options.command.push(first.into_vec());
                    options.command.extend(parser.raw_args().map_err(usage)?.map(OsString::into_vec));
                }
                Arg::Short(letter) => options.short(letter, &mut parser)?,
                Arg::Long(name) => {
                    let name = name.to_owned();
                    options.long(&name, &mut parser)?;
                }
            }
        }
        options.check()?;
        Ok(Request::Run(Box::new(options)))
    }

    fn short(&mut self, letter: char, parser: &mut Parser) -> Result<(), Failure> {
        match letter {
            'h' => self.set_host(text(parser)?),
            'p' => self.set_port(number(parser, "-p", 1, 65_535)? as u16),
            's' => self.target = Target::Unix(parser.value().map_err(usage)?.into()),
            'a' => self.password = Some(text(parser)?),
            'u' => uri::apply(&text(parser)?, self)?,
            'c' => self.clients = number(parser, "-c", 1, CLIENTS_MAX)? as usize,
            'n' => self.requests = Some(number(parser, "-n", 1, u64::MAX >> 1)?),
            'd' => self.data_size = number(parser, "-d", 1, DATA_MAX)? as usize,
            '3' => self.resp3 = true,
            'k' => self.keep_alive = number(parser, "-k", 0, 1)? == 1,
            'r' => self.keyspace = Some(number(parser, "-r", 0, u64::MAX)?.max(1)),
            'P' => self.pipeline = number(parser, "-P", 1, PIPELINE_MAX)? as usize,
            'q' => self.format = if self.format == Format::Text { Format::Quiet } else { self.format },
            'l' => self.repeat = true,
            't' => self.tests = Some(tests(&text(parser)?)?),
            'I' => self.idle = true,
            'x' => self.read_stdin = true,
            other => return Err(Failure::Usage(format!("Invalid option \"-{other}\""))),
        }
        Ok(())
    }

    fn long(&mut self, name: &str, parser: &mut Parser) -> Result<(), Failure> {
        match name {
            "user" => self.user = Some(text(parser)?),
            "dbnum" => self.database = number(parser, "--dbnum", 0, u64::from(u32::MAX))? as u32,
            "threads" => self.threads = Some(number(parser, "--threads", 1, 500)? as usize),
            "enable-tracking" => self.tracking = true,
            "sequential" => self.sequential = true,
            "precision" => self.precision = number(parser, "--precision", 0, 100)?.min(3) as usize,
            "csv" => self.format = Format::Csv,
            "json" => self.format = Format::Json,
            "seed" => self.seed = Some(number(parser, "--seed", 0, u64::MAX)?),
            "rate" | "rps" => self.rate = Some(positive(parser, name)?),
            "duration" => self.duration = Some(Duration::from_secs_f64(positive(parser, name)?.min(1e9))),
            "num-functions" => self.functions = number(parser, "--num-functions", 1, 10_000)? as u32,
            "num-keys-in-fcall" => {
                self.function_keys = number(parser, "--num-keys-in-fcall", 0, 1_000)? as u32
            }
            "tls" => return Err(Failure::Usage("This build has no TLS".to_owned())),
            other => return Err(Failure::Usage(format!("Invalid option \"--{other}\""))),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Failure> {
        if self.requests.is_some() && self.duration.is_some() {
            return Err(Failure::Usage("Options -n and --duration are mutually exclusive.".to_owned()));
        }
        if self.user.is_some() && self.password.is_none() {
            return Err(Failure::Usage("Option --user needs a password (-a)".to_owned()));
        }
        if self.sequential && self.keyspace.is_none() {
            return Err(Failure::Usage("Option --sequential needs a keyspace (-r)".to_owned()));
        }
        Ok(())
    }

    /// Host of a TCP target; a Unix socket (`-s`) wins over it.
    pub fn set_host(&mut self, new: String) {
        if let Target::Tcp { host, .. } = &mut self.target {
            *host = new;
        }
    }

    /// Port of a TCP target; a Unix socket (`-s`) wins over it.
    pub fn set_port(&mut self, new: u16) {
        if let Target::Tcp { port, .. } = &mut self.target {
            *port = new;
        }
    }
}

/// The names of tests in a list with commas.
fn tests(list: &str) -> Result<Vec<String>, Failure> {
    let names: Vec<String> = list.split(',').map(str::to_ascii_lowercase).collect();
    match suite::unknown(&names) {
        Some(name) => {
            let known = suite::names().join(", ");
            Err(Failure::Usage(format!("There is no test \"{name}\" (-t). There are: {known}")))
        }
        None => Ok(names),
    }
}

fn usage(error: lexopt::Error) -> Failure {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    Failure::Usage(first.into_iter().chain(letters).collect())
}

fn text(parser: &mut Parser) -> Result<String, Failure> {
    parser.value().map_err(usage)?.string().map_err(usage)
}

fn number(parser: &mut Parser, option: &str, least: u64, most: u64) -> Result<u64, Failure> {
    let value = text(parser)?;
    match u64::from_str(&value) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(Failure::Usage(format!("Invalid value \"{value}\" for {option} ({least} to {most})"))),
    }
}

fn positive(parser: &mut Parser, option: &str) -> Result<f64, Failure> {
    let value = text(parser)?;
    match f64::from_str(&value) {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(Failure::Usage(format!("Invalid value \"{value}\" for --{option} (a number above 0)"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request, Failure> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parse(line) {
            Ok(Request::Run(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_known_spellings() {
        let given = options(
            "-h box -p 7000 -a pw --user me -c 3 -n 9 -d 64 --dbnum 2 \
             -3 --threads 2 -k 0 -r 10 -P 16 -q -l -t SET,get -x --seed 5",
        );
        assert_eq!(given.target.to_string(), "box:7000");
        assert_eq!((given.user.as_deref(), given.password.as_deref()), (Some("me"), Some("pw")));
        assert_eq!((given.clients, given.requests, given.data_size, given.database), (3, Some(9), 64, 2));
        assert_eq!(
            (given.resp3, given.threads, given.keep_alive, given.keyspace),
            (true, Some(2), false, Some(10))
        );
        assert_eq!(
            (given.pipeline, given.format, given.repeat, given.read_stdin),
            (16, Format::Quiet, true, true)
        );
        assert_eq!(given.tests, Some(vec!["set".to_owned(), "get".to_owned()]));
        assert_eq!(given.seed, Some(5));
    }

    #[test]
    fn a_test_that_is_not_there_is_an_error_that_names_those_that_are() {
        let Err(Failure::Usage(text)) = parse("-t get,sett") else { panic!("it is accepted") };
        assert!(text.starts_with("There is no test \"sett\" (-t). There are: ping_inline, ping, "), "{text}");
        assert!(text.ends_with(", function_load, fcall"), "{text}");
    }

    #[test]
    fn a_command_ends_the_options() {
        let given = options("-n 5 lrange list 0 -1 -q");
        assert_eq!(given.command, ["lrange", "list", "0", "-1", "-q"].map(|word| word.as_bytes().to_vec()));
        assert_eq!(given.format, Format::Text);
        assert_eq!(options("-- multi ; exec").command.len(), 3);
    }

    #[test]
    fn csv_and_json_win_over_quiet_and_a_socket_over_a_host() {
        assert_eq!(options("--csv -q").format, Format::Csv);
        assert_eq!(options("-q --json").format, Format::Json);
        assert_eq!(options("-s /tmp/x -h box -p 1").target, Target::Unix("/tmp/x".into()));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for line in [
            "-p",
            "-p x",
            "-p 0",
            "-p 70000",
            "-c 0",
            "-n 0",
            "-n -5",
            "-P 0",
            "-d 0",
            "-k 2",
            "-Z",
            "--nope",
            "--rate 0",
            "--rate nan",
            "--duration -1",
            "-n 5 --duration 1",
            "--user me",
            "--sequential",
            "--tls",
            "-u ftp://x",
        ] {
            assert!(matches!(parse(line), Err(Failure::Usage(text)) if !text.is_empty()), "{line}");
        }
    }

    #[test]
    fn help_and_version_need_no_more() {
        assert!(matches!(parse("--help"), Ok(Request::Help)));
        assert!(matches!(parse("-c 5 --version"), Ok(Request::Version)));
    }
}
