//! Clients that are told things besides their replies: what comes before a reply and what after it (see
//! [`crate::messages`]), and which of their reads are noted.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Locks, Patience, View};

use crate::call::Call;
use crate::client::Client;
use crate::command::{CommandEntry, flags};
use crate::engine::Engine;
use crate::left_behind::Left;
use crate::messages::Delivery;

use super::Executor;
use super::run::Runner;

impl Runner<'_> {
    /// Settles what a client is told before the reply of a step: all that was there when the step took effect, which is now,
    /// with its stripes locked, or when it first published something. What it did is told, too.
    #[inline]
    pub(super) fn listen(self, view: &mut View<'_>, client: &mut Client) {
        view.tell(client.id());
        if client.listening.is_some() {
            self.take_news(client);
        }
    }

    #[cold]
    fn take_news(self, client: &mut Client) {
        let (messages, id) = (&self.engine.messages, client.id());
        let until = self.context.news.lock().refill(messages, self.context.index, id);
        client.listen().until = until;
    }

    /// Tells a client what belongs before its reply, which begins at `start` in the output, and what is told whether or not it
    /// wants replies.
    #[cold]
    pub(super) fn tell_around(
        self,
        client: &mut Client,
        entry: Option<&CommandEntry>,
        out: &mut Vec<u8>,
        start: usize,
    ) {
        let is_open = client.transaction.open;
        let Some(listening) = client.listening.as_deref_mut() else { return };
        out.append(&mut listening.regardless);
        let is_of_client =
            entry.and_then(|entry| entry.parent).is_some_and(|container| container.name == "client");
        if !is_open && !is_of_client {
            listening.tracking.caching = None;
        }
        let (until, is_over) = (listening.until, listening.is_over());
        if until > client.heard {
            self.context.news.lock().tell_before(client, until, out, start);
        }
        if is_over {
            client.listening = None;
        }
    }

    /// Notes which keys a client has read, if it is to hear when they change.
    #[cold]
    pub(super) fn note_reads(self, call: &mut Call<'_, '_>, entry: &CommandEntry) {
        if call.client.listening.as_ref().is_some_and(|listening| listening.tracking.notes_reads()) {
            self.note_keys(call, entry);
        }
    }

    /// Notes which keys a client has read.
    pub(super) fn note_keys(self, call: &mut Call<'_, '_>, entry: &CommandEntry) {
        // A script reads what its commands read.
        let is_exempt = entry.flags & (flags::PUBSUB | flags::RUNS_SCRIPT) != 0;
        if entry.flags & flags::READONLY == 0 || is_exempt {
            return;
        }
        let keys_max = self.engine.settings.tracked_keys_max();
        for key in call.keys {
            call.view.note_reader(*key, call.client.id(), keys_max);
        }
    }
}

impl Executor {
    /// Whether there is anything to tell this worker's clients.
    #[inline]
    pub fn has_news(&self) -> bool {
        let Executor { engine, context, .. } = self;
        engine.messages.has_any(context.index) || !context.news.lock().is_empty()
    }

    /// Takes what there is to tell, in order. Who has [heard](Client::heard) of it already is not told again.
    pub fn take_news(&mut self) -> Vec<Delivery> {
        let mut news = self.context.news.lock();
        news.refill(&self.engine.messages, self.context.index, 0);
        news.take()
    }

    /// Ends all that a client is told.
    pub(super) fn stop_listening(&mut self, client: &mut Client) {
        let Executor { engine, context, .. } = self;
        crate::family::end_subscriptions(engine, context, client);
        if crate::family::end_tracking(engine, client) {
            set_public(engine);
        }
        client.listening = None;
    }

    /// Gives up some of the keys that clients have read if they are too many; to be called now and then.
    pub fn relieve_tracking(&mut self) {
        let Executor { engine, effects, .. } = self;
        let (keyspace, keys_max) = (&engine.keyspace, engine.settings.tracked_keys_max());
        let mut stripe = 0;
        while keyspace.reader_counts.keys.load(Relaxed) > keys_max && stripe < keyspace.stripes() {
            let Some(mut view) = keyspace.try_view_stripe(stripe, 0, effects) else { return };
            view.give_up_readers(stripe, keys_max);
            stripe += 1;
        }
    }
}

/// Has changes of all keys told if anybody hears of keys by prefix. To be called without any lock; while a script holds all of
/// them, it is done once that is over.
pub(crate) fn set_public(engine: &Engine) {
    let mut effects = Effects::default();
    match engine.keyspace.try_view(Locks::All, 0, &mut effects, Patience::UntilHeld) {
        Some(mut view) => view.set_public(engine.messages.has_prefixes()),
        None => engine.left_behind.add(Left::Publicity),
    }
}
