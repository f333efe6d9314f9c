//! Servers as processes: what they listen on, how they are configured while they run, how they end.
//!
//! Every server is this test program itself in another role, so no other program has to be built; it must own `main`
//! from its first line, because titles come before threads. Ports are the system's choice, and tests wait for conditions.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// As in the product: what memory is in use is asked for.
#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments = ochre_server::arguments();
    if arguments.get(1).is_some_and(|word| word == "serve") {
        return ochre_server::serve("ochre-server", &arguments[2..]);
    }
    let filter: Option<String> =
        arguments.iter().skip(1).map(|a| a.to_string_lossy().into_owned()).find(|a| !a.starts_with('-'));
    let tests: &[Test] = &[
        ("listens_on_both_families", listens_on_both_families),
        ("listens_on_a_unix_socket_alone", listens_on_a_unix_socket_alone),
        ("says_why_it_cannot_start", says_why_it_cannot_start),
        ("answers_questions", answers_questions),
        ("changes_its_port", changes_its_port),
        ("changes_its_addresses", changes_its_addresses),
        ("strangers_must_read_their_replies", strangers_must_read_their_replies),
        ("keeps_a_buffer_while_it_is_used", keeps_a_buffer_while_it_is_used),
        ("large_values_keep_their_buffers", large_values_keep_their_buffers),
        (
            "goes_on_with_what_a_pause_kept_before_its_end_is_told",
            goes_on_with_what_a_pause_kept_before_its_end_is_told,
        ),
        ("warns_of_what_is_missing", warns_of_what_is_missing),
        ("takes_back_what_cannot_be_applied", takes_back_what_cannot_be_applied),
        ("rewrites_its_configuration", rewrites_its_configuration),
        ("keeps_users_in_its_configuration", keeps_users_in_its_configuration),
        ("keeps_users_in_a_file", keeps_users_in_a_file),
        ("renames_commands", renames_commands),
        ("knows_what_only_peers_have", knows_what_only_peers_have),
        ("keeps_threads_on_their_processors", keeps_threads_on_their_processors),
        ("sees_the_end_of_a_stream", sees_the_end_of_a_stream),
        ("receives_for_blocked_clients", receives_for_blocked_clients),
        ("ends_on_shutdown", ends_on_shutdown),
        ("ends_on_signals", ends_on_signals),
        ("aborts_a_shutdown", aborts_a_shutdown),
        ("runs_in_the_background", runs_in_the_background),
        ("restarts", restarts),
        ("sleeps_as_a_whole", sleeps_as_a_whole),
        ("reports_a_crash", reports_a_crash),
    ];
    for (name, test) in tests.iter().filter(|(name, _)| filter.as_ref().is_none_or(|f| name.contains(f))) {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

// ---- Servers and clients ----

/// A server, with a directory for its files; both go when it is dropped.
struct Server {
    child: Child,
    dir: PathBuf,
    port: u16,
}

impl Server {
    /// A server on a free port of 127.0.0.1 unless the options say something else.
    fn start(options: &[&str]) -> Server {
        let port = free_port();
        let server = Server::launch(port, options);
        wait_for("the server to serve", || server.log().contains("Ready to accept connections"));
        server
    }

    fn launch(port: u16, options: &[&str]) -> Server {
        let dir = new_dir();
        let mut child = command();
        child.current_dir(&dir).args(["--port", &port.to_string()]);
        child
            .args(["--bind", "127.0.0.1", "--logfile", "log", "--io-threads", "2", "--save", ""])
            .args(options);
        let child = child.stdout(Stdio::null()).spawn().unwrap();
        Server { child, dir, port }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn client(&self) -> Client<TcpStream> {
        client_of(self.port)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("serve").stdin(Stdio::null());
    command
}

fn new_dir() -> PathBuf {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("ochre-serving-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A connection that sends words and reads one reply for each request.
struct Client<S> {
    stream: S,
    buffer: Vec<u8>,
}

fn client_of(port: u16) -> Client<TcpStream> {
    Client::new(TcpStream::connect(("127.0.0.1", port)).unwrap())
}

impl<S: Read + Write> Client<S> {
    fn new(stream: S) -> Client<S> {
        Client { stream, buffer: Vec::new() }
    }

    fn send(&mut self, words: &[&str]) {
        let mut request = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| request += &format!("${}\r\n{word}\r\n", word.len()));
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    /// One reply, its parts separated by `|`; `end` if the connection ends.
    fn reply(&mut self) -> String {
        let Some(line) = self.line() else { return "end".to_owned() };
        let rest = || line[1..].parse::<usize>().ok();
        match line.as_bytes()[0] {
            b'$' => {
                let len = rest().unwrap();
                let text = self.take(len + 2).unwrap();
                String::from_utf8_lossy(&text[..len]).into_owned()
            }
            b'*' => (0..rest().unwrap()).map(|_| self.reply()).collect::<Vec<_>>().join("|"),
            _ => line,
        }
    }

    fn ask(&mut self, words: &[&str]) -> String {
        self.send(words);
        self.reply()
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(end + 2)?;
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.receive()?;
        }
    }

    fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < len {
            self.receive()?;
        }
        Some(self.buffer.drain(..len).collect())
    }

    fn receive(&mut self) -> Option<()> {
        let mut piece = [0; 4096];
        let received = self.stream.read(&mut piece).unwrap_or(0);
        self.buffer.extend_from_slice(&piece[..received]);
        (received > 0).then_some(())
    }
}

// ---- Listening ----

fn listens_on_both_families() {
    let v6 = TcpListener::bind("[::1]:0").is_ok();
    // An address that the machine does not have, and may be missing.
    let server = Server::start(&["--bind", "127.0.0.1 -::1 -192.0.2.1"]);
    assert_eq!(server.client().ask(&["ping"]), "+PONG");
    if v6 {
        let stream = TcpStream::connect(("::1", server.port)).unwrap();
        assert_eq!(Client::new(stream).ask(&["ping"]), "+PONG");
    }
    assert!(server.log().contains(&format!(
        "Warning: Could not create server TCP listening socket 192.0.2.1:{}: bind: Cannot assign requested address",
        server.port
    )));
}

fn listens_on_a_unix_socket_alone() {
    let mut server = Server::launch(0, &["--unixsocket", "socket", "--unixsocketperm", "700"]);
    wait_for("the server to serve", || server.log().contains("Ready to accept connections unix"));
    let path = server.dir.join("socket");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let mut client = Client::new(UnixStream::connect(&path).unwrap());
    assert_eq!(client.ask(&["ping"]), "+PONG");
    assert_eq!(
        client.ask(&["config", "set", "unixsocket", "other"]),
        "-ERR CONFIG SET failed (possibly related to argument 'unixsocket') - can't set immutable config"
    );
    // Without any TCP address a port can still be opened.
    let port = free_port();
    assert_eq!(client.ask(&["config", "set", "port", &port.to_string()]), "+OK");
    assert_eq!(client_of(port).ask(&["ping"]), "+PONG");
    assert_eq!(client.ask(&["shutdown"]), "end");
    assert!(server.end().success() && !path.exists());
}

/// Options, and what standard error or the log says.
fn says_why_it_cannot_start() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap().port().to_string();
    let failed = format!("Failed listening on port {busy} (tcp), aborting.");
    let cases: &[(&[&str], &str)] = &[
        (&["--nosuch", "1"], ">>> 'nosuch \"1\"'\nBad directive or wrong number of arguments\n"),
        (&["--port"], ">>> 'port'\nwrong number of arguments\n"),
        (&["--rename-command", "nosuch", "x"], "No such command in rename-command\n"),
        (&["--rename-command", "get", "set"], "Target command name already exists\n"),
        (&["--logfile", "/nonexistent/log"], "Can't open the log file: No such file or directory\n"),
        (
            &["/nonexistent.conf"],
            "Fatal error, can't open config file '/nonexistent.conf': No such file or directory",
        ),
        (&["--port", "0"], "Configured to not listen anywhere, exiting."),
        (&["--bind", "127.0.0.1", "--port", &busy], &failed),
        (
            &["--bind", "192.0.2.1", "--port", "7"],
            "socket 192.0.2.1:7: bind: Cannot assign requested address",
        ),
        (
            &["--port", "0", "--unixsocket", "/nonexistent/s"],
            "Failed opening Unix socket: bind: No such file",
        ),
        (&["--port", "0", "--loadmodule", "/x.so"], "Can't load module from /x.so: server aborting"),
        (&["--replicaof", "127.0.0.1", "7"], "This version of Ochre has no replication (replicaof) yet."),
        (&["--cluster-enabled", "yes"], "This version of Ochre has no cluster (cluster-enabled) yet."),
        (&["--port", "0", "--tls-port", "7"], "This version of Ochre has no TLS (tls-port) yet."),
        (&["--user", "u", "on", "wrong"], "Error in user declaration 'wrong': Syntax error\n"),
        (
            &["--user", "u", "+nosuch"],
            "Error in user declaration '+nosuch': Unknown command or category name in ACL\n",
        ),
        (
            &["--user", "u", "(+get"],
            "Error in user declaration '(+get': Unmatched parenthesis in selector definition\n",
        ),
        (
            &["--user", "u", "on", "--user", "u"],
            "Error in user declaration 'u': Duplicate user found. A user can only be defined once in config files\n",
        ),
        (
            &["--port", "0", "--aclfile", "/nonexistent.acl"],
            "Aborting Ochre startup because of ACL errors: Error loading ACLs, opening file '/nonexistent.acl': No such \
             file or directory",
        ),
        (
            &["--port", "0", "--aclfile", "/nonexistent.acl", "--user", "u"],
            "Users are declared in the configuration file, and there is an ACL file (aclfile) as well",
        ),
        (
            &["--port", "0", "--locale-collate", "nosuch"],
            "Failed to configure LOCALE for invalid locale name.",
        ),
    ];
    for (options, text) in cases {
        let output = command().args(*options).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{options:?}: {out}{err}");
        assert!(out.contains(text) || err.contains(text), "{options:?}: {out}{err}");
    }
}

fn answers_questions() {
    let ask = |word: &str| {
        let output = command().arg(word).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = ask("--version");
    assert!(code == Some(0) && text.starts_with("Ochre server v="), "{text}");
    let id = text.trim_end().rsplit_once(" build=").unwrap().1;
    assert!(id.len() == 16 && id != "0000000000000000", "{text}");
    let server = Server::start(&[]);
    let info = server.client().ask(&["info", "server"]);
    assert!(info.contains(&format!("\r\nredis_build_id:{id}\r\n")), "{info}");
    let (code, text) = ask("--help");
    assert!(code == Some(1) && text.starts_with("Usage: ochre-server "), "{text}");
    let (_, text) = ask("--check-system");
    assert!(text.contains("[overcommit]..."), "{text}");
}

// ---- Configuration ----

fn is_closed(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

fn changes_its_port() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap().port().to_string();
    assert_eq!(
        client.ask(&["config", "set", "port", &busy]),
        "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs."
    );
    assert_eq!(server.client().ask(&["config", "get", "port"]), format!("port|{}", server.port));
    let port = free_port();
    assert_eq!(client.ask(&["config", "set", "port", &port.to_string()]), "+OK");
    assert!(is_closed(server.port));
    // Who is connected stays connected.
    assert_eq!((client_of(port).ask(&["ping"]), client.ask(&["ping"])), ("+PONG".into(), "+PONG".into()));
    assert_eq!(client.ask(&["config", "set", "port", "0"]), "+OK");
    assert!(is_closed(port));
    assert_eq!(client.ask(&["config", "set", "port", &server.port.to_string()]), "+OK");
    assert_eq!(server.client().ask(&["ping"]), "+PONG");
}

fn changes_its_addresses() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let mut bind = |addresses: &str| client.ask(&["config", "set", "bind", addresses]);
    // More addresses of the same port, the wildcard over one of them, and back: each time the port answers.
    for addresses in ["127.0.0.1 127.0.0.2", "*", "127.0.0.1", "127.0.0.2", "127.0.0.1"] {
        assert_eq!(bind(addresses), "+OK", "{addresses}");
        let answers = |ip: &str| TcpStream::connect((ip, server.port)).is_ok();
        let expected = |ip: &str| addresses == "*" || addresses.split(' ').any(|address| address == ip);
        for ip in ["127.0.0.1", "127.0.0.2"] {
            assert_eq!(answers(ip), expected(ip), "{addresses}: {ip}");
        }
    }
    assert_eq!(
        bind("127.0.0.1 192.0.2.1"),
        "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses."
    );
    assert_eq!(server.client().ask(&["config", "get", "bind"]), "bind|127.0.0.1");
    assert_eq!(bind(""), "+OK");
    assert!(is_closed(server.port));
}

/// CVE-2025-21605: their replies took all memory.
fn strangers_must_read_their_replies() {
    let server = Server::start(&["--requirepass", "secret"]);
    let mut stranger = server.client();
    stranger.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let requests = "PING\r\n".repeat(10_000);
    let mut sent = 0;
    while stranger.stream.write_all(requests.as_bytes()).is_ok() {
        sent += requests.len();
        assert!(sent < 1 << 30, "a stranger may leave as much unread as it likes");
    }
    wait_for("the reason", || server.log().contains("overcoming of output buffer limits"));
    let mut client = server.client();
    assert_eq!(client.ask(&["auth", "secret"]), "+OK");
}

/// Bytes of a client's receive buffer, used or free.
fn buffer_of(client: &mut Client<TcpStream>, id: &str) -> usize {
    let line = client.ask(&["client", "list", "id", id]);
    let field = |name: &str| {
        let value = line.split(' ').find_map(|field| field.strip_prefix(name)).unwrap();
        value.parse::<usize>().unwrap()
    };
    field("qbuf=") + field("qbuf-free=")
}

/// What a server has allocated, bytes.
fn used_memory(client: &mut Client<TcpStream>) -> usize {
    let info = client.ask(&["info", "memory"]);
    let value = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    value.trim().parse().unwrap()
}

fn keeps_a_buffer_while_it_is_used() {
    let server = Server::start(&[]);
    let (mut watcher, mut client) = (server.client(), server.client());
    let id = client.ask(&["client", "id"]).trim_start_matches(':').to_owned();
    wait_for("whole requests to need none", || buffer_of(&mut watcher, &id) == 0);
    let before = used_memory(&mut watcher);
    client.stream.write_all(b"*2\r\n$4\r\nECHO\r\n$1000000\r\n").unwrap();
    wait_for("room for the rest", || buffer_of(&mut watcher, &id) >= 1_000_000);
    assert!(used_memory(&mut watcher) < before + 500_000, "an announcement alone is worth nothing");
    client.stream.write_all(b"a").unwrap();
    wait_for("the client to count as quiet", || buffer_of(&mut watcher, &id) < 1000);
    client.stream.write_all("a".repeat(999_999).as_bytes()).unwrap();
    client.stream.write_all(b"\r\n").unwrap();
    assert_eq!(client.reply(), "a".repeat(1_000_000));
    wait_for("the end of the loan", || buffer_of(&mut watcher, &id) == 0);
}

/// A large value is the buffer that it was received into, however its request comes to run.
fn large_values_keep_their_buffers() {
    let server = Server::start(&["--enable-debug-command", "yes"]);
    let (mut client, mut other) = (server.client(), server.client());
    let value = |letter: &str| letter.repeat(3_000_000);
    let set =
        |key: &str, letter| format!("*3\r\n$3\r\nSET\r\n$1\r\n{key}\r\n$3000000\r\n{}\r\n", value(letter));
    let allocated = |client: &mut Client<TcpStream>, key: &str| {
        let line = client.ask(&["debug", "sdslen", key]);
        line.rsplit_once("val_zmalloc: ").unwrap().1.parse::<usize>().unwrap()
    };
    client.stream.write_all(set("a", "a").as_bytes()).unwrap();
    assert_eq!(client.reply(), "+OK");
    // It has memory of just its size.
    assert!((3_000_030..3_000_100).contains(&allocated(&mut client, "a")), "{}", allocated(&mut client, "a"));
    assert_eq!(client.ask(&["append", "a", "!"]), ":3000001");
    assert!(client.ask(&["get", "a"]) == value("a") + "!");
    // Held back by a pause, with more behind it.
    assert_eq!(other.ask(&["client", "pause", "60000", "write"]), "+OK");
    client.stream.write_all(set("b", "b").as_bytes()).unwrap();
    wait_for("the pause to hold it", || {
        other.ask(&["info", "clients"]).contains("paused_reason:client_pause\r\n")
            && other.ask(&["info", "clients"]).contains("blocked_clients:1")
    });
    client.stream.write_all(b"PING\r\n").unwrap();
    assert_eq!(other.ask(&["client", "unpause"]), "+OK");
    assert_eq!((client.reply(), client.reply()), ("+OK".to_owned(), "+PONG".to_owned()));
    assert!(client.ask(&["get", "b"]) == value("b"));
    // Queued by MULTI, and several in one pipeline.
    assert_eq!(client.ask(&["multi"]), "+OK");
    client.stream.write_all(set("c", "c").as_bytes()).unwrap();
    assert_eq!(client.reply(), "+QUEUED");
    assert_eq!(client.ask(&["exec"]), "+OK");
    let pipeline = [set("a", "x"), set("b", "y"), set("c", "z"), "STRLEN c\r\n".to_owned()].concat();
    client.stream.write_all(pipeline.as_bytes()).unwrap();
    assert_eq!([(); 4].map(|()| client.reply()), ["+OK", "+OK", "+OK", ":3000000"]);
    for (key, letter) in [("a", "x"), ("b", "y"), ("c", "z")] {
        assert!(other.ask(&["get", key]) == value(letter), "{key}");
    }
    // Several in one request, in pieces that end anywhere, held back by a pause with another request behind.
    assert_eq!(other.ask(&["client", "pause", "60000", "write"]), "+OK");
    let bulk = |letter| format!("$3000000\r\n{}\r\n", value(letter));
    let mset = format!("*5\r\n$4\r\nMSET\r\n$1\r\na\r\n{}$1\r\nb\r\n{}PING\r\n", bulk("p"), bulk("q"));
    for piece in mset.as_bytes().chunks(1_234_567) {
        client.stream.write_all(piece).unwrap();
    }
    wait_for("the pause to hold it", || other.ask(&["info", "clients"]).contains("blocked_clients:1"));
    assert!(other.ask(&["get", "a"]) == value("x"));
    assert_eq!(other.ask(&["client", "unpause"]), "+OK");
    assert_eq!((client.reply(), client.reply()), ("+OK".to_owned(), "+PONG".to_owned()));
    for (key, letter) in [("a", "p"), ("b", "q")] {
        assert!(other.ask(&["get", key]) == value(letter), "{key}");
        assert!((3_000_030..3_000_100).contains(&allocated(&mut client, key)), "{key}");
    }
}

fn goes_on_with_what_a_pause_kept_before_its_end_is_told() {
    let server = Server::start(&["--io-threads", "4"]);
    let mut admin = server.client();
    let mut kept: Vec<Client<TcpStream>> = (0..12).map(|_| server.client()).collect();
    let ids: Vec<String> =
        kept.iter_mut().map(|client| client.ask(&["client", "id"])[1..].to_owned()).collect();
    for round in 1..=30 {
        assert_eq!(admin.ask(&["client", "pause", "60000", "write"]), "+OK");
        for (index, client) in kept.iter_mut().enumerate() {
            match index % 2 {
                0 => client.send(&["incr", "counter"]),
                _ => client.send(&["blpop", "list", "0"]),
            }
        }
        wait_for("the pause to hold them", || admin.ask(&["info", "clients"]).contains("blocked_clients:12"));
        assert_eq!(admin.ask(&["client", "unblock", &ids[1]]), ":0");
        assert_eq!(admin.ask(&["client", "unpause"]), "+OK");
        assert_eq!(admin.ask(&["get", "counter"]), (round * 6).to_string());
        for id in ids.iter().skip(1).step_by(2) {
            assert_eq!(admin.ask(&["client", "unblock", id]), ":1", "in round {round}");
        }
        for (index, client) in kept.iter_mut().enumerate() {
            let reply = client.line().unwrap();
            assert!(index % 2 == 0 || reply == "*-1", "{reply}");
        }
    }
    // Where nobody can wait, the answer does not either.
    assert_eq!(admin.ask(&["multi"]), "+OK");
    assert_eq!(admin.ask(&["client", "unpause"]), "+QUEUED");
    admin.send(&["exec"]);
    assert_eq!((admin.line().as_deref(), admin.reply().as_str()), (Some("*1"), "+OK"));
}

fn warns_of_what_is_missing() {
    let options = ["--appendonly", "yes", "--replica-priority", "5", "--repl-timeout", "60"];
    let mut server = Server::start(&options);
    let warnings = |server: &Server, directive: &str| {
        server.log().matches(&format!("the directive '{directive}' has no effect")).count()
    };
    assert_eq!((warnings(&server, "appendonly"), warnings(&server, "save")), (0, 0));
    assert_eq!((warnings(&server, "replica-priority"), warnings(&server, "repl-timeout")), (1, 0));
    let mut client = server.client();
    let port = free_port().to_string();
    let refused = client.ask(&["config", "set", "tls-port", &port]);
    assert!(refused.ends_with("Unable to update TLS configuration. Check server logs."), "{refused}");
    assert!(server.log().contains("This version of Ochre has no TLS (tls-port) yet."));
    for (directive, value, expected) in [
        ("tls-port", "0", 0),
        ("appendonly", "yes", 0),
        ("appendonly", "no", 0),
        ("save", "60 1", 0),
        ("save", "", 0),
        ("hz", "20", 0),
        ("masterauth", "secret", 1),
        ("min-replicas-to-write", "1", 0),
    ] {
        assert_eq!(client.ask(&["config", "set", directive, value]), "+OK", "{directive}");
        assert_eq!(warnings(&server, directive), expected, "{directive} {value}");
    }
    drop(client);
    server.signal(Signal::TERM);
    assert!(server.end().success());
}

fn takes_back_what_cannot_be_applied() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let port = free_port().to_string();
    let set = ["config", "set", "timeout", "7", "port", &port, "maxclients", "99999999"];
    let reply = client.ask(&set);
    let refused = "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able \
                   to handle the specified number of clients, try with ";
    // A privileged process on a generous machine may get them all.
    if reply != "+OK" {
        assert!(reply.starts_with(refused), "{reply}");
        assert_eq!(client.ask(&["config", "get", "timeout"]), "timeout|0");
        assert_eq!(server.client().ask(&["ping"]), "+PONG");
    }
    // Nobody may have so many.
    let reply = client.ask(&["config", "set", "maxclients", "1000000000"]);
    assert!(reply.starts_with(refused), "{reply}");
    assert!(!server.log().contains("maxclients has been reduced"));
    assert_eq!(
        client.ask(&["config", "set", "loglevel", "debug", "locale-collate", "nosuch"]),
        "-ERR CONFIG SET failed (possibly related to argument 'locale-collate') - Invalid locale name"
    );
    assert_eq!(client.ask(&["config", "get", "loglevel"]), "loglevel|notice");
    assert_eq!(client.ask(&["config", "set", "maxmemory", "1", "maxmemory-policy", "allkeys-lru"]), "+OK");
    assert!(server.log().contains("WARNING: the new maxmemory value set via CONFIG SET (1) is smaller"));
}

/// A server with a configuration file in a folder.
fn start_in(dir: &Path, path: &Path, port: u16) -> Server {
    let child = command().arg(path).current_dir(dir).stdout(Stdio::null()).spawn().unwrap();
    let server = Server { child, dir: new_dir(), port };
    wait_for("the server to serve", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    server
}

/// Whatever rules contain, they are the same after a restart.
fn keeps_users_in_its_configuration() {
    let dir = new_dir();
    let (path, port) = (dir.join("ochre.conf"), free_port());
    let users = "user default on nopass ~* &* +@all -acl|genpass\nuser gone on";
    std::fs::write(&path, format!("port {port}\n{users}\nrequirepass x\n")).unwrap();
    let list = {
        let server = start_in(&dir, &path, port);
        let mut client = server.client();
        assert!(client.ask(&["acl", "genpass"]).starts_with("-NOPERM "));
        assert_eq!(client.ask(&["acl", "deluser", "gone"]), ":1");
        let odd = ["on", ">p w", "~\"", "&'", "%R~\\", "+select|'0", "(~a) +get)", "(~\" &')"];
        let request: Vec<&str> = ["acl", "setuser", "o\"dd"].into_iter().chain(odd).collect();
        assert_eq!(client.ask(&request), "+OK");
        assert_eq!(client.ask(&["acl", "setuser", "", "(+get ~a)"]), "+OK");
        assert_eq!(client.ask(&["config", "rewrite"]), "+OK");
        client.ask(&["acl", "list"])
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let default = "user default on nopass sanitize-payload ~* &* +@all -acl|genpass\n";
    assert!(text.contains(default) && !text.contains("gone"), "{text}");
    let server = start_in(&dir, &path, port);
    assert_eq!(server.client().ask(&["acl", "list"]), list, "{text}");
    std::fs::remove_dir_all(&dir).unwrap();
}

fn keeps_users_in_a_file() {
    let dir = new_dir();
    let (path, file, port) = (dir.join("ochre.conf"), dir.join("users.acl"), free_port());
    std::fs::write(&path, format!("port {port}\naclfile users.acl\nrequirepass foo\n")).unwrap();
    std::fs::write(&file, "user default on nopass ~* &* +@all\nuser a on >p +@all\n").unwrap();
    let list = {
        let server = start_in(&dir, &path, port);
        let mut client = server.client();
        assert_eq!(client.ask(&["acl", "setuser", "b", "(~a) +get)"]), "+OK");
        assert_eq!(
            (client.ask(&["acl", "save"]), client.ask(&["config", "rewrite"])),
            ("+OK".into(), "+OK".into())
        );
        client.ask(&["acl", "list"])
    };
    assert!(!std::fs::read_to_string(&path).unwrap().contains("user "));
    let server = start_in(&dir, &path, port);
    assert_eq!(server.client().ask(&["acl", "list"]), list);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 2, "nothing else is left in the folder");
    std::fs::remove_dir_all(&dir).unwrap();
}

fn rewrites_its_configuration() {
    let dir = new_dir();
    let (path, port) = (dir.join("ochre.conf"), free_port());
    std::fs::write(&path, format!("# mine\nport {port}\nrename-command DEBUG \"\"\nhz 10\n")).unwrap();
    {
        let server = start_in(&dir, &path, port);
        let mut client = server.client();
        assert_eq!(client.ask(&["config", "set", "hz", "50", "maxmemory", "100mb", "save", "7 8"]), "+OK");
        assert_eq!(client.ask(&["config", "rewrite"]), "+OK");
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("# mine\nport {port}\nrename-command DEBUG \"\"\nhz 50\n")), "{text}");
    let server = start_in(&dir, &path, port);
    assert_eq!(
        server.client().ask(&["config", "get", "hz", "maxmemory", "save"]),
        "hz|50|maxmemory|104857600|save|7 8"
    );
    std::fs::remove_dir_all(&dir).unwrap();
}

fn renames_commands() {
    let long = "a-name-that-is-longer-than-the-name-of-any-command";
    let server = Server::start(&["--rename-command", "config", long, "--rename-command", "echo", ""]);
    let mut client = server.client();
    assert!(client.ask(&["config", "get", "port"]).starts_with("-ERR unknown command 'config'"));
    assert!(client.ask(&["echo", "x"]).starts_with("-ERR unknown command 'echo'"));
    assert_eq!(client.ask(&[long, "get", "port"]), format!("port|{}", server.port));
}

/// A configuration may name commands that are not there yet: it renames them or says who may run them.
fn knows_what_only_peers_have() {
    let rules = ["on", ">p", "+psync", "+REPLCONF", "+ping", "-cluster", "+cluster|slots", "+vadd"];
    let options = ["--rename-command", "SLAVEOF", "", "--rename-command", "cluster", "nodes", "--user", "x"];
    let server = Server::start(&[options.as_slice(), rules.as_slice()].concat());
    let mut client = server.client();
    assert!(
        client.ask(&["acl", "list"]).contains(" -@all +psync +replconf +ping -cluster +cluster|slots +vadd")
    );
    assert_eq!(client.ask(&["acl", "setuser", "default", "-replicaof", "-failover"]), "+OK");
    assert!(client.ask(&["acl", "list"]).contains("+@all -replicaof -failover"));
    for name in ["slaveof", "cluster", "nodes"] {
        assert!(client.ask(&[name]).starts_with(&format!("-ERR unknown command '{name}'")));
    }
}

/// A thread's name and the processors that it may run on; `None` if it has ended.
fn thread(folder: &Path) -> Option<(String, String)> {
    let name = std::fs::read_to_string(folder.join("comm")).ok()?;
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    Some((name.trim_end().to_owned(), list.trim().to_owned()))
}

fn own((name, list): (&str, &String)) -> (String, String) {
    (name.to_owned(), list.clone())
}

fn keeps_threads_on_their_processors() {
    let allowed = rustix::thread::sched_getaffinity(None).unwrap();
    let mut processors = (0..rustix::thread::CpuSet::MAX_CPU).filter(|&at| allowed.is_set(at));
    // One alone can keep nobody apart.
    let (Some(helpers), Some(main)) = (processors.next(), processors.next()) else { return };
    let (helpers, main) = (helpers.to_string(), main.to_string());
    let lists = ["--server-cpulist", &main, "--bio-cpulist", &helpers];
    let server = Server::start(&[lists.as_slice(), &["--appendonly", "yes"]].concat());
    let mut client = server.client();
    // A log that a worker begins has a thread that helps, too.
    assert_eq!(client.ask(&["config", "set", "appendonly", "no"]), "+OK");
    assert_eq!(client.ask(&["config", "set", "appendonly", "yes"]), "+OK");
    let process = PathBuf::from(format!("/proc/{}", server.child.id()));
    let expected =
        [("worker-0", &main), ("worker-1", &main), ("reclaim", &helpers), ("aof", &helpers)].map(own);
    // A thread that was just started has neither its name nor its processors yet.
    wait_for("all threads where they belong", || {
        let tasks = std::fs::read_dir(process.join("task")).unwrap();
        let threads: Vec<_> = tasks.filter_map(|task| thread(&task.unwrap().path())).collect();
        expected.iter().all(|each| threads.contains(each))
    });
    assert_eq!(thread(&process).unwrap().1, main);
}

// ---- Connections ----

/// An end that is reported together with the last bytes is reported only once.
fn sees_the_end_of_a_stream() {
    let server = Server::start(&[]);
    for _ in 0..500 {
        let mut client = server.client();
        client.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        client.stream.write_all(b"*2\r").unwrap();
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        // A timeout would be an error.
        assert_eq!(client.stream.read(&mut [0; 10]).unwrap(), 0);
    }
}

fn receives_for_blocked_clients() {
    let server = Server::start(&["--io-threads", "1"]);
    let (mut blocked, mut other) = (server.client(), server.client());
    other.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let id = blocked.ask(&["CLIENT", "ID"]);
    blocked.send(&["WAIT", "1", "0"]);
    wait_for("the client to block", || other.ask(&["CLIENT", "LIST"]).contains("cmd=wait"));
    blocked.send(&["PING"]);
    wait_for("its next request", || other.ask(&["CLIENT", "LIST"]).contains("qbuf=14"));
    assert_eq!(other.ask(&["CLIENT", "UNBLOCK", &id[1..]]), ":1");
    assert_eq!((blocked.reply(), blocked.reply()), (":0".to_owned(), "+PONG".to_owned()));
    blocked.send(&["WAIT", "1", "0"]);
    wait_for("the client to block", || other.ask(&["CLIENT", "LIST"]).contains("cmd=wait"));
    drop(blocked);
    wait_for("the client to be gone", || !other.ask(&["CLIENT", "LIST"]).contains("cmd=wait"));
}

// ---- The end ----

fn ends_on_shutdown() {
    let mut server = Server::start(&["--pidfile", "pid"]);
    let pidfile = server.dir.join("pid");
    assert_eq!(std::fs::read_to_string(&pidfile).unwrap(), format!("{}\n", server.child.id()));
    let mut client = server.client();
    assert_eq!(client.ask(&["shutdown", "abort"]), "-ERR No shutdown in progress.");
    assert_eq!(client.ask(&["shutdown", "later"]), "-ERR syntax error");
    // What cannot be saved is not given up where saving was asked for. A directory cannot be replaced by a file.
    std::fs::create_dir(server.dir.join("dump.rdb")).unwrap();
    assert_eq!(client.ask(&["shutdown", "save"]), "-ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(client.ask(&["ping"]), "+PONG");
    // What was executed before is answered, what comes after is not executed.
    for request in [&["set", "k", "v"][..], &["get", "k"], &["shutdown", "nosave"], &["ping"]] {
        client.send(request);
    }
    assert_eq!((client.reply(), client.reply(), client.reply()), ("+OK".into(), "v".into(), "end".into()));
    assert!(server.end().success() && !pidfile.exists());
    for line in ["User requested shutdown...", "Removing the pid file.", "is now ready to exit, bye bye..."] {
        assert!(server.log().contains(line), "{line}");
    }
}

fn ends_on_signals() {
    for (signal, line) in [
        (Signal::TERM, "Received SIGTERM scheduling shutdown..."),
        (Signal::INT, "Received SIGINT scheduling shutdown..."),
    ] {
        let mut server = Server::start(&["--save", "1 1", "--shutdown-on-sigint", "nosave"]);
        let mut client = server.client();
        assert_eq!(client.ask(&["ping"]), "+PONG");
        server.signal(signal);
        assert!(server.end().success());
        assert_eq!(client.reply(), "end");
        let log = server.log();
        assert!(log.contains(line) && log.contains("ready to exit, bye bye"), "{log}");
        assert_eq!(log.contains("Saving the final RDB snapshot"), signal == Signal::TERM, "{log}");
        assert_eq!(server.dir.join("dump.rdb").exists(), signal == Signal::TERM);
    }
}

fn aborts_a_shutdown() {
    let mut server = Server::start(&["--enable-debug-command", "yes"]);
    let mut client = server.client();
    assert_eq!(client.ask(&["debug", "pause-cron", "1"]), "+OK");
    server.signal(Signal::TERM);
    wait_for("the signal", || server.log().contains("Received SIGTERM"));
    wait_for("the abort", || client.ask(&["shutdown", "abort"]) == "+OK");
    assert_eq!(client.ask(&["debug", "pause-cron", "0"]), "+OK");
    assert_eq!(client.ask(&["ping"]), "+PONG");
    assert!(server.log().contains("Shutdown manually aborted."));
    server.signal(Signal::TERM);
    assert!(server.end().success());
}

fn runs_in_the_background() {
    let mut server = Server::launch(free_port(), &["--daemonize", "yes", "--pidfile", "pid"]);
    assert!(server.end().success(), "the parent ends at once");
    wait_for("the daemon", || server.log().contains("Ready to accept connections"));
    let pidfile = server.dir.join("pid");
    let pid: i32 = std::fs::read_to_string(&pidfile).unwrap().trim().parse().unwrap();
    assert_ne!(pid, server.child.id() as i32);
    assert_eq!(server.client().ask(&["ping"]), "+PONG");
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    wait_for("the end of the daemon", || !pidfile.exists() && server.log().contains("bye bye"));
}

fn restarts() {
    let mut server = Server::start(&["--enable-debug-command", "yes"]);
    for (word, runs) in [("restart", 2), ("crash-and-recover", 3)] {
        assert_eq!(server.client().ask(&["debug", word, "1"]), "end");
        wait_for("another run", || server.log().matches("Ready to accept connections").count() == runs);
        assert_eq!(server.client().ask(&["ping"]), "+PONG");
    }
    assert_eq!(server.client().ask(&["shutdown"]), "end");
    assert!(server.end().success());
}

// ---- Debugging ----

fn sleeps_as_a_whole() {
    let server = Server::start(&["--enable-debug-command", "yes"]);
    // One client per worker.
    let (mut a, mut b) = (server.client(), server.client());
    assert_eq!((a.ask(&["ping"]), b.ask(&["ping"])), ("+PONG".into(), "+PONG".into()));
    let mut asked = Instant::now();
    let sleeper = std::thread::spawn(move || a.ask(&["debug", "sleep", "0.3"]));
    // From one question to the reply to the next: once, it sleeps in between, whenever it comes to that.
    let (mut longest, mut is_over) = (Duration::ZERO, false);
    while !is_over {
        is_over = sleeper.is_finished();
        let before = std::mem::replace(&mut asked, Instant::now());
        assert_eq!(b.ask(&["ping"]), "+PONG");
        longest = longest.max(before.elapsed());
    }
    assert!(longest >= Duration::from_millis(290), "{longest:?}");
    assert_eq!(sleeper.join().unwrap(), "+OK");
}

fn reports_a_crash() {
    let options = ["--enable-debug-command", "yes", "--crash-memcheck-enabled", "no"];
    for (how, lines) in [
        ("segfault", ["crashed by signal", "argv[1]: \"segfault\""]),
        ("panic", ["Guru Meditation: DEBUG PANIC called at Unix time", "argv[1]: \"panic\""]),
        ("assert", ["=== ASSERTION FAILED ===", "argv[1]: \"assert\""]),
    ] {
        let mut server = Server::start(&options);
        let start = Instant::now();
        assert_eq!(server.client().ask(&["debug", how]), "end");
        assert!(!server.end().success());
        // No thread that cannot answer is waited for: the allocator has some, and two seconds would pass for each.
        assert!(start.elapsed() < Duration::from_secs(6), "{how} took {:?}", start.elapsed());
        let log = server.log();
        for line in lines.iter().chain(&["STACK TRACE DONE", "CURRENT CLIENT INFO", "BUG REPORT END"]) {
            assert!(log.contains(line), "{line}: {log}");
        }
    }
}
