//! A server on a folder that outlives it.

use std::fs::OpenOptions;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ochre_differential::{Client, Reply};

/// How long a start may take, loading included.
const START_LIMIT: Duration = Duration::from_secs(60);
const STARTS_MAX: usize = 3;
const LOG: &str = "server.log";
const LOG_SHOWN_BYTES: usize = 4000;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program and its first arguments.
    pub command: Vec<String>,
    /// Directives with their values.
    pub directives: Vec<(String, String)>,
    /// The folder that it works in, and that has its files.
    pub folder: PathBuf,
}

impl Launch {
    /// With one more directive.
    #[must_use]
    pub fn with(mut self, directive: &str, value: &str) -> Launch {
        self.directives.push((directive.to_owned(), value.to_owned()));
        self
    }

    /// Starts the server, without waiting for anything.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn start(&self) -> io::Result<Instance> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let output = OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let child = Command::new(program(&self.command[0]))
            .args(&self.command[1..])
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--daemonize", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .args(self.directives.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            .spawn()?;
        Ok(Instance { address, child })
    }

    /// Starts the server and waits until it serves.
    ///
    /// # Errors
    /// With what it wrote last, when it does not.
    pub fn serve(&self) -> io::Result<Instance> {
        let mut outcome = Err(io::Error::other("never started"));
        for _ in 0..STARTS_MAX {
            outcome = self.start().and_then(|mut instance| instance.wait_ready().map(|()| instance));
            // Somebody else may have taken the port in between.
            if outcome.is_ok() || !self.log_tail().contains("in use") {
                break;
            }
        }
        outcome.map_err(|error| io::Error::other(format!("{error}; its log ends with\n{}", self.log_tail())))
    }

    /// Where the log is: beside the folder, so that a full disk does not stop it.
    fn log_path(&self) -> PathBuf {
        let mut name = self.folder.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(LOG);
        self.folder.with_file_name(name)
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_SHOWN_BYTES)..]).into_owned()
    }
}

/// Servers run in other folders, so a relative path is resolved here.
fn program(name: &str) -> PathBuf {
    if name.contains('/') {
        std::fs::canonicalize(name).unwrap_or_else(|_| name.into())
    } else {
        Path::new(name).to_owned()
    }
}

/// A server that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Instance {
    address: SocketAddr,
    child: Child,
}

impl Instance {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection to it.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn connect(&self) -> io::Result<Client> {
        Client::connect(self.address)
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGKILL and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait_ready(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            let answer = Client::connect(self.address).and_then(|mut client| client.call(&[b"PING"]));
            if answer.is_ok_and(|reply| reply == Reply::Simple(b"PONG".to_vec())) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not serve"))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end();
    }
}
