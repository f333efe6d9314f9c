//! Two servers driven in lock step: side A, which is under test, and side B, which is right.

use std::io::{self, ErrorKind};

use crate::client::{Client, encode};
use crate::compare::{Tolerance, elements, same};
use crate::exceptions::Exceptions;
use crate::grammar::{self, CONFIG_PARAMETERS};
use crate::process::Server;
use crate::reply::Reply;
use crate::step::Step;
use crate::{state, text};

/// Commands in one pipeline at most.
const PIPELINE_MAX: usize = 64;

/// Where two servers differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The index of the step.
    pub step: usize,
    /// What was asked: a command, a session, or a fact of the state.
    pub question: String,
    /// The reply of side A.
    pub ours: Vec<u8>,
    /// The reply of side B.
    pub theirs: Vec<u8>,
}

/// The two servers.
#[derive(Debug)]
pub struct Pair {
    sides: [Server; 2],
    settings: [Vec<(Vec<u8>, Vec<u8>)>; 2],
}

impl Pair {
    /// Takes two running servers and remembers their settings.
    pub fn new(ours: Server, theirs: Server) -> io::Result<Self> {
        let settings = [read_settings(&ours)?, read_settings(&theirs)?];
        Ok(Self { sides: [ours, theirs], settings })
    }

    /// The servers, A first.
    pub fn sides(&self) -> &[Server; 2] {
        &self.sides
    }

    /// Empties both servers, gives them back their settings, and starts again one that died.
    pub fn clean(&mut self) -> io::Result<()> {
        for (side, settings) in self.sides.iter_mut().zip(&self.settings) {
            side.revive()?;
            let mut client = Client::connect(side.address())?;
            for (name, value) in settings {
                client.call(&[b"CONFIG", b"SET", name, value])?;
            }
            client.call(&[b"FLUSHALL"])?;
        }
        Ok(())
    }

    /// Does `steps` on clean servers; returns the first difference that no exception explains. Errors are those of
    /// the harness: a server that dies or hangs is a difference.
    pub fn run(&mut self, steps: &[Step], exceptions: &Exceptions) -> io::Result<Option<Difference>> {
        self.clean()?;
        let clients = steps
            .iter()
            .filter_map(|step| if let Step::Command { client, .. } = step { Some(client + 1) } else { None });
        let mut run = Run { sides: &self.sides, exceptions, clients: Vec::new() };
        for _ in 0..clients.max().unwrap_or(0) {
            let client = run.new_client()?;
            run.clients.push(client);
        }
        run.steps(steps)
    }
}

fn read_settings(server: &Server) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut client = Client::connect(server.address())?;
    let mut settings = Vec::new();
    for (name, _) in CONFIG_PARAMETERS {
        let reply = client.call(&[b"CONFIG", b"GET", name.as_bytes()])?;
        if let [name, value] = reply.elements() {
            settings
                .extend(name.text().zip(value.text()).map(|(name, value)| (name.to_vec(), value.to_vec())));
        }
    }
    Ok(settings)
}

/// One client of the run: a connection to each side, and what its open transaction has queued.
struct Twin {
    sides: [Client; 2],
    queued: Vec<Vec<Vec<u8>>>,
}

struct Run<'a> {
    sides: &'a [Server; 2],
    exceptions: &'a Exceptions,
    clients: Vec<Twin>,
}

type Found = io::Result<Option<Difference>>;

impl Run<'_> {
    fn new_client(&self) -> io::Result<Twin> {
        let connect = |side: &Server| Client::connect(side.address());
        Ok(Twin { sides: [connect(&self.sides[0])?, connect(&self.sides[1])?], queued: Vec::new() })
    }

    fn steps(&mut self, steps: &[Step]) -> Found {
        let mut at = 0;
        while at < steps.len() {
            let (length, found) = match &steps[at] {
                Step::Command { client, .. } => {
                    let batch = pipeline(&steps[at..], *client);
                    (batch.len(), self.pipeline(*client, &batch)?)
                }
                Step::Session(bytes) => {
                    let (found, accepted) = self.session(bytes)?;
                    if accepted {
                        self.start_over()?;
                    }
                    (1, found)
                }
                Step::Check => (1, self.check()?),
            };
            if let Some(difference) = found {
                return Ok(Some(Difference { step: at + difference.step, ..difference }));
            }
            at += length;
        }
        Ok(None)
    }

    fn pipeline(&mut self, client: usize, batch: &[&[Vec<u8>]]) -> Found {
        let mut bytes = Vec::new();
        batch.iter().for_each(|arguments| encode(arguments, &mut bytes));
        let twin = &mut self.clients[client];
        // A side that cannot be written to has closed; reading says so below, in its place among the replies.
        twin.sides.iter_mut().for_each(|side| drop(side.send(&bytes)));
        for (step, arguments) in batch.iter().enumerate() {
            let [ours, theirs] = &mut self.clients[client].sides;
            let (ours, theirs) = (reply_or_end(ours)?, reply_or_end(theirs)?);
            let accepted = self.compare(client, arguments, &ours.0, &theirs.0);
            if !accepted || ours.1 != theirs.1 {
                let question = text::show(arguments);
                return Ok(Some(Difference { step, question, ours: ours.0, theirs: theirs.0 }));
            }
            if ours.1 {
                // Both ended the connection here; what followed in the pipeline was lost on both sides.
                self.clients[client] = self.new_client()?;
                break;
            }
        }
        Ok(None)
    }

    /// Whether the replies to a command are right, following what its transaction has queued.
    fn compare(&mut self, client: usize, arguments: &[Vec<u8>], ours: &[u8], theirs: &[u8]) -> bool {
        let queued = &mut self.clients[client].queued;
        let name = arguments.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
        if name == b"EXEC" {
            let queued = std::mem::take(queued);
            return ours == theirs
                || self.same_transaction(&queued, ours, theirs)
                || self.exceptions.accepts("EXEC", ours, theirs).is_some();
        }
        if theirs == b"+QUEUED\r\n" {
            queued.push(arguments.to_vec());
        } else if matches!(name.as_slice(), b"MULTI" | b"DISCARD" | b"RESET") && theirs.first() == Some(&b'+')
        {
            queued.clear();
        }
        self.same_command(arguments, ours, theirs)
    }

    fn same_command(&self, arguments: &[Vec<u8>], ours: &[u8], theirs: &[u8]) -> bool {
        ours == theirs
            || same(ours, theirs, grammar::tolerance(arguments))
            || self.exceptions.accepts(&text::show(arguments), ours, theirs).is_some()
    }

    /// Each queued command is judged as if it had been sent alone.
    fn same_transaction(&self, queued: &[Vec<Vec<u8>>], ours: &[u8], theirs: &[u8]) -> bool {
        let (Some(ours), Some(theirs)) = (elements(ours), elements(theirs)) else { return false };
        ours.len() == queued.len()
            && theirs.len() == queued.len()
            && queued
                .iter()
                .zip(ours.iter().zip(&theirs))
                .all(|(command, (ours, theirs))| self.same_command(command, ours, theirs))
    }

    /// Sends a session; the second result is whether its replies differ as an exception says.
    fn session(&self, bytes: &[u8]) -> io::Result<(Option<Difference>, bool)> {
        let mut said = Vec::new();
        for side in self.sides {
            let mut client = Client::connect(side.address())?;
            // The server may close in the middle of what it was sent.
            drop(client.send(bytes));
            said.push(client.finish().or_else(describe)?);
        }
        let question = format!("session \"{}\"", text::escape(bytes));
        let [ours, theirs] = [&said[0], &said[1]];
        if same_session(ours, theirs) {
            return Ok((None, false));
        }
        if self.exceptions.accepts(&question, ours, theirs).is_some() {
            return Ok((None, true));
        }
        Ok((Some(Difference { step: 0, question, ours: ours.clone(), theirs: theirs.clone() }), false))
    }

    /// Empties both sides and connects all clients anew: one server did what the other refused, so nothing that was
    /// before can be compared any more.
    fn start_over(&mut self) -> io::Result<()> {
        for side in self.sides {
            Client::connect(side.address())?.call(&[b"FLUSHALL"])?;
        }
        for client in 0..self.clients.len() {
            self.clients[client] = self.new_client()?;
        }
        Ok(())
    }

    fn check(&self) -> Found {
        let mut states = Vec::new();
        for side in self.sides {
            states.push(Client::connect(side.address()).and_then(|mut client| state::read(&mut client)));
        }
        let [ours, theirs] = match <[io::Result<Vec<state::Fact>>; 2]>::try_from(states) {
            Ok([Ok(ours), Ok(theirs)]) => [ours, theirs],
            Ok(broken) => return Ok(Some(broken_state(broken))),
            Err(_) => return Ok(None),
        };
        let found = state::first_difference(&ours, &theirs).filter(|(ours, theirs)| {
            self.exceptions.accepts(&ours.question, &ours.answer, &theirs.answer).is_none()
        });
        Ok(found.map(|(ours, theirs)| {
            let beside = |fact: &state::Fact| {
                if ours.question == theirs.question {
                    fact.answer.clone()
                } else {
                    format!("{}: {}", fact.question, text::escape(&fact.answer)).into_bytes()
                }
            };
            Difference {
                step: 0,
                question: ours.question.clone(),
                ours: beside(ours),
                theirs: beside(theirs),
            }
        }))
    }
}

/// The commands of `client` that `steps` begin with, as many as one pipeline takes.
fn pipeline(steps: &[Step], client: usize) -> Vec<&[Vec<u8>]> {
    let of_client = |step| match step {
        &Step::Command { client: of, ref arguments } if of == client => Some(arguments.as_slice()),
        _ => None,
    };
    steps.iter().map_while(of_client).take(PIPELINE_MAX).collect()
}

/// A reply, or words for its absence with `true` for the end of the connection.
fn reply_or_end(client: &mut Client) -> io::Result<(Vec<u8>, bool)> {
    match client.receive() {
        Ok(reply) => Ok((reply, false)),
        Err(error) => describe(error).map(|words| (words, true)),
    }
}

/// What a server did in place of replying, when it is the server's doing.
fn describe(error: io::Error) -> io::Result<Vec<u8>> {
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            Ok(b"(connection closed)".to_vec())
        }
        ErrorKind::TimedOut => Ok(b"(no reply in time)".to_vec()),
        ErrorKind::InvalidData => Ok(format!("({error})").into_bytes()),
        _ => Err(error),
    }
}

fn broken_state(sides: [io::Result<Vec<state::Fact>>; 2]) -> Difference {
    let [ours, theirs] = sides.map(|side| match side {
        Ok(_) => b"(answers)".to_vec(),
        Err(error) => error.to_string().into_bytes(),
    });
    Difference { step: 0, question: "state".to_owned(), ours, theirs }
}

/// Equal bytes, but for what a greeting says about its own server.
fn same_session(ours: &[u8], theirs: &[u8]) -> bool {
    if ours == theirs {
        return true;
    }
    let (mut a, mut b) = (ours, theirs);
    while let (Ok(a_length), Ok(b_length)) = (Reply::length(a), Reply::length(b)) {
        let (a_reply, b_reply) = (&a[..a_length], &b[..b_length]);
        let greeting = a_reply.windows(8).any(|bytes| bytes == b"\r\nserver");
        if !same(a_reply, b_reply, if greeting { Tolerance::Hello } else { Tolerance::Exact }) {
            return false;
        }
        (a, b) = (&a[a_length..], &b[b_length..]);
    }
    a == b
}
