//! Rounds: start, write, kill, start again, compare.
//!
//! What a round leaves is where the next one begins, for some rounds, then a new folder is taken. Everything is drawn from the seed and
//! the number of the round, but for the timing, which is the machine's.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_differential::Random;

use crate::disturber::{Disturbance, disturb};
use crate::operation::{Draw, FLEETING_MS};
use crate::process::Launch;
use crate::recorder::record;
use crate::state;
use crate::verify::{Before, Promise, Round, verify};

/// Rounds on one folder.
const ROUNDS_PER_FOLDER: u64 = 20;
/// Most lives are short: then the death meets starts, rewrites and the first writes after them.
const SHORT_LIFE_MS: usize = 250;
/// Long enough for what is promised about time.
const LONG_LIFE_MS: usize = 3500;
/// A death while the files are loaded comes within so much time of the start.
const STILLBIRTH_MS: usize = 40;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The server's command line.
    pub command: Vec<String>,
    /// Its directives, besides those for the folder and the port.
    pub directives: Vec<(String, String)>,
    /// What it promises.
    pub promise: Promise,
    /// Whether BGREWRITEAOF makes sense, and SAVE.
    pub has_log: bool,
    /// Clients that write.
    pub clients: usize,
    /// How often it is killed.
    pub rounds: u64,
    /// Decides everything but the timing.
    pub seed: u64,
}

impl Campaign {
    /// The server on a folder.
    pub(crate) fn launch(&self, folder: &Path) -> Launch {
        let (command, directives) = (self.command.clone(), self.directives.clone());
        Launch { command, directives, folder: folder.to_owned() }
    }

    /// What the clients do from round `first` on.
    pub(crate) fn draws(&self, first: u64) -> Vec<Draw> {
        let of = |client: usize| Random::for_part(self.seed, first ^ (client as u64) << 32);
        (0..self.clients).map(|client| Draw::new(of(client), client)).collect()
    }

    /// What there is on an empty folder.
    pub(crate) fn nothing(&self) -> Before {
        Before { clients: vec![state::Keys::new(); self.clients], ..Before::default() }
    }
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Rounds that were right.
    pub rounds: u64,
    /// Operations that were acknowledged.
    pub operations: u64,
    /// Keys that were there after deaths.
    pub keys: u64,
    /// Successful SAVEs.
    pub saves: u64,
}

/// Folders in which everything is, gone with the value unless something went wrong.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(seed: u64, number: u64) -> io::Result<Scratch> {
        let name = format!("ochre-durability.{}.{seed}.{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("data"))?;
        Ok(Scratch(folder))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Leaves it for whoever is to look at it.
    pub(crate) fn keep(self) -> PathBuf {
        let path = self.0.clone();
        std::mem::forget(self);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is temporary all the same.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs all rounds.
///
/// # Errors
/// What is wrong, with the seed and the folder.
pub fn run(campaign: &Campaign) -> Result<Report, String> {
    let mut report = Report::default();
    for first in (0..campaign.rounds).step_by(ROUNDS_PER_FOLDER as usize) {
        let scratch = Scratch::new(campaign.seed, first).map_err(|error| error.to_string())?;
        let last = campaign.rounds.min(first + ROUNDS_PER_FOLDER);
        if let Err((round, error)) = rounds(campaign, first..last, &scratch.data(), &mut report) {
            let folder = scratch.keep();
            return Err(format!(
                "round {round} of seed {}: {error}\n(in {})",
                campaign.seed,
                folder.display()
            ));
        }
    }
    Ok(report)
}

type Failed = (u64, String);

fn rounds(
    campaign: &Campaign,
    numbers: std::ops::Range<u64>,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Failed> {
    let launch = campaign.launch(folder);
    let (mut draws, mut before) = (campaign.draws(numbers.start), campaign.nothing());
    for number in numbers {
        let mut random = Random::for_part(!campaign.seed, number);
        let round =
            live(campaign, &launch, &mut draws, &mut random).map_err(|error| (number, error.to_string()))?;
        let found = revive(&launch, &mut random).map_err(|error| (number, error.to_string()))?;
        report.rounds += 1;
        report.keys += found.len() as u64;
        report.saves += u64::from(round.saved.is_some());
        report.operations += round.acknowledged();
        before = verify(&before, &round, campaign.promise, found).map_err(|error| (number, error))?;
    }
    Ok(())
}

/// One life.
fn live(campaign: &Campaign, launch: &Launch, draws: &mut [Draw], random: &mut Random) -> io::Result<Round> {
    let instance = launch.serve()?;
    let (address, stop) = (instance.address(), AtomicBool::new(false));
    let life_ms = if random.one_in(5) { random.below(LONG_LIFE_MS) } else { random.below(SHORT_LIFE_MS) };
    let what = match campaign.has_log {
        true => Disturbance { rewrites: 6, saves: 1 },
        false => Disturbance { rewrites: 0, saves: 4 },
    };
    let own = Random::new(random.bits());
    std::thread::scope(|scope| {
        let stop = &stop;
        let writers: Vec<_> =
            draws.iter_mut().map(|draw| scope.spawn(move || record(address, draw, stop))).collect();
        let disturber = scope.spawn(move || disturb(address, own, what, stop));
        std::thread::sleep(Duration::from_millis(life_ms as u64));
        let killed = Instant::now();
        instance.kill();
        stop.store(true, Relaxed);
        let panicked = |_| io::Error::other("a client's thread panicked");
        let histories =
            writers.into_iter().map(|writer| writer.join().map_err(panicked)).collect::<Result<_, _>>()?;
        Ok(Round { histories, killed, saved: disturber.join().map_err(panicked)? })
    })
}

/// Starts the server again, sometimes killing it once more while it does so, and reads everything.
fn revive(launch: &Launch, random: &mut Random) -> io::Result<state::Keys> {
    let died = Instant::now();
    while random.one_in(3) {
        let instance = launch.start()?;
        std::thread::sleep(Duration::from_millis(random.below(STILLBIRTH_MS) as u64));
        instance.kill();
    }
    let instance = launch.serve()?;
    let left = Duration::from_millis(2 * FLEETING_MS).saturating_sub(died.elapsed());
    std::thread::sleep(left);
    let found = state::read(&mut instance.connect()?)?;
    instance.kill();
    Ok(found)
}
