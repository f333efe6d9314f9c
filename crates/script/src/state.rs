//! What the callbacks of an interpreter share, and the names that they use most.

use std::cell::{Cell, RefCell};

use ochre_resp::{Protocol, Span};

use crate::debug::{self, Debugger};
use crate::host::{Interrupt, Request};
use crate::library::Random;
use crate::lua::{Context, Frame, Raise, Reference};
use crate::registered::Registration;

/// Instructions of Lua between two looks at the host: about a tenth of a millisecond.
pub(crate) const HOOK_INSTRUCTIONS: i32 = 10_000;
/// Steps of our own functions between two looks at the host.
const STEPS: u32 = 100_000;

/// Field names of replies and errors. Each is kept as a string of Lua's under its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub(crate) enum Name {
    /// `err`
    Err,
    /// `ok`
    Ok,
    /// `double`
    Double,
    /// `map`
    Map,
    /// `set`
    Set,
    /// `big_number`
    BigNumber,
    /// `verbatim_string`
    VerbatimString,
    /// `format`
    Format,
    /// `string`
    String,
    /// `source`
    Source,
    /// `line`
    Line,
    /// `ignore_error_stats_update`
    IgnoreErrorStatsUpdate,
    /// `KEYS`
    Keys,
    /// `ARGV`
    Argv,
    /// `__index`
    Index,
}

impl Name {
    /// All of them, by their numbers.
    pub(crate) const ALL: [Name; 15] = [
        Name::Err,
        Name::Ok,
        Name::Double,
        Name::Map,
        Name::Set,
        Name::BigNumber,
        Name::VerbatimString,
        Name::Format,
        Name::String,
        Name::Source,
        Name::Line,
        Name::IgnoreErrorStatsUpdate,
        Name::Keys,
        Name::Argv,
        Name::Index,
    ];

    /// The name itself.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Name::Err => "err",
            Name::Ok => "ok",
            Name::Double => "double",
            Name::Map => "map",
            Name::Set => "set",
            Name::BigNumber => "big_number",
            Name::VerbatimString => "verbatim_string",
            Name::Format => "format",
            Name::String => "string",
            Name::Source => "source",
            Name::Line => "line",
            Name::IgnoreErrorStatsUpdate => "ignore_error_stats_update",
            Name::Keys => "KEYS",
            Name::Argv => "ARGV",
            Name::Index => "__index",
        }
    }
}

/// The arguments of a command, gathered in one buffer that is used again.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Their bytes.
    pub(crate) buffer: Vec<u8>,
    /// Where each lies.
    pub(crate) spans: Vec<Span>,
}

impl Arguments {
    /// Takes these.
    pub(crate) fn set(&mut self, words: &[Vec<u8>]) {
        self.buffer.clear();
        self.spans.clear();
        for word in words {
            let place = u32::try_from(self.buffer.len()).ok().zip(u32::try_from(word.len()).ok());
            let Some((start, len)) = place else { return };
            self.buffer.extend_from_slice(word);
            self.spans.push(Span { start, len });
        }
    }

    /// As a command.
    pub(crate) fn request(&self, protocol: Protocol) -> Request<'_> {
        Request { buffer: &self.buffer, spans: &self.spans, protocol }
    }
}

/// State of an interpreter that its callbacks reach through [`Context`].
#[derive(Debug)]
pub(crate) struct Shared {
    /// The protocol that the script asked for.
    pub(crate) protocol: Cell<Protocol>,
    /// The command that is being called.
    pub(crate) arguments: RefCell<Arguments>,
    /// Its reply.
    pub(crate) reply: RefCell<Vec<u8>>,
    /// The generator of `math.random`.
    pub(crate) random: RefCell<Random>,
    /// Whether a script changed settings of cjson.
    pub(crate) json_touched: Cell<bool>,
    /// The functions that a library registers while it is loaded.
    pub(crate) registration: RefCell<Option<Registration>>,
    /// Whether the script told the collector something.
    pub(crate) collector_touched: Cell<bool>,
    /// Memory in use when the collector last ran because little was left.
    pub(crate) collected_at: Cell<usize>,
    /// The table that is the globals of what is running.
    pub(crate) environment: Cell<Option<Reference>>,
    /// A function of Lua that reads a field, metamethods and all.
    pub(crate) reader: Cell<Option<Reference>>,
    /// The table that KEYS and ARGV are set in.
    pub(crate) originals: Cell<Option<Reference>>,
    /// Whether the run is debugged, and by what.
    pub(crate) is_debugged: Cell<bool>,
    pub(crate) debugger: RefCell<Option<Box<Debugger>>>,
    /// Why the run has to end.
    stop: Cell<Option<&'static str>>,
    steps: Cell<u32>,
}

impl Shared {
    /// State before the first run.
    pub(crate) fn new() -> Shared {
        Shared {
            protocol: Cell::new(Protocol::Resp2),
            arguments: RefCell::default(),
            reply: RefCell::default(),
            random: RefCell::new(Random::new()),
            json_touched: Cell::new(false),
            registration: RefCell::default(),
            collector_touched: Cell::new(false),
            collected_at: Cell::new(0),
            environment: Cell::new(None),
            reader: Cell::new(None),
            originals: Cell::new(None),
            is_debugged: Cell::new(false),
            debugger: RefCell::new(None),
            stop: Cell::new(None),
            steps: Cell::new(STEPS),
        }
    }

    /// What a run begins with.
    pub(crate) fn begin_run(&self) {
        self.protocol.set(Protocol::Resp2);
        self.stop.set(None);
        self.collected_at.set(0);
        self.steps.set(STEPS);
    }

    /// The run has to end with this error, whatever the script catches.
    pub(crate) fn stop_with(&self, text: &'static str) {
        self.stop.set(Some(text));
    }

    /// Asks the host whether the script goes on.
    ///
    /// # Errors
    /// The text of the error that it ends with.
    pub(crate) fn poll(&self, context: &Context) -> Result<(), &'static str> {
        if self.stop.get().is_none()
            && let Some(Interrupt::Stop(text)) = context.with_host(|host| host.interrupt())
        {
            self.stop.set(Some(text));
        }
        self.stop.get().map_or(Ok(()), Err)
    }
}

impl Frame<'_> {
    /// Counts steps of a function of ours that may take many, and asks the host from time to time.
    #[inline]
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Raise> {
        let left = self.shared().steps.get();
        match u32::try_from(steps).ok().and_then(|steps| left.checked_sub(steps)) {
            Some(left) => {
                self.shared().steps.set(left);
                Ok(())
            }
            None => self.ask_host(),
        }
    }

    #[cold]
    fn ask_host(&mut self) -> Result<(), Raise> {
        self.shared().steps.set(STEPS);
        self.shared().poll(self.context()).map_err(|text| self.abort(text))
    }

    /// The error of a run that has to end. From here on every instruction of the script ends with it again, so that no
    /// `pcall` keeps it going.
    pub(crate) fn abort(&mut self, text: &str) -> Raise {
        self.hook_everything();
        match self.push_silent_error_table(format!("ERR {text}").as_bytes(), false) {
            Ok(()) => Raise::Value,
            Err(error) => error,
        }
    }

    /// The error of a command or of the server's functions: a table whose field `err` is the text.
    pub(crate) fn error_table(&mut self, text: &[u8], is_counted: bool) -> Raise {
        match self.push_error_table(text, is_counted) {
            Ok(()) => Raise::Value,
            Err(error) => error,
        }
    }

    /// Pushes a table whose field `err` is the text; `is_counted` says that the server's statistics have it already. Who goes
    /// through the script is shown it.
    pub(crate) fn push_error_table(&mut self, text: &[u8], is_counted: bool) -> Result<(), Raise> {
        if self.shared().is_debugged.get() {
            debug::note_error(self.shared(), text.strip_prefix(b"ERR ").unwrap_or(text));
        }
        self.push_silent_error_table(text, is_counted)
    }

    /// The same without showing it.
    pub(crate) fn push_silent_error_table(&mut self, text: &[u8], is_counted: bool) -> Result<(), Raise> {
        self.push_table(0, 2)?;
        self.push_string(text)?;
        self.set_name(-2, Name::Err)?;
        if is_counted {
            self.push_boolean(true)?;
            self.set_name(-2, Name::IgnoreErrorStatsUpdate)?;
        }
        Ok(())
    }
}
