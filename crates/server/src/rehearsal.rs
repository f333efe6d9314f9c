//! A session of the debugger on a copy of the data: a thread that has a client's connection, and nothing else to do.
//!
//! The worker has handed the connection over for good, since it ends with the session. Reading and sending wait here: nobody else
//! is served by this thread.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::thread::Builder;
use std::time::Duration;

use ochre_engine::{Attendant, Rehearsal, Said};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

/// Bytes that are received at a time.
const RECEIVED_MAX: usize = 16 * 1024;
/// A client that takes nothing for so long is given up.
const SENDING_MAX: Duration = Duration::from_secs(60);

/// Begins a session on a thread of its own.
///
/// # Errors
/// The system gives no thread.
pub fn begin(socket: OwnedFd, rehearsal: Rehearsal) -> io::Result<()> {
    let run = move || {
        log::warn!("A client goes through a script on a copy of the data");
        let console = Console { socket, is_over: Cell::new(false) };
        let reply = rehearsal.run(&console);
        console.show(&reply);
        log::warn!("The client has gone through the script on a copy of the data");
    };
    Builder::new().name("debugger".to_owned()).spawn(run).map(drop)
}

/// The client's end of the session.
struct Console {
    socket: OwnedFd,
    /// Whether nothing more will come from it.
    is_over: Cell<bool>,
}

impl Console {
    /// Waits until the socket is ready for something; whether it is.
    fn wait(&self, flags: PollFlags, longest: Option<Duration>) -> bool {
        let longest = longest.and_then(|longest| Timespec::try_from(longest).ok());
        loop {
            let mut sockets = [PollFd::new(&self.socket, flags)];
            match poll(&mut sockets, longest.as_ref()) {
                Ok(ready) => return ready > 0,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn send(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.wait(PollFlags::OUT, Some(SENDING_MAX)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Attendant for Console {
    fn attend(&self) -> bool {
        // There is nobody to be served. A script that takes long and that nobody hears of is not run to its end.
        !self.is_over.get()
    }

    fn show(&self, reply: &[u8]) {
        if self.send(reply).is_err() {
            self.is_over.set(true);
        }
    }

    fn listen(&self) -> Said {
        if self.is_over.get() {
            return Said::End;
        }
        let mut bytes = Vec::with_capacity(RECEIVED_MAX);
        match rustix::net::recv(&self.socket, spare_capacity(&mut bytes), RecvFlags::empty()) {
            Ok((received, _)) if received > 0 => Said::Bytes(bytes),
            Err(Errno::INTR) => Said::Nothing,
            Err(Errno::AGAIN) if self.wait(PollFlags::IN, None) => Said::Nothing,
            _ => {
                self.is_over.set(true);
                Said::End
            }
        }
    }
}
