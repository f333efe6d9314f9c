//! MIGRATE: keys go to another server while everybody else goes on.
//!
//! In a server with one thread everybody waits while it talks to the other one, so nobody sees a key that is on its way, or
//! changes it. Here only those wait who name such a key:
//!
//! 1. The command, with the stripes of its keys locked, pins their values, sets their names down as *held* (unless it copies) and has
//!    its client wait. A thread of its own talks to the target.
//! 2. Who names a held key, whether to read or to write, is postponed as during CLIENT PAUSE, and so is who empties or exchanges
//!    databases. They are asked with their stripes locked (`execute::run::Gate`), so none of them is missed. Names are held in all
//!    databases: MOVE and COPY reach others than their own.
//! 3. What the target says is an *arrival*. Some worker takes it, locks the stripes again, removes what was acknowledged (into the
//!    journal as DEL), lets go of the names, and has those go on that waited.
//!
//! So the command takes place at the instant of step 3, and nobody has seen the keys change in between. That they expire or are
//! evicted meanwhile is as if it had happened just before; commands that walk over the keyspace (SCAN, KEYS, DBSIZE) see the keys
//! until then. The wait is bounded by the command's timeout, which counts for each step of the network, as in Redis.
//! A copy needs no step 2: it is of the instant of step 1.
//!
//! CLIENT PAUSE also keeps arrivals waiting: nothing is to change while it lasts.
//!
//! Rejected: to remove a key only if it was not changed meanwhile, and to send it again otherwise. The target would serve a value that
//! is not the last one, and what others do there to a key that was sent once cannot be told from it.
//!
//! Within a transaction MIGRATE is refused: everybody would have to wait for the network with the transaction's locks held.
//!
//! - `held`: the names
//! - `link`: what is said to the target, on the thread

mod held;
mod link;

use std::sync::Arc;
use std::thread::Builder;

use ochre_keyspace::become_helper;
use ochre_persist::rdb::EncodeOptions;
use ochre_types::Pinned;
use parking_lot::Mutex;

use crate::engine::{Engine, Message, Pause};
use crate::error::Error;

use held::Held;
use link::Outcome;

pub(crate) use link::Target;

const NO_THREAD: Error = Error::new("ERR Can't start a thread for the transfer");
const NO_ENGINE: Error = Error::new("ERR MIGRATE needs a server around it");

/// A value that is to be sent.
pub(crate) enum Value {
    /// As DUMP answers it.
    Payload(Vec<u8>),
    /// As it was at that instant, to be written by whoever sends it.
    Pinned(Pinned),
}

/// A key that is to be sent.
pub(crate) struct Outgoing {
    pub(crate) name: Box<[u8]>,
    pub(crate) value: Value,
    /// When it expires, unix time in ms.
    pub(crate) expire_ms: Option<i64>,
}

/// One MIGRATE that is under way.
pub(crate) struct Transfer {
    pub(crate) target: Target,
    pub(crate) keys: Vec<Outgoing>,
    pub(crate) options: EncodeOptions,
    /// The database that the keys are in here.
    pub(crate) db: u32,
    /// Whether they stay.
    pub(crate) copies: bool,
    /// Who waits: the worker and the client.
    pub(crate) waiting: (usize, u64),
}

/// What came of one.
pub(crate) struct Arrival {
    pub(crate) db: u32,
    /// The names that are held, in the order in which they were sent; none if they were copied.
    pub(crate) held: Vec<Box<[u8]>>,
    /// How many of them, from the first on, the target spoke of, and whether it took them.
    pub(crate) taken: Vec<bool>,
    pub(crate) error: Option<Error>,
    pub(crate) waiting: (usize, u64),
}

/// All that are under way.
#[derive(Default)]
pub(crate) struct Migrations {
    pub(crate) held: Held,
    arrivals: Mutex<Vec<Arrival>>,
}

impl Migrations {
    /// Begins to send keys whose stripes are locked. The client is to wait for a completion.
    ///
    /// # Errors
    /// There is nothing to do it with; nothing has happened then.
    pub(crate) fn begin(&self, engine: &Engine, transfer: Transfer) -> Result<(), Error> {
        let shared = engine.persistence.engine().ok_or(NO_ENGINE)?;
        let names = match transfer.copies {
            true => Vec::new(),
            false => transfer.keys.iter().map(|key| key.name.clone()).collect(),
        };
        self.held.add(&engine.pause, &names);
        let theirs = names.clone();
        let started = Builder::new().name("migrate".to_owned()).spawn(move || {
            become_helper();
            send(&shared, transfer, theirs);
        });
        started.map(drop).map_err(|_| {
            self.held.remove(&engine.pause, &names);
            NO_THREAD
        })
    }

    /// Takes what has arrived.
    pub(crate) fn take_arrivals(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.arrivals.lock())
    }

    /// Gives back what may not be seen to yet.
    pub(crate) fn give_back(&self, arrival: Arrival) {
        self.arrivals.lock().push(arrival);
    }

    /// Lets go of names.
    pub(crate) fn let_go(&self, pause: &Pause, names: &[Box<[u8]>]) {
        self.held.remove(pause, names);
    }
}

/// Sends the keys, and has a worker see to the rest.
fn send(engine: &Arc<Engine>, transfer: Transfer, held: Vec<Box<[u8]>>) {
    let Transfer { target, keys, options, db, waiting, .. } = transfer;
    let Outcome { taken, error } = link::send(&target, keys, options);
    engine.migrations.arrivals.lock().push(Arrival { db, held, taken, error, waiting });
    engine.post(waiting.0, Message::Resume);
}
