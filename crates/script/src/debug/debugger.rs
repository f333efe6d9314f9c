//! The state of a session.

use std::time::{Duration, Instant};

use super::input::Input;
use super::listing::Listing;
use super::log::Log;
use super::reply::append_reply;

/// What a script has to end with that its client aborts.
pub(super) const ABORTED: &str = "script aborted for user request";
/// The same for one whose client says what is no command.
pub(super) const MALFORMED: &str = "protocol error";
/// Arguments of a command that are shown.
const ARGS_SHOWN_MAX: usize = 10;

/// Why a script stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reason {
    /// The client goes line by line.
    Step,
    /// The line has a breakpoint.
    Breakpoint,
    /// The script has called `redis.breakpoint`.
    Called,
    /// It has run for long.
    TimeOut,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Reason::Step => "step over",
            Reason::Breakpoint => "break point",
            Reason::Called => "redis.breakpoint() called",
            Reason::TimeOut => "timeout reached, infinite loop?",
        }
    }
}

/// A session in which a client goes through one run of a script.
#[derive(Debug)]
pub struct Debugger {
    pub(super) listing: Listing,
    pub(super) log: Log,
    pub(super) input: Input,
    /// Whether it stops at the next line; until then, what commands reply is shown.
    pub(super) is_stepping: bool,
    /// Whether the script has asked for a stop.
    pub(super) is_called: bool,
    /// Whether a text of the client's is being run, and since when.
    pub(super) evaluating_since: Option<Instant>,
    /// Whether such a text has run for too long.
    pub(super) is_evaluation_over: bool,
    is_abandoned: bool,
    pub(super) timeout: Duration,
    /// When the script went on last.
    since: Instant,
}

impl Debugger {
    /// A session for a script with this text, that stops at its first line, and again whenever it has run for `timeout` since
    /// it was let go on.
    pub fn new(text: &[u8], timeout: Duration) -> Debugger {
        Debugger {
            listing: Listing::new(text),
            log: Log::default(),
            input: Input::default(),
            is_stepping: true,
            is_called: false,
            evaluating_since: None,
            is_evaluation_over: false,
            is_abandoned: false,
            timeout,
            since: Instant::now(),
        }
    }

    /// What the client is shown last: what is left, and that the session is over.
    pub fn end(&mut self) -> Vec<u8> {
        self.log.add(b"<endsession>");
        self.log.take()
    }

    /// The client is gone: the script runs to its end without stopping.
    pub(super) fn abandon(&mut self) {
        self.is_abandoned = true;
        self.is_stepping = false;
        self.listing.clear_breakpoints();
    }

    /// Whether, and why, the script stops before a line.
    pub(super) fn arrive(&mut self, line: i32) -> Option<Reason> {
        self.listing.current = line;
        if self.is_abandoned {
            None
        } else if self.is_called {
            Some(Reason::Called)
        } else if self.listing.has_breakpoint(line) {
            Some(Reason::Breakpoint)
        } else {
            self.is_stepping.then_some(Reason::Step)
        }
    }

    /// Whether the script stops because it has run for long.
    pub(super) fn is_due(&self) -> bool {
        !self.is_abandoned && !self.is_stepping && self.since.elapsed() >= self.timeout
    }

    /// The script stops.
    pub(super) fn stop(&mut self, reason: Reason) {
        self.is_stepping = false;
        self.is_called = false;
        let line = self.listing.current;
        self.log.add(format!("* Stopped at {line}, stop reason = {}", reason.text()).as_bytes());
        self.listing.show(line, &mut self.log);
    }

    /// The script goes on, to the next line or further.
    pub(super) fn go_on(&mut self, is_stepping: bool) {
        self.is_stepping = is_stepping;
        self.since = Instant::now();
    }

    /// A text of the client's begins to run.
    pub(super) fn begin_evaluation(&mut self) {
        self.evaluating_since = Some(Instant::now());
        self.is_evaluation_over = false;
    }

    /// Shows a command.
    pub(super) fn show_request<'a>(&mut self, args: impl ExactSizeIterator<Item = &'a [u8]>) {
        let mut line = b"<redis>".to_vec();
        let count = args.len();
        for arg in args.take(ARGS_SHOWN_MAX) {
            line.push(b' ');
            line.extend_from_slice(arg);
        }
        if count > ARGS_SHOWN_MAX {
            line.extend_from_slice(format!(" ... ({} more)", count - ARGS_SHOWN_MAX - 1).as_bytes());
        }
        self.log.add(&line);
    }

    /// Shows an error.
    pub(super) fn show_error(&mut self, text: &[u8]) {
        self.log.add(&[b"<error> ", text].concat());
    }

    /// Shows the reply of a command. One that was kept from running, for which there is an error and no reply, has `is_refused`.
    pub(super) fn show_reply(&mut self, reply: &[u8], is_refused: bool) {
        if let Some(text) = reply.strip_prefix(b"-") {
            let text = text.strip_suffix(b"\r\n").unwrap_or(text);
            match text.strip_prefix(b"ERR ").filter(|_| is_refused) {
                Some(plain) => self.show_error(plain),
                // Redis keeps this one with the end of its line, which becomes blanks.
                None if is_refused && text.starts_with(b"OOM ") => {
                    self.show_error(&[b"-", text, b"  "].concat());
                }
                None => self.show_error(&[b"-", text].concat()),
            }
        }
        if !is_refused {
            let mut line = b"<reply> ".to_vec();
            append_reply(&mut line, reply, self.log.line_bytes_max());
            self.log.add_cut(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(debugger: &mut Debugger) -> Vec<String> {
        let text = String::from_utf8(debugger.log.take()).expect("the lines are texts");
        text.split("\r\n").skip(1).filter_map(|line| line.strip_prefix('+').map(str::to_owned)).collect()
    }

    #[test]
    fn where_a_script_stops() {
        let mut debugger = Debugger::new(b"a\nb\nc", Duration::MAX);
        assert_eq!(debugger.arrive(1), Some(Reason::Step));
        debugger.stop(Reason::Step);
        assert_eq!(shown(&mut debugger), ["* Stopped at 1, stop reason = step over", "-> 1   a"]);
        debugger.go_on(false);
        assert_eq!(debugger.arrive(2), None);
        debugger.is_called = true;
        assert_eq!(debugger.arrive(3), Some(Reason::Called));
        debugger.stop(Reason::Called);
        debugger.listing.change_breakpoints(&[b"2".to_vec()], &mut Log::default());
        debugger.go_on(false);
        assert_eq!((debugger.arrive(1), debugger.arrive(2)), (None, Some(Reason::Breakpoint)));
        debugger.go_on(true);
        debugger.abandon();
        assert_eq!((debugger.arrive(1), debugger.arrive(2)), (None, None));
    }

    #[test]
    fn what_runs_long_stops() {
        let mut debugger = Debugger::new(b"a", Duration::ZERO);
        assert!(!debugger.is_due());
        debugger.go_on(false);
        assert!(debugger.is_due());
        debugger.abandon();
        assert!(!debugger.is_due());
    }

    #[test]
    fn commands_and_replies_are_shown() {
        let mut debugger = Debugger::new(b"", Duration::MAX);
        for count in [1, 10, 11, 12] {
            debugger.show_request(vec![b"k".as_slice(); count].into_iter());
        }
        let ten = "<redis> k k k k k k k k k k";
        let expected = ["<redis> k", ten, &format!("{ten} ... (0 more)"), &format!("{ten} ... (1 more)")];
        assert_eq!(shown(&mut debugger), expected);
        debugger.show_reply(b"-WRONGTYPE x\r\n", false);
        debugger.show_reply(b"-ERR Unknown\r\n", true);
        debugger.show_reply(b"-OOM x\r\n", true);
        assert_eq!(
            shown(&mut debugger),
            ["<error> -WRONGTYPE x", "<reply> \"-WRONGTYPE x\"", "<error> Unknown", "<error> -OOM x  ",]
        );
    }
}
