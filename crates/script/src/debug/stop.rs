//! A script that stops: what the client asks for meanwhile, as far as it is in Lua.

use super::debugger::{ABORTED, Debugger, MALFORMED, Reason};
use super::order::Order;
use super::value::append_value;
use crate::host::{Heard, Request};
use crate::lua::{Frame, Kind, Raise};
use crate::state::{Name, Shared};

/// Part of the chunk's name of a script; what else runs (texts that it has loaded) is passed over.
const SCRIPT: &[u8] = b"user_script";
/// What Lua calls values that are no variables.
const TEMPORARY: &[u8] = b"(*temporary)";
/// What a text of the client's ends with that runs for too long.
const TOO_LONG: &str = "timeout reached, infinite loop?";
/// Bytes of a line of `redis.debug`, about.
const DEBUG_BYTES_MAX: usize = 1 << 20;
const HELP: &[&str] = &[
    "Debugger of scripts:",
    "[h]elp               Show this text.",
    "[s]tep               Run this line and stop again.",
    "[n]ext               The same.",
    "[c]ontinue           Run to the next breakpoint.",
    "[l]ist               Show the lines around this one.",
    "[l]ist [line]        Show the lines around [line]; 0 is this one.",
    "[l]ist [line] [ctx]  Show [ctx] lines before and behind it.",
    "[w]hole              Show all lines.",
    "[p]rint              Show all local variables.",
    "[p]rint <var>        Show a variable, KEYS or ARGV.",
    "[b]reak              Show all breakpoints.",
    "[b]reak <line>       Set a breakpoint.",
    "[b]reak -<line>      Remove a breakpoint.",
    "[b]reak 0            Remove all breakpoints.",
    "[t]race              Show which function was called from where.",
    "[e]val <code>        Run some Lua, which does not see local variables.",
    "[r]edis <cmd>        Run a command.",
    "[m]axlen [len]       Cut replies and values at so many bytes; 0 shows",
    "                     all of them.",
    "[a]bort              End the script. With SYNC, what it has changed",
    "                     stays.",
    "",
    "What scripts can call:",
    "redis.debug()        Shows its arguments here.",
    "redis.breakpoint()   Stops at the next line.",
];

/// How a stop goes on.
enum Next {
    /// With the next order.
    Ask,
    /// The script runs.
    Run,
    /// The script ends with this error.
    End(&'static str),
}

/// Uses the debugger, if the script runs in one.
fn with<R>(shared: &Shared, use_it: impl FnOnce(&mut Debugger) -> R) -> Option<R> {
    shared.debugger.borrow_mut().as_deref_mut().map(use_it)
}

/// Shows a command that the script calls, if its client goes line by line.
#[cold]
pub(crate) fn note_request(shared: &Shared, request: Request<'_>) {
    with(shared, |debugger| {
        if debugger.is_stepping {
            debugger.show_request(request.args());
        }
    });
}

/// Shows the reply of such a command.
#[cold]
pub(crate) fn note_reply(shared: &Shared, reply: &[u8], is_refused: bool) {
    with(shared, |debugger| {
        if debugger.is_stepping {
            debugger.show_reply(reply, is_refused);
        }
    });
}

/// Shows an error that a function of the server's has made.
#[cold]
pub(crate) fn note_error(shared: &Shared, text: &[u8]) {
    with(shared, |debugger| {
        if debugger.is_stepping {
            debugger.show_error(text);
        }
    });
}

/// Has the script stop at its next line, for `redis.breakpoint`; false if it is not debugged.
#[cold]
pub(crate) fn call_stop(shared: &Shared) -> bool {
    with(shared, |debugger| debugger.is_called = true).is_some()
}

/// Shows the arguments of a function, for `redis.debug`.
///
/// # Errors
/// There is no memory.
#[cold]
pub(crate) fn note_debug(frame: &mut Frame<'_>) -> Result<(), Raise> {
    let Some(line) = with(frame.shared(), |debugger| debugger.listing.current) else { return Ok(()) };
    let mut text = format!("<debug> line {line}: ").into_bytes();
    for arg in 1..=frame.args() {
        if arg > 1 {
            text.extend_from_slice(b", ");
        }
        append_value(frame, arg, &mut text, DEBUG_BYTES_MAX)?;
    }
    with(frame.shared(), |debugger| debugger.log.add(&text));
    Ok(())
}

/// A line of Lua is about to run, or (unless `is_line`) some time has passed: the script stops here if it is to.
///
/// # Errors
/// It ends here.
#[cold]
pub(crate) fn visit(frame: &mut Frame<'_>, is_line: bool) -> Result<(), Raise> {
    let shared = frame.shared();
    if let Some(is_over) = with(shared, Debugger::evaluation_state).flatten() {
        return if is_over { Err(frame.abort(TOO_LONG)) } else { Ok(()) };
    }
    let Some(place) = frame.location(0) else { return Ok(()) };
    if !place.short_source().windows(SCRIPT.len()).any(|part| part == SCRIPT) {
        return Ok(());
    }
    let reason = with(shared, |debugger| match is_line {
        true => debugger.arrive(place.line),
        false => debugger.is_due().then_some(Reason::TimeOut),
    });
    let Some(reason) = reason.flatten() else { return Ok(()) };
    with(shared, |debugger| debugger.stop(reason));
    loop {
        match obey(frame) {
            Next::Ask => {}
            Next::Run => return Ok(()),
            Next::End(text) => {
                shared.stop_with(text);
                return Err(frame.abort(text));
            }
        }
    }
}

impl Debugger {
    /// Whether a text of the client's runs, and then whether it has to end.
    fn evaluation_state(&mut self) -> Option<bool> {
        let since = self.evaluating_since?;
        self.is_evaluation_over |= since.elapsed() >= self.timeout;
        Some(self.is_evaluation_over)
    }
}

/// Hears what the client says next, and does it.
fn obey(frame: &mut Frame<'_>) -> Next {
    let shared = frame.shared();
    let shown = with(shared, |debugger| debugger.log.take()).unwrap_or_default();
    frame.context().with_host(|host| host.show(&shown));
    let words = loop {
        match with(shared, |debugger| debugger.input.next()) {
            Some(Ok(Some(words))) => break words,
            Some(Ok(None)) => {}
            Some(Err(_)) => return Next::End(MALFORMED),
            None => return Next::Run,
        }
        match frame.context().with_host(|host| host.listen()) {
            Some(Heard::Bytes(bytes)) => {
                with(shared, |debugger| debugger.input.push(&bytes));
            }
            Some(Heard::Stop(text)) => return Next::End(text),
            Some(Heard::End) | None => {
                with(shared, Debugger::abandon);
                return Next::Run;
            }
        }
    };
    let Some(order) = Order::read(&words) else {
        let text = b"Unknown Redis Lua debugger command or wrong number of arguments.";
        with(shared, |debugger| debugger.show_error(text));
        return Next::Ask;
    };
    if let Order::Step | Order::Continue = order {
        with(shared, |debugger| debugger.go_on(order == Order::Step));
        return Next::Run;
    }
    if order == Order::Abort {
        return Next::End(ABORTED);
    }
    if answer(frame, order).is_err() {
        with(shared, |debugger| debugger.show_error(b"not enough memory"));
    }
    Next::Ask
}

fn answer(frame: &mut Frame<'_>, order: Order) -> Result<(), Raise> {
    let shared = frame.shared();
    match order {
        Order::Print(None) => print_all(frame)?,
        Order::Print(Some(name)) => print(frame, &name)?,
        Order::Trace => trace(frame),
        Order::Eval(text) => evaluate(frame, &text)?,
        Order::Command(words) => run_command(frame, &words),
        _ => {
            with(shared, |debugger| debugger.answer(&order));
        }
    }
    Ok(())
}

impl Debugger {
    /// Does what needs nothing of Lua.
    fn answer(&mut self, order: &Order) {
        match order {
            Order::Help => HELP.iter().for_each(|line| self.log.add(line.as_bytes())),
            Order::List { line, around } => self.listing.list(*line, *around, &mut self.log),
            Order::Break(words) => self.listing.change_breakpoints(words, &mut self.log),
            Order::MaxLen(len) => self.log.set_len_max(*len),
            _ => {}
        }
    }
}

/// Shows the last value, which is popped, behind some words.
fn show_last(frame: &mut Frame<'_>, before: &[u8]) -> Result<(), Raise> {
    let max = with(frame.shared(), |debugger| debugger.log.line_bytes_max()).unwrap_or_default();
    let mut line = before.to_vec();
    append_value(frame, -1, &mut line, max)?;
    frame.pop(1);
    with(frame.shared(), |debugger| debugger.log.add_cut(&line));
    Ok(())
}

/// Shows the local variables of the function that runs.
fn print_all(frame: &mut Frame<'_>) -> Result<(), Raise> {
    let mut has_any = false;
    let mut number = 1;
    while let Some(name) = frame.push_local(0, number)? {
        number += 1;
        if name == TEMPORARY {
            frame.pop(1);
        } else {
            has_any = true;
            show_last(frame, &[b"<value> ", name.as_slice(), b" = "].concat())?;
        }
    }
    if !has_any {
        with(frame.shared(), |debugger| debugger.log.add(b"No local variables in the current context."));
    }
    Ok(())
}

/// Shows a variable: the first of that name in the function that runs, or in those that have called it.
fn print(frame: &mut Frame<'_>, wanted: &[u8]) -> Result<(), Raise> {
    let mut level = 0;
    while frame.has_level(level) {
        let mut number = 1;
        while let Some(name) = frame.push_local(level, number)? {
            if name == wanted {
                return show_last(frame, b"<value> ");
            }
            frame.pop(1);
            number += 1;
        }
        level += 1;
    }
    let global = [Name::Keys, Name::Argv].into_iter().find(|name| name.text().as_bytes() == wanted);
    if let (Some(name), Some(globals)) = (global, frame.shared().originals.get()) {
        frame.push_reference(globals)?;
        let globals = frame.top();
        frame.get_name(globals, name)?;
        show_last(frame, b"<value> ")?;
        frame.pop(1);
        return Ok(());
    }
    with(frame.shared(), |debugger| debugger.log.add(b"No such variable."));
    Ok(())
}

/// Shows which function was called from where.
fn trace(frame: &mut Frame<'_>) {
    let mut level = 0;
    while let Some(place) = frame.location(level) {
        if place.short_source().windows(SCRIPT.len()).any(|part| part == SCRIPT) {
            let name = place.function.as_deref().unwrap_or(b"top level");
            let before: &[u8] = if level == 0 { b"In " } else { b"From " };
            with(frame.shared(), |debugger| {
                debugger.log.add(&[before, name, b":"].concat());
                debugger.listing.show(place.line, &mut debugger.log);
            });
        }
        level += 1;
    }
}

/// Runs a text, as an expression if it is one, and shows its value.
fn evaluate(frame: &mut Frame<'_>, text: &[u8]) -> Result<(), Raise> {
    with(frame.shared(), Debugger::begin_evaluation);
    let shown = frame.in_coroutine(|frame| {
        let ran = compile(frame, text).and_then(|()| frame.call(0, Some(1), 0).map(|_| ()));
        match ran {
            Ok(()) => show_last(frame, b"<retval> "),
            Err(Raise::Value) => show_failure(frame),
            Err(other) => Err(other),
        }
    });
    with(frame.shared(), |debugger| debugger.evaluating_since = None);
    shown?
}

fn compile(frame: &mut Frame<'_>, text: &[u8]) -> Result<(), Raise> {
    const NAME: &std::ffi::CStr = c"@ldb_eval";
    if frame.compile(&[b"return ", text].concat(), NAME).is_err() {
        frame.compile(text, NAME)?;
    }
    if let Some(environment) = frame.shared().environment.get() {
        frame.push_reference(environment)?;
        frame.set_environment(-2);
    }
    Ok(())
}

/// Shows the last value, an error.
fn show_failure(frame: &mut Frame<'_>) -> Result<(), Raise> {
    let is_over = with(frame.shared(), |debugger| debugger.is_evaluation_over).unwrap_or_default();
    let text = match frame.kind(-1) {
        _ if is_over => TOO_LONG.as_bytes().to_vec(),
        Kind::String | Kind::Number => frame.text_of_last()?,
        _ => b"(error object is not a string)".to_vec(),
    };
    with(frame.shared(), |debugger| debugger.show_error(&text));
    Ok(())
}

/// Runs a command, and shows it and its reply.
fn run_command(frame: &mut Frame<'_>, words: &[Vec<u8>]) {
    let shared = frame.shared();
    let mut arguments = shared.arguments.borrow_mut();
    let mut reply = Vec::new();
    arguments.set(words);
    let request = arguments.request(shared.protocol.get());
    with(shared, |debugger| debugger.show_request(request.args()));
    let is_refused = frame.context().with_host(|host| {
        host.execute(request, &mut reply);
        host.has_refused()
    });
    with(shared, |debugger| debugger.show_reply(&reply, is_refused.unwrap_or(true)));
}
