//! Whose log it is: the lock of the log's folder.
//!
//! Two servers that write one log destroy it, and without a configuration file two that are started from one directory would.
//! So whoever is about to write the files locks the folder before it reads them. The lock is the system's, on the folder
//! itself: there is no file that a crash could leave behind or that a peer would find, and a killed process has it no longer.
//! Peers lock nothing; from them nothing protects.
//!
//! Servers may share a folder under names of their own (`appendfilename`), as they do with peers. There is one lock for a folder,
//! and the manifest, which would tell the names apart, is replaced all the time. So the lock is for logs of the name that
//! everybody has who chose none; who chose one has chosen where it is used. Rejected: refusing those who share a folder rightly.

use std::fmt;
use std::io::ErrorKind;
use std::path::{PathBuf, absolute};

use super::layout::Layout;
use super::report::Report;
use crate::disk::{DirLock, Disk, DiskError};

/// The name of a log for which nobody chose one.
const DEFAULT_FILENAME: &str = "appendonly.aof";

/// The exclusive use of a log's folder, while this lives.
#[derive(Debug)]
pub struct FolderLock {
    /// `None` where the file system has no locks, or the log a name of its own.
    _lock: Option<DirLock>,
}

/// Why the folder is not ours.
#[derive(Debug)]
pub enum FolderError {
    /// Another server keeps its log there.
    Taken(PathBuf),
    /// The disk failed.
    Disk(DiskError),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FolderError::Taken(folder) => write!(
                f,
                "Another server keeps its append-only file in {}, and two would destroy it. Give this one another folder \
                 ('dir' or 'appenddirname'), or have it keep none ('appendonly no').",
                absolute(folder).as_ref().unwrap_or(folder).display()
            ),
            FolderError::Disk(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FolderError {}

impl FolderLock {
    /// Locks the folder of a log, which is made if it is not there, against others of the default name.
    ///
    /// # Errors
    /// Another server has it, or the disk failed. That a file system has no locks is only logged.
    pub fn take(disk: &dyn Disk, layout: &Layout) -> Result<FolderLock, FolderError> {
        let folder = layout.directory();
        let failed = || DiskError::on("Can't open or create append-only dir", &folder);
        let made = disk.create_dir(&folder).and_then(|()| disk.sync_dir(&layout.dir));
        made.map_err(failed()).map_err(FolderError::Disk)?;
        if layout.filename != DEFAULT_FILENAME {
            return Ok(FolderLock { _lock: None });
        }
        let lock = match disk.lock_dir(&folder) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(FolderError::Taken(folder)),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let shown = folder.display();
                Report::Notice(format!("{shown} can't be locked; take care that no other server uses it"))
                    .emit();
                None
            }
            Err(error) => return Err(FolderError::Disk(failed()(error))),
        };
        Ok(FolderLock { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Call, Fault, RealDisk, Seeded, TwinDisk};

    fn layout() -> Layout {
        Layout::new("appendonlydir", "appendonly.aof")
    }

    #[test]
    fn one_at_a_time_has_the_folder() {
        let disk = TwinDisk::default();
        let first = FolderLock::take(&disk, &layout()).unwrap();
        let second = FolderLock::take(&disk, &layout());
        let Err(error @ FolderError::Taken(_)) = second else { panic!("{second:?}") };
        assert!(error.to_string().contains("appendonlydir, and two"), "{error}");
        assert!(FolderLock::take(&disk, &Layout::new("elsewhere", "appendonly.aof")).is_ok());
        assert!(FolderLock::take(&disk, &Layout::new("appendonlydir", "another.aof")).is_ok());
        drop(first);
        FolderLock::take(&disk, &layout()).unwrap();
    }

    #[test]
    fn a_crash_ends_the_lock() {
        let disk = TwinDisk::default();
        let _lock = FolderLock::take(&disk, &layout()).unwrap();
        FolderLock::take(&disk.crash(&mut Seeded::new(1)), &layout()).unwrap();
        FolderLock::take(&disk.settled(), &layout()).unwrap();
    }

    #[test]
    fn a_disk_that_fails_is_told_and_one_without_locks_is_used() {
        let disk = TwinDisk::default();
        disk.fail(Fault::all(Call::Lock));
        assert!(matches!(FolderLock::take(&disk, &layout()), Err(FolderError::Disk(_))));
        disk.heal();
        disk.fail(Fault::all(Call::Lock).errno(Fault::EOPNOTSUPP));
        let _first = FolderLock::take(&disk, &layout()).unwrap();
        FolderLock::take(&disk, &layout()).unwrap();
    }

    #[test]
    fn the_lock_of_a_real_disk_leaves_nothing_in_the_folder() {
        let dir = std::env::temp_dir().join(format!("ochre-folder-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let layout = Layout { dir: dir.clone(), ..layout() };
        let first = FolderLock::take(&RealDisk, &layout).unwrap();
        assert_eq!(std::fs::read_dir(layout.directory()).unwrap().count(), 0);
        assert!(matches!(FolderLock::take(&RealDisk, &layout), Err(FolderError::Taken(_))));
        drop(first);
        FolderLock::take(&RealDisk, &layout).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
