//! The command line of the proof.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lexopt::prelude::*;
use ochre_durability::{Campaign, FAULTS, Promise, run};

const USAGE: &str = "\
Usage: ochre-durability --server COMMAND [OPTION]...

Kills a server with SIGKILL while clients write to it, starts it again on its files, and compares what it holds with what it
acknowledged. COMMAND is a server's command line; files, port and persistence are added to it.

  --rounds N          how often it is killed (default: 100)
  --seed N            (default: the time; printed)
  --clients N         that write (default: 6)
  --io-threads N      of the server (default: its own)
  --appendfsync WHEN  always, everysec or no (default: always)
  --lost-ms N         what everysec may lose, ms before the death (default: 2000)
  --snapshots         no append-only file: SAVE and BGSAVE are what is tried
  --faults            full disks and folders that let nothing in, instead of deaths
Exit status: 0 all promises were kept, 1 one was not, 2 something else went wrong.";

struct Options {
    server: Option<String>,
    rounds: u64,
    seed: u64,
    clients: usize,
    io_threads: Option<usize>,
    fsync: String,
    lost_ms: u64,
    snapshots: bool,
    faults: bool,
}

fn main() -> ExitCode {
    let options = match parse() {
        Ok(options) => options,
        Err(error) => return wrong_use(&error.to_string()),
    };
    let Some(campaign) = options.campaign() else { return wrong_use(USAGE) };
    let outcome = if options.faults { try_faults(&campaign) } else { try_deaths(&campaign) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::from(1)
        }
    }
}

fn wrong_use(text: &str) -> ExitCode {
    eprintln!("ochre-durability: {text}");
    ExitCode::from(2)
}

fn parse() -> Result<Options, lexopt::Error> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut options = Options {
        server: None,
        rounds: 100,
        seed,
        clients: 6,
        io_threads: None,
        fsync: "always".to_owned(),
        lost_ms: 2000,
        snapshots: false,
        faults: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("server") => options.server = Some(parser.value()?.string()?),
            Long("rounds") => options.rounds = parser.value()?.parse()?,
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("clients") => options.clients = parser.value()?.parse::<usize>()?.clamp(1, 64),
            Long("io-threads") => options.io_threads = Some(parser.value()?.parse()?),
            Long("appendfsync") => options.fsync = parser.value()?.string()?,
            Long("lost-ms") => options.lost_ms = parser.value()?.parse()?,
            Long("snapshots") => options.snapshots = true,
            Long("faults") => options.faults = true,
            Long("help") | Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

impl Options {
    /// What is to be tried; nothing without a server or with an unknown policy.
    fn campaign(&self) -> Option<Campaign> {
        let command: Vec<String> = self.server.as_ref()?.split_whitespace().map(str::to_owned).collect();
        let promise = match self.fsync.as_str() {
            _ if self.snapshots => Promise::LastSave,
            "always" => Promise::Everything,
            "everysec" => Promise::AllBut(Duration::from_millis(self.lost_ms)),
            "no" => Promise::Prefix,
            _ => return None,
        };
        let mut campaign = Campaign {
            command,
            directives: vec![("save".to_owned(), String::new())],
            promise,
            has_log: !self.snapshots,
            clients: self.clients,
            rounds: self.rounds,
            seed: self.seed,
        };
        let mut set = |name: &str, value: &str| campaign.directives.push((name.to_owned(), value.to_owned()));
        if let Some(threads) = self.io_threads {
            set("io-threads", &threads.to_string());
        }
        if !self.snapshots {
            set("appendonly", "yes");
            set("appendfsync", &self.fsync);
            // Small files are rewritten, too.
            set("auto-aof-rewrite-min-size", "64kb");
            set("auto-aof-rewrite-percentage", "50");
        }
        (!campaign.command.is_empty()).then_some(campaign)
    }
}

fn try_deaths(campaign: &Campaign) -> Result<(), String> {
    println!("seed {}, {:?}", campaign.seed, campaign.promise);
    let began = Instant::now();
    let report = run(campaign)?;
    println!(
        "{} deaths, {} operations acknowledged, {} SAVEs, {} keys found again, {:.1} s: all promises kept",
        report.rounds,
        report.operations,
        report.saves,
        report.keys,
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

fn try_faults(campaign: &Campaign) -> Result<(), String> {
    for (name, fault) in FAULTS {
        match fault(campaign).map_err(|error| format!("{name}: {error}"))? {
            Some(left_out) => println!("{name}: left out ({left_out})"),
            None => println!("{name}: as promised"),
        }
    }
    Ok(())
}
