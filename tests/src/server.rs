//! A server process of its own for a test.
//!
//! It listens on a free port of 127.0.0.1 (or only on a Unix socket), works in a temporary folder, and is ended by its
//! process number when the value is dropped. Its log is shown when the test fails.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Address, Client, Scratch, wait_for};

/// What a server prints once it serves.
const READY: &str = "Ready to accept connections";
/// Starts that may fail because another process took the free port first.
const STARTS_MAX: usize = 5;
/// How long a server may take to end before it is killed.
const END_MAX: Duration = Duration::from_secs(10);
/// Bytes of the log shown when a test fails.
const LOG_SHOWN_MAX: usize = 16 * 1024;

/// How a server is to be started.
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    program: PathBuf,
    arguments: Vec<String>,
    listen: Listen,
    files: Vec<PathBuf>,
}

/// Where a server is to listen.
#[derive(Clone, Copy, Debug)]
enum Listen {
    FreePort,
    Port(u16),
    Unix,
}

impl ServerBuilder {
    /// The server at this path. The arguments are for every server that speaks Redis.
    pub fn new(program: &Path) -> ServerBuilder {
        let quiet = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--bind", "127.0.0.1"];
        let arguments = quiet.map(str::to_owned).to_vec();
        ServerBuilder { program: program.to_owned(), arguments, listen: Listen::FreePort, files: Vec::new() }
    }

    /// Adds a directive with its value.
    #[must_use]
    pub fn set(mut self, directive: &str, value: &str) -> ServerBuilder {
        self.arguments.extend([format!("--{directive}"), value.to_owned()]);
        self
    }

    /// Sets the number of worker threads of an Ochre.
    #[must_use]
    pub fn workers(self, workers: usize) -> ServerBuilder {
        self.set("io-threads", &workers.to_string())
    }

    /// Listens on a Unix socket and on no port.
    #[must_use]
    pub fn unix(mut self) -> ServerBuilder {
        self.listen = Listen::Unix;
        self
    }

    /// Listens on this port, which must be free.
    #[must_use]
    pub fn at(mut self, port: u16) -> ServerBuilder {
        self.listen = Listen::Port(port);
        self
    }

    /// Puts a copy of a file, or of a folder with its files, into the folder that it works in.
    #[must_use]
    pub fn with_file(mut self, file: &Path) -> ServerBuilder {
        self.files.push(file.to_owned());
        self
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// With the server's log, when it does not.
    pub fn start(self) -> Server {
        for _ in 0..STARTS_MAX {
            match self.try_start() {
                Ok(server) => return server,
                Err(log) if log.contains("in use") => {}
                Err(log) => panic!("{} did not start:\n{log}", self.program.display()),
            }
        }
        panic!("{}: no free port was found in {STARTS_MAX} tries", self.program.display());
    }

    fn try_start(&self) -> Result<Server, String> {
        let scratch = Scratch::new();
        for file in &self.files {
            copy_into(scratch.path(), file);
        }
        let address = self.choose_address(&scratch);
        let log = scratch.path().join("server.log");
        let output = File::create(&log).expect("a log file can be created");
        let errors = output.try_clone().expect("a file can be opened twice");
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .args(address.arguments())
            .arg("--dir")
            .arg(scratch.path())
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let mut server = Server { child, address, log, scratch };
        let served = wait_for(|| {
            let ended = server.child.try_wait().ok().flatten().is_some();
            let ready = server.log().contains(READY);
            (ready || ended).then_some(ready && !ended)
        });
        if served == Some(true) { Ok(server) } else { Err(server.log()) }
    }

    fn choose_address(&self, scratch: &Scratch) -> Address {
        match self.listen {
            Listen::Unix => Address::Unix(scratch.path().join("socket")),
            Listen::Port(port) => Address::Tcp(port),
            Listen::FreePort => Address::Tcp(free_port()),
        }
    }
}

/// A port of 127.0.0.1 on which nobody listens.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("a listener has an address").port()
}

/// Copies a file, or a folder with its files, into a folder.
fn copy_into(folder: &Path, file: &Path) {
    let to = folder.join(file.file_name().expect("a file has a name"));
    if !file.is_dir() {
        std::fs::copy(file, to).expect("a file can be copied");
        return;
    }
    std::fs::create_dir(&to).expect("a folder can be made");
    for entry in std::fs::read_dir(file).expect("a folder can be read") {
        copy_into(&to, &entry.expect("a folder can be read").path());
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: Address,
    log: PathBuf,
    scratch: Scratch,
}

impl Server {
    /// The binary under test, with as many workers as it likes.
    pub fn ochre() -> Server {
        ServerBuilder::new(crate::ochre()).start()
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its port; 0 if it listens on none.
    pub fn port(&self) -> u16 {
        match self.address {
            Address::Tcp(port) => port,
            Address::Unix(_) => 0,
        }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder it works in.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// A new connection to it.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub fn connect(&self) -> Client {
        Client::connect(&self.address).unwrap_or_else(|error| panic!("{:?}: {error}", self.address))
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Memory that the process holds, in bytes, as the kernel counts it; 0 where the kernel does not say.
    pub fn resident_bytes(&self) -> u64 {
        self.memory_bytes("VmRSS:")
    }

    /// The most that it ever held.
    pub fn peak_bytes(&self) -> u64 {
        self.memory_bytes("VmHWM:")
    }

    fn memory_bytes(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(figure));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself; the caller sees that by its exit status.
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills it, so that it can do nothing more, and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Asks it to end as `kill` does and waits for that: its exit status, or `None` if it had to be killed.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        let start = Instant::now();
        while start.elapsed() < END_MAX {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // First the process: whatever becomes of the rest, it must not stay behind.
        self.end();
        if std::thread::panicking() {
            let log = self.log();
            let from =
                (log.len().saturating_sub(LOG_SHOWN_MAX)..log.len()).find(|&at| log.is_char_boundary(at));
            // A panic here would abort, so a closed output is passed over.
            let _ =
                writeln!(std::io::stderr(), "--- log of the server ---\n{}---", &log[from.unwrap_or(0)..]);
        }
    }
}
