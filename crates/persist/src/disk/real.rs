//! The disk of this machine.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{Access, DirLock, Disk, DiskFile, Kind};

/// The disk of this machine.
#[derive(Clone, Copy, Default, Debug)]
pub struct RealDisk;

struct RealFile {
    file: File,
    poisoned: bool,
}

fn opened(file: File) -> Box<dyn DiskFile> {
    Box::new(RealFile { file, poisoned: false })
}

/// The current directory, where a path has none of its own.
fn directory(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        OpenOptions::new().read(true).write(access == Access::Write).open(path).map(opened)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path).map(opened)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(directory(path))?.sync_all()
    }

    fn lock_dir(&self, path: &Path) -> io::Result<DirLock> {
        // Closed in whatever this process executes, and with the process.
        let file = File::open(directory(path))?;
        match file.try_lock() {
            Ok(()) => Ok(DirLock::held_by(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            // Each file system that has none has its own number for it.
            Err(TryLockError::Error(error)) => Err(io::Error::new(io::ErrorKind::Unsupported, error)),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(directory(path))?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(Some(Kind::Directory)),
            Ok(found) => Ok(Some(Kind::File { len: found.len() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        if self.poisoned {
            return Err(io::Error::other("an earlier sync of this file failed"));
        }
        let result = self.file.sync_data();
        self.poisoned = result.is_err();
        result
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}
