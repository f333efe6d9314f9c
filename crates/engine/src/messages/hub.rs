//! Who is to be told, and telling them.

use std::cell::Cell;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, OnceLock};

use ochre_keyspace::{Audience, News};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use smallvec::SmallVec;

use super::event::event_messages;
use super::notice::Notice;
use super::prefix_map::PrefixMap;
use super::queue::{Delivery, Queues, Receiver};
use super::topics::{Kind, Topic, Topics};
use crate::client::Registry;
use crate::engine::{Host, Message};

/// Deliveries with their workers.
pub(super) type Batch = SmallVec<[(usize, Delivery); 4]>;

/// All that workers share of messages.
pub struct Messages {
    pub(super) clients: Arc<Registry>,
    topics: RwLock<Topics>,
    /// The numbers of channels, patterns and sharded channels, readable without the lock.
    counts: [AtomicUsize; 3],
    queues: Queues,
    /// Held by a transaction that must not be interrupted, shared by everybody else who publishes or subscribes.
    turn: RwLock<()>,
    /// Clients that are to hear of every change of a key that begins so.
    pub(super) prefixes: RwLock<PrefixMap<Vec<u64>>>,
    mark: Arc<Notice>,
    nobody: Arc<Vec<Receiver>>,
    host: OnceLock<Arc<dyn Host>>,
}

thread_local! {
    /// Whether this thread has all messages to itself.
    static IS_EXCLUSIVE: Cell<bool> = const { Cell::new(false) };
}

/// The right to publish and subscribe alone.
pub struct Exclusive<'m> {
    _turn: RwLockWriteGuard<'m, ()>,
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        IS_EXCLUSIVE.set(false);
    }
}

impl Messages {
    /// For so many workers.
    pub(crate) fn new(workers: usize, clients: Arc<Registry>) -> Messages {
        Messages {
            clients,
            topics: RwLock::default(),
            counts: Default::default(),
            queues: Queues::new(workers),
            turn: RwLock::new(()),
            prefixes: RwLock::default(),
            mark: Arc::new(Notice::Mark),
            nobody: Arc::default(),
            host: OnceLock::new(),
        }
    }

    /// Says who wakes workers; only the first call counts.
    pub(crate) fn set_host(&self, host: Arc<dyn Host>) {
        drop(self.host.set(host));
    }

    /// Has nobody else publish or subscribe until the value is dropped. For a step that does so several times, which is to be
    /// seen as one. To be asked for with the step's stripes locked, and dropped before any further stripe is.
    pub fn exclusive(&self) -> Exclusive<'_> {
        let turn = self.turn.write();
        IS_EXCLUSIVE.set(true);
        Exclusive { _turn: turn }
    }

    fn shared_turn(&self) -> Option<RwLockReadGuard<'_, ()>> {
        (!IS_EXCLUSIVE.get()).then(|| self.turn.read())
    }

    /// The number of topics of a kind that somebody is subscribed to.
    #[inline]
    pub fn count(&self, kind: Kind) -> usize {
        self.counts[kind as usize].load(Acquire)
    }

    /// Whether so much waits to be told that what adds to it is to be put off.
    #[inline]
    pub fn are_congested(&self) -> bool {
        self.queues.are_congested()
    }

    /// Bytes of what is on its way to clients: no data, and gone soon.
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        self.queues.pending_bytes()
    }

    /// Notes that what a worker is telling takes so many bytes more, in copies.
    pub fn note_pending(&self, bytes: usize) {
        self.queues.note_pending(bytes);
    }

    /// Notes that so many of the pending bytes are told: sent, or the clients' own who do not read them.
    pub fn note_told(&self, bytes: usize) {
        self.queues.note_told(bytes);
    }

    /// Publishes a message to a channel or a sharded channel; how many get it. `author` is the client that does.
    pub fn publish(&self, kind: Kind, channel: &[u8], message: &[u8], author: u64) -> usize {
        if !self.may_be_heard(kind) {
            return 0;
        }
        let _turn = self.shared_turn();
        let topics = self.topics.read();
        let mut batch = Batch::new();
        let receivers = address(&topics, kind, channel, message, author, &mut batch);
        self.put(batch);
        receivers
    }

    /// Whether anybody is subscribed to anything that a message of this kind can reach.
    #[inline]
    fn may_be_heard(&self, kind: Kind) -> bool {
        match kind {
            Kind::ShardChannel => self.count(kind) != 0,
            Kind::Channel | Kind::Pattern => self.count(Kind::Channel) | self.count(Kind::Pattern) != 0,
        }
    }

    /// Changes subscriptions of a client of a worker, all at once. The reply of that comes after every message that was
    /// published before.
    pub fn subscribe<R>(&self, worker: usize, author: u64, change: impl FnOnce(&mut Changes<'_>) -> R) -> R {
        let _turn = self.shared_turn();
        let mut topics = self.topics.write();
        let result = change(&mut Changes { topics: &mut topics, worker });
        for kind in [Kind::Channel, Kind::Pattern, Kind::ShardChannel] {
            self.counts[kind as usize].store(topics.count(kind), Release);
        }
        let (notice, to) = (Arc::clone(&self.mark), Arc::clone(&self.nobody));
        self.put([(worker, Delivery::new(notice, to, author))].into_iter().collect());
        result
    }

    /// Channels of a kind that `is_wanted`.
    pub fn channels(&self, kind: Kind, is_wanted: impl Fn(&[u8]) -> bool) -> Vec<Box<[u8]>> {
        let topics = self.topics.read();
        topics.named(kind).keys().filter(|name| is_wanted(name)).cloned().collect()
    }

    /// The number of those who are subscribed to a channel of a kind.
    pub fn subscribers(&self, kind: Kind, channel: &[u8]) -> usize {
        self.topics.read().named(kind).get(channel).map_or(0, Topic::len)
    }

    /// Calls `visit` for every subscription, with the client's number.
    pub(crate) fn each_subscription(&self, mut visit: impl FnMut(u64, Kind, &[u8])) {
        for (kind, name, topic) in self.topics.read().iter() {
            for receiver in topic.lists().iter().flat_map(|(_, list)| list.iter()) {
                visit(receiver.client, kind, name);
            }
        }
    }

    /// Whether there is anything for a worker that it has not taken.
    #[inline]
    pub(crate) fn has_any(&self, worker: usize) -> bool {
        self.queues.has_any(worker)
    }

    /// Takes all that a worker is to tell.
    pub(super) fn take(&self, worker: usize, into: &mut Vec<Delivery>) {
        let is_relieved = {
            let _turn = self.shared_turn();
            self.queues.take(worker, into)
        };
        if is_relieved && let Some(host) = self.host.get() {
            (0..self.queues.workers()).for_each(|worker| host.post(worker, Message::Resume));
        }
    }

    fn put(&self, batch: Batch) {
        if !batch.is_empty() {
            let wake = |worker| {
                if let Some(host) = self.host.get() {
                    host.post(worker, Message::News);
                }
            };
            self.queues.put(batch, wake);
        }
    }

    fn publish_events(&self, news: &News<'_>, batch: &mut Batch) {
        if !self.may_be_heard(Kind::Channel) {
            return;
        }
        let topics = self.topics.read();
        for event in news.events {
            let mut publish = |channel: &[u8], message: &[u8]| {
                address(&topics, Kind::Channel, channel, message, news.author, batch);
            };
            event_messages(event, news.notify_classes, &mut publish);
        }
    }
}

/// How the keyspace tells what happens in it.
pub(crate) struct KeyspaceListener(pub(crate) Arc<Messages>);

impl Audience for KeyspaceListener {
    fn hear(&self, news: &News<'_>) {
        let KeyspaceListener(messages) = self;
        let _turn = messages.shared_turn();
        let mut batch = Batch::new();
        let mut own = Batch::new();
        messages.tell_readers(news, &mut batch, &mut own);
        messages.publish_events(news, &mut batch);
        batch.extend(own);
        messages.tell_prefixes(news, &mut batch);
        messages.put(batch);
    }
}

/// Subscriptions while they are changed.
pub struct Changes<'t> {
    topics: &'t mut Topics,
    worker: usize,
}

impl Changes<'_> {
    /// Adds a subscription that is not there yet.
    pub fn add(&mut self, kind: Kind, name: &[u8], receiver: Receiver) {
        self.topics.add(kind, name, self.worker, receiver);
    }

    /// Removes a subscription.
    pub fn remove(&mut self, kind: Kind, name: &[u8], receiver: Receiver) {
        self.topics.remove(kind, name, self.worker, receiver);
    }
}

/// Makes deliveries of a message; how many get it. Who is subscribed both to the channel and to patterns of it gets it for
/// each, that of the channel first.
fn address(
    topics: &Topics,
    kind: Kind,
    channel: &[u8],
    message: &[u8],
    author: u64,
    batch: &mut Batch,
) -> usize {
    let mut receivers = 0;
    if let Some(topic) = topics.named(kind).get(channel) {
        let word: &[u8] = if kind == Kind::ShardChannel { b"smessage" } else { b"message" };
        receivers += deliver(topic, Notice::message(&[word, channel, message]), author, batch);
    }
    if kind == Kind::Channel {
        topics.each_pattern_of(channel, |pattern, topic| {
            let notice = Notice::message(&[b"pmessage", pattern, channel, message]);
            receivers += deliver(topic, notice, author, batch);
        });
    }
    receivers
}

fn deliver(topic: &Topic, notice: Notice, author: u64, batch: &mut Batch) -> usize {
    let notice = Arc::new(notice);
    let mut receivers = 0;
    for (worker, list) in topic.lists() {
        receivers += list.len();
        let (notice, to) = (Arc::clone(&notice), Arc::clone(list));
        batch.push((*worker, Delivery::new(notice, to, author)));
    }
    receivers
}
