//! What a handler gets, and how it reads its arguments.

use std::ops::Index;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Key, View};
use ochre_resp::{ReplyWriter, Span};
use ochre_types::LongString;

use crate::client::{Client, Parts};
use crate::command::Command;
use crate::engine::Engine;
use crate::error::{Error, NOT_AN_INTEGER, SYNTAX, wrong_arity};
use crate::scripting::ScriptStage;
use crate::sequel::{Promise, Sequel};
use crate::worker::WorkerContext;

/// Runs one command: reads its arguments, does one thing, writes one reply. An error is written by the dispatcher;
/// nothing must have been written before it is returned.
pub type Handler = for<'c, 'k> fn(&mut Call<'c, 'k>) -> Result<(), Error>;

/// The arguments of a request, the command's name among them.
#[derive(Clone, Copy, Default)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Span],
    parts: Option<&'a Parts>,
}

impl<'a> Args<'a> {
    /// Arguments that lie in `buffer`.
    pub fn new(buffer: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { buffer, spans, parts: None }
    }

    /// The same, of which those that have memory of their own are here.
    #[must_use]
    pub fn with_parts(self, parts: &'a Parts) -> Args<'a> {
        Args { parts: Some(parts).filter(|parts| !parts.is_empty()), ..self }
    }

    /// The argument that these bytes are, as a string to be shared, if it is a large one with memory of its own.
    #[inline]
    pub fn part(&self, arg: &[u8]) -> Option<&'a LongString> {
        self.parts?.holding(arg)
    }

    /// Where it lies: in the buffer, or, which is looked at second, among the large ones.
    #[inline]
    fn bytes_of(&self, span: Span) -> &'a [u8] {
        match span.within(self.buffer) {
            Some(bytes) => bytes,
            None => self.bytes_of_part(span),
        }
    }

    #[cold]
    fn bytes_of_part(&self, span: Span) -> &'a [u8] {
        self.parts.and_then(|parts| parts.get(span)).map_or(&[], |part| part)
    }

    /// Their number.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none (never so for a request).
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The argument at an index.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| self.bytes_of(*span))
    }

    /// The argument at an index that arity guarantees.
    #[inline]
    pub fn at(&self, index: usize) -> &'a [u8] {
        self.bytes_of(self.spans[index])
    }

    /// All arguments from an index on.
    pub fn from(&self, index: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let args = *self;
        self.spans.get(index..).unwrap_or(&[]).iter().map(move |span| args.bytes_of(*span))
    }

    /// All arguments.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        self.from(0)
    }

    /// Whether the argument at an index is this word, whatever its case.
    #[inline]
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// A cursor over the arguments from an index on.
    pub fn cursor(&self, index: usize) -> Cursor<'a> {
        Cursor { args: *self, index }
    }

    /// No fewer bytes than all arguments together have: where the last one ends in the request.
    #[inline]
    pub fn bytes_max(&self) -> usize {
        match self.parts {
            None => self.spans.last().map_or(0, |span| span.start as usize + span.len as usize),
            Some(_) => self.bytes(),
        }
    }

    /// Bytes of all arguments together.
    pub fn bytes(&self) -> usize {
        self.spans.iter().map(|span| span.len as usize).sum()
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        self.at(index)
    }
}

/// Reads arguments in order; each method carries the exact error for what does not fit.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    args: Args<'a>,
    index: usize,
}

impl<'a> Cursor<'a> {
    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.index >= self.args.len()
    }

    /// The number of arguments left.
    pub fn left(&self) -> usize {
        self.args.len().saturating_sub(self.index)
    }

    /// The index of the next argument.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The next argument, without going past it.
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.args.get(self.index)
    }

    /// The next argument, or `ERR syntax error`.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn next_arg(&mut self) -> Result<&'a [u8], Error> {
        let arg = self.args.get(self.index).ok_or(SYNTAX)?;
        self.index += 1;
        Ok(arg)
    }

    /// Goes past so many arguments, or to the end.
    pub fn skip(&mut self, count: usize) {
        self.index = self.index.saturating_add(count).min(self.args.len());
    }

    /// Goes past the next argument if it is this word, whatever its case.
    pub fn eat(&mut self, word: &str) -> bool {
        let is_word = self.args.is(self.index, word);
        self.index += usize::from(is_word);
        is_word
    }

    /// Goes past this word if another argument follows it (an option that takes a value).
    pub fn eat_with_value(&mut self, word: &str) -> bool {
        self.left() >= 2 && self.eat(word)
    }

    /// The next argument as an integer.
    ///
    /// # Errors
    /// Nothing is left, or it is no integer.
    pub fn next_i64(&mut self) -> Result<i64, Error> {
        integer(self.next_arg()?)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Something is left.
    pub fn finish(&self) -> Result<(), Error> {
        if self.is_at_end() { Ok(()) } else { Err(SYNTAX) }
    }
}

/// An argument as an integer.
///
/// # Errors
/// `ERR value is not an integer or out of range`.
pub fn integer(arg: &[u8]) -> Result<i64, Error> {
    ochre_types::parse_i64(arg).ok_or(NOT_AN_INTEGER)
}

/// An argument as an integer within bounds; `text` is the error if it is outside or none at all.
///
/// # Errors
/// With `text`, or with Redis's own if that is `None`.
pub fn integer_between(arg: &[u8], min: i64, max: i64, text: Option<&'static str>) -> Result<i64, Error> {
    let error = || text.map_or(Error::new("ERR value is out of range"), Error::new);
    let number = integer(arg).map_err(|error| text.map_or(error, Error::new))?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(error()) }
}

/// One command that is being run.
pub struct Call<'c, 'k> {
    /// The request.
    pub args: Args<'c>,
    /// The command, or the subcommand if it is one.
    pub command: &'static Command,
    /// The keys, in the order of the key specifications.
    pub keys: &'c [Key<'c>],
    /// The stripes of the keys.
    pub view: &'c mut View<'k>,
    /// Who asks.
    pub client: &'c mut Client,
    /// The server.
    pub engine: &'c Engine,
    /// The worker that runs this.
    pub worker: &'c WorkerContext,
    /// Where the reply goes.
    pub reply: ReplyWriter<'c>,
    /// What the journal is to contain instead of the request as it came.
    pub propagation: Propagation,
    /// Whether this runs as part of EXEC or of a script: nothing may block.
    pub in_transaction: bool,
    /// Whether the request has run before and had to wait: the client is a stand-in then.
    pub is_retry: bool,
    /// What scripts are run with.
    pub stage: ScriptStage<'c>,
    /// Whether the reply that the handler has written is an error, which it has seen to that statistics have.
    pub has_failed: bool,
}

/// How a command that changed something gets into the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Propagation {
    /// As it came.
    #[default]
    Verbatim,
    /// As the handler said.
    Rewritten,
    /// Even if nothing was changed (WATCHed effects outside the keyspace, FLUSHALL of nothing).
    Forced,
    /// Not at all.
    Nothing,
}

impl<'c> Call<'c, '_> {
    /// The client's database.
    #[inline]
    pub fn db(&self) -> u32 {
        self.client.db
    }

    /// The first key.
    #[inline]
    pub fn key(&self) -> Key<'c> {
        self.keys[0]
    }

    /// The time of this step, unix time in ms.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.view.now_ms()
    }

    /// Whether a key that is to expire at this time is to be removed right away. While data are loaded or imported, it
    /// stays until whoever they come from says that it is gone.
    pub fn has_passed(&self, at_ms: i64) -> bool {
        at_ms <= self.now_ms()
            && !self.engine.loading.load(Relaxed)
            && !self.engine.keyspace.settings.import_mode.load(Relaxed)
    }

    /// The time at or before which the time given to a field of a hash has passed already, unix time in ms: while data are loaded,
    /// none has.
    pub fn passed_ms(&self) -> i64 {
        if self.has_passed(i64::MIN) { self.now_ms() } else { i64::MIN }
    }

    /// Has the journal contain this command instead of the request; may be called several times.
    pub fn propagate(&mut self, args: &[&[u8]]) {
        self.propagation = Propagation::Rewritten;
        if self.engine.keyspace.journal.is_active() && !self.client.is_unreplicated {
            let db = self.client.db;
            self.view.effects().unit.push(db, args.iter().copied());
        }
    }

    /// Keeps the request out of the journal.
    pub fn propagate_nothing(&mut self) {
        self.propagation = Propagation::Nothing;
    }

    /// Adds a keyspace event for a key of the client's database.
    #[inline]
    pub fn notify(&mut self, class: u32, name: &'static str, key: Key<'_>) {
        self.view.notify(class, name, self.client.db, key.bytes);
    }

    /// Leaves the rest of the reply to be written in parts once the locks are released.
    pub fn promise(&mut self, mut sequel: Box<dyn Sequel>) {
        if self.is_retry || self.client.in_script {
            // The reply goes out as a whole, by mail, or is read by the script.
            while sequel.write(&mut self.reply, usize::MAX) {}
            return;
        }
        self.client.promises.push(Promise::new(self.reply.len(), self.reply.protocol(), sequel));
    }

    /// Whether the client may also read keys that no argument names.
    pub fn may_read_every_key(&self) -> bool {
        let entry = || self.engine.commands.entry_of(self.command);
        self.client.unrestricted
            || entry().is_some_and(|entry| self.engine.may_read_every_key(self.client, entry, self.args))
    }

    /// The full name, as errors show it: `get`, `config|get`.
    pub fn full_name(&self) -> String {
        self.engine.commands.full_name(self.command)
    }

    /// `ERR wrong number of arguments for '...' command`.
    pub fn wrong_arity(&self) -> Error {
        wrong_arity(&self.full_name())
    }
}

/// The handler of a container: its subcommand is unknown.
pub fn unknown_subcommand(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let word = call.args.at(1);
    let container = call.engine.commands.full_name(call.command).to_ascii_uppercase();
    Err(Error::quoting(
        "ERR unknown subcommand '",
        &word[..word.len().min(128)],
        &format!("'. Try {container} HELP."),
    ))
}
