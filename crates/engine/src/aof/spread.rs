//! Running the commands of a log on several threads while it is read by another.
//!
//! The reader finds out what each command is. One that changes a single key goes to the *lane* of the key's stripe: a thread
//! that runs what it gets in the order of the log. So the commands of a key keep their order, and nobody sees the order
//! of different keys while data are loaded. Anything else (several keys, all of them, none, a script) waits until all
//! lanes are idle and is run by the reader. A transaction is given out only when it is whole, so its commands are as good as
//! any others here.
//!
//! What a lane has not been given yet, the reader runs itself if the lane has nothing to do: a log in which the lanes must be
//! idle for every other command costs no handing over.
//!
//! What is not run yet is bounded: a lane has a few batches of 64 KiB and some.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use ochre_persist::aof::Command;

use crate::engine::Engine;
use crate::execute::{Batch, Replayer};

/// Batches that may wait for a lane's thread.
const BATCHES_AHEAD: usize = 4;

/// What a lane's thread is to do.
enum Work {
    Run(Batch),
    /// To tell once everything before is done.
    Tell(SyncSender<()>),
}

/// A thread, and what it is to be given next.
struct Lane {
    sender: SyncSender<Work>,
    thread: JoinHandle<()>,
    next: Batch,
    /// Whether it may have something to do.
    is_busy: bool,
}

/// Where the commands of a log are run.
pub(super) struct Spread {
    /// The reader's own.
    replayer: Replayer,
    /// None if there is no thread: then the reader does everything.
    lanes: Vec<Lane>,
}

impl Spread {
    /// As many lanes as there are workers.
    pub(super) fn new(engine: &Arc<Engine>) -> Spread {
        let lanes = (0..engine.workers.len()).map_while(|_| Lane::start(engine));
        Spread { replayer: Replayer::new(Arc::clone(engine)), lanes: lanes.collect() }
    }

    /// Another file begins: in database 0.
    pub(super) fn begin_file(&mut self) {
        self.replayer.begin_file();
    }

    /// Has a command run behind all before it that have to do with it.
    ///
    /// # Errors
    /// Why it does not belong into a log.
    pub(super) fn run(&mut self, command: &Command<'_>) -> Result<(), String> {
        let lanes = &mut self.lanes;
        let count = lanes.len();
        if count > 0 {
            let mut chosen = 0;
            let is_placed = self.replayer.place(command, |stripe| {
                chosen = stripe % count;
                &mut lanes[chosen].next
            })?;
            if is_placed {
                lanes[chosen].send_if_full();
                return Ok(());
            }
        }
        // Which database is selected goes along with every command.
        if !command.name().eq_ignore_ascii_case(b"select") {
            self.settle();
        }
        self.replayer.run(command)
    }

    /// Waits until everything has been run.
    pub(super) fn settle(&mut self) {
        let (teller, told) = sync_channel(self.lanes.len());
        let mut awaited = 0;
        for lane in self.lanes.iter_mut().filter(|lane| lane.is_busy) {
            lane.send_next();
            // A lane whose thread is gone has panicked, and the process ends.
            awaited += usize::from(lane.sender.send(Work::Tell(teller.clone())).is_ok());
            lane.is_busy = false;
        }
        for lane in &mut self.lanes {
            self.replayer.run_batch(&lane.next);
            lane.next.clear();
        }
        for _ in 0..awaited {
            let _ = told.recv();
        }
    }

    /// Ends the threads, once everything has been run.
    pub(super) fn end(mut self) {
        self.settle();
        for Lane { sender, thread, .. } in self.lanes {
            drop(sender);
            let _ = thread.join();
        }
    }
}

impl Lane {
    fn start(engine: &Arc<Engine>) -> Option<Lane> {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        let replayer = Replayer::new(Arc::clone(engine));
        let thread =
            Builder::new().name("loading-log".to_owned()).spawn(move || run_all(replayer, &receiver));
        Some(Lane { sender, thread: thread.ok()?, next: Batch::default(), is_busy: false })
    }

    fn send_if_full(&mut self) {
        if self.next.is_full() {
            self.send_next();
        }
    }

    fn send_next(&mut self) {
        if !self.next.is_empty() {
            let _ = self.sender.send(Work::Run(std::mem::take(&mut self.next)));
            self.is_busy = true;
        }
    }
}

fn run_all(mut replayer: Replayer, receiver: &Receiver<Work>) {
    for work in receiver {
        match work {
            Work::Run(batch) => replayer.run_batch(&batch),
            Work::Tell(teller) => drop(teller.send(())),
        }
    }
}
