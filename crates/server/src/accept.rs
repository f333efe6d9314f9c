//! Accepting connections and handing them to workers; the main thread's loop.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::net::{TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token, Waker};
use ochre_config::Directive;
use ochre_engine::{ClientShared, Engine, client_flags, clock_ms};

use crate::control::{Control, Relisten};
use crate::listen::{Listener, tune};
use crate::mailbox::{Letter, Mailbox};
use crate::socket::Socket;

const WAKE: Token = Token(usize::MAX);
const LISTENER: Token = Token(0);
const TICK: Duration = Duration::from_millis(100);

const PROTECTED: &[u8] = b"-DENIED Redis is running in protected mode because protected mode is enabled and no password \
is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect \
from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the \
command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is \
running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this \
change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and \
setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for \
testing, restart it with the '--protected-mode no' option. 4) Set up an authentication password for the default user. NOTE: \
You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n";

/// Accepts connections.
pub struct Acceptor {
    engine: Arc<Engine>,
    poll: Poll,
    listeners: Vec<Listener>,
    mailboxes: Vec<Arc<Mailbox>>,
    next_worker: usize,
    /// Since when descriptors have run out: not logged for every attempt.
    next_complaint_ms: i64,
}

impl Acceptor {
    /// An acceptor that hands connections to the workers of these mailboxes.
    ///
    /// # Errors
    /// Those of the poller.
    pub fn new(engine: Arc<Engine>, mailboxes: Vec<Arc<Mailbox>>) -> io::Result<(Acceptor, Arc<Waker>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let acceptor =
            Acceptor { engine, poll, listeners: Vec::new(), mailboxes, next_worker: 0, next_complaint_ms: 0 };
        Ok((acceptor, waker))
    }

    /// Listens on one more socket.
    ///
    /// # Errors
    /// Those of the poller.
    pub fn add(&mut self, mut listener: Listener) -> io::Result<()> {
        let registry = self.poll.registry();
        // All listeners are tried whatever woke the poller, so they need no tokens of their own.
        match &mut listener {
            Listener::Tcp(socket) => {
                registry.register(&mut socket.listener, LISTENER, Interest::READABLE)?;
            }
            Listener::Unix(socket, _) => registry.register(socket, LISTENER, Interest::READABLE)?,
        }
        self.listeners.push(listener);
        Ok(())
    }

    /// Says which TCP listeners there are.
    pub fn publish(&self, control: &Control) {
        let address = |listener: &Listener| match listener {
            Listener::Tcp(socket) => Some(socket.address),
            Listener::Unix(..) => None,
        };
        control.set_listening(self.listeners.iter().filter_map(address).collect());
    }

    /// One that is not kept is closed by being dropped; the new ones listen already.
    fn relisten(&mut self, order: Relisten, control: &Control) {
        self.listeners.retain(|listener| match listener {
            Listener::Tcp(socket) => order.keep.contains(&socket.address),
            Listener::Unix(..) => true,
        });
        for socket in order.add {
            let address = socket.address;
            if let Err(error) = self.add(Listener::Tcp(socket)) {
                log::error!("Listening on {address} failed: {error}");
            }
        }
        self.publish(control);
    }

    /// Accepts until `control` says that the server ends; calls `tick` ten times a second, and at once when woken.
    pub fn run(&mut self, control: &Control, mut tick: impl FnMut()) {
        let mut events = Events::with_capacity(64);
        let mut next_tick_ms = 0;
        while !control.is_over() {
            if let Err(error) = self.poll.poll(&mut events, Some(TICK))
                && error.kind() != io::ErrorKind::Interrupted
            {
                log::error!("Waiting for connections failed: {error}");
                return;
            }
            control.take_relisten(|order| self.relisten(order, control));
            // New listeners may have connections from before they were registered: all are tried.
            for index in 0..self.listeners.len() {
                self.accept_all(index);
            }
            let now_ms = clock_ms();
            let woken = events.iter().any(|event| event.token() == WAKE);
            if woken || now_ms >= next_tick_ms {
                next_tick_ms = now_ms + TICK.as_millis() as i64;
                tick();
            }
        }
    }

    /// Stops listening; the file of the Unix socket goes.
    pub fn close(&mut self) {
        for listener in self.listeners.drain(..) {
            if let Listener::Unix(_, path) = listener {
                log::warn!("Removing the unix socket file.");
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    fn accept_all(&mut self, index: usize) {
        loop {
            let accepted = match &self.listeners[index] {
                Listener::Tcp(socket) => {
                    socket.listener.accept().map(|(stream, address)| self.take_tcp(stream, address))
                }
                Listener::Unix(listener, path) => {
                    let path = path.display().to_string();
                    listener.accept().map(|(stream, _)| self.take_unix(stream, &path))
                }
            };
            match accepted {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return self.complain(&error),
            }
        }
    }

    fn complain(&mut self, error: &io::Error) {
        let now_ms = clock_ms();
        if now_ms >= self.next_complaint_ms {
            self.next_complaint_ms = now_ms + 1000;
            log::error!("Accepting client connection: {}", crate::process_error_text(error));
        }
    }

    fn take_tcp(&mut self, stream: TcpStream, address: SocketAddr) {
        let keepalive_s = self.engine.config.read().uint(Directive::TcpKeepalive);
        tune(&stream, keepalive_s);
        let local = stream.local_addr().map_or_else(|_| String::new(), |address| address.to_string());
        if !address.ip().to_canonical().is_loopback() && self.is_protected() {
            self.engine.stats.rejected_connections.fetch_add(1, Relaxed);
            let _ = (&stream).write(PROTECTED);
            return;
        }
        let fd = stream.as_raw_fd();
        self.hand_over(Socket::Tcp(stream), address.to_string(), local, fd, 0);
    }

    fn take_unix(&mut self, stream: UnixStream, path: &str) {
        let (name, fd) = (format!("{path}:0"), stream.as_raw_fd());
        self.hand_over(Socket::Unix(stream), name.clone(), name, fd, client_flags::UNIX_SOCKET);
    }

    fn is_protected(&self) -> bool {
        self.engine.config.read().bool(Directive::ProtectedMode) && !self.engine.access.has_password()
    }

    fn hand_over(&mut self, socket: Socket, address: String, local_address: String, fd: i32, flags: u64) {
        let engine = &self.engine;
        if engine.clients.len() >= engine.settings.max_clients.load(Relaxed) {
            engine.stats.rejected_connections.fetch_add(1, Relaxed);
            let _ = socket.send(b"-ERR max number of clients reached\r\n");
            return;
        }
        engine.stats.connections.fetch_add(1, Relaxed);
        let (worker, now_ms) = (self.choose_worker(), clock_ms());
        let shared = Arc::new(ClientShared {
            id: self.engine.clients.next_id(),
            worker,
            address,
            local_address,
            fd,
            created_ms: now_ms,
            last_interaction_ms: now_ms.into(),
            flags: flags.into(),
            ..ClientShared::default()
        });
        self.engine.clients.add(Arc::clone(&shared));
        self.mailboxes[worker].post(Letter::Connection(socket, shared));
    }

    /// The worker with the fewest clients; among equals, in turn.
    fn choose_worker(&mut self) -> usize {
        let count = self.mailboxes.len();
        let load = |worker: usize| self.engine.workers[worker].clients.load(Relaxed);
        let first = self.next_worker % count;
        let chosen =
            (0..count).map(|step| (first + step) % count).min_by_key(|worker| load(*worker)).unwrap_or(first);
        self.next_worker = chosen + 1;
        // Counted here, so that a burst of connections is spread before the workers have seen any of it.
        self.engine.workers[chosen].clients.fetch_add(1, Relaxed);
        chosen
    }
}
