//! What is on the twin: files with what of them is durable, and names with which of them are.
//!
//! A file has its contents as everybody sees them, the durable ones, and the changes in between, in order. A sync applies
//! the changes to the durable contents. A sync that fails forgets them, as Linux does with pages that it could not write:
//! everybody still sees them, and no later sync makes them durable; only writing them again does.
//!
//! Names are changed in steps that are atomic, each durable once one of its directories is synced.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{Call, Fault};

/// A change of a file's contents.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate { len: u64 },
}

impl Change {
    pub(super) fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes } => {
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                if contents.len() < end {
                    contents.resize(end, 0);
                }
                contents[start..end].copy_from_slice(bytes);
            }
            Change::Truncate { len } => contents.resize(*len as usize, 0),
        }
    }
}

/// A file.
#[derive(Clone, Default, Debug)]
pub(super) struct Inode {
    pub(super) contents: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<Change>,
}

impl Inode {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.contents);
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Node {
    File(usize),
    Directory,
}

/// An atomic change of names.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    pub(super) directories: BTreeSet<PathBuf>,
    pub(super) names: Vec<(PathBuf, Option<Node>)>,
}

pub(super) type Names = BTreeMap<PathBuf, Node>;

impl Naming {
    pub(super) fn apply(&self, names: &mut Names) {
        for (path, node) in &self.names {
            match node {
                Some(node) => names.insert(path.clone(), *node),
                None => names.remove(path),
            };
        }
    }
}

/// Everything.
#[derive(Clone, Default, Debug)]
pub(super) struct World {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: Names,
    pub(super) durable_names: Names,
    pub(super) pending_names: Vec<Naming>,
    pub(super) calls: u64,
    pub(super) faults: Vec<Fault>,
    /// Bytes that can still be written.
    pub(super) free_bytes: Option<u64>,
    pub(super) power: Power,
    /// Directories that somebody has the exclusive use of.
    pub(super) locked: BTreeSet<PathBuf>,
}

/// Asked at the moment of a loss of power.
pub(super) type Ask = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Losses of power that are to come, or came.
#[derive(Clone, Default)]
pub(super) struct Power {
    /// Before which call, and what to ask then.
    pub(super) cut: Option<(u64, Ask)>,
    /// The world at that moment, and the answer.
    pub(super) left: Option<(Arc<World>, u64)>,
    /// What to ask before every call that changes something.
    pub(super) always: Option<Ask>,
    /// The world before each of them, and the answers.
    pub(super) all: Vec<(Arc<World>, u64)>,
}

impl fmt::Debug for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Power").field("is_cut", &self.left.is_some()).finish()
    }
}

pub(super) fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// Whether there is a directory of this name; the working directory, under either of its names, always is.
pub(super) fn has_directory(names: &Names, path: &Path) -> bool {
    path.as_os_str().is_empty() || path == Path::new(".") || names.get(path) == Some(&Node::Directory)
}

impl World {
    /// Counts a call; the fault that it runs into.
    pub(super) fn call(&mut self, kind: Call) -> Result<(), Fault> {
        let number = self.calls;
        if let Some((_, ask)) = self.power.cut.take_if(|(call, _)| *call <= number) {
            self.power.left = Some((Arc::new(self.clone()), ask()));
        }
        if !matches!(kind, Call::Open | Call::Read | Call::Lock) {
            self.keep_for_loss();
        }
        self.calls += 1;
        self.faults.iter().find(|fault| fault.hits(number, kind)).map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Keeps the world as it is before a change, if that is wanted.
    fn keep_for_loss(&mut self) {
        let mut power = std::mem::take(&mut self.power);
        if let Some(ask) = &power.always {
            power.all.push((Arc::new(self.clone()), ask()));
        }
        self.power = power;
    }

    /// Changes names, if the directories exist.
    pub(super) fn rename(&mut self, names: Vec<(PathBuf, Option<Node>)>) -> io::Result<()> {
        let directories: BTreeSet<PathBuf> = names.iter().map(|(path, _)| parent(path)).collect();
        if !directories.iter().all(|path| has_directory(&self.names, path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let naming = Naming { directories, names };
        naming.apply(&mut self.names);
        self.pending_names.push(naming);
        Ok(())
    }

    pub(super) fn sync_names(&mut self, directory: &Path) {
        let World { pending_names, durable_names, .. } = self;
        pending_names.retain(|naming| {
            let reached = naming.directories.contains(directory);
            if reached {
                naming.apply(durable_names);
            }
            !reached
        });
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            Some(Node::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::Error::from_raw_os_error(2)),
        }
    }
}
