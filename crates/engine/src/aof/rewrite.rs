//! Rewriting the log: a new base, and the files that it stands for go.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use ochre_config::Directive;
use ochre_keyspace::{Effects, Locks, Patience, Snapshot, View};
use ochre_persist::aof::{
    AppendLog, BaseFormat, Behind, FinishRewrite, FolderLock, FsyncPolicy, Growth, Layout, RewriteDecision,
    Store,
};
use ochre_persist::disk::DiskError;

use super::switch::{LOOK, SwitchError, layout};
use crate::engine::{Engine, clock_ms};
use crate::error::Error;
use crate::persistence::Base;
use crate::thread::spawn_waiting;

/// What became of BGREWRITEAOF.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RewriteAsked {
    /// It has begun.
    Started,
    /// It will begin as soon as it can.
    Scheduled,
}

const IN_PROGRESS: Error = Error::new("ERR Background append only file rewriting already in progress");

/// A rewrite on its way.
struct Rewrite {
    engine: Arc<Engine>,
    /// `None` where there is no log: then there will be its files all the same.
    log: Option<Arc<AppendLog>>,
    /// Tells whether the log goes on in another file, where it has to.
    rotated: Option<Receiver<Result<(), DiskError>>>,
    format: BaseFormat,
    layout: Layout,
    base: Base,
}

impl Engine {
    /// BGREWRITEAOF, or a promise of it: in a transaction, as in Redis, a rewrite is only scheduled.
    pub(crate) fn ask_for_rewrite(
        &self,
        view: &mut View<'_>,
        in_transaction: bool,
    ) -> Result<RewriteAsked, Error> {
        if self.aof.is_rewriting() {
            return Err(IN_PROGRESS);
        }
        self.aof.rewrites.lock().history.clear();
        let begun = match in_transaction {
            true => Err("it was asked for in a transaction"),
            false => self.begin_rewrite(view, false),
        };
        match begun {
            Ok(()) => Ok(RewriteAsked::Started),
            Err(why) => {
                log::warn!("The rewrite of the AOF has to wait: {why}");
                self.aof.rewrites.lock().is_scheduled = true;
                Ok(RewriteAsked::Scheduled)
            }
        }
    }

    /// Begins a rewrite at this instant of a view that holds all stripes; `is_first` if the log begins at the same instant.
    ///
    /// # Errors
    /// Why not now.
    pub(super) fn begin_rewrite(&self, view: &mut View<'_>, is_first: bool) -> Result<(), &'static str> {
        let engine = self.persistence.engine().ok_or("the server is not there yet")?;
        if self.persistence.is_saving() {
            return Err("a snapshot is being written");
        }
        let mut rewrites = self.aof.rewrites.lock();
        if rewrites.since_ms.is_some() {
            return Err("another one is under way");
        }
        let log = self.aof.log();
        let (told, rotated) = channel();
        let is_rotated = log.is_some() && !is_first;
        let (format, layout) = (self.base_format(), layout(&self.config.read()));
        let path = layout.path(layout.temporary_base_name(std::process::id()));
        let rewrite = Rewrite {
            engine,
            log: log.clone(),
            rotated: is_rotated.then_some(rotated),
            format,
            layout,
            // What else belongs to this instant is noted here.
            base: Base::of(self, path, format),
        };
        // First the thread, then the snapshot: one that nobody walks would never end.
        let thread = spawn_waiting("aof-rewrite", move |snapshot| rewrite.run(snapshot));
        let thread = thread.map_err(|_| "there is no thread for it")?;
        let snapshot = view.begin_snapshot().ok_or("there are as many snapshots as there may be")?;
        if let Some(log) = log.filter(|_| is_rotated) {
            self.keyspace.journal.reselect();
            log.rotate(None, move |result| drop(told.send(result)));
        }
        self.aof.watch.begin();
        (rewrites.since_ms, rewrites.is_scheduled) = (Some(clock_ms()), false);
        drop(rewrites);
        log::warn!("Background append only file rewriting started");
        // It waits for nothing else.
        let _ = thread.send(snapshot);
        Ok(())
    }

    /// Begins what is due: a rewrite that has to wait no longer, one that the log's growth asks for, a log that was switched on
    /// within a transaction. To be called now and then, with no stripe locked.
    pub fn tend_log(&self) {
        if self.loading.load(std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        // Who switches it by CONFIG SET has done so before the configuration says it.
        if let Some(_configuring) = self.aof.configuring.try_lock() {
            let wanted = self.config.read().bool(Directive::Appendonly);
            if wanted != self.aof.is_on()
                && !self.is_held_up()
                && let Err(why) = self.switch_log(wanted)
            {
                self.could_not_switch(&why);
            }
        }
        if self.is_rewrite_due() {
            let mut effects = Effects::default();
            let view = self.keyspace.try_view(Locks::All, clock_ms(), &mut effects, Patience::UntilHeld);
            // Otherwise it is still due at the next tick.
            let _ = view.map(|mut view| self.begin_rewrite(&mut view, false));
        }
    }

    fn could_not_switch(&self, why: &SwitchError) {
        if let SwitchError::Busy = why {
            // It is tried again at the next tick.
            return;
        }
        log::error!("Unable to turn on AOF: {why}");
        // Otherwise it would be tried, and fail, at every tick.
        let _ = self.config.write().assign(Directive::Appendonly, &[b"no"]);
    }

    fn is_rewrite_due(&self) -> bool {
        let (percentage, size_min) = {
            let config = self.config.read();
            let percentage = config.uint(Directive::AutoAofRewritePercentage);
            (percentage as u32, config.uint(Directive::AutoAofRewriteMinSize))
        };
        let status = self.aof.status();
        let mut rewrites = self.aof.rewrites.lock();
        if rewrites.since_ms.is_some() || self.persistence.is_saving() {
            return false;
        }
        if rewrites.is_scheduled {
            return true;
        }
        let Some(status) = status else { return false };
        let now_s = (clock_ms() / 1000) as u64;
        let decision = if status.is_waiting || status.needs_rewrite {
            rewrites.history.decide_first(now_s)
        } else {
            let growth = Growth { percentage, size_min, size: status.size, base_size: status.base_size };
            rewrites.history.decide(&growth, now_s)
        };
        if let Some(line) = decision.log_line() {
            log::warn!("{line}");
        }
        matches!(decision, RewriteDecision::Start { .. })
    }

    /// Has the present rewrite given up, if there is one.
    pub(super) fn cancel_rewrite(&self) {
        if self.aof.is_rewriting() {
            // Scripts look for Redis's words.
            log::warn!("Killing the AOF rewrite (it is no child process here)");
            self.aof.watch.cancel();
        }
    }

    /// Notes how a rewrite ended.
    fn end_rewrite(&self, result: Result<(), String>) {
        let is_cancelled = self.aof.watch.is_cancelled();
        let now_ms = clock_ms();
        {
            let mut rewrites = self.aof.rewrites.lock();
            rewrites.last_took_s = (now_ms - rewrites.since_ms.take().unwrap_or(now_ms)) / 1000;
            rewrites.count += 1;
            match &result {
                Ok(()) => {
                    rewrites.has_failed = false;
                    rewrites.history.clear();
                }
                Err(_) if is_cancelled => {}
                Err(_) => {
                    rewrites.has_failed = true;
                    rewrites.history.failed();
                }
            }
        }
        match result {
            Ok(()) => log::warn!("Background AOF rewrite finished successfully"),
            Err(_) if is_cancelled => {}
            Err(why) => log::error!("Background AOF rewrite terminated with error: {why}"),
        }
        self.settle_log();
    }
}

impl Rewrite {
    /// Writes the base and has the log take it.
    fn run(self, snapshot: Snapshot) {
        self.engine.settle_log();
        let result = self.write(snapshot);
        self.engine.end_rewrite(result);
    }

    fn write(&self, snapshot: Snapshot) -> Result<(), String> {
        let (engine, layout) = (&self.engine, self.layout.clone());
        let name = layout.temporary_base_name(std::process::id());
        let path = layout.path(&name);
        let store = match &self.log {
            Some(_) => Ok(None),
            None => prepare(engine, layout).map(Some),
        };
        // Walked in any case: what it keeps is freed by that.
        let written = self.base.write(engine, snapshot, &engine.aof.watch);
        let finished = store.and_then(|store| {
            written.map_err(|error| error.to_string())?;
            match store {
                Some((mut store, _lock)) => {
                    store
                        .adopt_base(&name, self.format, Behind::Nothing)
                        .map_err(|error| error.to_string())?;
                    forget_history(engine, &mut store);
                    Ok(())
                }
                None => self.hand_over(name),
            }
        });
        if finished.is_err() {
            // It may have gone already.
            let _ = engine.persistence.disk().remove(&path);
        }
        finished
    }

    /// Has the log take the base.
    fn hand_over(&self, temporary: OsString) -> Result<(), String> {
        if let Some(rotated) = &self.rotated {
            let answer = rotated.recv().map_err(|_| "the log has ended")?;
            answer.map_err(|error| error.to_string())?;
        }
        if self.engine.aof.watch.is_cancelled() {
            return Err("cancelled".to_owned());
        }
        let Some(log) = &self.log else { return Ok(()) };
        let (told, finished) = channel();
        let rewrite = FinishRewrite { temporary, format: self.format, offset: None };
        log.finish_rewrite(rewrite, move |result| drop(told.send(result)));
        let answer = finished.recv().map_err(|_| "the log has ended")?;
        answer.map_err(|error| error.to_string())?;
        self.engine.aof.set_waiting_for_base(false);
        self.wait_for_what_was_acknowledged(log);
        Ok(())
    }

    /// Waits until what clients were told of before the log counted is durable, where it has to be: the rewrite's end says that
    /// from here on it is.
    fn wait_for_what_was_acknowledged(&self, log: &AppendLog) {
        let (aof, offset) = (&self.engine.aof, self.engine.keyspace.journal.offset());
        let has_to_wait = || {
            log.settings().policy() == FsyncPolicy::Always
                && log.progress().durable() < offset
                && aof.refusal().is_none()
                && !aof.watch.is_cancelled()
        };
        while has_to_wait() {
            std::thread::sleep(LOOK);
        }
    }
}

/// The files of a log that nobody writes, and nobody else may begin to write.
fn prepare(engine: &Engine, layout: Layout) -> Result<(Store, Arc<FolderLock>), String> {
    let disk = engine.persistence.disk();
    let lock = engine.aof.folder.share(&*disk, &layout).map_err(|error| error.to_string())?;
    let store = Store::open(disk, layout).map_err(|error| error.to_string())?;
    Ok((store, lock))
}

/// Removes the files that nobody needs any more, unless they are to be kept. That they stay does no harm.
fn forget_history(engine: &Engine, store: &mut Store) {
    if engine.config.read().bool(Directive::AofDisableAutoGc) {
        return;
    }
    match store.forget_history() {
        Ok(paths) => paths.iter().for_each(|path| drop(store.disk().remove(path))),
        Err(error) => log::error!("{error}"),
    }
}
