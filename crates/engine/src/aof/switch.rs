//! Beginning and ending the log: at the start, by CONFIG SET appendonly, at the end of the server.

use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use ochre_config::{AppendFsync, Config, Directive, os_reason};
use ochre_keyspace::{Effects, Locks, Patience, View, become_helper};
use ochre_persist::aof::{
    AppendLog, BaseFormat, Behind, FsyncPolicy, Layout, LogOptions, LogSettings, LogSink, Store,
};
use ochre_persist::disk::DiskError;

use super::listener::Listener;
use super::load::last_of;
use super::sink::Sink;
use super::state::Running;
use crate::engine::{Engine, Message, PauseMode, clock_ms};
use crate::persistence::{Base, dir, text};

/// Between two looks at what another thread is about to have done.
pub(super) const LOOK: Duration = Duration::from_millis(1);
/// So often it is looked whether a rewrite that was given up has ended.
const CANCEL_LOOKS: usize = 50;

/// The names of the log's files.
pub(super) fn layout(config: &Config) -> Layout {
    let named = |directive| text(config, directive).into_os_string();
    let (dirname, filename) = (named(Directive::Appenddirname), named(Directive::Appendfilename));
    Layout { dir: dir(config), ..Layout::new(dirname, filename) }
}

/// Brings the settings of a log in line with the configuration.
fn settle(settings: &LogSettings, config: &Config) {
    settings.set_policy(match config.choice::<AppendFsync>(Directive::Appendfsync) {
        AppendFsync::Always => FsyncPolicy::Always,
        AppendFsync::Everysec => FsyncPolicy::EverySecond,
        AppendFsync::No => FsyncPolicy::No,
    });
    settings.set_timestamps(config.bool(Directive::AofTimestampEnabled));
    settings.set_sums(config.bool(Directive::AofChecksum));
    settings.set_buffer_bytes_max(config.uint(Directive::AofBufferLimit));
    settings.set_keeps_history(config.bool(Directive::AofDisableAutoGc));
}

type Started = (AppendLog, LogSink);

/// Starts a log from a thread that helps: the log's own thread takes after the one that starts it.
fn start_log(
    store: Store,
    options: LogOptions,
    start: impl FnOnce(Store, LogOptions) -> Result<Started, DiskError> + Send,
) -> Result<Started, String> {
    let start = move || {
        become_helper();
        start(store, options).map_err(|error| error.to_string())
    };
    std::thread::scope(|scope| match Builder::new().name("aof-start".to_owned()).spawn_scoped(scope, start) {
        Ok(thread) => thread.join().unwrap_or_else(|_| Err("the log's thread has ended".to_owned())),
        Err(error) => Err(os_reason(&error)),
    })
}

/// Why the log was not begun or ended.
#[derive(Debug)]
pub(crate) enum SwitchError {
    /// A busy script holds everything.
    Busy,
    /// Something else, in words.
    Failed(String),
}

impl From<String> for SwitchError {
    fn from(why: String) -> SwitchError {
        SwitchError::Failed(why)
    }
}

impl std::fmt::Display for SwitchError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SwitchError::Busy => formatter.write_str("a script is busy"),
            SwitchError::Failed(why) => formatter.write_str(why),
        }
    }
}

impl Engine {
    /// Begins the log at the start of the server, once everything is loaded and while no client can change anything. Its
    /// folder was locked before it was loaded.
    /// `base_bytes` are those of the base that was loaded. Where there are no files yet, they begin with what is there.
    ///
    /// # Errors
    /// Why there is no log; it has been logged.
    pub fn begin_log_at_start(&self, base_bytes: u64) -> Result<(), String> {
        let layout = layout(&self.config.read());
        let mut store =
            Store::open(self.persistence.disk(), layout).map_err(|error| last_of(error.reports()))?;
        store.prepare_directory().map_err(|error| error.to_string())?;
        store.remove_temporary_files();
        if store.manifest().is_empty() {
            self.write_first_base(&mut store)?;
        }
        let (log, sink) = start_log(store, self.log_options(base_bytes), AppendLog::resume)?;
        let mut effects = Effects::default();
        let view = self.keyspace.view(Locks::All, clock_ms(), &mut effects);
        self.attach_log(log, sink, false);
        drop(view);
        Ok(())
    }

    fn write_first_base(&self, store: &mut Store) -> Result<(), String> {
        let name = store.layout().temporary_base_name(std::process::id());
        let format = self.base_format();
        let base = Base::of(self, store.layout().path(&name), format);
        let snapshot = {
            let mut effects = Effects::default();
            self.keyspace.view(Locks::All, clock_ms(), &mut effects).begin_snapshot()
        };
        let snapshot = snapshot.ok_or("there are as many snapshots as there may be")?;
        base.write(self, snapshot, &self.aof.watch).map_err(|error| error.to_string())?;
        let number = store.manifest().next_base_seq();
        store.adopt_base(&name, format, Behind::Nothing).map_err(|error| error.to_string())?;
        let name = store.layout().base_name(number, format);
        log::warn!("Creating AOF base file {} on server start", name.display());
        Ok(())
    }

    /// What a base is to be written in.
    pub(super) fn base_format(&self) -> BaseFormat {
        match self.config.read().bool(Directive::AofUseRdbPreamble) {
            true => BaseFormat::Rdb,
            false => BaseFormat::Aof,
        }
    }

    fn log_options(&self, base_size: u64) -> LogOptions {
        let settings = LogSettings::default();
        settle(&settings, &self.config.read());
        let listener = Arc::new(Listener(self.persistence.weak_engine()));
        let start = self.keyspace.journal.offset();
        LogOptions { held: self.aof.held.clone(), start, base_size, ..LogOptions::new(settings, listener) }
    }

    /// Has the log read the journal from here on. All stripes are locked.
    fn attach_log(&self, log: AppendLog, sink: LogSink, is_waiting: bool) {
        let log = Arc::new(log);
        let engine = self.persistence.weak_engine();
        let sink = Sink { engine, log: Arc::clone(&log), sink };
        let (reader, _) = self.keyspace.journal.attach(Box::new(sink));
        self.aof.set_waiting_for_base(is_waiting);
        self.aof.set_running(Some(Running { log, reader }));
    }

    /// Begins or ends the log, as CONFIG SET wants it. No stripe may be locked.
    ///
    /// # Errors
    /// Why that was impossible.
    pub(crate) fn switch_log(&self, on: bool) -> Result<(), SwitchError> {
        let _switching = self.aof.switching.lock();
        match (on, self.aof.is_on()) {
            (true, false) => self.begin_log(),
            (false, true) => self.end_log(),
            _ => Ok(()),
        }
    }

    /// Begins a log for what is there already: with a rewrite, until whose end the log counts for nothing.
    fn begin_log(&self) -> Result<(), SwitchError> {
        let layout = layout(&self.config.read());
        let disk = self.persistence.disk();
        let lock = self.aof.folder.share(&*disk, &layout).map_err(|error| error.to_string())?;
        let store = Store::open(disk, layout).map_err(|error| last_of(error.reports()))?;
        let (log, sink) = start_log(store, self.log_options(0), AppendLog::begin)?;
        self.aof.folder.hold(Some(lock));
        let mut effects = Effects::default();
        let Some(mut view) = self.view_unless_busy(&mut effects) else {
            // Nothing is in it, and nothing names it.
            let _ = log.close(None);
            self.aof.folder.hold(None);
            return Err(SwitchError::Busy);
        };
        self.attach_log(log, sink, true);
        // Where that is impossible now, it is tried again at every tick.
        if let Err(why) = self.begin_rewrite(&mut view, true) {
            log::warn!("The AOF was enabled; its rewrite has to wait: {why}");
            self.aof.rewrites.lock().is_scheduled = true;
        }
        Ok(())
    }

    /// Everything, unless a script holds that for nobody knows how long: whoever switches the log may be the one whom others
    /// need to have that script ended.
    fn view_unless_busy<'k>(&'k self, effects: &'k mut Effects) -> Option<View<'k>> {
        self.keyspace.try_view(Locks::All, clock_ms(), effects, Patience::UntilBusy)
    }

    fn end_log(&self) -> Result<(), SwitchError> {
        {
            let mut effects = Effects::default();
            let _view = self.view_unless_busy(&mut effects).ok_or(SwitchError::Busy)?;
            self.cancel_rewrite();
            if let Some(running) = self.aof.running() {
                drop(self.keyspace.journal.detach(running.reader));
            }
        }
        let Some(running) = self.aof.set_running(None) else { return Ok(()) };
        self.aof.rewrites.lock().is_scheduled = false;
        if let Err(error) = running.log.close(None) {
            log::error!("The AOF could not be made durable when it was switched off: {error}");
        }
        self.aof.folder.hold(None);
        self.settle_restrictions();
        self.post_all(&Message::Durable);
        // Who switches it off may ask for a rewrite right after; but a long walk over the keyspace is not waited for.
        for _ in 0..CANCEL_LOOKS {
            if !self.aof.is_rewriting() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Ends the log with the server: nothing is changed from here on, and all that was is durable.
    pub fn end_log_with_server(&self) {
        let _switching = self.aof.switching.lock();
        if !self.aof.is_on() {
            return;
        }
        self.cancel_rewrite();
        self.pause.start(PauseMode::Write, i64::MAX, clock_ms());
        // Who passed the gate before holds a stripe. What a busy script has changed goes with the script, which may never end.
        let mut effects = Effects::default();
        drop(self.keyspace.try_view(Locks::All, clock_ms(), &mut effects, Patience::UntilBusy));
        log::warn!("Calling fsync() on the AOF file.");
        // It has been told, and there is no more that can be done.
        let _ = self.aof.close();
        self.post_all(&Message::Durable);
    }

    /// Brings the log in line with a changed configuration.
    pub(crate) fn refresh_log(&self) {
        let Some(log) = self.aof.log() else { return };
        settle(log.settings(), &self.config.read());
        self.settle_log();
        // There may be more room, or less.
        self.settle_restrictions();
        self.post_all(&Message::Resume);
    }

    /// Settles whether the log is made durable now, and whether replies wait for that.
    pub(crate) fn settle_log(&self) {
        let Some(log) = self.aof.log() else { return };
        let is_busy = self.aof.is_rewriting() || self.persistence.is_saving();
        let is_suspended = is_busy && self.config.read().bool(Directive::NoAppendfsyncOnRewrite);
        log.settings().suspend_syncs(is_suspended);
        log.wake();
        self.aof.set_suspended(is_suspended);
        self.aof.settle_policy();
        self.post_all(&Message::Durable);
    }

    /// Waits until the log is on the disk up to here, as far as the disk takes it: for whoever is about to read it.
    pub(super) fn write_log_out(&self) {
        let Some(log) = self.aof.log() else { return };
        let offset = self.keyspace.journal.offset();
        while log.progress().written() < offset && self.aof.refusal().is_none() {
            std::thread::sleep(LOOK);
        }
    }
}
