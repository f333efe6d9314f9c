//! The command line of the comparison.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::prelude::*;
use ochre_differential::{
    Exceptions, FAMILIES, Grammar, Length, Oracle, Pair, Plan, Server, describe, parse_all, run,
};

const USAGE: &str = "\
Usage: ochre-differential (--a COMMAND | --a-addr ADDRESS) (--b COMMAND | --b-addr ADDRESS) [OPTION]...

Sends the same random commands to server A (under test) and server B (the oracle) and compares the replies.
COMMAND is a server's command line; the port and quiet options are added to it. ADDRESS is IP:PORT; that server is
emptied and its settings are changed.

  --oracle redis|valkey   what server B is: selects commands and exceptions (default: redis)
  --commands N            commands in all (default: 1000000)
  --seed N                (default: 1)
  --epoch N               begin with this epoch (default: 0), to repeat one that a report names
  --epoch-commands N      commands in one epoch, each begun on empty servers (default: 2000)
  --clients N             clients that take turns (default: 1)
  --families LIST         names apart by commas (default: all)
  --no-sessions           without sessions of raw bytes
  --exceptions FILE       documented differences (default: the project's; `none` for none)
  --classes N             stop after N classes of differences (default: 1)
  --replay FILE           do the steps of FILE instead, as reports show them
  --list                  print the families and their rules
Exit status: 0 no difference, 1 differences, 2 something else went wrong.";

struct Options {
    sides: [Option<Side>; 2],
    oracle: Oracle,
    length: Length,
    epoch_commands: usize,
    clients: usize,
    families: Vec<String>,
    sessions: bool,
    exceptions: String,
    replay: Option<OsString>,
}

enum Side {
    Command(String),
    Address(std::net::SocketAddr),
}

impl Side {
    fn server(&self) -> io::Result<Server> {
        match self {
            Self::Command(command) => Server::start(command),
            Self::Address(address) => Ok(Server::at(*address)),
        }
    }
}

fn main() -> ExitCode {
    match parse_options().map_err(|error| error.to_string()).and_then(|options| go(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("ochre-differential: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse_options() -> Result<Options, lexopt::Error> {
    let mut options = Options {
        sides: [None, None],
        oracle: Oracle::Redis,
        length: Length { seed: 1, first_epoch: 0, commands: 1_000_000, classes_max: 1 },
        epoch_commands: 2000,
        clients: 1,
        families: FAMILIES.iter().map(|family| family.name.to_owned()).collect(),
        sessions: true,
        exceptions: concat!(env!("CARGO_MANIFEST_DIR"), "/exceptions.txt").to_owned(),
        replay: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("a") => options.sides[0] = Some(Side::Command(parser.value()?.string()?)),
            Long("b") => options.sides[1] = Some(Side::Command(parser.value()?.string()?)),
            Long("a-addr") => options.sides[0] = Some(Side::Address(parser.value()?.parse()?)),
            Long("b-addr") => options.sides[1] = Some(Side::Address(parser.value()?.parse()?)),
            Long("oracle") => options.oracle = parser.value()?.parse_with(oracle)?,
            Long("commands") => options.length.commands = parser.value()?.parse()?,
            Long("seed") => options.length.seed = parser.value()?.parse()?,
            Long("epoch") => options.length.first_epoch = parser.value()?.parse()?,
            Long("epoch-commands") => options.epoch_commands = parser.value()?.parse::<usize>()?.max(1),
            Long("clients") => options.clients = parser.value()?.parse::<usize>()?.clamp(1, 64),
            Long("families") => {
                options.families = parser.value()?.string()?.split(',').map(str::to_owned).collect()
            }
            Long("no-sessions") => options.sessions = false,
            Long("exceptions") => options.exceptions = parser.value()?.string()?,
            Long("classes") => options.length.classes_max = parser.value()?.parse()?,
            Long("replay") => options.replay = Some(parser.value()?),
            Long("list") => list_and_exit(),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn oracle(name: &str) -> Result<Oracle, &'static str> {
    match name {
        "redis" => Ok(Oracle::Redis),
        "valkey" => Ok(Oracle::Valkey),
        _ => Err("the oracle is redis or valkey"),
    }
}

fn list_and_exit() -> ! {
    for family in FAMILIES {
        println!("{}", family.name);
        family.rules.iter().for_each(|rule| println!("  {}", rule.syntax));
    }
    std::process::exit(0);
}

/// Runs; true when nothing differed.
fn go(options: &Options) -> Result<bool, String> {
    let [Some(a), Some(b)] = &options.sides else { return Err(format!("two servers are needed\n{USAGE}")) };
    let exceptions = match options.exceptions.as_str() {
        "none" => String::new(),
        path => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?,
    };
    let exceptions = Exceptions::parse(&exceptions, options.oracle)?;
    let grammar = Grammar::new(options.oracle, &options.families)?;
    let words = |error: io::Error| error.to_string();
    let mut pair = Pair::new(a.server().map_err(words)?, b.server().map_err(words)?).map_err(words)?;
    if let Some(path) = &options.replay {
        let file = std::fs::read_to_string(path).map_err(words)?;
        let found = pair.run(&parse_all(&file)?, &exceptions).map_err(words)?;
        println!("{}", found.as_ref().map_or("no difference\n".to_owned(), describe));
        return Ok(found.is_none());
    }
    let plan = Plan {
        grammar: &grammar,
        exceptions: &exceptions,
        clients: options.clients,
        sessions: options.sessions,
        epoch_commands: options.epoch_commands,
    };
    let mut out = io::stdout().lock();
    let findings = run(&mut pair, plan, options.length, &mut out).map_err(words)?;
    summary(&findings, &mut out).map_err(words)?;
    Ok(findings.classes.is_empty())
}

fn summary(findings: &ochre_differential::Findings, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} commands, {} classes of differences", findings.commands, findings.classes.len())?;
    for (class, count) in &findings.classes {
        writeln!(out, "  {count:6} x {class}")?;
    }
    Ok(())
}
