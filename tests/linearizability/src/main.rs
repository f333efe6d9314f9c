//! The command line of the checker.

use std::process::ExitCode;
use std::time::Instant;

use lexopt::prelude::*;
use ochre_differential::{Client, Server};
use ochre_linearizability::{Mix, Shape, Verdict, check, library, record};

const USAGE: &str = "\
Usage: ochre-linearizability (--server COMMAND | --addr ADDRESS) [OPTION]...

Runs rounds of concurrent clients against a server and checks that one thread could have given the replies.
COMMAND is a server's command line; the port and quiet options are added to it. ADDRESS is IP:PORT of a server that
may be emptied.

  --rounds N      rounds of each mix (default: 2000)
  --seed N        (default: 1)
  --clients N     concurrent clients (default: 8)
  --operations N  of each client in a round (default: 8)
  --keys N        in a round (default: 3)
  --mix NAME      single, multi, transactions, queues or all (default: all)
Exit status: 0 all linearizable, 1 a violation, 2 something else went wrong.";

/// Rounds that are recorded before they are checked: recording is not disturbed by checking.
const CHUNK_ROUNDS: u64 = 250;

const ALL: [Mix; 4] = [Mix::Single, Mix::Multi, Mix::Transactions, Mix::Queues];

struct Options {
    server: Option<String>,
    address: Option<std::net::SocketAddr>,
    rounds: u64,
    mixes: Vec<Mix>,
    shape: Shape,
}

fn main() -> ExitCode {
    match parse_options().map_err(|error| error.to_string()).and_then(|options| go(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("ochre-linearizability: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse_options() -> Result<Options, lexopt::Error> {
    let shape = Shape { clients: 8, operations: 8, keys: 3, mix: Mix::Single, seed: 1 };
    let mixes = ALL.to_vec();
    let mut options = Options { server: None, address: None, rounds: 2000, mixes, shape };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("server") => options.server = Some(parser.value()?.string()?),
            Long("addr") => options.address = Some(parser.value()?.parse()?),
            Long("rounds") => options.rounds = parser.value()?.parse()?,
            Long("seed") => options.shape.seed = parser.value()?.parse()?,
            Long("clients") => options.shape.clients = parser.value()?.parse::<usize>()?.clamp(1, 64),
            Long("operations") => options.shape.operations = parser.value()?.parse()?,
            Long("keys") => options.shape.keys = parser.value()?.parse::<usize>()?.clamp(2, 64),
            Long("mix") => options.mixes = parser.value()?.parse_with(mixes_of)?,
            Long("help") | Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn mixes_of(name: &str) -> Result<Vec<Mix>, &'static str> {
    Ok(match name {
        "single" => vec![Mix::Single],
        "multi" => vec![Mix::Multi],
        "transactions" => vec![Mix::Transactions],
        "queues" => vec![Mix::Queues],
        "all" => ALL.to_vec(),
        _ => return Err("a mix is single, multi, transactions, queues or all"),
    })
}

/// Runs; true when every history was linearizable.
fn go(options: &Options) -> Result<bool, String> {
    let words = |error: std::io::Error| error.to_string();
    let server = match (&options.server, options.address) {
        (Some(command), None) => Server::start(command).map_err(words)?,
        (None, Some(address)) => Server::at(address),
        _ => return Err(format!("one server is needed\n{USAGE}")),
    };
    for mix in &options.mixes {
        let shape = Shape { mix: *mix, ..options.shape };
        let began = Instant::now();
        let mut events = 0;
        for first in (0..options.rounds).step_by(CHUNK_ROUNDS as usize) {
            let count = CHUNK_ROUNDS.min(options.rounds - first);
            Client::connect(server.address())
                .and_then(|mut client| {
                    client.call(&[b"FUNCTION", b"LOAD", b"REPLACE", library().as_bytes()])?;
                    client.call(&[b"FLUSHALL"])
                })
                .map_err(words)?;
            let histories = record(server.address(), shape, first, count).map_err(words)?;
            for (round, history) in (first..).zip(&histories) {
                events += history.len();
                let (verdict, part) = check(history);
                if verdict != Verdict::Linearizable {
                    println!("{verdict:?} in round {round} of mix {mix:?}, seed {}:", shape.seed);
                    print!("{}", part.unwrap_or_default().show());
                    return Ok(false);
                }
            }
        }
        println!(
            "{mix:?}: {} rounds, {events} operations, linearizable, {:.1} s",
            options.rounds,
            began.elapsed().as_secs_f64()
        );
    }
    Ok(true)
}
