//! Telling clients which of the keys that they keep copies of have changed (client-side caching).
//!
//! Who has read a key is told of it by itself; who hears of all keys with some prefix gets those of a step in one notice,
//! in the order of their names. A client may have named another one that is told in its place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{News, Stale};
use ochre_resp::Protocol;

use super::hub::{Batch, Messages};
use super::notice::Notice;
use super::queue::{Delivery, Receiver};
use crate::client::{ClientShared, client_flags as bits};

/// Names of keys that changed, and whether the author of the step did that to all of them.
type Names<'n> = BTreeMap<&'n [u8], bool>;

/// The notices of keys that changed, made when first needed and shared by all who are told.
#[derive(Default)]
struct Shared([Option<Arc<Notice>>; 2]);

impl Shared {
    fn get(&mut self, names: &[&[u8]], is_redirected: bool) -> Arc<Notice> {
        let notice = || Arc::new(Notice::invalidation(names.iter().copied(), is_redirected));
        Arc::clone(self.0[usize::from(is_redirected)].get_or_insert_with(notice))
    }
}

impl Messages {
    /// Adds a client to those who hear of keys that begin so.
    pub fn add_prefix(&self, prefix: &[u8], client: u64) {
        self.prefixes.write().entry(prefix).push(client);
    }

    /// Removes a client from there.
    pub fn remove_prefix(&self, prefix: &[u8], client: u64) {
        let mut prefixes = self.prefixes.write();
        if let Some(clients) = prefixes.get_mut(prefix) {
            clients.retain(|other| *other != client);
            if clients.is_empty() {
                prefixes.remove(prefix);
            }
        }
    }

    /// The number of prefixes that somebody hears of.
    pub fn prefix_count(&self) -> usize {
        self.prefixes.read().len()
    }

    /// Whether anybody hears of keys by prefix.
    pub fn has_prefixes(&self) -> bool {
        !self.prefixes.read().is_empty()
    }

    /// Tells those who have read what has changed. What the author of the step hears himself comes last, so it is kept apart.
    pub(super) fn tell_readers(&self, news: &News<'_>, batch: &mut Batch, own: &mut Batch) {
        for stale in news.stale {
            match stale {
                Stale::Everything => self.tell_all(news.author, batch, own),
                Stale::Key { name, readers, is_own, .. } => {
                    let told = readers.iter().filter_map(|id| self.clients.get(*id)).filter(|client| {
                        let flags = client.flags.load(Relaxed);
                        let is_loop = *is_own && client.id == news.author && flags & bits::NO_LOOP != 0;
                        flags & bits::TRACKING != 0 && flags & bits::BROADCAST == 0 && !is_loop
                    });
                    let mut shared = Shared::default();
                    told.for_each(|client| {
                        let batch = if client.id == news.author { &mut *own } else { &mut *batch };
                        let notice = |is_redirected| shared.get(&[name], is_redirected);
                        self.tell(&client, notice, news.author, batch);
                    });
                }
            }
        }
    }

    /// Tells everybody who keeps copies that all keys are gone.
    fn tell_all(&self, author: u64, batch: &mut Batch, own: &mut Batch) {
        for client in self.clients.list() {
            if client.has(bits::TRACKING) {
                let protocol =
                    if client.protocol.load(Relaxed) == 3 { Protocol::Resp3 } else { Protocol::Resp2 };
                let notice = |is_redirected| Arc::new(Notice::invalidation_of_all(protocol, is_redirected));
                let batch = if client.id == author { &mut *own } else { &mut *batch };
                self.tell(&client, notice, author, batch);
            }
        }
    }

    /// Tells those who hear of keys by prefix which of them a step has changed.
    pub(super) fn tell_prefixes(&self, news: &News<'_>, batch: &mut Batch) {
        let is_public = |stale: &Stale| matches!(stale, Stale::Key { is_public: true, .. });
        if !news.stale.iter().any(is_public) {
            return;
        }
        let prefixes = self.prefixes.read();
        let mut changed: BTreeMap<&[u8], (&Vec<u64>, Names<'_>)> = BTreeMap::new();
        for stale in news.stale {
            let Stale::Key { name, is_public: true, is_own, .. } = stale else { continue };
            prefixes.each_prefix_of(name, |prefix, clients| {
                let (_, names) = changed.entry(prefix).or_insert_with(|| (clients, Names::new()));
                *names.entry(name).or_insert(true) &= *is_own;
            });
        }
        for (clients, names) in changed.values() {
            let all: Vec<&[u8]> = names.keys().copied().collect();
            let of_others: Vec<&[u8]> =
                names.iter().filter(|(_, is_own)| !**is_own).map(|(name, _)| *name).collect();
            let (mut for_all, mut for_author) = (Shared::default(), Shared::default());
            for client in clients.iter().filter_map(|id| self.clients.get(*id)) {
                let is_author = client.id == news.author && client.has(bits::NO_LOOP);
                let (shared, names) =
                    if is_author { (&mut for_author, &of_others) } else { (&mut for_all, &all) };
                if !names.is_empty() {
                    let notice = |is_redirected| shared.get(names, is_redirected);
                    self.tell(&client, notice, news.author, batch);
                }
            }
        }
    }

    /// Tells a client, or the one that it has named, or that this one is gone.
    fn tell(
        &self,
        client: &ClientShared,
        notice: impl FnOnce(bool) -> Arc<Notice>,
        author: u64,
        batch: &mut Batch,
    ) {
        let target = client.redirection.load(Relaxed);
        let to = (target != 0).then(|| self.clients.get(target));
        let (receiver, notice) = match &to {
            None => (client, notice(false)),
            Some(Some(other)) if !other.is_killed() => (&**other, notice(true)),
            Some(_) => (client, Arc::new(Notice::BrokenRedirection(target))),
        };
        let to = Receiver { client: receiver.id, place: receiver.place.load(Relaxed) };
        join(batch, receiver.worker, Delivery::new(notice, Arc::new(vec![to]), author));
    }
}

/// So many deliveries are looked at for one with the same notice: more than there are workers in all but the largest servers.
const JOINED_MAX: usize = 64;

/// Adds a delivery, or its receivers to one of the same notice to the same worker.
fn join(batch: &mut Batch, worker: usize, delivery: Delivery) {
    let is_same =
        |(of, other): &&mut (usize, Delivery)| *of == worker && Arc::ptr_eq(&other.notice, &delivery.notice);
    let same = batch.iter_mut().rev().take(JOINED_MAX).find(is_same);
    match same.and_then(|(_, other)| Arc::get_mut(&mut other.to)) {
        Some(receivers) => receivers.extend(delivery.to.iter().copied()),
        None => batch.push((worker, delivery)),
    }
}
