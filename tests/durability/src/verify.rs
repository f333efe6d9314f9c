//! Whether what a server holds after its death is what it promised before.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use ochre_differential::{Reply, escape};

use crate::operation::Operation;
use crate::recorder::{Event, Outcome};
use crate::state::{Keys, Shared};

/// What a server promises of what it acknowledged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Promise {
    /// All of it is there.
    Everything,
    /// All of it but what was acknowledged in the last so much time before the death.
    AllBut(Duration),
    /// What was acknowledged before the last successful SAVE was asked for.
    LastSave,
    /// Nothing, but that what is there is a prefix.
    Prefix,
}

/// What there was when a round began.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// By client: its keys.
    pub clients: Vec<Keys>,
    /// What they share.
    pub shared: Shared,
}

/// One life of a server.
#[derive(Debug)]
pub struct Round {
    /// By client: what it did.
    pub histories: Vec<Vec<Event>>,
    /// When the server was killed.
    pub killed: Instant,
    /// When the last SAVE that succeeded was asked for.
    pub saved: Option<Instant>,
}

/// How many events of a client are there: the numbers that fit.
type Cuts = RangeInclusive<usize>;

impl Round {
    /// Operations that were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        let events = self.histories.iter().flatten();
        events.filter(|event| matches!(event.outcome, Outcome::Acknowledged { .. })).count() as u64
    }
}

/// Compares what a server holds (`found`) with what it promised, and returns what there is now; says what is wrong otherwise.
pub fn verify(before: &Before, round: &Round, promise: Promise, mut found: Keys) -> Result<Before, String> {
    let shared = Shared::take_from(&mut found);
    let clients = share_out(found, before.clients.len())?;
    check_replies(before, round)?;
    let mut cuts = Vec::new();
    for (client, (history, keys)) in round.histories.iter().zip(&clients).enumerate() {
        let fitting = fitting(&before.clients[client], history, keys);
        let pushed = pushed_by(client, before, &shared);
        let least =
            history.iter().rposition(|event| must_be_there(event, round, promise)).map_or(0, |at| at + 1);
        let cut = narrow(&fitting, history, &pushed, least)
            .ok_or_else(|| explain(client, before, history, keys, &fitting, least, pushed.len()))?;
        cuts.push(cut);
    }
    check_shared(before, round, &cuts, &shared)?;
    check_prefix(round, &cuts)?;
    Ok(Before { clients, shared })
}

/// Keys by client. A key that is nobody's, or whose time was over, is wrong.
fn share_out(found: Keys, clients: usize) -> Result<Vec<Keys>, String> {
    let mut shares = vec![Keys::new(); clients];
    for (name, entry) in found {
        let text = String::from_utf8_lossy(&name).into_owned();
        let mut words = text.split(':');
        let owner = words.next().and_then(|client| client.parse::<usize>().ok());
        let is_fleeting = words.next() == Some("t");
        match owner.and_then(|client| shares.get_mut(client)) {
            Some(share) if !is_fleeting => _ = share.insert(name, entry),
            _ => return Err(format!("the key {text} should not be there: {entry:?}")),
        }
    }
    Ok(shares)
}

/// Whether the replies were right while the server lived.
fn check_replies(before: &Before, round: &Round) -> Result<(), String> {
    for (client, history) in round.histories.iter().enumerate() {
        let mut keys = before.clients[client].clone();
        for (number, event) in history.iter().enumerate() {
            let Outcome::Acknowledged { reply, .. } = &event.outcome else { continue };
            let expected = event.operation.apply(&mut keys, event.span);
            if !expected.admits(reply) {
                return Err(format!(
                    "client {client}, operation {number}: {} was answered {}, expected {}",
                    shown(&event.operation),
                    short(&format!("{reply:?}")),
                    short(&format!("{expected:?}"))
                ));
            }
        }
    }
    Ok(())
}

fn must_be_there(event: &Event, round: &Round, promise: Promise) -> bool {
    let Outcome::Acknowledged { at, .. } = event.outcome else { return false };
    match promise {
        Promise::Everything => true,
        Promise::AllBut(last) => at + last < round.killed,
        Promise::LastSave => round.saved.is_some_and(|asked| at < asked),
        Promise::Prefix => false,
    }
}

/// All numbers of events after which the client's keys are what was found. A refused event changes nothing.
fn fitting(before: &Keys, history: &[Event], found: &Keys) -> Vec<usize> {
    let mut keys = before.clone();
    let is_wrong = |keys: &Keys, name: &Vec<u8>| match (keys.get(name), found.get(name)) {
        (None, None) => false,
        (Some(entry), Some(there)) => !entry.is(there),
        _ => true,
    };
    let names = before.keys().chain(found.keys().filter(|name| !before.contains_key(*name)));
    let mut wrong: usize = names.map(|name| usize::from(is_wrong(&keys, name))).sum();
    let mut fitting = Vec::new();
    for (number, event) in history.iter().enumerate() {
        if wrong == 0 {
            fitting.push(number);
        }
        if event.outcome == Outcome::Refused {
            continue;
        }
        let mut touched = event.operation.keys();
        touched.sort_unstable();
        touched.dedup();
        wrong -= touched.iter().filter(|name| is_wrong(&keys, name)).count();
        event.operation.apply(&mut keys, event.span);
        wrong += touched.iter().filter(|name| is_wrong(&keys, name)).count();
    }
    if wrong == 0 {
        fitting.push(history.len());
    }
    fitting
}

/// What a client pushed to the shared queue since `before`, in the order in which it is there.
fn pushed_by(client: usize, before: &Before, shared: &Shared) -> Vec<Vec<u8>> {
    let prefix = format!("{client}-").into_bytes();
    let new = shared.pushed().skip(before.shared.pushed().count());
    new.filter(|element| element.starts_with(&prefix)).cloned().collect()
}

/// What an event pushes to the shared queue.
fn pushes(event: &Event) -> impl Iterator<Item = &Vec<u8>> {
    let parts = if event.outcome == Outcome::Refused { &[] } else { event.operation.parts() };
    parts.iter().filter_map(|part| match part {
        Operation::SharedPush(value) => Some(value),
        _ => None,
    })
}

/// Those cuts that contain what must be there, and exactly what was pushed.
fn narrow(fitting: &[usize], history: &[Event], pushed: &[Vec<u8>], least: usize) -> Option<Cuts> {
    let is_right = |cut: &usize| history[..*cut].iter().flat_map(pushes).eq(pushed);
    let mut right = fitting.iter().copied().filter(|cut| *cut >= least).filter(is_right);
    let first = right.next()?;
    Some(first..=right.next_back().unwrap_or(first))
}

/// The elements that acknowledged events of a range moved.
fn moved(events: &[Event]) -> impl Iterator<Item = &Vec<u8>> {
    events.iter().filter_map(|event| match (&event.operation, &event.outcome) {
        (Operation::SharedMove, Outcome::Acknowledged { reply: Reply::Bulk(element), .. }) => Some(element),
        _ => None,
    })
}

fn in_flight(events: &[Event], operation: &Operation) -> usize {
    let is_one = |event: &&Event| event.outcome == Outcome::InFlight && event.operation == *operation;
    events.iter().filter(is_one).count()
}

fn acknowledged(events: &[Event], operation: &Operation) -> usize {
    let is_one = |event: &&Event| {
        matches!(event.outcome, Outcome::Acknowledged { .. }) && event.operation == *operation
    };
    events.iter().filter(is_one).count()
}

/// What all share: nothing of before is lost or in another order, and what the cuts say was done, and nothing else.
fn check_shared(before: &Before, round: &Round, cuts: &[Cuts], shared: &Shared) -> Result<(), String> {
    let old: Vec<_> = before.shared.pushed().collect();
    let now: Vec<_> = shared.pushed().collect();
    if !now.starts_with(&old) {
        return Err(format!("{} elements of the queue are not what they were", old.len()));
    }
    let pairs = || round.histories.iter().zip(cuts);
    let there: usize =
        pairs().map(|(history, cut)| history[..*cut.end()].iter().flat_map(pushes).count()).sum();
    if now.len() - old.len() != there {
        return Err(format!("the queue got {} elements instead of {there}", now.len() - old.len()));
    }
    let there: HashSet<_> = shared.moved.iter().collect();
    let is_moved = |element: &Vec<u8>| there.contains(element);
    for (client, (history, cut)) in round.histories.iter().zip(cuts).enumerate() {
        if let Some(element) = moved(&history[..*cut.start()]).find(|element| !is_moved(element)) {
            return Err(format!("client {client} moved {}, which is not there", escape(element)));
        }
        if let Some(element) = moved(&history[*cut.end()..]).find(|element| is_moved(element)) {
            return Err(format!("{} is moved, but client {client}'s move is lost", escape(element)));
        }
    }
    let sum = |count: &dyn Fn(&[Event]) -> usize, end: &dyn Fn(&Cuts) -> usize| -> usize {
        pairs().map(|(history, cut)| count(&history[..end(cut)])).sum()
    };
    let (start, end) = (&|cut: &Cuts| *cut.start(), &|cut: &Cuts| *cut.end());
    let moves = shared.moved.len() - before.shared.moved.len().min(shared.moved.len());
    let range = sum(&|events| moved(events).count(), start)
        ..=sum(&|events| moved(events).count() + in_flight(events, &Operation::SharedMove), end);
    if !range.contains(&moves) {
        return Err(format!("{moves} elements were moved, expected {range:?}"));
    }
    let done = shared.counter - before.shared.counter;
    let range = sum(&|events| acknowledged(events, &Operation::SharedIncr), start) as i64
        ..=sum(
            &|events| {
                acknowledged(events, &Operation::SharedIncr) + in_flight(events, &Operation::SharedIncr)
            },
            end,
        ) as i64;
    if !range.contains(&done) {
        return Err(format!("the counter was incremented {done} times, expected {range:?}"));
    }
    Ok(())
}

/// Nothing that is there was sent after the acknowledgement of something that is lost.
fn check_prefix(round: &Round, cuts: &[Cuts]) -> Result<(), String> {
    let mut last_sent: Option<(Instant, usize, usize)> = None;
    let mut first_lost: Option<(Instant, usize, usize)> = None;
    for (client, (history, cut)) in round.histories.iter().zip(cuts).enumerate() {
        let is_there = |event: &&Event| event.outcome != Outcome::Refused;
        // Where several cuts fit, those in between may be there or not.
        if let Some(event) = history[..*cut.start()].iter().rfind(is_there) {
            let this = (event.sent, client, *cut.start() - 1);
            last_sent = Some(last_sent.map_or(this, |last| last.max(this)));
        }
        for (number, event) in history.iter().enumerate().skip(*cut.end()) {
            if let Outcome::Acknowledged { at, .. } = event.outcome {
                let this = (at, client, number);
                first_lost = Some(first_lost.map_or(this, |first| first.min(this)));
                break;
            }
        }
    }
    match (first_lost, last_sent) {
        (Some((lost, client, number)), Some((sent, other, later))) if lost < sent => Err(format!(
            "client {client}'s operation {number} is lost, but client {other}'s operation {later} is there, which was \
             sent {:?} after the acknowledgement",
            sent - lost
        )),
        _ => Ok(()),
    }
}

fn explain(
    client: usize,
    before: &Before,
    history: &[Event],
    found: &Keys,
    fitting: &[usize],
    least: usize,
    pushed: usize,
) -> String {
    let count = history.len();
    let mut text = format!(
        "client {client} did {count} operations, of which the first {least} must be there; its keys are as after \
         {fitting:?}, and {pushed} of its elements are in the queue"
    );
    let mut keys = before.clients[client].clone();
    for event in history[..least].iter().filter(|event| event.outcome != Outcome::Refused) {
        event.operation.apply(&mut keys, event.span);
    }
    let differs = |name: &&Vec<u8>| match (keys.get(*name), found.get(*name)) {
        (Some(entry), Some(there)) => !entry.is(there),
        _ => true,
    };
    for name in
        keys.keys().chain(found.keys().filter(|name| !keys.contains_key(*name))).filter(differs).take(6)
    {
        text += &format!(
            "\n  {} is {}; after {least} operations it was {}",
            escape(name),
            short(&format!("{:?}", found.get(name))),
            short(&format!("{:?}", keys.get(name)))
        );
    }
    for (number, event) in history.iter().enumerate().skip(least.saturating_sub(4)).take(12) {
        let outcome = match event.outcome {
            Outcome::Acknowledged { .. } => "acknowledged",
            Outcome::Refused => "refused",
            Outcome::InFlight => "in flight",
        };
        text += &format!("\n  {number}: {} ({outcome})", shown(&event.operation));
    }
    text
}

fn shown(operation: &Operation) -> String {
    let commands = operation.commands().into_iter().map(|words| {
        words.iter().map(|word| escape(&word[..word.len().min(40)])).collect::<Vec<_>>().join(" ")
    });
    commands.collect::<Vec<_>>().join("; ")
}

fn short(text: &str) -> String {
    text.chars().take(160).collect()
}
