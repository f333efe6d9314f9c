//! What workers ask of the main thread: other listeners, the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::time::Duration;

use mio::Waker;
use ochre_engine::ShutdownRequest;
use parking_lot::{Condvar, Mutex};

use crate::listen::TcpSocket;
use crate::process::info::CpuTimes;

/// How long a worker waits for the main thread to take over listeners.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which TCP listeners are to be there: of the present ones those of `keep`, and new ones.
pub struct Relisten {
    /// Addresses whose listeners stay.
    pub keep: Vec<SocketAddr>,
    /// Listeners to add.
    pub add: Vec<TcpSocket>,
}

/// A shutdown that was asked for, and who waits for it.
#[derive(Default)]
struct Shutdown {
    due: Option<ShutdownRequest>,
    waiting: Vec<(usize, u64)>,
}

/// Shared by the main thread and whoever runs commands.
#[derive(Default)]
pub struct Control {
    listening: Mutex<Vec<SocketAddr>>,
    relisten: Mutex<Option<Relisten>>,
    relistened: Condvar,
    shutdown: Mutex<Shutdown>,
    over: AtomicBool,
    status: AtomicI32,
    /// Why the server ends, for the last lines of the log.
    last_words: Mutex<Vec<String>>,
    waker: OnceLock<Arc<Waker>>,
    main_system_us: AtomicU64,
    main_user_us: AtomicU64,
}

impl Control {
    /// Says how to wake the main thread.
    pub fn set_waker(&self, waker: Arc<Waker>) {
        drop(self.waker.set(waker));
    }

    /// Wakes the main thread.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            // It looks around at every tick anyway.
            let _ = waker.wake();
        }
    }

    /// Says what the main thread has used; for the main thread.
    pub fn note_main_thread(&self, used: CpuTimes) {
        self.main_system_us.store(used.system_us, Relaxed);
        self.main_user_us.store(used.user_us, Relaxed);
    }

    /// What the main thread has used, as of its last tick.
    pub fn main_thread(&self) -> CpuTimes {
        CpuTimes { system_us: self.main_system_us.load(Relaxed), user_us: self.main_user_us.load(Relaxed) }
    }

    /// The addresses of the TCP listeners.
    pub fn listening(&self) -> Vec<SocketAddr> {
        self.listening.lock().clone()
    }

    /// Says which TCP listeners there are; for the main thread.
    pub fn set_listening(&self, addresses: Vec<SocketAddr>) {
        *self.listening.lock() = addresses;
    }

    /// Has the main thread change its TCP listeners, and waits until it has: who is told that a port is open or
    /// closed can rely on it.
    pub fn relisten(&self, order: Relisten) {
        let mut pending = self.relisten.lock();
        *pending = Some(order);
        self.wake();
        self.relistened.wait_while_for(&mut pending, |pending| pending.is_some(), PATIENCE);
    }

    /// Carries out what [`Control::relisten`] left, if it did.
    pub fn take_relisten(&self, carry_out: impl FnOnce(Relisten)) {
        let mut pending = self.relisten.lock();
        if let Some(order) = pending.take() {
            carry_out(order);
            self.relistened.notify_all();
        }
    }

    /// Asks for a shutdown. The first one decides how; all who ask wait.
    pub fn request_shutdown(&self, request: ShutdownRequest) {
        let mut shutdown = self.shutdown.lock();
        shutdown.waiting.extend(request.client);
        shutdown.due.get_or_insert(request);
        drop(shutdown);
        self.wake();
    }

    /// The shutdown that is due; it is taken as done.
    pub fn take_shutdown(&self) -> Option<ShutdownRequest> {
        self.shutdown.lock().due.take()
    }

    /// Who waits for a shutdown that was taken.
    pub fn take_waiting(&self) -> Vec<(usize, u64)> {
        std::mem::take(&mut self.shutdown.lock().waiting)
    }

    /// Withdraws a shutdown. `None` if there is none, else who waited for it.
    pub fn cancel_shutdown(&self) -> Option<Vec<(usize, u64)>> {
        let mut shutdown = self.shutdown.lock();
        shutdown.due.take()?;
        Some(std::mem::take(&mut shutdown.waiting))
    }

    /// Ends the server with an exit status.
    pub fn end(&self, status: i32) {
        self.status.store(status, SeqCst);
        self.over.store(true, SeqCst);
        self.wake();
    }

    /// Ends the server because something went wrong: what it was is said at the very end of the log, where people look for it.
    pub fn fail(&self, last_words: Vec<String>) {
        *self.last_words.lock() = last_words;
        self.end(1);
    }

    /// What is to be said at the end; nothing if all is well.
    pub fn take_last_words(&self) -> Vec<String> {
        std::mem::take(&mut *self.last_words.lock())
    }

    /// Whether the server ends.
    pub fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    /// The exit status.
    pub fn status(&self) -> i32 {
        self.status.load(SeqCst)
    }
}
