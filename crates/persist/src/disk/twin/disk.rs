//! The twin behind the trait.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::choose::Choose;
use super::crash::crash;
use super::fault::{Call, Fault};
use super::world::{Change, Inode, Node, Power, World, has_directory, parent};
use crate::disk::{Access, DirLock, Disk, DiskFile, Kind};

/// A disk in memory; its clones are the same disk.
#[derive(Clone, Default)]
pub struct TwinDisk(Arc<Mutex<World>>);

impl fmt::Debug for TwinDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.0.lock();
        f.debug_struct("TwinDisk").field("names", &world.names).field("calls", &world.calls).finish()
    }
}

impl TwinDisk {
    /// The disk as a loss of power now would leave it. This one goes on as if nothing had happened.
    #[must_use]
    pub fn crash(&self, choose: &mut dyn Choose) -> TwinDisk {
        TwinDisk(Arc::new(Mutex::new(crash(&self.0.lock(), choose))))
    }

    /// Loses power before the call of this number, in secret: this disk goes on, [`TwinDisk::power_cut`] has the other one.
    /// `ask` is asked at that moment.
    pub fn cut_power_before(&self, call: u64, ask: impl Fn() -> u64 + Send + Sync + 'static) {
        let mut world = self.0.lock();
        world.power = Power { cut: Some((call, Arc::new(ask))), ..Power::default() };
    }

    /// The disk at the moment when it lost power, and what the answer was; it is to be crashed.
    pub fn power_cut(&self) -> Option<(TwinDisk, u64)> {
        let (world, answer) = self.0.lock().power.left.clone()?;
        Some((TwinDisk(Arc::new(Mutex::new(World::clone(&world)))), answer))
    }

    /// Loses power before every call from now on that changes something, in secret: see [`TwinDisk::power_cuts`].
    pub fn cut_power_always(&self, ask: impl Fn() -> u64 + Send + Sync + 'static) {
        self.0.lock().power = Power { always: Some(Arc::new(ask)), ..Power::default() };
    }

    /// The disk at each of these moments, and what the answer was, until now; it loses power no more. They are to be crashed.
    pub fn power_cuts(&self) -> Vec<(TwinDisk, u64)> {
        let cuts = std::mem::take(&mut self.0.lock().power).all;
        let of = |world: Arc<World>| TwinDisk(Arc::new(Mutex::new(World::clone(&world))));
        cuts.into_iter().map(|(world, answer)| (of(world), answer)).collect()
    }

    /// A copy that changes on its own, everything in it durable: what a killed process leaves.
    #[must_use]
    pub fn settled(&self) -> TwinDisk {
        let mut world = self.0.lock().clone();
        for inode in &mut world.inodes {
            *inode = Inode {
                durable: inode.contents.clone(),
                contents: inode.contents.clone(),
                ..Inode::default()
            };
        }
        let world = World {
            durable_names: world.names.clone(),
            inodes: world.inodes,
            names: world.names,
            ..World::default()
        };
        TwinDisk(Arc::new(Mutex::new(world)))
    }

    /// Adds calls that fail.
    pub fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Nothing fails from now on, and there is room.
    pub fn heal(&self) {
        let mut world = self.0.lock();
        world.faults.clear();
        world.free_bytes = None;
    }

    /// Leaves room for so many bytes.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.0.lock().free_bytes = Some(bytes);
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// What a file holds, `None` where there is none.
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let world = self.0.lock();
        world.file(path.as_ref()).ok().map(|inode| world.inodes[inode].contents.clone())
    }

    /// Puts a file there, durable, with its directory.
    pub fn put(&self, path: impl AsRef<Path>, contents: &[u8]) {
        let mut world = self.0.lock();
        let inode = world.inodes.len();
        world.inodes.push(Inode {
            contents: contents.to_vec(),
            durable: contents.to_vec(),
            pending: Vec::new(),
        });
        let directory = parent(path.as_ref());
        for (path, node) in [(directory, Node::Directory), (path.as_ref().to_owned(), Node::File(inode))] {
            if !path.as_os_str().is_empty() {
                world.names.insert(path.clone(), node);
                world.durable_names.insert(path, node);
            }
        }
    }

    fn call(&self, kind: Call) -> io::Result<()> {
        self.0.lock().call(kind).map_err(|fault| fault.error())
    }

    fn opened(&self, inode: usize) -> Box<dyn DiskFile> {
        Box::new(TwinFile { disk: self.clone(), inode, poisoned: false })
    }
}

impl Disk for TwinDisk {
    fn open(&self, path: &Path, _: Access) -> io::Result<Box<dyn DiskFile>> {
        self.call(Call::Open)?;
        let inode = self.0.lock().file(path)?;
        Ok(self.opened(inode))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.call(Call::Create)?;
        let mut world = self.0.lock();
        let inode = match world.file(path) {
            Ok(inode) => {
                world.inodes[inode].change(Change::Truncate { len: 0 });
                inode
            }
            Err(_) => {
                let inode = world.inodes.len();
                world.inodes.push(Inode::default());
                world.rename(vec![(path.to_owned(), Some(Node::File(inode)))])?;
                inode
            }
        };
        Ok(self.opened(inode))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Create)?;
        let mut world = self.0.lock();
        match world.names.get(path) {
            Some(Node::Directory) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::AlreadyExists.into()),
            None => world.rename(vec![(path.to_owned(), Some(Node::Directory))]),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Rename)?;
        let mut world = self.0.lock();
        let inode = world.file(from)?;
        world.rename(vec![(from.to_owned(), None), (to.to_owned(), Some(Node::File(inode)))])
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Remove)?;
        let mut world = self.0.lock();
        world.file(path)?;
        world.rename(vec![(path.to_owned(), None)])
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Call::SyncDir)?;
        self.0.lock().sync_names(path);
        Ok(())
    }

    fn lock_dir(&self, path: &Path) -> io::Result<DirLock> {
        self.call(Call::Lock)?;
        let mut world = self.0.lock();
        if !has_directory(&world.names, path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        match world.locked.insert(path.to_owned()) {
            true => Ok(DirLock::held_by(TwinLock { disk: self.clone(), path: path.to_owned() })),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.call(Call::Open)?;
        let world = self.0.lock();
        let inside = world.names.keys().filter(|name| parent(name) == path);
        Ok(inside.filter_map(|name| name.file_name()).map(OsString::from).collect())
    }

    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        self.call(Call::Open)?;
        let world = self.0.lock();
        Ok(world.names.get(path).map(|node| match node {
            Node::Directory => Kind::Directory,
            Node::File(inode) => Kind::File { len: world.inodes[*inode].contents.len() as u64 },
        }))
    }
}

struct TwinLock {
    disk: TwinDisk,
    path: PathBuf,
}

impl Drop for TwinLock {
    fn drop(&mut self) {
        self.disk.0.lock().locked.remove(&self.path);
    }
}

struct TwinFile {
    disk: TwinDisk,
    inode: usize,
    poisoned: bool,
}

impl DiskFile for TwinFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.disk.call(Call::Read)?;
        let world = self.disk.0.lock();
        let rest = world.inodes[self.inode].contents.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut world = self.disk.0.lock();
        let fault = world.call(Call::Write).err();
        let mut len = fault.as_ref().map_or(bytes.len(), |fault| fault.written.min(bytes.len()));
        if let Some(free) = &mut world.free_bytes {
            len = len.min(*free as usize);
            *free -= len as u64;
        }
        if len > 0 {
            world.inodes[self.inode].change(Change::Write { offset, bytes: bytes[..len].to_vec() });
        }
        match fault {
            Some(fault) => Err(fault.error()),
            None if len == 0 && !bytes.is_empty() => Err(io::Error::from_raw_os_error(Fault::ENOSPC)),
            None => Ok(len),
        }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut world = self.disk.0.lock();
        let result = world.call(Call::Sync).map_err(|fault| fault.error());
        if self.poisoned {
            return Err(io::Error::from_raw_os_error(Fault::EIO));
        }
        match &result {
            Ok(()) => world.inodes[self.inode].sync(),
            Err(_) => world.inodes[self.inode].pending.clear(),
        }
        self.poisoned = result.is_err();
        result
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.call(Call::Truncate)?;
        self.disk.0.lock().inodes[self.inode].change(Change::Truncate { len });
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().inodes[self.inode].contents.len() as u64)
    }
}
