//! The program: from the command line to the exit status.

use std::ffi::OsString;
use std::io::{Read, Stdout, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ochre_resp::Value;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::dial::Dialer;
use crate::failure::Failure;
use crate::help::USAGE;
use crate::options::{Format, Options, Request};
use crate::report::{Report, ServerConfig};
use crate::run::{Job, Runner};
use crate::suite;
use crate::template::Template;

/// Exit status after an interruption, as shells expect it.
const INTERRUPTED: u8 = 130;
const IDLE_TICK: Duration = Duration::from_millis(250);

/// Runs the load generator with `args`, the arguments after the program's name.
///
/// Results go to standard output, complaints to standard error. The status is 0 when every test ran to
/// its end, 1 when one failed, and 130 when the user interrupted (what was measured until then is still
/// reported).
pub fn main(args: Vec<OsString>) -> ExitCode {
    match Options::parse(args) {
        Ok(Request::Help) => finish(print(USAGE)),
        Ok(Request::Version) => finish(print(concat!("ochre-benchmark ", env!("CARGO_PKG_VERSION"), "\n"))),
        Ok(Request::Run(options)) => match run(*options) {
            Ok(interrupted) => ExitCode::from(if interrupted { INTERRUPTED } else { 0 }),
            failed => finish(failed.map(|_| ())),
        },
        Err(failure) => {
            complain(&format!("{failure}\n\n{USAGE}"));
            ExitCode::FAILURE
        }
    }
}

fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}

/// A standard error that is gone cannot be complained about.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether the user interrupted.
fn run(mut options: Options) -> Result<bool, Failure> {
    if options.read_stdin {
        let mut argument = Vec::new();
        std::io::stdin().read_to_end(&mut argument)?;
        options.command.push(argument);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The second signal ends the process at once; the first one only sets the flag.
        signal_hook::flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let dialer = Dialer::new(&options)?;
    if options.idle {
        return idle(&options, &dialer, &stop);
    }
    Program { config: server_config(&dialer)?, options: &options, dialer: &dialer, stop: &stop }.measure()
}

/// Opens all connections and keeps them until the user interrupts.
fn idle(options: &Options, dialer: &Dialer, stop: &AtomicBool) -> Result<bool, Failure> {
    print(&format!(
        "Creating {} idle connections and waiting forever (Ctrl+C when done)\n",
        options.clients
    ))?;
    let mut open = Vec::with_capacity(options.clients);
    while !stop.load(Ordering::Relaxed) {
        if open.len() < options.clients {
            open.push(dialer.connect()?);
            continue;
        }
        print(&format!("clients: {}\r", open.len()))?;
        std::thread::sleep(IDLE_TICK);
    }
    print("\n")?;
    Ok(true)
}

/// The server's persistence settings; none, with a warning, when it does not tell.
fn server_config(dialer: &Dialer) -> Result<Option<ServerConfig>, Failure> {
    let mut control = dialer.connect()?;
    let mut value = |name: &str| match control.ask(&["CONFIG", "GET", name]) {
        Ok(answer) => Ok(setting(&answer)),
        Err(Failure::Reply(_)) => Ok(None),
        Err(failure) => Err(failure),
    };
    let config = match (value("save")?, value("appendonly")?) {
        (Some(save), Some(appendonly)) => Some(ServerConfig { save, appendonly }),
        _ => None,
    };
    if config.is_none() {
        complain("WARNING: Could not fetch server CONFIG");
    }
    Ok(config)
}

/// The value in an answer to CONFIG GET of one name: an array of two in RESP2, a map in RESP3.
fn setting(answer: &Value) -> Option<String> {
    let value = match answer {
        Value::Map(pairs) => &pairs.first()?.1,
        other => other.as_elements()?.get(1)?,
    };
    Some(String::from_utf8_lossy(value.as_bytes()?).into_owned())
}

struct Program<'run> {
    options: &'run Options,
    dialer: &'run Dialer,
    stop: &'run AtomicBool,
    config: Option<ServerConfig>,
}

impl Program<'_> {
    /// Runs the command or the tests; whether the user interrupted.
    fn measure(self) -> Result<bool, Failure> {
        let options = self.options;
        let mut report = Report { options, config: self.config.clone(), out: std::io::stdout() };
        report.begin()?;
        if !options.command.is_empty() && options.tests.is_some() {
            complain("WARNING: Option -t is ignored.");
        }
        loop {
            if options.command.is_empty() {
                self.tests(&mut report)?;
            } else {
                self.job(command_job(options)?, &mut report)?;
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(true);
            }
            if !options.repeat {
                return Ok(false);
            }
        }
    }

    fn tests(&self, report: &mut Report<'_, Stdout>) -> Result<(), Failure> {
        for test in suite::selected(self.options.tests.as_deref()) {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if !self.prepare(test)? {
                continue;
            }
            let template = test.template(self.options);
            let job = Job { title: test.title.to_owned(), template, payload: self.options.data_size };
            match self.job(job, report) {
                // All tests were asked for: those go on that the server has commands for.
                Err(Failure::Reply(text))
                    if self.options.tests.is_none() && text.starts_with("ERR unknown command") =>
                {
                    complain(&format!("{} skipped: {text}", test.title));
                }
                done => done?,
            }
        }
        if matches!(self.options.format, Format::Text | Format::Quiet) {
            print("\n")?;
        }
        Ok(())
    }

    /// Makes the test possible; false when the server lacks what it needs and nobody asked for it by name.
    fn prepare(&self, test: &suite::Test) -> Result<bool, Failure> {
        let Some(command) = test.preparation(self.options).or_else(|| test.probe()) else { return Ok(true) };
        match self.dialer.connect()?.ask(&command) {
            Ok(_) => Ok(true),
            Err(Failure::Reply(text)) if test.is_optional() && self.options.tests.is_none() => {
                complain(&format!("{} skipped: {text}", test.title));
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    fn job(&self, job: Job, report: &mut Report<'_, Stdout>) -> Result<(), Failure> {
        let seed = self.options.seed.unwrap_or_else(clock_seed);
        let runner = Runner { options: self.options, dialer: self.dialer, stop: self.stop, seed };
        Ok(report.result(&runner.run(job)?)?)
    }
}

fn clock_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos() as u64)
}

/// The commands given as arguments: `[N] COMMAND ARGS [';' ...]`, as one request.
fn command_job(options: &Options) -> Result<Job, Failure> {
    const REPEAT_MAX: usize = 1_000_000;
    let words: Vec<Vec<u8>> = options.command.iter().map(|word| suite::fill_in(word, options)).collect();
    let mut template = Template::default();
    for command in words.split(|word| word == b";") {
        let repeat = command.first().and_then(|word| std::str::from_utf8(word).ok()?.parse::<usize>().ok());
        let command = if repeat.is_some() { &command[1..] } else { command };
        if !command.is_empty() {
            (0..repeat.unwrap_or(1).min(REPEAT_MAX)).for_each(|_| template.push(command));
        }
    }
    if template.replies() == 0 {
        return Err(Failure::Usage("There is no command among the arguments".to_owned()));
    }
    let given: Vec<_> = options.command.iter().map(|word| String::from_utf8_lossy(word)).collect();
    let title = given[..given.len() - usize::from(options.read_stdin)].join(" ");
    Ok(Job { title, payload: template.bytes().len(), template })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(words: &[&str]) -> Result<Job, Failure> {
        let command = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        command_job(&Options { command, ..Options::default() })
    }

    #[test]
    fn a_sequence_is_one_request_with_several_replies() {
        let job = job(&["multi", ";", "2", "set", "a", "__data__", ";", "exec"]).unwrap();
        assert_eq!((job.title.as_str(), job.template.replies()), ("multi ; 2 set a __data__ ; exec", 4));
        assert!(job.template.bytes().ends_with(b"*1\r\n$4\r\nexec\r\n"));
    }

    #[test]
    fn nothing_to_send_is_refused() {
        for words in [&[";"] as &[&str], &["5"], &["0", "get", "a"]] {
            assert!(matches!(job(words), Err(Failure::Usage(_))), "{words:?}");
        }
    }
}
