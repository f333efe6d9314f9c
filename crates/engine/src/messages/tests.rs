//! Publishing, subscribing and telling, without connections.

use std::sync::Arc;

use ochre_resp::Protocol;

use super::{Backlog, Delivery, Kind, Messages, Receiver};
use crate::client::{Client, ClientShared, Registry};
use crate::testing::Harness;

const WORKERS: usize = 3;

fn messages() -> Messages {
    Messages::new(WORKERS, Arc::<Registry>::default())
}

fn receiver(client: u64) -> Receiver {
    Receiver { client, place: client as usize }
}

fn subscribe(messages: &Messages, kind: Kind, name: &str, worker: usize, client: u64) {
    messages.subscribe(worker, client, |topics| topics.add(kind, name.as_bytes(), receiver(client)));
}

/// What a worker is to tell: the receivers of each message, marks left out.
fn told(messages: &Messages, backlog: &mut Backlog, worker: usize) -> Vec<Vec<u64>> {
    backlog.refill(messages, worker, 0);
    let clients = |delivery: Delivery| delivery.to.iter().map(|receiver| receiver.client).collect::<Vec<_>>();
    backlog.take().into_iter().map(clients).filter(|clients| !clients.is_empty()).collect()
}

#[test]
fn a_message_is_for_those_who_are_subscribed_then() {
    let (messages, mut backlog) = (messages(), Backlog::default());
    assert_eq!(messages.publish(Kind::Channel, b"c", b"m", 9), 0);
    subscribe(&messages, Kind::Channel, "c", 0, 1);
    subscribe(&messages, Kind::Channel, "c", 0, 2);
    subscribe(&messages, Kind::Pattern, "c*", 1, 3);
    subscribe(&messages, Kind::ShardChannel, "c", 1, 3);
    assert_eq!(messages.publish(Kind::Channel, b"c", b"m", 9), 3);
    subscribe(&messages, Kind::Channel, "c", 0, 4);
    messages.subscribe(0, 1, |topics| topics.remove(Kind::Channel, b"c", receiver(1)));
    assert_eq!(messages.publish(Kind::Channel, b"c", b"m", 9), 3);
    assert_eq!(messages.publish(Kind::ShardChannel, b"c", b"m", 9), 1);
    assert_eq!(messages.publish(Kind::Channel, b"d", b"m", 9), 0);
    assert_eq!(told(&messages, &mut backlog, 0), [vec![1, 2], vec![4, 2]]);
    assert_eq!(told(&messages, &mut Backlog::default(), 1), [[3], [3], [3]]);
    let counts = [Kind::Channel, Kind::Pattern, Kind::ShardChannel].map(|kind| messages.count(kind));
    assert_eq!((counts, messages.subscribers(Kind::Channel, b"c")), ([1, 1, 1], 2));
}

/// A client in the midst of a command is told what was published before it did something itself, and the rest later.
#[test]
fn what_a_client_does_itself_is_told_behind_its_reply() {
    let (messages, mut backlog) = (messages(), Backlog::default());
    let mut client = listener(5);
    subscribe(&messages, Kind::Channel, "c", 0, 5);
    backlog.refill(&messages, 0, 5);
    messages.publish(Kind::Channel, b"c", b"before", 9);
    messages.publish(Kind::Channel, b"c", b"own", 5);
    messages.publish(Kind::Channel, b"c", b"after", 9);
    let until = backlog.refill(&messages, 0, 5);
    let mut out = b"+OTHER\r\n+REPLY\r\n".to_vec();
    backlog.tell_before(&mut client, until, &mut out, 8);
    let expected = "+OTHER|*3|$7|message|$1|c|$6|before|+REPLY|";
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", "|"), expected);
    let rest: Vec<u64> = backlog.take().iter().map(|delivery| delivery.number).collect();
    assert_eq!(rest.iter().filter(|number| **number > client.heard).count(), 2);
}

fn listener(id: u64) -> Client {
    let shared = Arc::new(ClientShared { id, ..ClientShared::default() });
    let user = Harness::new().executor.engine.access.default_user();
    Client::new(shared, Protocol::Resp2, user, true)
}

#[test]
fn a_queue_is_congested_until_it_is_taken() {
    let messages = messages();
    subscribe(&messages, Kind::Channel, "c", 2, 1);
    let message = vec![b'x'; 1 << 20];
    for _ in 0..5 {
        messages.publish(Kind::Channel, b"c", &message, 9);
    }
    assert!(messages.are_congested() && messages.pending_bytes() > 5 << 20);
    let mut backlog = Backlog::default();
    backlog.refill(&messages, 2, 0);
    let taken = backlog.take();
    assert_eq!(taken.iter().filter(|delivery| !delivery.to.is_empty()).count(), 5);
    assert!(!messages.are_congested());
    // It is on its way until whoever took it says that it is told.
    let bytes = taken.iter().map(|delivery| delivery.bytes).sum();
    assert_eq!(messages.pending_bytes(), bytes);
    messages.note_told(bytes);
    assert_eq!(messages.pending_bytes(), 0);
}

/// A transaction that has the messages to itself may publish and subscribe; others have to wait for it.
#[test]
fn who_is_alone_does_not_wait_for_himself() {
    let messages = Arc::new(messages());
    let alone = messages.exclusive();
    subscribe(&messages, Kind::Channel, "c", 0, 1);
    assert_eq!(messages.publish(Kind::Channel, b"c", b"1", 1), 1);
    let other = std::thread::spawn({
        let messages = Arc::clone(&messages);
        move || messages.publish(Kind::Channel, b"c", b"other", 2)
    });
    assert_eq!(messages.publish(Kind::Channel, b"c", b"2", 1), 1);
    assert!(!other.is_finished());
    drop(alone);
    assert_eq!(other.join().unwrap(), 1);
    let mut backlog = Backlog::default();
    backlog.refill(&messages, 0, 0);
    let authors: Vec<u64> = backlog.take().iter().map(|delivery| delivery.author).collect();
    assert_eq!(authors, [1, 1, 1, 2]);
}
