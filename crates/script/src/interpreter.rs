//! An interpreter: what a worker runs scripts and functions with.
//!
//! Each worker has its own, so scripts of several workers run at once where their locks allow it. Texts are shared
//! ([`Script`], [`Library`]); each interpreter compiles what it meets and keeps the last [`COMPILED_MAX`] of each.
//!
//! What a run leaves behind: garbage, which is collected as Lua sees fit, or at once if it is much. If what stays after a
//! collection is more than a fourth of the memory that scripts may have (state that libraries keep), the interpreter is thrown
//! away and made anew.

use std::collections::HashMap;
use std::ffi::CStr;
use std::hash::{BuildHasherDefault, Hasher};

use ochre_resp::ReplyWriter;

use crate::convert::write_reply;
use crate::functions::Library;
use crate::host::Host;
use crate::lua::{Frame, Kind, Machine, Raise, Reference};
use crate::registered::{FunctionRecord, Registration};
use crate::sandbox::Sandbox;
use crate::script::Script;
use crate::state::{Name, Shared};
use crate::version::Versions;

/// Compiled scripts, and compiled libraries, that an interpreter keeps.
pub const COMPILED_MAX: usize = 1000;
/// Elements of KEYS and of ARGV up to which the tables are used again.
const REUSED_LEN_MAX: usize = 16;
/// The largest block that may have been allocated since they were filled.
const REUSED_BYTES_MAX: usize = 1024;
/// Memory that may be in use after a run before it is looked at.
const KEPT_BYTES: usize = 4 << 20;
/// Names of the chunks, as errors show them.
const SCRIPT_NAME: &CStr = c"@user_script";
const LIBRARY_NAME: &CStr = c"@user_function";

/// How an interpreter is to be.
#[derive(Clone, Copy, Debug)]
pub struct InterpreterOptions {
    /// Bytes that it may take while a script runs.
    pub memory_limit: usize,
    /// What scripts are told about the server.
    pub versions: Versions,
}

/// How a run ended. Its reply is written in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finished {
    /// The script returned.
    Returned,
    /// It failed, and the reply is an error.
    Failed {
        /// Whether statistics have the error already, since a command of the script brought it.
        is_counted: bool,
    },
}

/// Something compiled, and when it was used last.
#[derive(Debug)]
struct Compiled<T> {
    value: T,
    used: u64,
}

/// The hash of a number that counts up is the number.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // The table takes its tags from the upper bits.
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type ById<T> = HashMap<u64, Compiled<T>, BuildHasherDefault<IdHasher>>;

/// Runs scripts.
pub struct Interpreter {
    machine: Machine,
    sandbox: Sandbox,
    options: InterpreterOptions,
    scripts: ById<Reference>,
    libraries: ById<Vec<(Vec<u8>, Reference)>>,
    runs: u64,
    /// Memory in use after the last collection of everything.
    settled_bytes: usize,
}

impl std::fmt::Debug for Interpreter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Interpreter")
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}

/// What a run is given.
enum Given {
    /// KEYS and ARGV are globals.
    Globals,
    /// They are arguments.
    Arguments,
}

impl Interpreter {
    /// Makes an interpreter; `None` if there is no memory for one.
    pub fn new(options: InterpreterOptions) -> Option<Interpreter> {
        let (machine, sandbox) = make(&options)?;
        let settled_bytes = machine.context().memory.used();
        Some(Interpreter {
            machine,
            sandbox,
            options,
            scripts: ById::default(),
            libraries: ById::default(),
            runs: 0,
            settled_bytes,
        })
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.machine.context().memory.used()
    }

    /// Sets the bytes that it may take while a script runs.
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.options.memory_limit = bytes;
        self.machine.context().memory.set_limit(bytes);
    }

    /// Whether a script can be compiled, for SCRIPT LOAD; the result is kept.
    ///
    /// # Errors
    /// The error text, without `ERR`.
    pub fn compile(&mut self, script: &Script) -> Result<(), Vec<u8>> {
        self.compiled_script(script).map(|_| ())
    }

    /// Runs a script and writes its reply.
    pub fn eval<'a>(
        &mut self,
        script: &Script,
        keys: impl ExactSizeIterator<Item = &'a [u8]>,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        host: &mut dyn Host,
        reply: &mut ReplyWriter<'_>,
    ) -> Finished {
        let function = match self.compiled_script(script) {
            Ok(function) => function,
            Err(text) => {
                reply.error_bytes(&[b"ERR ", text.as_slice()].concat());
                return Finished::Failed { is_counted: false };
            }
        };
        let name = script.digest();
        self.run(function, name.as_bytes(), keys, args, &Given::Globals, host, reply)
    }

    /// What its callbacks share.
    pub(crate) fn shared(&self) -> &Shared {
        &self.machine.context().shared
    }

    /// Runs a function of a library and writes its reply.
    pub fn call_function<'a>(
        &mut self,
        library: &Library,
        function: &[u8],
        keys: impl ExactSizeIterator<Item = &'a [u8]>,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        host: &mut dyn Host,
        reply: &mut ReplyWriter<'_>,
    ) -> Finished {
        match self.compiled_function(library, function, host) {
            Ok(callback) => self.run(callback, function, keys, args, &Given::Arguments, host, reply),
            Err(text) => {
                reply.error_bytes(&[b"ERR ", text.as_slice()].concat());
                Finished::Failed { is_counted: false }
            }
        }
    }

    /// Runs the text of a library, from the end of its first line on, to see what it registers. Nothing is kept of it.
    ///
    /// # Errors
    /// The error text, without `ERR`.
    pub fn load_library(&mut self, body: &[u8], host: &mut dyn Host) -> Result<Vec<FunctionRecord>, Vec<u8>> {
        let functions = self.load(body, host)?;
        let mut frame = self.machine.frame();
        let records = functions.into_iter().map(|(record, callback)| {
            frame.forget(callback);
            record
        });
        let records = records.collect();
        self.settle();
        Ok(records)
    }

    /// Forgets what was compiled of scripts (SCRIPT FLUSH).
    pub fn forget_scripts(&mut self) {
        let mut frame = self.machine.frame();
        for (_, compiled) in self.scripts.drain() {
            frame.forget(compiled.value);
        }
        self.machine.collect();
        self.settle();
    }

    /// Forgets what was compiled of libraries, and all that they keep (FUNCTION FLUSH).
    pub fn forget_libraries(&mut self) {
        let mut frame = self.machine.frame();
        for (_, compiled) in self.libraries.drain() {
            compiled.value.into_iter().for_each(|(_, callback)| frame.forget(callback));
        }
        self.machine.collect();
        self.settle();
    }

    fn compiled_script(&mut self, script: &Script) -> Result<Reference, Vec<u8>> {
        self.runs += 1;
        if let Some(compiled) = self.scripts.get_mut(&script.id) {
            compiled.used = self.runs;
            return Ok(compiled.value);
        }
        let mut frame = self.machine.frame();
        frame.shared().begin_run();
        let function = compile(&mut frame, script.code(), SCRIPT_NAME, self.sandbox.eval)
            .map_err(|text| [b"Error compiling script (new function): ", text.as_slice()].concat())?;
        if let Some(oldest) = oldest(&mut self.scripts) {
            frame.forget(oldest);
        }
        self.scripts.insert(script.id, Compiled { value: function, used: self.runs });
        Ok(function)
    }

    fn compiled_function(
        &mut self,
        library: &Library,
        function: &[u8],
        host: &mut dyn Host,
    ) -> Result<Reference, Vec<u8>> {
        self.runs += 1;
        if !self.libraries.contains_key(&library.id) {
            let functions = self.load(library.body(), host)?;
            let mut frame = self.machine.frame();
            if let Some(oldest) = oldest(&mut self.libraries) {
                oldest.into_iter().for_each(|(_, callback)| frame.forget(callback));
            }
            let value = functions.into_iter().map(|(record, callback)| (record.name, callback)).collect();
            self.libraries.insert(library.id, Compiled { value, used: self.runs });
        }
        let compiled = self.libraries.get_mut(&library.id).ok_or(b"Function not found")?;
        compiled.used = self.runs;
        let found = compiled.value.iter().find(|(name, _)| name == function);
        found.map(|(_, callback)| *callback).ok_or_else(|| b"Function not found".to_vec())
    }

    /// Runs the text of a library and returns what it registered.
    fn load(
        &mut self,
        body: &[u8],
        host: &mut dyn Host,
    ) -> Result<Vec<(FunctionRecord, Reference)>, Vec<u8>> {
        let sandbox = self.sandbox;
        let loaded = self.machine.run(host, |frame| {
            let shared = frame.shared();
            shared.begin_run();
            shared.environment.set(Some(sandbox.functions));
            *shared.registration.borrow_mut() = Some(Registration::default());
            let ran = load_in(frame, body, &sandbox);
            let registration = shared.registration.borrow_mut().take().unwrap_or_default();
            if ran.is_err() {
                registration.functions.iter().for_each(|(_, callback)| frame.forget(*callback));
            }
            ran.map(|()| registration.functions)
        });
        self.settle();
        loaded
    }

    #[expect(clippy::too_many_arguments, reason = "what a run is, said once")]
    fn run<'a>(
        &mut self,
        function: Reference,
        name: &[u8],
        keys: impl ExactSizeIterator<Item = &'a [u8]>,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        given: &Given,
        host: &mut dyn Host,
        reply: &mut ReplyWriter<'_>,
    ) -> Finished {
        let sandbox = self.sandbox;
        let start = reply.len();
        let finished = self.machine.run(host, |frame| {
            frame.shared().begin_run();
            if frame.shared().is_debugged.get() {
                frame.shared().originals.set(Some(sandbox.eval_originals));
                frame.hook_lines();
            }
            let ran = run_in(frame, function, keys, args, given, &sandbox);
            let written = match ran {
                Ok(()) => write_reply(frame, reply).map(|()| Finished::Returned),
                Err(_) => write_error(frame, name, reply),
            };
            written.unwrap_or_else(|_| {
                reply.truncate(start);
                reply.error("ERR Error running script, not enough memory");
                Finished::Failed { is_counted: false }
            })
        });
        self.settle();
        finished
    }

    /// Puts in order what a run has left.
    #[inline]
    fn settle(&mut self) {
        let shared = self.shared();
        if shared.collector_touched.get() || shared.json_touched.get() {
            self.undo_settings();
        }
        if self.machine.context().memory.used() > KEPT_BYTES + 2 * self.settled_bytes {
            self.collect();
        }
    }

    #[cold]
    fn undo_settings(&mut self) {
        let shared = &self.machine.context().shared;
        shared.collector_touched.set(false);
        shared.json_touched.set(false);
        self.machine.reset_collector();
        let mut frame = self.machine.frame();
        if self.sandbox.reset_json(&mut frame).is_err() {
            self.rebuild();
        }
    }

    #[cold]
    fn collect(&mut self) {
        let mut frame = self.machine.frame();
        if clear_arguments(&mut frame, &self.sandbox).is_err() {
            return self.rebuild();
        }
        self.machine.collect();
        self.settled_bytes = self.memory_bytes();
        if self.settled_bytes > self.options.memory_limit / 4 {
            self.rebuild();
        }
    }

    /// Throws everything away and begins again; if there is no memory for that, the old one goes on.
    fn rebuild(&mut self) {
        if let Some((machine, sandbox)) = make(&self.options) {
            self.scripts.clear();
            self.libraries.clear();
            self.sandbox = sandbox;
            self.machine = machine;
            self.settled_bytes = self.memory_bytes();
        }
    }
}

fn make(options: &InterpreterOptions) -> Option<(Machine, Sandbox)> {
    let mut machine = Machine::new(options.memory_limit, Shared::new())?;
    // What it takes to be there at all is granted.
    machine.context().memory.set_limit(usize::MAX);
    let sandbox = Sandbox::build(&mut machine.frame(), &options.versions).ok()?;
    machine.context().memory.set_limit(options.memory_limit);
    Some((machine, sandbox))
}

/// Takes out what was used longest ago if there is no room for more.
fn oldest<T>(compiled: &mut ById<T>) -> Option<T> {
    if compiled.len() < COMPILED_MAX {
        return None;
    }
    let (&id, _) = compiled.iter().min_by_key(|(_, compiled)| compiled.used)?;
    compiled.remove(&id).map(|compiled| compiled.value)
}

/// Compiles a text with these globals, and keeps the function.
fn compile(
    frame: &mut Frame<'_>,
    text: &[u8],
    name: &CStr,
    environment: Reference,
) -> Result<Reference, Vec<u8>> {
    let compiled = frame.compile(text, name).and_then(|()| {
        frame.push_reference(environment)?;
        frame.set_environment(-2);
        Ok(())
    });
    match compiled {
        Ok(()) => Ok(frame.keep()),
        Err(Raise::Value) => Err(frame.text_of_last().unwrap_or_default()),
        Err(_) => Err(b"not enough memory".to_vec()),
    }
}

/// Runs the text of a library.
fn load_in(frame: &mut Frame<'_>, body: &[u8], sandbox: &Sandbox) -> Result<(), Vec<u8>> {
    let no_memory = |_| b"not enough memory".to_vec();
    let function = compile(frame, body, LIBRARY_NAME, sandbox.functions)
        .map_err(|text| [b"Error compiling function: ", text.as_slice()].concat())?;
    sandbox.set_loading(frame, true).map_err(no_memory)?;
    frame.push_reference(function).map_err(no_memory)?;
    let ran = frame.call(0, Some(0), 0);
    let text = ran.map_err(|_| [b"Error registering functions: ", error_text(frame).0.as_slice()].concat());
    frame.forget(function);
    sandbox.set_loading(frame, false).map_err(no_memory)?;
    text.map(|_| ())
}

/// Calls a function with keys and arguments; its value, or its error, is pushed.
fn run_in<'a>(
    frame: &mut Frame<'_>,
    function: Reference,
    keys: impl ExactSizeIterator<Item = &'a [u8]>,
    args: impl ExactSizeIterator<Item = &'a [u8]>,
    given: &Given,
    sandbox: &Sandbox,
) -> Result<(), Raise> {
    let environment = match given {
        Given::Globals => sandbox.eval,
        Given::Arguments => sandbox.functions,
    };
    frame.shared().environment.set(Some(environment));
    frame.push_reference(sandbox.handler)?;
    let handler = frame.top();
    let count = match given {
        Given::Globals => {
            frame.push_reference(sandbox.eval_originals)?;
            let globals = frame.top();
            // A table that was large has such a block, and walking it would take long although it is empty again.
            let is_small = frame.context().memory.take_largest() <= REUSED_BYTES_MAX;
            set_strings(frame, globals, Name::Keys, is_small, keys)?;
            set_strings(frame, globals, Name::Argv, is_small, args)?;
            frame.push_reference(function)?;
            0
        }
        Given::Arguments => {
            frame.push_reference(function)?;
            push_strings(frame, keys)?;
            push_strings(frame, args)?;
            2
        }
    };
    frame.call(count, Some(1), handler).map(|_| ())
}

/// Sets a global to a table of strings: the one that the last script had, if it left it as a list of no more. No script can
/// have kept it, since nothing that it can reach outlives it.
fn set_strings<'a>(
    frame: &mut Frame<'_>,
    globals: i32,
    name: Name,
    is_small: bool,
    strings: impl ExactSizeIterator<Item = &'a [u8]>,
) -> Result<(), Raise> {
    let is_table = frame.get_name(globals, name)? == Kind::Table;
    if is_table && is_small && is_list(frame, strings.len())? {
        fill(frame, strings)?;
        frame.pop(1);
        return Ok(());
    }
    frame.pop(1);
    frame.push_name(name)?;
    push_strings(frame, strings)?;
    frame.set(globals);
    Ok(())
}

/// Whether the last value, a table, has nothing but elements up to a number, which is small enough to look.
fn is_list(frame: &mut Frame<'_>, len: usize) -> Result<bool, Raise> {
    let table = frame.top();
    if len > REUSED_LEN_MAX {
        return Ok(false);
    }
    if frame.push_metatable(table)? {
        frame.pop(1);
        return Ok(false);
    }
    frame.push_nil()?;
    while frame.next(table)? {
        frame.pop(1);
        let is_element =
            frame.number(-1).is_some_and(|place| place >= 1.0 && place <= len as f64 && place.fract() == 0.0);
        if !is_element {
            frame.pop(1);
            return Ok(false);
        }
    }
    Ok(true)
}

/// Pushes a table of strings.
fn push_strings<'a>(
    frame: &mut Frame<'_>,
    strings: impl ExactSizeIterator<Item = &'a [u8]>,
) -> Result<(), Raise> {
    frame.push_table(strings.len(), 0)?;
    fill(frame, strings)
}

/// Sets the elements of the last value, a table.
fn fill<'a>(frame: &mut Frame<'_>, strings: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<(), Raise> {
    let table = frame.top();
    for (number, string) in (1..).zip(strings) {
        frame.push_string(string)?;
        frame.set_element(table, number);
    }
    Ok(())
}

/// Lets go of the keys and arguments of the last run.
fn clear_arguments(frame: &mut Frame<'_>, sandbox: &Sandbox) -> Result<(), Raise> {
    frame.push_reference(sandbox.eval_originals)?;
    let globals = frame.top();
    for name in [Name::Keys, Name::Argv] {
        frame.push_table(0, 0)?;
        frame.set_name(globals, name)?;
    }
    frame.pop(1);
    Ok(())
}

/// The text of the last value, an error, and whether statistics have it.
fn error_text(frame: &mut Frame<'_>) -> (Vec<u8>, bool) {
    let error = frame.top();
    if frame.kind(error) != Kind::Table {
        let text = frame.text_of_last().unwrap_or_default();
        return ([b"ERR ", text.as_slice()].concat(), false);
    }
    let mut text = field_text(frame, error, Name::Err);
    if text.is_none() {
        text = Some(b"ERR unknown error".to_vec());
    }
    let counted = frame.get_name(error, Name::IgnoreErrorStatsUpdate).is_ok() && frame.boolean(-1);
    (text.unwrap_or_default(), counted)
}

/// The text of a field that is a string or a number.
fn field_text(frame: &mut Frame<'_>, table: i32, name: Name) -> Option<Vec<u8>> {
    let kind = frame.get_name(table, name).ok()?;
    let text = matches!(kind, Kind::String | Kind::Number).then(|| frame.text_of_last());
    frame.pop(1);
    text?.ok()
}

/// Writes the error that is the last value.
fn write_error(frame: &mut Frame<'_>, name: &[u8], reply: &mut ReplyWriter<'_>) -> Result<Finished, Raise> {
    let error = frame.top();
    if frame.kind(error) != Kind::Table {
        let mut text = frame.text_of_last()?;
        if text.is_empty() {
            text = b"execution failure".to_vec();
        }
        text.truncate(100);
        reply.error_bytes(&[b"ERR Error running script ", name, b", ", text.as_slice()].concat());
        return Ok(Finished::Failed { is_counted: false });
    }
    let (mut text, is_counted) = error_text(frame);
    let source = field_text(frame, error, Name::Source);
    let line = field_text(frame, error, Name::Line);
    if let (Some(source), Some(line)) = (source, line) {
        text.extend_from_slice(
            &[b" script: ", name, b", on ", source.as_slice(), b":", &line, b"."].concat(),
        );
    }
    reply.error_bytes(&text);
    Ok(Finished::Failed { is_counted })
}
