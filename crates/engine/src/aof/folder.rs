//! Who in this server has the log's folder locked: the log, while there is one, and a rewrite without one; together, where a
//! log is switched on while such a rewrite is on its way.

use std::path::{PathBuf, absolute};
use std::sync::{Arc, Weak};

use ochre_persist::aof::{FolderError, FolderLock, Layout};
use ochre_persist::disk::Disk;
use parking_lot::Mutex;

use super::switch::layout;
use crate::engine::Engine;

/// The lock of the log's folder, whoever has it.
#[derive(Default)]
pub(super) struct Folder(Mutex<Holders>);

#[derive(Default)]
struct Holders {
    /// The log's.
    log: Option<Arc<FolderLock>>,
    /// The last that was taken, and where: the configured path may mean another folder by now.
    last: (PathBuf, Weak<FolderLock>),
}

impl Folder {
    /// A share of the lock, which lasts as long as one of its holders.
    ///
    /// # Errors
    /// Another server has the folder, or the disk failed.
    pub(super) fn share(&self, disk: &dyn Disk, layout: &Layout) -> Result<Arc<FolderLock>, FolderError> {
        let mut holders = self.0.lock();
        let folder = absolute(layout.directory()).unwrap_or(layout.directory());
        let (last_folder, last) = &holders.last;
        if let Some(lock) = last.upgrade().filter(|_| *last_folder == folder) {
            return Ok(lock);
        }
        let lock = Arc::new(FolderLock::take(disk, layout)?);
        holders.last = (folder, Arc::downgrade(&lock));
        Ok(lock)
    }

    /// Has the log hold a lock, instead of what it held.
    pub(super) fn hold(&self, lock: Option<Arc<FolderLock>>) {
        self.0.lock().log = lock;
    }
}

impl Engine {
    /// Locks the log's folder for the log that is about to be loaded and to go on.
    ///
    /// # Errors
    /// Another server keeps its log there, or the disk failed.
    pub fn lock_log(&self) -> Result<(), String> {
        let layout = layout(&self.config.read());
        let lock = self.aof.folder.share(&*self.persistence.disk(), &layout);
        self.aof.folder.hold(Some(lock.map_err(|error| error.to_string())?));
        Ok(())
    }
}
