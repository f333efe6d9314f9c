//! The log on the disk of this machine, and read by a peer where `OCHRE_PEER` names one's server.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use ochre_persist::aof::{
    AppendLog, BaseFormat, FinishRewrite, FsyncPolicy, Layout, Load, LoadSettings, LogOptions, LogSettings,
    LogSink, NoListener, Store, Unit, load,
};
use ochre_persist::disk::{Disk as _, DiskFile, FileWriter, RealDisk};

/// A directory that goes with its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("ochre-persist-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(args: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len());
    args.iter().for_each(|arg| bytes += &format!("${}\r\n{arg}\r\n", arg.len()));
    bytes.into_bytes()
}

/// Counts what it gets.
#[derive(Default)]
struct Counted {
    units: usize,
    transactions: usize,
    last: Vec<u8>,
}

impl Load for Counted {
    fn snapshot(&mut self, _: &dyn DiskFile) -> Result<u64, String> {
        Err("none was written".to_owned())
    }

    fn unit(&mut self, unit: &Unit<'_>) -> Result<(), String> {
        self.units += 1;
        self.transactions += usize::from(unit.is_transaction);
        self.last =
            unit.commands().flat_map(|command| command.args().last().map(<[u8]>::to_vec)).last().unwrap();
        Ok(())
    }
}

struct Log {
    log: AppendLog,
    sink: LogSink,
    offset: u64,
}

impl Log {
    fn open(dir: &Path, policy: FsyncPolicy) -> (Log, Counted) {
        let layout = Layout { dir: dir.to_owned(), ..Layout::new("appendonlydir", "appendonly.aof") };
        let store = Store::open(Arc::new(RealDisk), layout).unwrap();
        store.prepare_directory().unwrap();
        let mut counted = Counted::default();
        load(&store, &LoadSettings::default(), &mut counted).unwrap();
        let settings = LogSettings::default();
        settings.set_policy(policy);
        settings.set_timestamps(true);
        let listener = Arc::new(NoListener);
        let options = LogOptions { replication_offset: Some(0), ..LogOptions::new(settings, listener) };
        let (log, sink) = AppendLog::resume(store, options).unwrap();
        (Log { log, sink, offset: 0 }, counted)
    }

    fn append(&mut self, unit: &[u8]) {
        self.sink.append(self.offset, unit, 1_700_000_000 + self.offset / 1000);
        self.offset += unit.len() as u64;
    }

    fn wait(&self) {
        let start = Instant::now();
        while self.log.progress().must_wait(self.offset) {
            assert!(start.elapsed() < Duration::from_secs(60), "it never is durable");
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    fn rewrite(&mut self, dir: &Path, base: &[u8]) {
        let (sender, receiver) = channel();
        let rotated = sender.clone();
        self.log.rotate(Some(self.offset as i64), move |result| rotated.send(result.map(|()| 0)).unwrap());
        receiver.recv().unwrap().unwrap();
        let path = dir.join("appendonlydir/temp-rewriteaof-bg-1.aof");
        let mut writer = FileWriter::new(RealDisk.create(&path).unwrap(), Some(1 << 20));
        writer.write_all(base).unwrap();
        writer.finish().unwrap();
        let temporary = path.file_name().unwrap().to_owned();
        let rewrite = FinishRewrite { temporary, format: BaseFormat::Aof, offset: None };
        self.log.finish_rewrite(rewrite, move |result| sender.send(result.map(|done| done.size)).unwrap());
        assert!(receiver.recv().unwrap().unwrap() >= base.len() as u64);
    }
}

#[test]
fn a_log_is_written_rewritten_and_read() {
    let scratch = Scratch::new("log");
    let (mut log, counted) = Log::open(&scratch.0, FsyncPolicy::Always);
    assert_eq!(counted.units, 0);
    let select = command(&["SELECT", "0"]);
    log.append(&select);
    for number in 0..300 {
        log.append(&command(&["SET", &format!("k{number}"), &number.to_string()]));
        if number % 10 == 0 {
            log.wait();
        }
    }
    let base: Vec<u8> =
        (0..300).flat_map(|number| command(&["SET", &format!("k{number}"), &number.to_string()])).collect();
    log.rewrite(&scratch.0, &[select.clone(), base].concat());
    let multi =
        [command(&["MULTI"]), command(&["INCR", "n"]), command(&["INCR", "n"]), command(&["EXEC"])].concat();
    log.append(&select);
    (0..50).for_each(|_| log.append(&multi));
    log.log.close(Some(9)).unwrap();
    let (log, counted) = Log::open(&scratch.0, FsyncPolicy::EverySecond);
    assert_eq!((counted.units, counted.transactions, counted.last.as_slice()), (352, 50, &b"n"[..]));
    log.log.close(Some(9)).unwrap();
    if let Some(peer) = std::env::var_os("OCHRE_PEER") {
        let mut peer = Peer::start(Path::new(&peer), &scratch.0);
        assert_eq!(peer.ask(&["GET", "n"]), "$3\r\n100\r\n");
        assert_eq!(peer.ask(&["GET", "k299"]), "$3\r\n299\r\n");
        assert_eq!(peer.ask(&["SET", "k299", "peer"]), "+OK\r\n");
        peer.stop();
        let (log, counted) = Log::open(&scratch.0, FsyncPolicy::No);
        assert_eq!(counted.last, b"peer");
        log.log.close(None).unwrap();
    }
}

/// A peer's server on the files of a test.
struct Peer {
    child: Child,
    socket: PathBuf,
}

impl Peer {
    fn start(program: &Path, dir: &Path) -> Peer {
        let socket = dir.join("socket");
        let options = ["--port", "0", "--appendonly", "yes", "--save", "", "--unixsocket"];
        let mut command = Command::new(program);
        command.args(options).arg(&socket).arg("--dir").arg(dir).stdout(Stdio::null());
        Peer { child: command.spawn().unwrap(), socket }
    }

    fn connect(&self) -> UnixStream {
        let start = Instant::now();
        loop {
            match UnixStream::connect(&self.socket) {
                Ok(stream) => return stream,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The reply, once the peer has loaded everything.
    fn ask(&mut self, args: &[&str]) -> String {
        loop {
            let mut stream = self.connect();
            stream.write_all(&command(args)).unwrap();
            let mut reply = vec![0; 1000];
            let len = stream.read(&mut reply).unwrap();
            let reply = String::from_utf8_lossy(&reply[..len]).into_owned();
            if !reply.starts_with("-LOADING") {
                return reply;
            }
        }
    }

    fn stop(&mut self) {
        let _ = self.connect().write_all(&command(&["SHUTDOWN"]));
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
