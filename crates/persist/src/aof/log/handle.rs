//! The log as the server has it: starting it, asking it for things, ending it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::store::Store;
use super::buffer::HeldBytes;
use super::committer::{Committer, Next, Remover};
use super::file::LogFile;
use super::progress::Progress;
use super::request::{Done, FinishRewrite, Request, RewriteFinished};
use super::service::create_waiting;
use super::settings::LogSettings;
use super::shared::Shared;
use super::sink::LogSink;
use super::status::{LogListener, LogStatus, Refusal};
use crate::disk::{Disk, DiskError};

/// How a log begins.
pub struct LogOptions {
    /// The directives.
    pub settings: LogSettings,
    /// Where the memory of its buffers is counted.
    pub held: HeldBytes,
    /// Who is told.
    pub listener: Arc<dyn LogListener>,
    /// The journal's offset at the beginning.
    pub start: u64,
    /// The replication offset there, which is noted with new files where it is known.
    pub replication_offset: Option<i64>,
    /// Bytes of the live files after the last rewrite, as loading found them.
    pub base_size: u64,
}

impl LogOptions {
    /// A log that begins with nothing.
    pub fn new(settings: LogSettings, listener: Arc<dyn LogListener>) -> LogOptions {
        let held = HeldBytes::default();
        LogOptions { settings, held, listener, start: 0, replication_offset: None, base_size: 0 }
    }
}

/// A log that is being written.
pub struct AppendLog {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl AppendLog {
    /// Goes on with the log of a store, which has been loaded: in its last incremental file, made durable first, or in a new
    /// one. The store's directory must exist.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn resume(mut store: Store, options: LogOptions) -> Result<(AppendLog, LogSink), DiskError> {
        let (path, mut handle) = store.open_last_incremental(options.replication_offset)?;
        let failed = || DiskError::on("Can't open the append-only file", &path);
        handle.sync_data().map_err(failed())?;
        let len = handle.len().map_err(failed())?;
        let file = LogFile::new(Arc::clone(store.disk()), path.clone(), handle, len);
        AppendLog::start(store, options, file, false)
    }

    /// Begins a log that has no base yet (`CONFIG SET appendonly yes`), in a temporary file. It counts for nothing, and
    /// nothing in it is called durable, before [`AppendLog::finish_rewrite`]. A rewrite must begin at the same moment.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn begin(store: Store, options: LogOptions) -> Result<(AppendLog, LogSink), DiskError> {
        store.prepare_directory()?;
        let (path, handle) = create_waiting(&store)?;
        let file = LogFile::new(Arc::clone(store.disk()), path, handle, 0);
        AppendLog::start(store, options, file, true)
    }

    fn start(
        store: Store,
        options: LogOptions,
        file: LogFile,
        is_waiting: bool,
    ) -> Result<(AppendLog, LogSink), DiskError> {
        let directory = store.layout().directory();
        let mut committer = committer(store, options, file, is_waiting, Box::new(remove_elsewhere));
        let shared = Arc::clone(&committer.shared);
        let spawned = thread::Builder::new().name("aof".to_owned()).spawn(move || run(&mut committer));
        let thread = spawned.map_err(DiskError::on("Can't start the thread that writes to", &directory))?;
        let sink = LogSink { shared: Arc::clone(&shared), noted_s: 0 };
        Ok((AppendLog { shared, thread: Mutex::new(Some(thread)) }, sink))
    }

    /// The directives.
    pub fn settings(&self) -> &LogSettings {
        &self.shared.settings
    }

    /// How far the log is on disk.
    pub fn progress(&self) -> &Progress {
        &self.shared.progress
    }

    /// Whether writes may be executed. Costs two loads.
    ///
    /// # Errors
    /// Why not, for the client.
    #[inline]
    pub fn admission(&self) -> Result<(), Refusal> {
        self.shared.admission()
    }

    /// The figures.
    pub fn status(&self) -> LogStatus {
        self.shared.status()
    }

    /// Has the log look at its directives.
    pub fn wake(&self) {
        self.shared.wake();
    }

    /// Has everything that is appended from now on go to a new incremental file: the beginning of a rewrite, asked for at the
    /// moment of its snapshot while nothing can be appended. `done` is told on the log's thread; if it fails, the log goes
    /// on as before and the rewrite is to be given up. The journal must begin the new file with a SELECT.
    pub fn rotate(
        &self,
        replication_offset: Option<i64>,
        done: impl FnOnce(Result<(), DiskError>) + Send + 'static,
    ) {
        self.shared.ask(Request::Rotate { offset: replication_offset, done: Box::new(done) });
    }

    /// Has the log take a new base, which stands for everything before the last rotation.
    pub fn finish_rewrite(
        &self,
        rewrite: FinishRewrite,
        done: impl FnOnce(Result<RewriteFinished, DiskError>) + Send + 'static,
    ) {
        self.shared.ask(Request::Finish { rewrite, done: Box::new(done) });
    }

    /// Makes everything durable and ends the log, noting the replication offset where it is known. Waits for that; a disk
    /// that fails gets one attempt.
    ///
    /// # Errors
    /// Those of the disk: then some of what was appended may be lost.
    pub fn close(&self, replication_offset: Option<i64>) -> Result<(), DiskError> {
        let Some(thread) = self.thread.lock().take() else { return Err(ended()) };
        let (sender, receiver) = channel();
        let done: Done<()> = Box::new(move |result| drop(sender.send(result)));
        self.shared.ask(Request::Close { offset: replication_offset, done });
        self.shared.is_closing.store(true, Relaxed);
        self.shared.wake();
        let result = receiver.recv();
        let _ = thread.join();
        result.unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> DiskError {
    DiskError::on("Can't close", Path::new("the log"))(io::Error::other("it has ended"))
}

/// A log without a thread.
pub(super) fn committer(
    store: Store,
    options: LogOptions,
    file: LogFile,
    is_waiting: bool,
    remover: Remover,
) -> Committer {
    let LogOptions { settings, held, listener, start, base_size, .. } = options;
    let shared = Arc::new(Shared::new(settings, held));
    shared.progress.publish_written(start);
    let _ = shared.progress.publish_durable(if is_waiting { 0 } else { start });
    let mut committer = Committer::new(shared, store, file, listener, remover);
    (committer.is_waiting, committer.written) = (is_waiting, start);
    committer.begin(base_size);
    committer
}

fn run(committer: &mut Committer) {
    let _ = committer.shared.thread.set(thread::current());
    let started = Instant::now();
    loop {
        let now_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match committer.step(now_ms) {
            Next::After(0) => {}
            Next::After(ms) if committer.shared.is_closing.load(Relaxed) || ms > 100 => {
                thread::park_timeout(Duration::from_millis(ms));
            }
            Next::After(ms) => thread::sleep(Duration::from_millis(ms)),
            Next::AtMost(ms) => thread::park_timeout(Duration::from_millis(ms)),
            Next::Idle => thread::park(),
            Next::Closed => return,
        }
    }
}

/// Large files take long to remove, and the log must not wait for that.
fn remove_elsewhere(disk: Arc<dyn Disk>, paths: Vec<PathBuf>) {
    if paths.is_empty() {
        return;
    }
    let remove = move || paths.iter().for_each(|path| drop(disk.remove(path)));
    // Without a thread they stay; nothing names them any more.
    let _ = thread::Builder::new().name("aof-removal".to_owned()).spawn(remove);
}
