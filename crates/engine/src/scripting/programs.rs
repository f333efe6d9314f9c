//! The scripts and libraries that there are, for all workers.
//!
//! When all scripts, or all libraries, are to be forgotten, a new era begins: workers then forget what they keep of them
//! (`interpreter`). A library by itself takes no era: what replaces it is another one to them, and the state of all others stays.
//! Eras are numbers that no two engines of a process share, so a thread that serves several of them (as in
//! tests) mixes nothing up. Libraries change with all stripes locked, as data do: so no function runs meanwhile, and the journal
//! has the change at its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use ochre_script::{
    FunctionEntry, FunctionRegistry, Library, LibraryMetadata, RestorePolicy, Script, ScriptCache,
    ScriptDigest,
};
use parking_lot::{Mutex, RwLock};

use super::interpreter::compile_library;
use super::standstill::Standing;
use crate::engine::Engine;
use crate::error::Error;

/// There is no script of that digest.
pub(crate) const NO_SCRIPT: Error = Error::new("NOSCRIPT No matching script. Please use EVAL.");

/// What all workers share of scripts.
#[derive(Debug)]
pub struct Scripting {
    scripts: Mutex<ScriptCache>,
    functions: RwLock<FunctionRegistry>,
    scripts_era: AtomicU64,
    functions_era: AtomicU64,
    /// The script that holds everything up.
    pub(crate) standing: Standing,
    /// How many clients go through a script on a copy of the data.
    pub(crate) rehearsals: Arc<AtomicUsize>,
}

impl Default for Scripting {
    fn default() -> Scripting {
        Scripting {
            scripts: Mutex::default(),
            functions: RwLock::default(),
            scripts_era: AtomicU64::new(next_era()),
            functions_era: AtomicU64::new(next_era()),
            standing: Standing::default(),
            rehearsals: Arc::default(),
        }
    }
}

fn next_era() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

/// Figures about scripts and functions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProgramFigures {
    pub(crate) scripts: usize,
    pub(crate) script_bytes: usize,
    pub(crate) evicted: u64,
    pub(crate) libraries: usize,
    pub(crate) functions: usize,
    pub(crate) function_bytes: usize,
}

/// A change of the libraries.
pub(crate) enum FunctionsChange {
    /// FUNCTION LOAD.
    Load(Arc<Library>),
    /// FUNCTION DELETE.
    Delete(Vec<u8>),
    /// FUNCTION FLUSH.
    Flush,
    /// FUNCTION RESTORE.
    Restore(Vec<Arc<Library>>, RestorePolicy),
}

impl Engine {
    /// Bytes that the interpreters of all workers take.
    pub(crate) fn interpreter_bytes(&self) -> usize {
        self.workers.iter().map(|stats| stats.interpreter_bytes.load(Relaxed)).sum()
    }
}

impl Scripting {
    /// A script by its digest.
    pub(crate) fn script(&self, digest: &ScriptDigest) -> Option<Arc<Script>> {
        self.scripts.lock().get(digest)
    }

    /// Whether there is a script of this digest.
    pub(crate) fn has_script(&self, digest: &ScriptDigest) -> bool {
        self.scripts.lock().contains(digest)
    }

    /// Keeps a script: of SCRIPT LOAD until it is flushed, of EVAL for as long as there is room.
    pub(crate) fn keep(&self, script: &Arc<Script>, is_loaded: bool) {
        let mut scripts = self.scripts.lock();
        match is_loaded {
            true => scripts.add_loaded(Arc::clone(script)),
            false => scripts.add_evaluated(Arc::clone(script)),
        }
    }

    /// Forgets all scripts.
    pub(crate) fn flush_scripts(&self) {
        self.scripts.lock().clear();
        self.scripts_era.store(next_era(), Relaxed);
    }

    /// Counts the scripts that had to go from here on.
    pub(crate) fn reset_statistics(&self) {
        self.scripts.lock().reset_evicted();
    }

    /// The era of scripts, and that of libraries.
    pub(super) fn eras(&self) -> (u64, u64) {
        (self.scripts_era.load(Relaxed), self.functions_era.load(Relaxed))
    }

    /// A function by its name.
    pub(crate) fn function(&self, name: &[u8]) -> Option<FunctionEntry> {
        self.functions.read().function(name).cloned()
    }

    /// All libraries, by name.
    pub(crate) fn libraries(&self) -> Vec<Arc<Library>> {
        self.functions.read().libraries().cloned().collect()
    }

    /// Changes the libraries, as a whole or not at all.
    ///
    /// # Errors
    /// Names are taken, or there is no such library; the text without `ERR`.
    pub(crate) fn change_functions(&self, change: FunctionsChange) -> Result<(), Vec<u8>> {
        let mut functions = self.functions.write();
        let removes_all = match change {
            FunctionsChange::Load(library) => functions.add(library).map(|()| false)?,
            FunctionsChange::Delete(name) => functions.delete(&name).map(|_| false)?,
            FunctionsChange::Flush => {
                functions.flush();
                true
            }
            FunctionsChange::Restore(libraries, policy) => {
                functions.restore(libraries, policy)?;
                policy == RestorePolicy::Flush
            }
        };
        if removes_all {
            self.functions_era.store(next_era(), Relaxed);
        }
        Ok(())
    }

    /// Makes a library of a text, without adding it.
    ///
    /// # Errors
    /// What is wrong with it; the text without `ERR`.
    pub(crate) fn make_library(
        &self,
        engine: &Engine,
        code: &[u8],
        replaces: bool,
    ) -> Result<Arc<Library>, Vec<u8>> {
        let metadata = LibraryMetadata::parse(code)?;
        self.functions.read().check_name(&metadata, replaces)?;
        let functions = compile_library(engine, code, metadata.len)?;
        Ok(Library::new(metadata, code, functions))
    }

    /// Adds a library that a file has.
    ///
    /// # Errors
    /// What is wrong with it; the text without `ERR`.
    pub(crate) fn load_from_file(&self, engine: &Engine, code: &[u8], replaces: bool) -> Result<(), Vec<u8>> {
        let library = self.make_library(engine, code, replaces)?;
        self.change_functions(FunctionsChange::Load(library))
    }

    /// Figures for INFO and MEMORY.
    pub(crate) fn figures(&self) -> ProgramFigures {
        let (scripts, functions) = (self.scripts.lock(), self.functions.read());
        ProgramFigures {
            scripts: scripts.len(),
            script_bytes: scripts.memory_bytes(),
            evicted: scripts.evicted(),
            libraries: functions.libraries().len(),
            functions: functions.function_count(),
            function_bytes: functions.libraries().map(|library| library.memory_bytes()).sum(),
        }
    }
}
