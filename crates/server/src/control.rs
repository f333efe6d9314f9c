//! What workers ask of the main thread: new listeners, the end.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use mio::Waker;
use parking_lot::Mutex;

use crate::listen::Listener;

/// Shared by the main thread and whoever runs commands.
#[derive(Default)]
pub struct Control {
    listeners: Mutex<Option<Vec<Listener>>>,
    over: AtomicBool,
    status: AtomicI32,
    waker: OnceLock<Arc<Waker>>,
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

    /// Has the main thread listen on these sockets instead.
    pub fn replace_listeners(&self, listeners: Vec<Listener>) {
        *self.listeners.lock() = Some(listeners);
        self.wake();
    }

    /// What [`Control::replace_listeners`] left, once.
    pub fn take_listeners(&self) -> Option<Vec<Listener>> {
        self.listeners.lock().take()
    }

    /// Ends the server with an exit status.
    pub fn end(&self, status: i32) {
        self.status.store(status, SeqCst);
        self.over.store(true, SeqCst);
        self.wake();
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
