//! Sessions of the debugger that change nothing (SCRIPT DEBUG YES).
//!
//! Redis forks for one. Here it gets an engine of its own, with nobody to hear of what happens in it: no journal, no other
//! clients, no files. What it has of the keys comes from the server's own engine, which goes on meanwhile: a key when a command
//! of the script first names it, and all of them before a command that looks at the whole keyspace. At the end all of that is
//! dropped. A session runs on a thread of its own, so that its worker has nothing to do with it.
//!
//! In contrast to a fork, keys are not all of one time: a key is as it was when the script came to it. Rejected: taking all of them
//! when the session begins, which costs as much as there are data.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ochre_keyspace::{Effects, Key, Locks, OwnedValue, View, object_of};
use parking_lot::Mutex;

use super::Attendant;
use crate::call::Args;
use crate::client::{Client, ClientShared, Debugging, OwnedRequest};
use crate::command::{CommandEntry, flags};
use crate::engine::{Engine, clock_ms, clock_us};
use crate::error::Error;
use crate::execute::{Clock, Executor};
use crate::family::is_copied_aside;

/// Sessions at a time.
const REHEARSALS_MAX: usize = 64;
/// What counts as long for a script if the server has no setting for that: nobody but its client can end it.
const LONG_MS: u64 = 5000;
const TOO_MANY: Error = Error::new("ERR Too many scripts are being debugged");

/// Where the keys of a session's engine come from.
pub(crate) struct Original {
    engine: Arc<Engine>,
    taken: Mutex<Taken>,
}

/// What has been taken over.
#[derive(Default)]
struct Taken {
    keys: HashSet<(u32, Vec<u8>)>,
    all: bool,
}

impl Original {
    /// Takes over what a command may look at, and nothing twice.
    #[cold]
    pub(crate) fn bring(
        &self,
        view: &mut View<'_>,
        db: u32,
        entry: &CommandEntry,
        args: Args<'_>,
        keys: &[Key<'_>],
    ) {
        let mut taken = self.taken.lock();
        if taken.all {
            return;
        }
        if entry.needs_all(args) || entry.flags & flags::WALKS_KEYSPACE != 0 {
            self.bring_all(view, &mut taken);
            return;
        }
        for key in keys {
            if matches!(entry.command.name, "copy" | "move") {
                (0..view.keyspace().databases() as u32)
                    .for_each(|db| self.bring_key(view, &mut taken, db, key.bytes));
            } else {
                self.bring_key(view, &mut taken, db, key.bytes);
            }
        }
    }

    fn bring_key(&self, view: &mut View<'_>, taken: &mut Taken, db: u32, name: &[u8]) {
        if !taken.keys.insert((db, name.to_vec())) {
            return;
        }
        if let Some((value, expire_ms)) = self.copy(db, name) {
            put(view, db, name, value, expire_ms);
        }
    }

    /// A copy of a value. Of a big one that is made after the stripe is let go.
    fn copy(&self, db: u32, name: &[u8]) -> Option<(OwnedValue, Option<i64>)> {
        let mut effects = Effects::default();
        let key = self.engine.keyspace.key(name);
        let keys = [key];
        let mut live = self.engine.keyspace.view(Locks::Keys(&keys), clock_ms(), &mut effects);
        let entry = live.glance(db, key)?;
        let expire_ms = entry.expire_ms();
        if !object_of(entry).is_some_and(is_copied_aside) {
            return Some((entry.value().into(), expire_ms));
        }
        let pinned = live.pin_any(db, key)?;
        drop(live);
        Some((OwnedValue::Object(pinned.to_object()?), expire_ms))
    }

    fn bring_all(&self, view: &mut View<'_>, taken: &mut Taken) {
        for db in 0..view.keyspace().databases() as u32 {
            self.bring_database(view, taken, db);
        }
        taken.all = true;
        taken.keys = HashSet::new();
    }

    fn bring_database(&self, view: &mut View<'_>, taken: &mut Taken, db: u32) {
        let mut effects = Effects::default();
        let mut live = self.engine.keyspace.view(Locks::None, clock_ms(), &mut effects);
        let mut position = Some(0);
        let mut names: Vec<Vec<u8>> = Vec::new();
        while let Some(at) = position {
            live.walk_to(at);
            position = live.visit_line(db, at, &mut |entry| names.push(entry.key().to_vec()));
            live.let_go();
            names.drain(..).for_each(|name| self.bring_key(view, taken, db, &name));
        }
    }
}

fn put(view: &mut View<'_>, db: u32, name: &[u8], value: OwnedValue, expire_ms: Option<i64>) {
    let key = view.key(name);
    value.hand_over(|value| view.load(db, key, value, expire_ms));
}

/// A session that is ready to begin.
pub struct Rehearsal {
    executor: Executor,
    client: Client,
    request: OwnedRequest,
    _counted: Counted,
}

/// One of the sessions that there are at a time.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Option<Counted> {
        let more = |count: usize| (count < REHEARSALS_MAX).then_some(count + 1);
        count.fetch_update(Relaxed, Relaxed, more).ok().map(|_| Counted(Arc::clone(count)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Rehearsal {
    /// A session for the request of a client.
    ///
    /// # Errors
    /// There are too many.
    pub fn new(live: &Arc<Engine>, client: &Client, args: Args<'_>) -> Result<Rehearsal, Error> {
        let counted = Counted::new(&live.scripting.rehearsals).ok_or(TOO_MANY)?;
        let config = live.config.read().clone();
        let engine = Engine::new(config, 1, live.run_id.clone(), clock_us() as u64);
        if engine.settings.busy_after_ms.load(Relaxed) == 0 {
            engine.settings.busy_after_ms.store(LONG_MS, Relaxed);
        }
        let original = Original { engine: Arc::clone(live), taken: Mutex::default() };
        drop(engine.original.set(original));
        let address = client.shared.address.clone();
        let shared = ClientShared { id: client.id(), address, ..ClientShared::default() };
        let user = Arc::clone(&client.user);
        let mut own = Client::new(Arc::new(shared), client.protocol, user, client.authenticated);
        own.db = client.db;
        own.reply_mode = client.reply_mode;
        own.debugging = Debugging::Yes;
        let executor = Executor::new(Arc::new(engine), 0);
        Ok(Rehearsal { executor, client: own, request: OwnedRequest::copy(args), _counted: counted })
    }

    /// Lets the client go through its script; returns what is to be sent last.
    pub fn run(mut self, attendant: &dyn Attendant) -> Vec<u8> {
        let args = self.request.args();
        let mut keys = Vec::new();
        let prepared = self.executor.prepare(args, 0, &mut keys);
        let keys = &keys[prepared.keys()];
        let (mut out, mut clock) = (Vec::new(), Clock::read());
        self.executor.execute_script(&mut self.client, args, prepared, keys, &mut out, &mut clock, attendant);
        out
    }
}
