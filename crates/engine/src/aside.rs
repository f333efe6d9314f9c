//! What is computed aside: on a thread of its own, from values that are pinned, while everybody else goes on.
//!
//! A union of sets with a million members takes a tenth of a second, and its stripes may not be locked for so long, nor its worker
//! be busy. Where a reply can be made in parts, a [`Sequel`](crate::Sequel) does; this is for what has to be known as a whole
//! before the first byte is replied, or to be stored at one instant.
//!
//! 1. The handler, called for the first time, finds its operands large. It pins them, hands over what is to be computed, and replies
//!    nothing. The request counts as not run, as one that CLIENT PAUSE keeps waiting: it stays where it is in the client's input, and
//!    what comes behind it waits.
//! 2. The [`Helper`] computes. Then it has the client's worker look at those who wait.
//! 3. The request runs again from the start: checks, locks, handler. The handler finds what was computed and goes on from there. Only
//!    this run is counted, journalled and shown to monitors.
//!
//! What is only replied shows the instant of step 1: between the request and its reply, as it should. What is stored must be
//! made of what the operands are when it is stored. So they are watched meanwhile, as by WATCH; if one of them has changed, it is
//! computed once more, and after [`ATTEMPTS_MAX`] attempts in one go, with the stripes locked, so that it ends whatever others do.
//!
//! In transactions and scripts, which are of one instant, and where there is no server around the engine, everything is computed where
//! it is asked for.
//!
//! There is one helper, and it takes things in their order: in a server with one thread they would wait for each other, too. There
//! is at most one thing for each client.
//!
//! Rejected: computing bit by bit on the worker, as sequels do. Every algorithm over several values would need a form that can stop
//! anywhere; and the worker would share its time with it, where another core may have nothing to do.

use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::Builder;

use ochre_keyspace::{Garbage, Key, Priority, WatchFlag, step_back};
use parking_lot::Mutex;

use crate::call::Call;
use crate::client::{Client, Watched};
use crate::engine::{Engine, Message};
use crate::error::Error;
use crate::execute::unwatch_keys;
use crate::tick;

/// So often something is computed aside in vain before it is computed in one go.
const ATTEMPTS_MAX: u8 = 3;

type Work = Box<dyn FnOnce() + Send>;

/// The thread that computes, once there was something to compute.
#[derive(Default)]
pub(crate) struct Helper(Mutex<Option<Sender<Work>>>);

impl Helper {
    /// Where to hand work over; `None` if the system gives no thread.
    fn sender(&self) -> Option<Sender<Work>> {
        let mut place = self.0.lock();
        if place.is_none() {
            let (sender, receiver) = channel::<Work>();
            let run = move || {
                step_back(Priority::Second);
                receiver.into_iter().for_each(|work| work());
            };
            *place = Builder::new().name("aside".to_owned()).spawn(run).ok().map(|_| sender);
        }
        place.clone()
    }
}

/// What was computed.
struct Made {
    result: Box<dyn Any + Send>,
    took_ns: u64,
}

/// What a client waits for.
pub(crate) struct Aside {
    /// What came of it, once it is there.
    made: Arc<Mutex<Option<Made>>>,
    /// The operands that must not change.
    watched: Vec<Watched>,
    /// Raised when one of them did.
    flag: Arc<WatchFlag>,
    /// How often it was begun.
    attempts: u8,
    /// Whether the present run of the request has found that it is not there yet.
    waits: bool,
}

/// Something that can be computed without any lock.
pub(crate) type Compute<T> = Box<dyn FnOnce() -> T + Send>;

/// Where a request stands.
enum Stand<T> {
    /// It is new, or was computed so often from operands that have changed since.
    Begins(u8),
    Waits,
    Made(T),
}

impl Call<'_, '_> {
    /// What a command makes of its operands: aside, if they are so large that `prepare` returns what is to be computed, else
    /// `here`. `None` if it is not known yet: then the handler is to return without a reply, and will be called again.
    ///
    /// `watched` are the operands, whose stripes are locked, if what is made of them is stored.
    ///
    /// # Errors
    /// Those of `here`.
    pub(crate) fn make<T: Send + 'static>(
        &mut self,
        watched: &[Key<'_>],
        prepare: impl FnOnce(&mut Self) -> Option<Compute<T>>,
        here: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.stand() {
            Stand::Waits => Ok(None),
            Stand::Made(made) => Ok(Some(made)),
            Stand::Begins(attempts) => match self.begin(watched, attempts, prepare) {
                true => Ok(None),
                false => here(self).map(Some),
            },
        }
    }

    fn stand<T: Send + 'static>(&mut self) -> Stand<T> {
        let Some(mut aside) = self.client.aside.take() else { return Stand::Begins(0) };
        let Some(made) = aside.made.lock().take() else {
            aside.waits = true;
            self.client.aside = Some(aside);
            return Stand::Waits;
        };
        let db = self.client.db;
        let mut has_changed = aside.flag.is_raised();
        for watched in &aside.watched {
            let key = self.view.key(&watched.key);
            has_changed |= watched.db != db || self.view.has_watched_expired(db, key, &aside.flag);
            self.view.unwatch(watched.db, key, &aside.flag);
        }
        self.client.aside_ns += made.took_ns;
        if has_changed {
            self.engine.keyspace.reclaimer.hand_over(Garbage::Other(made.result));
            return Stand::Begins(aside.attempts);
        }
        made.result.downcast().map_or(Stand::Begins(ATTEMPTS_MAX), |made| Stand::Made(*made))
    }

    /// Begins to compute aside; whether it has.
    fn begin<T: Send + 'static>(
        &mut self,
        watched: &[Key<'_>],
        attempts: u8,
        prepare: impl FnOnce(&mut Self) -> Option<Compute<T>>,
    ) -> bool {
        let is_alone = self.in_transaction || self.is_retry || self.client.in_script;
        if is_alone || attempts >= ATTEMPTS_MAX || !self.engine.has_server() {
            return false;
        }
        let Some(sender) = self.engine.helper.sender() else { return false };
        let Some(compute) = prepare(self) else { return false };
        let (db, flag) = (self.client.db, Arc::default());
        for key in watched {
            self.view.watch(db, *key, &flag);
        }
        let made = Arc::<Mutex<Option<Made>>>::default();
        let (place, engine, worker) =
            (Arc::clone(&made), self.engine.persistence.engine(), self.worker.index);
        let work = move || {
            let start_ns = tick::now_ns();
            let result: Box<dyn Any + Send> = Box::new(compute());
            let took_ns = tick::now_ns().saturating_sub(start_ns);
            *place.lock() = Some(Made { result, took_ns });
            engine.into_iter().for_each(|engine| engine.post(worker, Message::Resume));
        };
        let watched = watched.iter().map(|key| Watched { db, key: key.bytes.to_vec() }).collect();
        self.client.aside =
            Some(Box::new(Aside { made, watched, flag, attempts: attempts + 1, waits: true }));
        // The thread never ends: should something panic there, the process ends.
        drop(sender.send(Box::new(work)));
        true
    }
}

impl Client {
    /// Whether the request that has just run has to run again once something was computed.
    #[inline]
    pub(crate) fn waits_aside(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| aside.waits)
    }

    /// The request runs again, whatever may come of it.
    #[inline]
    pub(crate) fn look_again(&mut self) {
        if let Some(aside) = &mut self.aside {
            aside.waits = false;
        }
    }
}

/// Gives up what a client waits for, to be freed elsewhere: it is gone, or its request was refused after all.
#[cold]
pub(crate) fn give_up(engine: &Engine, client: &mut Client) {
    client.aside_ns = 0;
    if let Some(aside) = client.aside.take() {
        unwatch_keys(engine, &aside.watched, &aside.flag);
        engine.keyspace.reclaimer.hand_over(Garbage::Other(Box::new(aside.made)));
    }
}
