//! One test from its request to its figures: connections, threads, progress, result.
//!
//! A single worker runs on the calling thread and shows the progress itself, in between. A process without other
//! threads spares the kernel the reference counts of file descriptors and the C library its cancellation points,
//! together 2 % of a request at pipeline 1. Several workers have a thread each, and the calling one watches.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::dial::{Dialer, Socket};
use crate::failure::Failure;
use crate::histogram::Histogram;
use crate::options::{Format, Options};
use crate::pacer::{Budget, Pacer, Schedule};
use crate::random::Random;
use crate::report::Outcome;
use crate::template::{Batch, Numbers, Template};
use crate::worker::{Progress, Task, Worker};

const DEFAULT_REQUESTS: u64 = 100_000;
/// Largest pipeline, bytes: each thread holds one.
const BATCH_BYTES_MAX: usize = 1 << 30;
/// How often the line that shows progress is renewed.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// What all tests of a command line share.
pub struct Runner<'run> {
    /// The command line.
    pub options: &'run Options,
    /// How to reach the server.
    pub dialer: &'run Dialer,
    /// Set when the user wants to leave.
    pub stop: &'run AtomicBool,
    /// Seed of the run.
    pub seed: u64,
}

/// A name, a request and the payload size to report.
pub struct Job {
    /// Name of the test.
    pub title: String,
    /// The request.
    pub template: Template,
    /// Bytes of payload that the report names.
    pub payload: usize,
}

impl Runner<'_> {
    /// Opens the connections, sends all requests of `job`, waits for all replies.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub fn run(&self, job: Job) -> Result<Outcome, Failure> {
        if job.template.bytes().len().saturating_mul(self.options.pipeline) > BATCH_BYTES_MAX {
            return Err(Failure::Usage("A pipeline of such requests is larger than 1 GiB".to_owned()));
        }
        let threads = self.threads();
        let shares = self.connect(threads)?;
        let replies_per_unit = job.template.replies().max(1);
        let units = self.requests().div_ceil(replies_per_unit as u64);
        let budget = Budget::new(units);
        let progress: Vec<Progress> = (0..threads).map(|_| Progress::default()).collect();
        let numbers = self.numbers(threads);
        let failed = AtomicBool::new(false);
        let start = Instant::now();
        let mut workers = Vec::with_capacity(threads);
        for (thread, ((sockets, numbers), progress)) in
            shares.into_iter().zip(numbers).zip(&progress).enumerate()
        {
            let task = Task {
                batch: Batch::new(&job.template, self.options.pipeline, numbers),
                replies_per_unit,
                pacer: self.pacer(&budget, start, (thread, threads), units, replies_per_unit),
                keep_alive: self.options.keep_alive,
                dialer: self.dialer,
                progress,
                stop: [self.stop, &failed],
            };
            workers.push(Worker::new(sockets, task)?);
        }
        let line = ProgressLine::new(self.options, &job.title, start);
        let histogram = drive(workers, &progress, line, &failed)?;
        Ok(Outcome { title: job.title, histogram, elapsed: start.elapsed(), payload: job.payload })
    }

    fn threads(&self) -> usize {
        self.options.threads.unwrap_or(1).min(self.options.clients)
    }

    fn requests(&self) -> u64 {
        let unlimited = self.options.duration.is_some();
        self.options.requests.unwrap_or(if unlimited { u64::MAX >> 1 } else { DEFAULT_REQUESTS })
    }

    /// Greeted connections, dealt out to the threads.
    fn connect(&self, threads: usize) -> Result<Vec<Vec<Socket>>, Failure> {
        let mut shares: Vec<Vec<Socket>> = (0..threads).map(|_| Vec::new()).collect();
        for index in 0..self.options.clients {
            shares[index % threads].push(self.dialer.connect()?.into_socket()?);
        }
        Ok(shares)
    }

    /// Each thread's source of numbers: of its own when random, a common one when sequential.
    fn numbers(&self, threads: usize) -> Vec<Numbers> {
        let counters = Numbers::counters();
        let mut seeds = Random::new(self.seed);
        let one = |seed| match self.options.keyspace {
            None => Numbers::None,
            Some(keyspace) if self.options.sequential => Numbers::Sequential(counters.clone(), keyspace),
            Some(keyspace) => Numbers::Random(Random::new(seed), keyspace),
        };
        (0..threads).map(|_| one(seeds.next())).collect()
    }

    /// The pacer of one thread of so many, for a run of `units` units.
    fn pacer<'budget>(
        &self,
        budget: &'budget Budget,
        start: Instant,
        (thread, threads): (usize, usize),
        units: u64,
        replies_per_unit: usize,
    ) -> Pacer<'budget> {
        let schedule = self
            .options
            .rate
            .map(|rate| Schedule::new(start, rate / replies_per_unit as f64, thread, threads, units));
        let deadline = self.options.duration.map(|duration| start + duration);
        Pacer { budget, schedule, deadline, pipeline: self.options.pipeline }
    }
}

/// Runs the workers and shows their progress until the last has ended.
fn drive(
    mut workers: Vec<Worker<'_>>,
    progress: &[Progress],
    mut line: ProgressLine<'_>,
    failed: &AtomicBool,
) -> Result<Histogram, Failure> {
    let histogram = match workers.pop() {
        Some(only) if workers.is_empty() => only.run(|| line.show_when_due(progress)),
        last => {
            workers.extend(last);
            spread(workers, failed, || line.show(progress))
        }
    };
    line.clear();
    histogram
}

/// Runs the workers, each on its thread, calling `tick` now and then; the first failure ends all.
fn spread(workers: Vec<Worker<'_>>, failed: &AtomicBool, tick: impl FnMut()) -> Result<Histogram, Failure> {
    let (sender, results) = channel();
    thread::scope(|scope| {
        let count = workers.len();
        for worker in workers {
            let sender = sender.clone();
            scope.spawn(move || sender.send(worker.run(|| {})));
        }
        let merged = collect(count, &results, tick);
        failed.store(merged.is_err(), Ordering::Relaxed);
        merged
    })
}

/// Waits for `count` results, calling `tick` meanwhile; ends early with the first failure.
fn collect(
    count: usize,
    results: &Receiver<Result<Histogram, Failure>>,
    mut tick: impl FnMut(),
) -> Result<Histogram, Failure> {
    let mut merged = Histogram::default();
    let mut missing = count;
    while missing > 0 {
        match results.recv_timeout(PROGRESS_EVERY) {
            Ok(histogram) => {
                merged.merge(&histogram?);
                missing -= 1;
            }
            Err(RecvTimeoutError::Timeout) => tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(merged)
}

/// The line that is rewritten while a test runs.
struct ProgressLine<'run> {
    shown: bool,
    by_time: bool,
    title: &'run str,
    start: Instant,
    before: (Instant, u64, u64),
    width: usize,
}

impl<'run> ProgressLine<'run> {
    fn new(options: &Options, title: &'run str, start: Instant) -> Self {
        let shown = matches!(options.format, Format::Text | Format::Quiet);
        Self { shown, by_time: options.duration.is_some(), title, start, before: (start, 0, 0), width: 0 }
    }

    /// As [`ProgressLine::show`], unless it was there a moment ago.
    fn show_when_due(&mut self, progress: &[Progress]) {
        if self.shown && self.before.0.elapsed() >= PROGRESS_EVERY {
            self.show(progress);
        }
    }

    fn show(&mut self, progress: &[Progress]) {
        if !self.shown {
            return;
        }
        let sum = |field: fn(&Progress) -> u64| progress.iter().map(field).sum::<u64>();
        let finished = sum(|progress| progress.finished.load(Ordering::Relaxed));
        let sum_us = sum(|progress| progress.sum_us.load(Ordering::Relaxed));
        let now = Instant::now();
        let (before, finished_before, sum_before) =
            std::mem::replace(&mut self.before, (now, finished, sum_us));
        let recent = finished.saturating_sub(finished_before);
        let seconds = now.duration_since(self.start).as_secs_f64();
        let mut text = format!(
            "{}: rps={:.1} (overall: {:.1}) avg_msec={:.3} (overall: {:.3})",
            self.title,
            ratio(recent as f64, now.duration_since(before).as_secs_f64()),
            ratio(finished as f64, seconds),
            ratio(sum_us.saturating_sub(sum_before) as f64 / 1000.0, recent as f64),
            ratio(sum_us as f64 / 1000.0, finished as f64),
        );
        text +=
            &if self.by_time { format!(" {seconds:.1} seconds") } else { format!(" {finished} requests") };
        self.replace_by(&text);
    }

    fn clear(&mut self) {
        if self.width > 0 {
            self.replace_by("");
        }
    }

    /// Progress that cannot be shown is no reason to stop: the result will fail to be written, and say so.
    fn replace_by(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = write!(out, "{:width$}\r{text}\r", "", width = self.width).and_then(|()| out.flush());
        self.width = text.chars().count();
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
