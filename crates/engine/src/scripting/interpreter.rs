//! A thread's own interpreter.
//!
//! It is made when the thread first runs a script, and belongs to the thread, not to the worker: Lua's state never moves. A
//! script finds it taken only if it runs within another one, which no command allows.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use ochre_script::{
    FunctionRecord, Host, Interpreter, InterpreterOptions, Interrupt, LogLevel, Permission, Replication,
    Request, Script, ScriptDigest, Versions,
};

use crate::engine::{Engine, REDIS_VERSION, VALKEY_VERSION};
use crate::error::Error;
use crate::worker::WorkerContext;

/// Bytes that an interpreter may take while a script runs.
const MEMORY_BYTES_MAX: usize = 1 << 30;
/// A library has this long to register its functions.
const LOADING_TIME_MAX: Duration = Duration::from_millis(500);

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// What a thread keeps to run scripts with.
pub(crate) struct Stage {
    pub(crate) interpreter: Interpreter,
    /// The eras of what it has compiled: of scripts, of libraries.
    eras: (u64, u64),
    /// The script that was asked for last.
    latest: Option<Arc<Script>>,
}

impl Stage {
    fn new() -> Option<Stage> {
        let versions = Versions { redis: REDIS_VERSION, valkey: VALKEY_VERSION, server_name: "ochre" };
        let interpreter = Interpreter::new(InterpreterOptions { memory_limit: MEMORY_BYTES_MAX, versions })?;
        Some(Stage { interpreter, eras: (0, 0), latest: None })
    }

    /// Forgets what is of an earlier era.
    #[inline]
    fn settle(&mut self, engine: &Engine) {
        let eras = engine.scripting.eras();
        if eras != self.eras {
            self.enter(eras);
        }
    }

    #[cold]
    fn enter(&mut self, eras: (u64, u64)) {
        if eras.0 != self.eras.0 {
            self.latest = None;
            self.interpreter.forget_scripts();
        }
        if eras.1 != self.eras.1 {
            self.interpreter.forget_libraries();
        }
        self.eras = eras;
    }

    /// A script by its digest, as a client gives it. The one that was asked for last is known without asking the others.
    #[inline]
    pub(crate) fn script(&mut self, engine: &Engine, digest: &[u8]) -> Option<&Arc<Script>> {
        let is_latest = |script: &Arc<Script>| script.digest().as_bytes() == digest;
        if !self.latest.as_ref().is_some_and(is_latest) {
            self.latest = engine.scripting.script(&ScriptDigest::parse(digest)?);
        }
        self.latest.as_ref()
    }

    /// The script of a text, compiled and kept: for as long as there is room, or (`is_loaded`) until it is flushed.
    pub(crate) fn script_of(
        &mut self,
        engine: &Engine,
        text: &[u8],
        is_loaded: bool,
    ) -> Result<Arc<Script>, Error> {
        if let Some(script) = self.latest.as_ref().filter(|script| !is_loaded && script.body() == text) {
            return Ok(Arc::clone(script));
        }
        let script = match engine.scripting.script(&ScriptDigest::of(text)) {
            Some(script) => script,
            None => {
                let script = Script::new(text).map_err(with_code)?;
                self.interpreter.compile(&script).map_err(with_code)?;
                script
            }
        };
        engine.scripting.keep(&script, is_loaded);
        self.settle(engine);
        self.latest = Some(Arc::clone(&script));
        Ok(script)
    }
}

/// An error with a text that lacks its code.
fn with_code(text: Vec<u8>) -> Error {
    Error::of_bytes([b"ERR ", text.as_slice()].concat())
}

/// Lends the thread's interpreter.
///
/// # Errors
/// It is in use, or there is no memory for one.
pub(crate) fn with_stage<R>(engine: &Engine, use_it: impl FnOnce(&mut Stage) -> R) -> Result<R, Error> {
    const NESTED: Error = Error::new("ERR This Redis command is not allowed from script");
    const NO_MEMORY: Error = Error::new("ERR Error running script, not enough memory");
    STAGE.with(|stage| {
        let mut stage = stage.try_borrow_mut().map_err(|_| NESTED)?;
        if stage.is_none() {
            *stage = Stage::new();
        }
        let stage = stage.as_mut().ok_or(NO_MEMORY)?;
        stage.settle(engine);
        Ok(use_it(stage))
    })
}

/// Has a worker's statistics tell what its thread's interpreter takes.
#[inline]
pub(crate) fn report_memory(worker: &WorkerContext, stage: &Stage) {
    worker.stats.interpreter_bytes.store(stage.interpreter.memory_bytes(), Relaxed);
}

/// Runs the text of a library, whose first line has so many bytes, to see what it registers.
pub(super) fn compile_library(
    engine: &Engine,
    code: &[u8],
    first_line_len: usize,
) -> Result<Vec<FunctionRecord>, Vec<u8>> {
    let mut loader = Loader { ends: Instant::now() + LOADING_TIME_MAX };
    let body = code.get(first_line_len..).unwrap_or_default();
    let loaded = with_stage(engine, |stage| stage.interpreter.load_library(body, &mut loader));
    loaded.unwrap_or_else(|error| Err(error.bytes().strip_prefix(b"ERR ").unwrap_or_default().to_vec()))
}

/// What a library can do while it is loaded.
struct Loader {
    ends: Instant,
}

impl Host for Loader {
    fn execute(&mut self, _: Request<'_>, reply: &mut Vec<u8>) {
        // There is no function to call this with; the words are those of the peers for such a case.
        reply.extend_from_slice(b"-ERR redis.call/pcall can only be called inside a script invocation\r\n");
    }

    fn permission(&mut self, _: Request<'_>) -> Permission {
        Permission::Denied
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        log_line(level, text);
    }

    fn set_replication(&mut self, _: Replication) {}

    fn interrupt(&mut self) -> Interrupt {
        match Instant::now() >= self.ends {
            true => Interrupt::Stop("FUNCTION LOAD timeout"),
            false => Interrupt::Continue,
        }
    }
}

/// Writes what a script says into the log.
pub(crate) fn log_line(level: LogLevel, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match level {
        LogLevel::Debug => log::debug!("{text}"),
        LogLevel::Verbose => log::info!("{text}"),
        LogLevel::Notice => log::warn!("{text}"),
        LogLevel::Warning => log::error!("{text}"),
    }
}
