//! All clients of all workers, by number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::shared::ClientShared;

/// Who is connected.
#[derive(Default)]
pub struct Registry {
    clients: Mutex<BTreeMap<u64, Arc<ClientShared>>>,
    last_id: AtomicU64,
}

impl Registry {
    /// A number for a new client; the first is 1.
    pub fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Relaxed) + 1
    }

    /// Adds a client.
    pub fn add(&self, client: Arc<ClientShared>) {
        self.clients.lock().insert(client.id, client);
    }

    /// Removes a client.
    pub fn remove(&self, id: u64) {
        self.clients.lock().remove(&id);
    }

    /// The number of clients.
    pub fn len(&self) -> usize {
        self.clients.lock().len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A client by its number.
    pub fn get(&self, id: u64) -> Option<Arc<ClientShared>> {
        self.clients.lock().get(&id).cloned()
    }

    /// All clients, oldest first; those that are about to be closed on somebody's order are left out.
    pub fn list(&self) -> Vec<Arc<ClientShared>> {
        self.clients.lock().values().filter(|client| !client.is_killed()).cloned().collect()
    }
}
