//! What clients left in stripes when a script held all of them: places in queues, and keys that they watched.
//!
//! Nobody waits for a script to take such a thing out: but for the memory, it does nothing where it is (a wait that is
//! marked as over is served by nobody, a flag that its client has let go of is looked at by nobody). It is taken out once the script
//! is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use ochre_keyspace::{Effects, Key, Keyspace, Locks, Patience, Waiter, WatchFlag};
use parking_lot::Mutex;

/// A thing that was left.
pub(crate) enum Left {
    /// A key that is watched no more.
    Watched {
        /// Its database.
        db: u32,
        /// Its name.
        key: Vec<u8>,
        /// What would have been raised.
        flag: Arc<WatchFlag>,
    },
    /// Somebody who waits no more.
    Waiter(Arc<Waiter>),
}

/// All such things.
#[derive(Default)]
pub(crate) struct LeftBehind {
    things: Mutex<Vec<Left>>,
    /// Whether there are any, readable without the lock.
    any: AtomicBool,
}

impl LeftBehind {
    /// Adds one.
    pub(crate) fn add(&self, left: Left) {
        self.things.lock().push(left);
        self.any.store(true, Relaxed);
    }

    /// Takes out of their stripes what was left there; to be called now and then.
    pub(crate) fn tidy(&self, keyspace: &Keyspace) {
        if !self.any.swap(false, Relaxed) {
            return;
        }
        let things = std::mem::take(&mut *self.things.lock());
        let again: Vec<Left> = things.into_iter().filter(|left| !take_out(left, keyspace)).collect();
        again.into_iter().for_each(|left| self.add(left));
    }
}

/// Takes a thing out, if no script holds its stripe for long; whether it is out.
fn take_out(left: &Left, keyspace: &Keyspace) -> bool {
    let mut effects = Effects::default();
    let names: Vec<&[u8]> = match left {
        Left::Watched { key, .. } => vec![key],
        Left::Waiter(waiter) => waiter.keys().collect(),
    };
    let keys: Vec<Key<'_>> = names.into_iter().map(|name| keyspace.key(name)).collect();
    let Some(mut view) = keyspace.try_view(Locks::Keys(&keys), 0, &mut effects, Patience::UntilHeld) else {
        return false;
    };
    match left {
        Left::Watched { db, key, flag } => {
            let key = view.key(key);
            view.unwatch(*db, key, flag);
        }
        Left::Waiter(waiter) => view.forget(waiter),
    }
    true
}
