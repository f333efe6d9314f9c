//! The checker against servers that are right and servers that are wrong on purpose, and against histories that were
//! tampered with. Without this, "no violation" would say nothing.

// Helpers are test code too, which the lint does not recognise.
#![allow(clippy::unwrap_used)]

mod model_server;

use model_server::{Fault, ModelServer};
use ochre_differential::{Random, Reply};
use ochre_linearizability::{History, Mix, Operation, Shape, Verdict, check, record};

fn histories(fault: Fault, mix: Mix, rounds: u64) -> Vec<History> {
    let server = ModelServer::start(fault);
    record(server.address(), Shape { clients: 4, operations: 6, keys: 3, mix, seed: 7 }, 0, rounds).unwrap()
}

fn violations(histories: &[History]) -> usize {
    histories.iter().filter(|history| check(history).0 == Verdict::Violation).count()
}

#[test]
fn a_right_server_is_accepted() {
    for mix in [Mix::Single, Mix::Multi, Mix::Transactions] {
        assert_eq!(violations(&histories(Fault::None, mix, 60)), 0, "{mix:?}");
    }
}

#[test]
fn every_fault_is_found() {
    for (fault, mix) in [
        (Fault::LostUpdate, Mix::Single),
        (Fault::StaleRead, Mix::Single),
        (Fault::TornCommand, Mix::Multi),
        (Fault::TornTransaction, Mix::Transactions),
        (Fault::BlindWatch, Mix::Transactions),
    ] {
        assert!(violations(&histories(fault, mix, 400)) > 0, "{fault:?} was not found");
    }
}

/// Changes one reply to something that nobody wrote.
fn falsify(reply: &mut Reply) {
    *reply = match reply {
        Reply::Integer(number) => Reply::Integer(*number + 1_000_000),
        Reply::Array(elements) if !elements.is_empty() => {
            falsify(&mut elements[0]);
            return;
        }
        _ => Reply::Bulk(b"never written".to_vec()),
    };
}

#[test]
fn an_impossible_reply_is_always_found() {
    let mut random = Random::new(3);
    for mut history in histories(Fault::None, Mix::Transactions, 60) {
        let client = random.below(history.clients.len());
        let event = random.below(history.clients[client].len());
        falsify(&mut history.clients[client][event].reply);
        assert_eq!(check(&history).0, Verdict::Violation, "{}", history.show());
    }
}

/// Swaps the replies of two reads that were told different things, the later of them after the earlier had returned.
#[test]
fn most_swapped_reads_are_found() {
    let (mut swapped, mut found) = (0, 0);
    for history in histories(Fault::None, Mix::Single, 100) {
        for events in &history.clients {
            let read = |from: usize| {
                (from..events.len()).find(|at| matches!(events[*at].operation, Operation::Incr(_)))
            };
            let (Some(first), client) = (read(0), events[0].client) else { continue };
            let Some(second) = read(first + 1).filter(|at| events[*at].reply != events[first].reply) else {
                continue;
            };
            let mut tampered = history.clone();
            tampered.clients[client][first].reply = events[second].reply.clone();
            tampered.clients[client][second].reply = events[first].reply.clone();
            swapped += 1;
            found += usize::from(check(&tampered).0 == Verdict::Violation);
        }
    }
    assert!(swapped > 50, "{swapped}");
    assert!(found * 10 > swapped * 9, "{found} of {swapped}");
}
