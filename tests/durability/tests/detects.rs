//! The check itself: what is right is accepted, and every way to break a promise is found. Without this, "all promises kept" would
//! say nothing.

// Helpers are test code too, which the lint does not recognise.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ochre_differential::{Random, Reply};
use ochre_durability::{
    Before, Content, Draw, Entry, Event, Keys, Operation, Outcome, Promise, Round, Span, verify,
};

const SPAN: Span = Span { from_ms: 1000, to_ms: 2000 };

/// Histories in which a millisecond passes between one request and the next, whichever client sends it.
struct Script {
    start: Instant,
    passed_ms: u64,
    histories: Vec<Vec<Event>>,
}

impl Script {
    fn new(clients: usize) -> Script {
        Script { start: Instant::now(), passed_ms: 0, histories: vec![Vec::new(); clients] }
    }

    fn tick(&mut self) -> Instant {
        self.passed_ms += 1;
        self.start + Duration::from_millis(self.passed_ms)
    }

    fn push(&mut self, client: usize, operation: Operation, outcome: impl FnOnce(Instant) -> Outcome) {
        let sent = self.tick();
        let at = self.tick();
        let outcome = outcome(at);
        self.histories[client].push(Event { operation, sent, span: SPAN, outcome });
    }

    fn done(&mut self, client: usize, operation: Operation, reply: Reply) {
        self.push(client, operation, |at| Outcome::Acknowledged { at, reply });
    }

    fn set(&mut self, client: usize, value: &str) {
        self.done(client, set(client, value), Reply::Simple(b"OK".to_vec()));
    }

    fn verify(&mut self, promise: Promise, found: Keys) -> Result<Before, String> {
        let killed = self.tick();
        let before = Before { clients: vec![Keys::new(); self.histories.len()], ..Before::default() };
        let round = Round { histories: self.histories.clone(), killed, saved: None };
        verify(&before, &round, promise, found)
    }
}

fn set(client: usize, value: &str) -> Operation {
    Operation::Set(format!("{client}:s:0").into_bytes(), value.as_bytes().to_vec())
}

fn entry(content: Content) -> Entry {
    Entry { content, expires_ms: None }
}

fn texts(pairs: &[(&str, &str)]) -> Keys {
    let entries = pairs
        .iter()
        .map(|(key, value)| (key.as_bytes().to_vec(), entry(Content::Text(value.as_bytes().to_vec()))));
    entries.collect()
}

fn list(elements: &[&str]) -> Entry {
    entry(Content::List(elements.iter().map(|element| element.as_bytes().to_vec()).collect::<VecDeque<_>>()))
}

#[test]
fn what_was_acknowledged_must_be_there() {
    let mut script = Script::new(1);
    script.set(0, "first");
    script.set(0, "second");
    assert!(script.verify(Promise::Everything, texts(&[("0:s:0", "second")])).is_ok());
    let lost = script.verify(Promise::Everything, texts(&[("0:s:0", "first")])).unwrap_err();
    assert!(lost.contains("the first 2 must be there"), "{lost}");
    assert!(script.verify(Promise::Prefix, texts(&[("0:s:0", "first")])).is_ok());
    assert!(script.verify(Promise::Prefix, texts(&[("0:s:0", "other")])).is_err());
}

#[test]
fn what_was_in_flight_may_be_there_and_what_was_refused_may_not() {
    let mut script = Script::new(1);
    script.set(0, "first");
    script.push(0, set(0, "refused"), |_| Outcome::Refused);
    script.push(0, set(0, "flying"), |_| Outcome::InFlight);
    for there in ["first", "flying"] {
        assert!(script.verify(Promise::Everything, texts(&[("0:s:0", there)])).is_ok(), "{there}");
    }
    assert!(script.verify(Promise::Everything, texts(&[("0:s:0", "refused")])).is_err());
}

#[test]
fn only_the_last_moment_may_be_lost() {
    let mut script = Script::new(1);
    script.set(0, "old");
    script.passed_ms += 5000;
    script.set(0, "new");
    let promise = Promise::AllBut(Duration::from_secs(2));
    assert!(script.verify(promise, texts(&[("0:s:0", "old")])).is_ok());
    assert!(script.verify(promise, Keys::new()).is_err());
}

#[test]
fn what_is_lost_takes_with_it_what_others_did_later() {
    let mut script = Script::new(2);
    script.set(0, "earlier");
    script.set(1, "later");
    assert!(script.verify(Promise::Prefix, texts(&[("0:s:0", "earlier")])).is_ok());
    let found = script.verify(Promise::Prefix, texts(&[("1:s:0", "later")])).unwrap_err();
    assert!(found.contains("is lost, but client 1"), "{found}");
}

#[test]
fn transactions_are_whole() {
    let key = |number: u8| format!("0:s:{number}").into_bytes();
    let parts = (0..2).map(|number| Operation::Set(key(number), b"token".to_vec())).collect();
    let mut script = Script::new(1);
    script.push(0, Operation::Transaction(parts), |_| Outcome::InFlight);
    assert!(script.verify(Promise::Everything, Keys::new()).is_ok());
    assert!(script.verify(Promise::Everything, texts(&[("0:s:0", "token"), ("0:s:1", "token")])).is_ok());
    assert!(script.verify(Promise::Everything, texts(&[("0:s:0", "token")])).is_err());
}

#[test]
fn expiry_times_are_kept() {
    let key = b"0:s:0".to_vec();
    let mut script = Script::new(1);
    script.set(0, "value");
    script.done(0, Operation::Expire(key.clone(), 100), Reply::Integer(1));
    let with = |expires_ms| {
        let mut found = texts(&[("0:s:0", "value")]);
        found.get_mut(&key).unwrap().expires_ms = expires_ms;
        found
    };
    let at = SPAN.from_ms + 100_500;
    assert!(script.verify(Promise::Everything, with(Some((at, at)))).is_ok());
    assert!(script.verify(Promise::Everything, with(None)).is_err());
    // The time of the load counted anew.
    let late = SPAN.to_ms + 100_001;
    assert!(script.verify(Promise::Everything, with(Some((late, late)))).is_err());
}

#[test]
fn keys_of_nobody_and_keys_whose_time_is_over_are_found() {
    for stray in ["7:s:0", "nobody", "0:t:3"] {
        let found = Script::new(1).verify(Promise::Prefix, texts(&[(stray, "value")]));
        assert!(found.unwrap_err().contains("should not be there"), "{stray}");
    }
}

#[test]
fn what_is_shared_agrees_with_everybody() {
    let pushed = |value: &str| Operation::SharedPush(value.as_bytes().to_vec());
    let mut script = Script::new(2);
    script.done(0, pushed("0-1"), Reply::Integer(1));
    script.done(1, pushed("1-1"), Reply::Integer(2));
    script.done(1, Operation::SharedMove, Reply::Bulk(b"0-1".to_vec()));
    script.done(0, Operation::SharedIncr, Reply::Integer(1));
    let found = |queue: &[&str], moved: &[&str], counter: &str| {
        let mut found = texts(&[("shared:counter", counter)]);
        found.insert(b"shared:queue".to_vec(), list(queue));
        found.insert(b"shared:moved".to_vec(), list(moved));
        found
    };
    let mut check = |queue: &[&str], moved: &[&str], counter: &str| {
        script.verify(Promise::Everything, found(queue, moved, counter)).is_ok()
    };
    assert!(check(&["1-1"], &["0-1"], "1"));
    assert!(!check(&["0-1", "1-1"], &[], "1"), "a move is lost");
    assert!(!check(&["0-1"], &["0-1"], "1"), "an element is there twice, another one lost");
    assert!(!check(&[], &["0-1"], "1"), "a push is lost");
    assert!(!check(&["1-1"], &["0-1"], "0"), "an increment is lost");
    assert!(!check(&["1-1"], &["0-1"], "2"), "an increment was done twice");
}

#[test]
fn wrong_replies_are_found() {
    let mut script = Script::new(1);
    script.done(0, Operation::Incr(b"0:n:0".to_vec()), Reply::Integer(2));
    let found = script.verify(Promise::Everything, texts(&[("0:n:0", "1")]));
    assert!(found.unwrap_err().contains("was answered"));
}

/// The state after any number of a long random history is accepted where the promise allows it, and nowhere else.
#[test]
fn random_histories_have_their_cuts() {
    for seed in 0..4 {
        let mut draw = Draw::new(Random::new(seed), 0);
        let mut script = Script::new(1);
        let (mut keys, mut states) = (Keys::new(), vec![Keys::new()]);
        while states.len() < 80 {
            let operation = draw.operation();
            // Replies and effects of what is shared depend on more than this model.
            if format!("{operation:?}").contains("Shared") {
                continue;
            }
            let is_pending = states.len() > 60;
            let reply = operation.foretell(&mut keys, SPAN);
            match is_pending {
                true => script.push(0, operation, |_| Outcome::InFlight),
                false => script.done(0, operation, reply),
            }
            states.push(keys.clone());
        }
        for (number, state) in states.iter().enumerate() {
            let found: Keys = state.iter().map(|(name, entry)| (name.clone(), told(entry))).collect();
            assert!(script.verify(Promise::Prefix, found.clone()).is_ok(), "seed {seed}, {number}");
            let is_kept = number >= 60 || states[60..].contains(state);
            assert_eq!(script.verify(Promise::Everything, found).is_ok(), is_kept, "seed {seed}, {number}");
        }
    }
}

/// As a server tells it: with one expiry time.
fn told(entry: &Entry) -> Entry {
    Entry { content: entry.content.clone(), expires_ms: entry.expires_ms.map(|(from, _)| (from, from)) }
}
