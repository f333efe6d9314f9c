//! Full disks and folders that let nothing in, as clients see them.
//!
//! While nothing can be stored the server may refuse to write (MISCONF) or end itself, as Redis does under `always`; what it acknowledges
//! must be kept all the same. Once there is room it must write again by itself, and what was refused must not be there.
//! Disks of our own are file systems in memory, which takes root; without it those faults are left out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_differential::{Client, Reply};

use crate::campaign::{Campaign, Scratch};
use crate::process::{Instance, Launch};
use crate::recorder::{Event, Outcome, record};
use crate::state;
use crate::verify::{Promise, Round, verify};

/// Tries a fault: why it was left out, or nothing; what is wrong as the error.
pub type Fault = fn(&Campaign) -> Result<Option<String>, String>;

/// All of them, with their names.
pub const FAULTS: &[(&str, Fault)] = &[
    ("a disk that is full", full_disk),
    ("a folder that takes no new files", closed_folder),
    ("a folder that is gone", lost_folder),
];

const DISK: &str = "size=128m";
/// What is left is filled at once.
const BALLAST_BYTES: u64 = (128 << 20) - (64 << 10);
/// How long anything may take that is to happen.
const LIMIT: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(300);

/// A file system in memory on a folder.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Result<Disk, String> {
        run("mount", &["-t", "tmpfs", "-o", DISK, "none", &folder.to_string_lossy()])?;
        Ok(Disk(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // If it cannot be taken away, it stays until the machine ends: nothing else can be done.
        let _ = run("umount", &["-l", &self.0.to_string_lossy()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {said}")) }
}

fn words(error: std::io::Error) -> String {
    error.to_string()
}

/// A server, clients that write to it, and what is tried meanwhile.
struct Trial<'t> {
    campaign: &'t Campaign,
    launch: Launch,
}

impl Trial<'_> {
    /// Has clients write while `act` happens and for a moment after; then kills the server, starts it again, and compares. `act`
    /// returns when it asked for a SAVE that succeeded last.
    fn run(&self, act: impl FnOnce(&mut Instance) -> Result<Option<Instant>, String>) -> Result<(), String> {
        let mut instance = self.launch.serve().map_err(words)?;
        let (address, stop) = (instance.address(), AtomicBool::new(false));
        let mut draws = self.campaign.draws(0);
        let round = std::thread::scope(|scope| {
            let stop = &stop;
            let writers: Vec<_> =
                draws.iter_mut().map(|draw| scope.spawn(move || record(address, draw, stop))).collect();
            std::thread::sleep(MOMENT);
            let acted = act(&mut instance);
            std::thread::sleep(MOMENT);
            let killed = Instant::now();
            instance.kill();
            stop.store(true, Relaxed);
            let panicked = |_| "a client's thread panicked".to_owned();
            let histories = writers
                .into_iter()
                .map(|writer| writer.join().map_err(panicked))
                .collect::<Result<Vec<_>, _>>()?;
            acted.map(|saved| Round { histories, killed, saved })
        })?;
        let instance = self.launch.serve().map_err(words)?;
        let found = instance.connect().and_then(|mut client| state::read(&mut client)).map_err(words)?;
        verify(&self.campaign.nothing(), &round, self.campaign.promise, found)?;
        println!("  {}", summary(&round.histories));
        Ok(())
    }
}

fn summary(histories: &[Vec<Event>]) -> String {
    let events = || histories.iter().flatten();
    let done = events().filter(|event| matches!(event.outcome, Outcome::Acknowledged { .. })).count();
    let refused = events().filter(|event| event.outcome == Outcome::Refused).count();
    format!("{done} operations acknowledged, {refused} refused")
}

/// A trial on a folder.
fn trial<'t>(campaign: &'t Campaign, folder: &Path) -> Trial<'t> {
    let mut launch =
        campaign.launch(folder).with("auto-aof-rewrite-percentage", "0").with("rdbcompression", "no");
    if campaign.promise == Promise::LastSave {
        // Failures of snapshots are only told to clients where there are save points.
        launch = launch.with("save", "36000 1");
    }
    Trial { campaign, launch }
}

fn full_disk(campaign: &Campaign) -> Result<Option<String>, String> {
    let scratch = Scratch::new(campaign.seed, 0).map_err(words)?;
    let folder = scratch.data();
    let disk = match Disk::mount(&folder) {
        Ok(disk) => disk,
        Err(error) => return Ok(Some(error)),
    };
    let ballast = folder.join("ballast");
    std::fs::write(&ballast, vec![0; BALLAST_BYTES as usize]).map_err(words)?;
    let outcome = trial(campaign, &folder).run(|instance| {
        let has_log = campaign.has_log;
        wait_for("writes are refused", || match has_log {
            // It may end itself between the two questions.
            true => Ok(instance.has_ended() || is_refused(instance).unwrap_or(false)),
            // Only a snapshot that nobody waits for says so by refusing writes.
            false => ask(instance, &[b"BGSAVE"]).and_then(|_| is_refused(instance)),
        })?;
        std::thread::sleep(MOMENT);
        std::fs::remove_file(&ballast).map_err(words)?;
        if instance.has_ended() {
            println!("  the server has ended itself");
            return Ok(None);
        }
        let mut saved = None;
        wait_for("writes are taken again", || {
            if !has_log {
                let asked = Instant::now();
                saved = (ask(instance, &[b"SAVE"])? == ok()).then_some(asked).or(saved);
            }
            Ok((has_log || saved.is_some()) && !is_refused(instance)?)
        })?;
        Ok(saved)
    });
    drop(disk);
    outcome.map(|()| None)
}

/// A folder in which nothing can be made or renamed, whoever tries.
fn closed_folder(campaign: &Campaign) -> Result<Option<String>, String> {
    let scratch = Scratch::new(campaign.seed, 1).map_err(words)?;
    let folder = scratch.data();
    let mut left_out = None;
    let trial = trial(campaign, &folder);
    let closed = if campaign.has_log { folder.join("appendonlydir") } else { folder.clone() };
    trial.run(|instance| {
        if let Err(error) = run("chattr", &["+i", &closed.to_string_lossy()]) {
            left_out = Some(error);
            return Ok(None);
        }
        let failed = store(campaign, instance).map(|stored| stored.is_none());
        run("chattr", &["-i", &closed.to_string_lossy()])?;
        if !failed? {
            return Err("something was stored in a folder that is closed".to_owned());
        }
        stored_at_last(campaign, instance)
    })?;
    Ok(left_out)
}

/// The folder is removed, and comes back empty.
fn lost_folder(campaign: &Campaign) -> Result<Option<String>, String> {
    if !campaign.has_log {
        return Ok(Some("it is the one that the server works in".to_owned()));
    }
    let scratch = Scratch::new(campaign.seed, 2).map_err(words)?;
    let folder = scratch.data();
    let lost = folder.join("appendonlydir");
    trial(campaign, &folder).run(|instance| {
        std::fs::remove_dir_all(&lost).map_err(words)?;
        // Redis makes it again; who does not has to say so.
        let stored = store(campaign, instance)?;
        std::fs::create_dir_all(&lost).map_err(words)?;
        stored.map_or_else(|| stored_at_last(campaign, instance), |asked| Ok(Some(asked)))
    })?;
    Ok(None)
}

/// Has everything stored anew; when that was asked for, if it succeeded.
fn store(campaign: &Campaign, instance: &Instance) -> Result<Option<Instant>, String> {
    let asked = Instant::now();
    if !campaign.has_log {
        return Ok((ask(instance, &[b"SAVE"])? == ok()).then_some(asked));
    }
    if matches!(ask(instance, &[b"BGREWRITEAOF"])?, Reply::Error(_)) {
        return Ok(None);
    }
    wait_for("a rewrite ends", || {
        let info = info(instance)?;
        Ok(info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0"))
    })?;
    Ok(info(instance)?.contains("aof_last_bgrewrite_status:ok").then_some(asked))
}

fn stored_at_last(campaign: &Campaign, instance: &Instance) -> Result<Option<Instant>, String> {
    let mut stored = None;
    wait_for("everything is stored", || {
        stored = store(campaign, instance)?;
        Ok(stored.is_some())
    })?;
    Ok(stored)
}

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

fn connect(instance: &Instance) -> Result<Client, String> {
    instance.connect().map_err(words)
}

fn ask(instance: &Instance, request: &[&[u8]]) -> Result<Reply, String> {
    connect(instance)?.call(request).map_err(words)
}

/// Whether a write that changes nothing is refused.
fn is_refused(instance: &Instance) -> Result<bool, String> {
    let reply = ask(instance, &[b"DEL", b"nothing"])?;
    Ok(matches!(reply, Reply::Error(text) if text.starts_with(b"MISCONF")))
}

fn info(instance: &Instance) -> Result<String, String> {
    let reply = ask(instance, &[b"INFO", b"persistence"])?;
    Ok(String::from_utf8_lossy(reply.text().unwrap_or_default()).into_owned())
}

fn wait_for(what: &str, mut holds: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let began = Instant::now();
    while !holds()? {
        if began.elapsed() > LIMIT {
            return Err(format!("it never happens that {what}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
