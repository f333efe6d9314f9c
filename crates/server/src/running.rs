//! What a worker is running, for the crash report. Unsafe leaf module.
//!
//! A worker shows what it runs in its slot: where its present request is, no copy of it. The slot is read only
//! when the worker has crashed: it then stands still in its signal handler or in the panic hook, with the request on its
//! stack, until the report is written and the process ends.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Release};

use ochre_engine::Args;
use parking_lot::Mutex;

use crate::process::crash::CrashedThread;

/// A request that is being run.
pub struct Running<'a> {
    /// Whose.
    pub client: u64,
    /// The request; another one once that is over.
    pub args: Cell<Args<'a>>,
}

impl<'a> Running<'a> {
    /// No request yet.
    pub fn of(client: u64) -> Running<'a> {
        Running { client, args: Cell::new(Args::new(&[], &[])) }
    }
}

/// Where a worker shows what it runs; null while it runs nothing.
#[derive(Clone, Debug, Default)]
pub struct Slot(Arc<AtomicPtr<()>>);

/// All slots, by the system's number of their threads.
static SLOTS: Mutex<Vec<(i32, Slot)>> = Mutex::new(Vec::new());

/// Takes a request out of its slot when it ends.
pub struct Shown<'r> {
    slot: &'r Slot,
    request: PhantomData<&'r Running<'r>>,
}

impl Slot {
    /// Makes the slot that of the calling thread.
    pub fn register(&self) {
        SLOTS.lock().push((rustix::thread::gettid().as_raw_nonzero().get(), self.clone()));
    }

    /// Shows a request until the result is dropped.
    #[inline]
    pub fn show<'r>(&'r self, running: &'r Running<'r>) -> Shown<'r> {
        self.0.store(ptr::from_ref(running).cast_mut().cast(), Release);
        Shown { slot: self, request: PhantomData }
    }
}

impl Drop for Shown<'_> {
    #[inline]
    fn drop(&mut self) {
        self.slot.0.store(ptr::null_mut(), Release);
    }
}

/// The client and the arguments of the request that a crashed worker was running.
pub fn of_crashed(thread: &CrashedThread) -> Option<(u64, Vec<Vec<u8>>)> {
    let slots = SLOTS.try_lock()?;
    let (_, slot) = slots.iter().find(|(tid, _)| *tid == thread.tid)?;
    let shown = slot.0.load(Acquire).cast::<Running<'_>>();
    // SAFETY: null, or the address of a `Running` that `show` borrowed and whose `Shown` still lives. Both are on the
    // stack of the crashed thread, which runs no further (see the head of this file); what the arguments point to is
    // borrowed for as long.
    let running = unsafe { shown.as_ref() }?;
    Some((running.client, running.args.get().iter().map(<[u8]>::to_vec).collect()))
}

#[cfg(test)]
mod tests {
    use ochre_engine::OwnedRequest;

    use super::*;

    #[test]
    fn a_request_is_shown_while_it_runs() {
        let slot = Slot::default();
        slot.register();
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        let me = CrashedThread { tid, name: String::new() };
        let request = OwnedRequest::from_parts(&[b"get".to_vec(), b"key".to_vec()]);
        let running = Running { client: 7, args: Cell::new(request.args()) };
        let shown = slot.show(&running);
        assert_eq!(of_crashed(&me), Some((7, vec![b"get".to_vec(), b"key".to_vec()])));
        drop(shown);
        assert_eq!(of_crashed(&me), None);
        assert_eq!(of_crashed(&CrashedThread { tid: -1, ..me }), None);
    }
}
