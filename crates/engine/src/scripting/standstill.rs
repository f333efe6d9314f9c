//! The script that takes long: what others hear of it, and how it is ended.
//!
//! For its first tenth of a millisecond nobody but its own worker knows of a script. Then it says that it holds everything
//! (`Level::Held` of the keyspace's [`Standstill`](ochre_keyspace::Standstill)): what is not urgent is left for later. After
//! `busy-reply-threshold` it is *busy* (`Level::Busy`): whoever waits for a stripe gives up, requests get `BUSY` but for those
//! that are allowed then, and the script's own worker, which is inside of it, serves its other clients from there
//! ([`Attendant`]). None of this costs a short script anything.
//!
//! A script that a client goes through (SCRIPT DEBUG SYNC) is busy from the first, but whoever would be told so is put off instead,
//! like in a pause: in Redis the whole server waits for that client. What is allowed in the time of a busy script is still
//! served, so the server can be ended.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use ochre_keyspace::Level;
use parking_lot::Mutex;

use crate::client::OwnedRequest;
use crate::engine::{Engine, Message};
use crate::error::Error;

/// Serves the other clients of a worker from within a script of one of them.
pub trait Attendant {
    /// Serves those who are ready, and returns at once; what needs a stripe is refused. Whether the script may go on: not when
    /// the server ends.
    fn attend(&self) -> bool;

    /// Sends the client of a script that is being debugged a reply.
    fn show(&self, reply: &[u8]);

    /// Waits a moment for what that client says, and serves others meanwhile.
    fn listen(&self) -> Said;
}

/// What the client of a script that is being debugged has said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// Nothing so far.
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing more will come of it.
    End,
    /// Nothing, and the server ends.
    Stopping,
}

const BUSY_SCRIPT: Error =
    Error::new("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
const BUSY_FUNCTION: Error =
    Error::new("BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");
const NOT_BUSY: Error = Error::new("NOTBUSY No scripts in execution right now.");
const UNKILLABLE: Error = Error::new(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script \
     termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
);

/// A script that has run for long enough to be talked about.
#[derive(Debug)]
pub(crate) struct Run {
    /// Whether it is a function, which FUNCTION KILL ends and not SCRIPT KILL.
    pub(crate) is_function: bool,
    /// Its digest, or the function's name.
    pub(crate) name: Vec<u8>,
    /// The command that runs it.
    pub(crate) command: OwnedRequest,
    /// When it began.
    pub(crate) since: Instant,
}

/// Which script holds everything up, if one does.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    run: Mutex<Option<Run>>,
    is_killed: AtomicBool,
    has_written: AtomicBool,
    /// Whether a client goes through it, for which others wait as if it took no time.
    is_debugged: AtomicBool,
}

impl Standing {
    /// Takes note of a script.
    pub(crate) fn begin(&self, run: Run, has_written: bool) {
        self.is_killed.store(false, Relaxed);
        self.is_debugged.store(false, Relaxed);
        self.has_written.store(has_written, Relaxed);
        *self.run.lock() = Some(run);
    }

    /// The script may not be ended any more.
    pub(crate) fn note_write(&self) {
        self.has_written.store(true, Relaxed);
    }

    /// Whether somebody has ordered the end of the script.
    pub(crate) fn is_killed(&self) -> bool {
        self.is_killed.load(Relaxed)
    }

    /// Asks about the present script.
    pub(crate) fn with<R>(&self, ask: impl FnOnce(&Run) -> R) -> Option<R> {
        self.run.lock().as_ref().map(ask)
    }

    /// Orders the end of the script: of a function if `is_function`, else of a script of EVAL.
    ///
    /// # Errors
    /// There is none, it is of the other kind, or it has written.
    pub(crate) fn kill(&self, is_function: bool) -> Result<(), Error> {
        let run = self.run.lock();
        let run = run.as_ref().ok_or(NOT_BUSY)?;
        if self.has_written.load(Relaxed) {
            return Err(UNKILLABLE);
        }
        if run.is_function != is_function {
            return Err(busy(run));
        }
        self.is_killed.store(true, Relaxed);
        Ok(())
    }
}

fn busy(run: &Run) -> Error {
    if run.is_function { BUSY_FUNCTION } else { BUSY_SCRIPT }
}

impl Engine {
    /// Whether a script is busy.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.keyspace.standstill.level() == Level::Busy
    }

    /// Whether a script holds everything, for however long.
    #[inline]
    pub fn is_held_up(&self) -> bool {
        self.keyspace.standstill.level() != Level::None
    }

    /// Whether those whom a busy script keeps from running are to wait for its end, since it is debugged.
    pub(crate) fn is_debugging(&self) -> bool {
        self.is_busy() && self.scripting.standing.is_debugged.load(Relaxed)
    }

    /// What those get who have to wait for a busy script, if there is one.
    pub(crate) fn why_busy(&self) -> Option<Error> {
        self.is_busy().then(|| self.scripting.standing.with(busy)).flatten()
    }

    /// A script says that it holds everything.
    pub(crate) fn begin_standstill(&self, run: Run, has_written: bool) {
        self.scripting.standing.begin(run, has_written);
        self.keyspace.standstill.set(Level::Held);
    }

    /// The script is busy from now on.
    pub(crate) fn become_busy(&self) {
        let tell = |run: &Run| {
            log::error!(
                "Slow script detected: still in execution after {} milliseconds. You can try killing the script using the \
                 {} command. Script name is: {}.",
                run.since.elapsed().as_millis(),
                if run.is_function { "FUNCTION KILL" } else { "SCRIPT KILL" },
                String::from_utf8_lossy(&run.name)
            );
        };
        self.scripting.standing.with(tell);
        self.keyspace.standstill.set(Level::Busy);
        self.settle_restrictions();
    }

    /// The script, of which others know already, is one that a client goes through: it is busy from the first, but nobody is told
    /// so. They wait.
    pub(crate) fn begin_debugging(&self) {
        self.scripting.standing.is_debugged.store(true, Relaxed);
        self.keyspace.standstill.set(Level::Busy);
        self.settle_restrictions();
    }

    /// That client is gone, and the script is one like others: those who were put off are to be told when it is busy.
    pub(crate) fn end_debugging(&self) {
        self.keyspace.standstill.set(Level::Held);
        self.scripting.standing.is_debugged.store(false, Relaxed);
        self.settle_restrictions();
        self.post_all(&Message::Resume);
    }

    /// The script is over.
    pub(crate) fn end_standstill(&self) {
        self.keyspace.standstill.set(Level::None);
        *self.scripting.standing.run.lock() = None;
        let was_debugged = self.scripting.standing.is_debugged.swap(false, Relaxed);
        self.settle_restrictions();
        if was_debugged {
            self.post_all(&Message::Resume);
        }
    }
}
