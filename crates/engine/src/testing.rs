//! A client of an engine without a server, for the tests of families.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_config::Config;
use ochre_keyspace::{Effects, Event, JournalSink, Key, Locks};
use ochre_resp::{Protocol, ReplyWriter};
use parking_lot::Mutex;

use crate::call::{Args, Call, Propagation};
use crate::client::{Client, ClientShared, OwnedRequest};
use crate::command::{Latest, flags};
use crate::engine::Engine;
use crate::execute::{Clock, Executor, Outcome};

/// One client of one worker.
pub struct Harness {
    /// The worker.
    pub executor: Executor,
    /// The client.
    pub client: Client,
    /// What became of the last request.
    pub outcome: Outcome,
}

impl Harness {
    /// A client of an engine of its own.
    pub fn new() -> Harness {
        Harness::on(Arc::new(Engine::new(Config::new(), 1, "0".repeat(40), 7)))
    }

    /// One more client of an engine.
    pub fn on(engine: Arc<Engine>) -> Harness {
        let id = engine.clients.next_id();
        let shared =
            Arc::new(ClientShared { id, address: "127.0.0.1:1".to_owned(), ..ClientShared::default() });
        engine.clients.add(Arc::clone(&shared));
        let user = engine.access.default_user();
        let client = Client::new(shared, Protocol::Resp2, user, true);
        Harness { executor: Executor::new(engine, 0), client, outcome: Outcome::Done }
    }

    /// The reply to a request, as bytes.
    pub fn run_args(&mut self, args: &[&[u8]]) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = args.iter().map(|arg| arg.to_vec()).collect();
        self.run_request(&OwnedRequest::from_parts(&parts))
    }

    /// The same for a request that is there.
    pub fn run_request(&mut self, request: &OwnedRequest) -> Vec<u8> {
        let mut keys: Vec<Key<'_>> = Vec::new();
        let prepared = self.executor.prepare(request.args(), 0, &mut keys);
        let mut out = Vec::new();
        let keys = &keys[prepared.keys()];
        self.outcome = self.executor.execute(
            &mut self.client,
            request.args(),
            prepared,
            keys,
            &mut out,
            &mut Clock::read(),
        );
        self.keep_promises(&mut out);
        out
    }

    /// Writes what was promised, in small parts.
    fn keep_promises(&mut self, out: &mut Vec<u8>) {
        const PART_BYTES: usize = 100;
        for mut promise in self.client.take_promises().into_iter().rev() {
            let behind = out.split_off(promise.at);
            while promise.write(out, PART_BYTES) {}
            out.extend_from_slice(&behind);
            self.executor.settle(promise);
        }
    }

    /// The reply to a request of words that blanks separate, with CR LF shown as `|`.
    pub fn run(&mut self, words: &str) -> String {
        let args: Vec<&[u8]> = words.split_whitespace().map(str::as_bytes).collect();
        String::from_utf8_lossy(&self.run_args(&args)).replace("\r\n", "|")
    }
}

/// What the handler of a request did besides its reply.
#[derive(Debug, PartialEq, Eq)]
pub struct Did {
    /// As how many changes it counts.
    pub changes: u64,
    /// Its keyspace events, as `key=event`.
    pub events: String,
    /// How it gets into the journal if it changed something.
    pub propagation: Propagation,
}

/// All that a request did.
#[derive(Debug, PartialEq, Eq)]
pub struct Observed {
    /// The reply, with CR LF shown as `|`.
    pub reply: String,
    /// Keyspace events of all classes, in order: `key=event`, with blanks between.
    pub events: String,
    /// As how many changes it counts.
    pub dirty: u64,
    /// What goes to the journal: `=` for the request as it came, else commands with `; ` between.
    pub journal: String,
}

/// Keeps what a journal says.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl JournalSink for Kept {
    fn append(&mut self, _offset: u64, bytes: &[u8]) {
        self.0.lock().extend_from_slice(bytes);
    }
}

impl Kept {
    /// The commands, without the first SELECT.
    fn shown(&self) -> String {
        let bytes = self.0.lock();
        let text = String::from_utf8_lossy(&bytes);
        let mut commands: Vec<Vec<&str>> = Vec::new();
        let mut lines = text.split("\r\n");
        while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            match line.starts_with('*') {
                true => commands.push(Vec::new()),
                false => commands.last_mut().expect("a header").push(lines.next().expect("a word")),
            }
        }
        let mut shown: Vec<String> = commands.iter().map(|command| command.join(" ")).collect();
        if let Some(at) = shown.iter().position(|command| command.starts_with("SELECT ")) {
            shown.remove(at);
        }
        shown.join("; ")
    }
}

fn shown(events: &[Event]) -> String {
    let shown = |event: &Event| format!("{}={}", String::from_utf8_lossy(&event.key), event.name);
    events.iter().map(shown).collect::<Vec<_>>().join(" ")
}

/// Runs requests in order; each with its reply, events, changes and what is journalled.
pub fn observe(cases: &[(&str, &str, &str, u64, &str)]) {
    let mut client = Harness::new();
    for (request, reply, events, dirty, journal) in cases {
        let expected = Observed {
            reply: (*reply).to_owned(),
            events: (*events).to_owned(),
            dirty: *dirty,
            journal: (*journal).to_owned(),
        };
        assert_eq!(client.observe(request), expected, "{request}");
    }
}

impl Harness {
    /// Runs the handler of a request of words that blanks separate, with all events wanted. It must not fail.
    pub fn did(&mut self, words: &str) -> Did {
        let (mut effects, mut out) = (Effects::default(), Vec::new());
        let (propagation, _) = self.handle(words, &mut effects, &mut out);
        assert_ne!(out.first(), Some(&b'-'), "{words}");
        Did { changes: effects.dirty, events: shown(&effects.events), propagation }
    }

    /// The same with the journal being read.
    pub fn observe(&mut self, words: &str) -> Observed {
        let engine = Arc::clone(&self.executor.engine);
        let kept = Kept::default();
        let (sink, _) = engine.keyspace.journal.attach(Box::new(kept.clone()));
        let (mut effects, mut out) = (Effects::default(), Vec::new());
        let (propagation, command_flags) = self.handle(words, &mut effects, &mut out);
        engine.keyspace.journal.append(&effects.unit);
        engine.keyspace.journal.detach(sink);
        let is_verbatim = propagation == Propagation::Verbatim && effects.dirty > 0;
        Observed {
            reply: String::from_utf8_lossy(&out).replace("\r\n", "|"),
            events: shown(&effects.events),
            dirty: effects.dirty,
            journal: match is_verbatim && command_flags & flags::WRITE != 0 {
                true => "=".to_owned(),
                false => kept.shown(),
            },
        }
    }

    /// Calls the handler: how the request is propagated, and the command's flags.
    fn handle(&mut self, words: &str, effects: &mut Effects, out: &mut Vec<u8>) -> (Propagation, u64) {
        let engine = Arc::clone(&self.executor.engine);
        engine.keyspace.settings.notify_classes.store(u32::MAX, Relaxed);
        let parts: Vec<Vec<u8>> = words.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        let request = OwnedRequest::from_parts(&parts);
        let (args, mut keys): (Args<'_>, Vec<Key<'_>>) = (request.args(), Vec::new());
        let prepared = self.executor.prepare(args, 0, &mut keys);
        let keys = &keys[prepared.keys()];
        let entry = engine.commands.resolve(args, 0, &mut Latest::default()).expect("a known command");
        let locks = if entry.needs_all(args) { Locks::All } else { Locks::Keys(keys) };
        let mut view = engine.keyspace.view(locks, crate::clock_ms(), effects);
        let mut call = Call {
            args,
            command: entry.command,
            keys,
            view: &mut view,
            reply: ReplyWriter::new(out, self.client.protocol),
            client: &mut self.client,
            engine: &engine,
            worker: &self.executor.context,
            propagation: Propagation::Verbatim,
            in_transaction: false,
            is_retry: false,
            stage: crate::scripting::ScriptStage::default(),
            has_failed: false,
        };
        if let Err(error) = (entry.handler)(&mut call) {
            call.reply.error_bytes(error.bytes());
        }
        (call.propagation, entry.flags)
    }
}

/// What the journal of an engine is given.
#[derive(Clone, Default)]
pub struct Journalled(Arc<Mutex<Vec<u8>>>);

impl JournalSink for Journalled {
    fn append(&mut self, _: u64, bytes: &[u8]) {
        self.0.lock().extend_from_slice(bytes);
    }
}

impl Journalled {
    /// From now on.
    pub fn of(client: &Harness) -> Journalled {
        let journalled = Journalled::default();
        client.executor.engine.keyspace.journal.attach(Box::new(journalled.clone()));
        journalled
    }

    /// The words since the last time, commands separated by `;`.
    pub fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock());
        let text = String::from_utf8(bytes).expect("text");
        let mut words = String::new();
        for line in text.split("\r\n").filter(|line| !line.is_empty() && !line.starts_with('$')) {
            words.push_str(if line.starts_with('*') { ";" } else { " " });
            words.push_str(if line.starts_with('*') { "" } else { line });
        }
        // A reader that has just come is told which database is selected.
        let words = words.replacen("; SELECT 0", "", 1);
        words.trim_start_matches(';').trim_start().replace("; ", ";")
    }
}

#[test]
fn transactions_watch_and_run_whole() {
    let mut a = Harness::new();
    let mut b = Harness::on(Arc::clone(&a.executor.engine));
    assert_eq!(a.run("set k 1"), "+OK|");
    assert_eq!(a.run("watch k"), "+OK|");
    assert_eq!(b.run("set k 2"), "+OK|");
    assert_eq!(
        (a.run("multi"), a.run("get k"), a.run("exec")),
        ("+OK|".into(), "+QUEUED|".into(), "*-1|".into())
    );
    assert_eq!(
        (a.run("multi"), a.run("get k"), a.run("exec")),
        ("+OK|".into(), "+QUEUED|".into(), "*1|$1|2|".into())
    );
    assert_eq!(a.run("exec"), "-ERR EXEC without MULTI|");
    assert_eq!(a.run("nosuch a b"), "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b' |");
    assert_eq!(a.run("get"), "-ERR wrong number of arguments for 'get' command|");
    assert_eq!(
        (a.run("multi"), a.run("get")),
        ("+OK|".into(), "-ERR wrong number of arguments for 'get' command|".into())
    );
    assert_eq!(a.run("exec"), "-EXECABORT Transaction discarded because of previous errors.|");
    assert_eq!(a.executor.engine.keyspace.watched_keys(), 0);
}
