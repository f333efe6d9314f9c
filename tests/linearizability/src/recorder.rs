//! Rounds of concurrent clients, recorded.
//!
//! Every client is a thread with one connection. A round has keys of its own, so it begins on an empty keyspace; a
//! barrier makes its clients begin together. Clients sometimes send several operations in one pipeline: their times
//! then overlap, and their order is the client's.

use std::io;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::Instant;

use ochre_differential::{Client, Random, Reply, encode};

use crate::history::{Event, History};
use crate::operation::{Draw, Mix, Operation};

/// The shape of rounds.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Clients at a time.
    pub clients: usize,
    /// Operations of each client in one round, about.
    pub operations: usize,
    /// Keys of a round.
    pub keys: usize,
    /// What the operations are.
    pub mix: Mix,
    /// Together with the number of the round, decides every operation.
    pub seed: u64,
}

/// Records rounds `first..first + count` of `shape` against the server at `address`.
pub fn record(address: SocketAddr, shape: Shape, first: u64, count: u64) -> io::Result<Vec<History>> {
    let barrier = Barrier::new(shape.clients);
    let clock = Instant::now();
    let mut lists = std::thread::scope(|scope| {
        let spawn = |number| {
            let barrier = &barrier;
            scope.spawn(move || ClientRun { shape, number, clock, barrier }.rounds(address, first, count))
        };
        let threads: Vec<_> = (0..shape.clients).map(spawn).collect();
        threads.into_iter().map(join).collect::<io::Result<Vec<_>>>()
    })?;
    let round = |index: usize| History {
        keys: shape.keys,
        clients: lists.iter_mut().map(|list| std::mem::take(&mut list[index])).collect(),
    };
    Ok((0..count as usize).map(round).collect())
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a client's thread panicked")))
}

struct ClientRun<'a> {
    shape: Shape,
    number: usize,
    clock: Instant,
    barrier: &'a Barrier,
}

impl ClientRun<'_> {
    /// The events of this client, round by round. After an error the barrier is still met in every round, so that the
    /// other clients come to their end.
    fn rounds(&self, address: SocketAddr, first: u64, count: u64) -> io::Result<Vec<Vec<Event>>> {
        let mut client = Client::connect(address);
        let mut rounds = Vec::new();
        for round in first..first + count {
            self.barrier.wait();
            if let Ok(open) = &mut client {
                match self.round(open, round) {
                    Ok(events) => rounds.push(events),
                    Err(error) => client = Err(error),
                }
            }
        }
        client.map(|_| rounds)
    }

    fn round(&self, client: &mut Client, round: u64) -> io::Result<Vec<Event>> {
        let random = Random::for_part(self.shape.seed ^ (self.number as u64) << 32, round);
        let mut draw = Draw::new(random, self.shape.mix, self.shape.keys, self.number);
        let operations = draw.operations(self.shape.operations);
        let prefix = format!("{}:{round}:", self.shape.seed);
        let mut events = Vec::with_capacity(operations.len());
        let mut rest = operations.as_slice();
        while !rest.is_empty() {
            let (burst, after) = rest.split_at(draw.burst().min(rest.len()));
            rest = after;
            self.burst(client, burst, &prefix, &mut events)?;
        }
        // What is still watched must not reach into the next round.
        client.call(&[b"UNWATCH"])?;
        Ok(events)
    }

    fn burst(
        &self,
        client: &mut Client,
        burst: &[Operation],
        prefix: &str,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        let commands: Vec<_> = burst.iter().map(|operation| operation.commands(prefix)).collect();
        let mut bytes = Vec::new();
        commands.iter().flatten().for_each(|command| encode(command, &mut bytes));
        let invoked_ns = self.now_ns();
        client.send(&bytes)?;
        for (operation, commands) in burst.iter().zip(&commands) {
            for _ in 1..commands.len() {
                expect_queued(client)?;
            }
            let reply = operation.normalized(read(client)?, prefix);
            let (operation, returned_ns) = (operation.clone(), self.now_ns());
            events.push(Event { client: self.number, operation, reply, invoked_ns, returned_ns });
        }
        Ok(())
    }

    fn now_ns(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }
}

fn read(client: &mut Client) -> io::Result<Reply> {
    let bytes = client.receive()?;
    Reply::read(&bytes).map(|(reply, _)| reply).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

fn expect_queued(client: &mut Client) -> io::Result<()> {
    match read(client)? {
        Reply::Simple(text) if text == b"OK" || text == b"QUEUED" => Ok(()),
        other => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("instead of QUEUED the server says {other:?}"),
        )),
    }
}
