//! The end of MIGRATE: what another server has taken is removed here.

use std::sync::Arc;

use ochre_keyspace::{Effects, Key, Locks, Patience, View, event_class};

use crate::engine::{Message, PauseMode};
use crate::error::Error;
use crate::migration::Arrival;

use super::run::Runner;
use super::serve::Letters;

impl Runner<'_> {
    /// Sees to the end of every MIGRATE whose target has spoken, unless clients are paused.
    pub(super) fn finish_migrations(self, effects: &mut Effects, now_ms: i64) {
        for arrival in self.engine.migrations.take_arrivals() {
            self.finish_migration(arrival, effects, now_ms);
        }
    }

    fn finish_migration(self, arrival: Arrival, effects: &mut Effects, now_ms: i64) {
        let (engine, mut letters) = (self.engine, Letters::default());
        {
            let keys: Vec<Key<'_>> = arrival.held.iter().map(|name| engine.keyspace.key(name)).collect();
            let (locks, patience) = (Locks::Keys(&keys), Patience::UntilHeld);
            let Some(mut view) = engine.keyspace.try_view_to_change(locks, now_ms, effects, patience) else {
                return engine.migrations.give_back(arrival);
            };
            // Asked with the stripes locked: see `Gate`.
            if engine.pause.mode(now_ms) != PauseMode::None {
                drop(view);
                return engine.migrations.give_back(arrival);
            }
            let taken = keys.iter().zip(&arrival.taken).filter(|(_, taken)| **taken).map(|(key, _)| *key);
            remove(&mut view, arrival.db, taken);
            engine.migrations.let_go(&engine.pause, &arrival.held);
            if !view.effects().ready.is_empty() {
                self.serve(&mut view, &mut letters);
            }
            engine.keyspace.journal.append(&view.effects().unit);
        }
        self.finish(effects, letters, now_ms);
        self.answer(arrival.waiting, arrival.error);
        if !arrival.held.is_empty() {
            engine.post_all(&Message::Resume);
        }
    }

    fn answer(self, (worker, client): (usize, u64), error: Option<Error>) {
        let reply: Arc<[u8]> = match &error {
            None => b"+OK\r\n"[..].into(),
            Some(error) => [b"-", error.bytes(), b"\r\n"].concat().into(),
        };
        if let Some(error) = error {
            self.count_error(&error);
        }
        self.engine.post(worker, Message::Complete { client, reply });
    }
}

/// Removes keys, as DEL would.
fn remove<'k>(view: &mut View<'_>, db: u32, keys: impl Iterator<Item = Key<'k>>) {
    let mut request: Vec<&[u8]> = vec![b"DEL"];
    for key in keys {
        if view.remove(db, key) {
            view.notify(event_class::GENERIC, "del", db, key.bytes);
            request.push(key.bytes);
        }
    }
    if request.len() > 1 {
        view.effects().unit.push(db, request.into_iter());
    }
}
