//! Running a case in a mode.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ochre_resp::Value;

use super::file::{Case, Expect, Send, Step};
use super::mode::{Delivery, Mode};
use super::pattern::Captures;
use super::print::print_one;
use super::session::Session;
use crate::{Address, Client, wait_for};

/// Commands that mean something else, or nothing, within a transaction.
const NOT_IN_MULTI: &[&str] = &[
    "multi",
    "exec",
    "discard",
    "watch",
    "unwatch",
    "hello",
    "reset",
    "quit",
    "auth",
    "monitor",
    "sync",
    "psync",
    "subscribe",
    "psubscribe",
    "ssubscribe",
    "shutdown",
];

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The server under test.
    Ochre,
    /// Redis.
    Redis,
    /// Valkey.
    Valkey,
}

impl Kind {
    /// The kind that the name of a binary tells.
    pub fn of(program: &Path) -> Kind {
        let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match name {
            name if name.starts_with("redis") => Kind::Redis,
            name if name.starts_with("valkey") => Kind::Valkey,
            _ => Kind::Ochre,
        }
    }

    /// What files call it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ochre => "ochre",
            Kind::Redis => "redis",
            Kind::Valkey => "valkey",
        }
    }
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every reply was right.
    Passed,
    /// It does not apply here.
    Skipped,
    /// A reply was wrong, with the step and what came instead.
    Failed(String),
}

/// Runs cases on one server.
pub struct Runner {
    address: Address,
    kind: Kind,
    admin: Client,
}

impl Runner {
    /// A runner on the server at `address`, which it empties before every case.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn new(address: &Address, kind: Kind) -> io::Result<Runner> {
        Ok(Runner { address: address.clone(), kind, admin: Client::connect(address)? })
    }

    /// Runs a case in a mode.
    pub fn run(&mut self, case: &Case, mode: Mode) -> Outcome {
        if !case.applies(mode, self.kind.name()) || (mode.delivery == Delivery::Multi && !fits_multi(case)) {
            return Outcome::Skipped;
        }
        let result = self.prepared(case, |address| match mode.delivery {
            Delivery::Multi => run_in_multi(address, case, mode),
            _ => Steps::new(address, mode, true).and_then(|mut steps| steps.run(case)),
        });
        match result {
            Ok(()) => Outcome::Passed,
            Err(text) => Outcome::Failed(text),
        }
    }

    /// The replies to the steps of a case, right or wrong; `None` where there was none.
    ///
    /// # Errors
    /// What keeps the steps from being made.
    pub fn replies(&mut self, case: &Case, mode: Mode) -> Result<Vec<Option<Value>>, String> {
        self.prepared(case, |address| {
            let mut steps = Steps::new(address, mode, false)?;
            steps.run(case)?;
            Ok(steps.replies)
        })
    }

    /// Empties the server and makes the case's settings for as long as `work` takes.
    fn prepared<T>(
        &mut self,
        case: &Case,
        work: impl FnOnce(&Address) -> Result<T, String>,
    ) -> Result<T, String> {
        self.command(&["FLUSHALL"])?;
        self.settle()?;
        let mut before = Vec::new();
        for (name, value) in &case.config {
            let reply = self.command(&["CONFIG", "GET", name])?;
            let old =
                reply.as_elements().and_then(|pair| pair.get(1)?.as_bytes()).unwrap_or_default().to_vec();
            self.command(&["CONFIG", "SET", name, value])?;
            before.push((name, old));
        }
        let result = work(&self.address);
        for (name, old) in before {
            self.command(&["CONFIG".as_bytes(), b"SET", name.as_bytes(), &old])?;
        }
        result
    }

    /// Waits until clients of earlier cases are gone, with all that they were subscribed to, and what is deleted is free.
    fn settle(&mut self) -> Result<(), String> {
        let is_settled = |admin: &mut Client| {
            admin.info("connected_clients") == 1 && admin.info("lazyfree_pending_objects") == 0
        };
        wait_for(|| is_settled(&mut self.admin).then_some(()))
            .ok_or("clients that are gone stay connected".into())
    }

    fn command<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Value, String> {
        let reply = self.admin.request(args).map_err(|error| error.to_string())?;
        match reply.as_error() {
            Some(text) => {
                let words: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg.as_ref())).collect();
                Err(format!("{}: {}", words.join(" "), String::from_utf8_lossy(text)))
            }
            None => Ok(reply),
        }
    }
}

/// A case on its way.
struct Steps<'a> {
    address: &'a Address,
    mode: Mode,
    /// Whether a wrong reply ends it.
    strict: bool,
    sessions: BTreeMap<String, Session>,
    captures: Captures,
    replies: Vec<Option<Value>>,
}

impl<'a> Steps<'a> {
    fn new(address: &'a Address, mode: Mode, strict: bool) -> Result<Steps<'a>, String> {
        let mut steps = Steps {
            address,
            mode,
            strict,
            sessions: BTreeMap::new(),
            captures: Captures::new(),
            replies: Vec::new(),
        };
        steps.session("")?;
        Ok(steps)
    }

    fn session(&mut self, name: &str) -> Result<&mut Session, String> {
        if !self.sessions.contains_key(name) {
            let session = Session::open(self.address, self.mode).map_err(|error| error.to_string())?;
            self.sessions.insert(name.to_owned(), session);
        }
        self.sessions.get_mut(name).ok_or_else(|| format!("no client {name}"))
    }

    fn run(&mut self, case: &Case) -> Result<(), String> {
        let mut batch: Vec<&Step> = Vec::new();
        for step in &case.steps {
            if !self.joins(&batch, step) {
                self.exchange(&std::mem::take(&mut batch))?;
            }
            if step.retry {
                self.insist(step)?;
            } else {
                batch.push(step);
            }
        }
        self.exchange(&batch)
    }

    /// Whether a step may be sent before the replies to these.
    fn joins(&self, batch: &[&Step], step: &Step) -> bool {
        let last = batch.last();
        self.mode.delivery == Delivery::Pipelined
            && !step.retry
            && !step.send.needs_captures()
            && last.is_none_or(|last| last.client == step.client && !matches!(last.expect, Expect::Closed))
    }

    /// Sends steps of one client and checks the replies.
    fn exchange(&mut self, batch: &[&Step]) -> Result<(), String> {
        let Some(first) = batch.first() else { return Ok(()) };
        let sends: Vec<Send> =
            batch.iter().map(|step| step.send.filled(&self.captures)).collect::<Result<_, _>>()?;
        self.session(&first.client)?.send(&sends).map_err(|error| at(first, &error.to_string()))?;
        for (step, send) in batch.iter().zip(&sends) {
            let reply = self.take_reply(step, send).map_err(|text| at(step, &text))?;
            self.replies.push(reply);
        }
        Ok(())
    }

    fn take_reply(&mut self, step: &Step, send: &Send) -> Result<Option<Value>, String> {
        let strict = self.strict;
        let session = self.session(&step.client)?;
        match &step.expect {
            Expect::Nothing => Ok(None),
            Expect::Closed => match session.is_closed() {
                Ok(true) => Ok(None),
                Ok(false) => Err("the server said something before it closed".to_owned()),
                Err(error) => Err(format!("not closed: {error}")),
            },
            Expect::Unknown if strict => Err("the reply is not known yet; record it".to_owned()),
            expect => {
                let reply = session.receive(send).map_err(|error| format!("no reply: {error}"))?;
                let resp3 = session.resp3;
                let right = matches_expected(expect, &reply, resp3, &mut self.captures);
                if strict && !right {
                    return Err(format!("got {}", print_one(&reply)));
                }
                Ok(Some(reply))
            }
        }
    }

    /// Asks until the reply is right.
    fn insist(&mut self, step: &Step) -> Result<(), String> {
        let mut last = None;
        let right = wait_for(|| {
            last = Some(self.ask(step));
            match &last {
                Some(Ok((_, false))) => None,
                _ => Some(()),
            }
        });
        match last {
            Some(Ok((reply, _))) if right.is_some() => {
                self.replies.push(Some(reply));
                Ok(())
            }
            Some(Ok((reply, _))) => Err(at(step, &format!("still {}", print_one(&reply)))),
            Some(Err(text)) => Err(at(step, &text)),
            None => Err(at(step, "never asked")),
        }
    }

    fn ask(&mut self, step: &Step) -> Result<(Value, bool), String> {
        let send = step.send.filled(&self.captures)?;
        let session = self.session(&step.client)?;
        let reply = session
            .send(std::slice::from_ref(&send))
            .and_then(|()| session.receive(&send))
            .map_err(|error| format!("no reply: {error}"))?;
        let resp3 = session.resp3;
        let right = matches_expected(&step.expect, &reply, resp3, &mut self.captures);
        Ok((reply, right))
    }
}

fn at(step: &Step, text: &str) -> String {
    format!("line {}: {text}", step.line)
}

pub(super) fn matches_expected(expect: &Expect, reply: &Value, resp3: bool, captures: &mut Captures) -> bool {
    match expect {
        Expect::Reply(_, pattern) if resp3 => pattern.matches(reply, true, captures),
        Expect::Reply(pattern, _) => pattern.matches(reply, false, captures),
        _ => false,
    }
}

/// Whether a case is one client's plain requests, none of which is about transactions.
fn fits_multi(case: &Case) -> bool {
    case.steps.iter().all(|step| {
        let plain = step.client.is_empty() && !step.retry && !step.send.needs_captures();
        let Send::Request(args) = &step.send else { return false };
        let name = args.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        plain
            && matches!(step.expect, Expect::Reply(..))
            && !NOT_IN_MULTI.iter().any(|word| word.as_bytes() == name)
    })
}

/// All steps as one transaction. What is refused while it is queued must be refused with the step's reply, and spoils
/// the transaction.
fn run_in_multi(address: &Address, case: &Case, mode: Mode) -> Result<(), String> {
    let mut session = Session::open(address, mode).map_err(|error| error.to_string())?;
    let mut exchange = |send: &Send| -> Result<Value, String> {
        session
            .send(std::slice::from_ref(send))
            .and_then(|()| session.receive(send))
            .map_err(|error| format!("no reply: {error}"))
    };
    exchange(&word("MULTI"))?;
    let mut spoiled = false;
    let mut captures = Captures::new();
    for step in &case.steps {
        let reply = exchange(&step.send.filled(&captures)?)?;
        if reply == Value::Simple(b"QUEUED".to_vec()) {
            continue;
        }
        spoiled = true;
        if !matches_expected(&step.expect, &reply, mode.resp3, &mut captures) {
            return Err(at(step, &format!("got {} instead of QUEUED", print_one(&reply))));
        }
    }
    let reply = exchange(&word("EXEC"))?;
    let replies = match reply.as_elements() {
        Some(replies) if !spoiled => replies,
        None if spoiled && reply.as_error().is_some_and(|text| text.starts_with(b"EXECABORT ")) => {
            return Ok(());
        }
        _ => return Err(format!("EXEC: got {}", print_one(&reply))),
    };
    if replies.len() != case.steps.len() {
        return Err(format!("EXEC: {} replies to {} requests", replies.len(), case.steps.len()));
    }
    for (step, reply) in case.steps.iter().zip(replies) {
        if !matches_expected(&step.expect, reply, mode.resp3, &mut captures) {
            return Err(at(step, &format!("got {}", print_one(reply))));
        }
    }
    Ok(())
}

fn word(text: &str) -> Send {
    Send::Request(vec![text.as_bytes().to_vec()])
}
