//! Servers that a test owns: started on a free port of the loopback interface, ended with the value that holds them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_LIMIT: Duration = Duration::from_secs(20);

/// A server: a process of ours, or somebody else's address.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    command: Vec<String>,
    folder: PathBuf,
    child: Child,
}

impl Server {
    /// Uses the server at `address`, which is neither started nor ended here.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, process: None }
    }

    /// Starts `command_line` (words apart by blanks) with `--port` and the options that keep a server quiet and
    /// without files, in a folder of its own. Errors when it exits or does not answer PING within 20 seconds.
    pub fn start(command_line: &str) -> io::Result<Self> {
        let command: Vec<String> = command_line.split_whitespace().map(str::to_owned).collect();
        if command.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the command line of the server is empty",
            ));
        }
        let folder = scratch_folder()?;
        let (address, child) = spawn(&command, &folder)?;
        Ok(Self { address, process: Some(Process { command, folder, child }) })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process identifier of a server of ours.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    /// Starts the process again when it has ended. True when it had to.
    pub fn revive(&mut self) -> io::Result<bool> {
        let Some(process) = &mut self.process else { return Ok(false) };
        if process.child.try_wait()?.is_none() {
            return Ok(false);
        }
        (self.address, process.child) = spawn(&process.command, &process.folder)?;
        Ok(true)
    }

    /// The last lines that the process wrote, for a report.
    pub fn log_tail(&self) -> String {
        let Some(process) = &self.process else { return String::new() };
        let log = std::fs::read(process.folder.join("output")).unwrap_or_default();
        let start = log.len().saturating_sub(2000);
        String::from_utf8_lossy(&log[start..]).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing to be done about a failure here: the process is gone already or cannot be ended by us.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn scratch_folder() -> io::Result<PathBuf> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("ochre-peer.{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A port that was free a moment ago. Another process may take it first, so the caller tries again.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

fn spawn(command: &[String], folder: &Path) -> io::Result<(SocketAddr, Child)> {
    let mut outcome = Err(io::Error::other("never started"));
    for _ in 0..3 {
        outcome = spawn_once(command, folder);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn spawn_once(command: &[String], folder: &Path) -> io::Result<(SocketAddr, Child)> {
    let address = free_address()?;
    let output = File::create(folder.join("output"))?;
    let mut child = Command::new(program(&command[0]))
        .args(&command[1..])
        .args([
            "--port",
            &address.port().to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--daemonize",
            "no",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output)
        .spawn()?;
    let began = Instant::now();
    while began.elapsed() < START_LIMIT {
        if let Some(status) = child.try_wait()? {
            let said = std::fs::read_to_string(folder.join("output")).unwrap_or_default();
            return Err(io::Error::other(format!("{} ended with {status}: {said}", command[0])));
        }
        if answers(address) {
            return Ok((address, child));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{} does not answer", command[0])))
}

/// The process runs in another folder, so a relative path is resolved here.
fn program(name: &str) -> OsString {
    if name.contains('/') {
        std::fs::canonicalize(name).map_or_else(|_| name.into(), PathBuf::into_os_string)
    } else {
        name.into()
    }
}

fn answers(address: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(b"PING\r\n")?;
        let mut reply = [0; 7];
        stream.read_exact(&mut reply)?;
        Ok(&reply == b"+PONG\r\n")
    };
    ask().unwrap_or(false)
}
