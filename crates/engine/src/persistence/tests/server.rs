//! A server without sockets on the twin of a disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ochre_config::{Config, Directive};
use ochre_persist::disk::TwinDisk;

use super::program::Operation;
use crate::engine::Engine;
use crate::testing::Harness;

/// What a server keeps, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Whether there is a log, or only snapshots.
    pub(super) has_log: bool,
    pub(super) appendfsync: &'static str,
    /// Whether bases of the log are snapshots.
    pub(super) preamble: bool,
}

impl Form {
    pub(super) const SNAPSHOTS: Form = Form { has_log: false, ..Form::ALWAYS };
    pub(super) const ALWAYS: Form = Form { has_log: true, appendfsync: "always", preamble: true };
    pub(super) const COMMANDS: Form = Form { preamble: false, ..Form::ALWAYS };
    pub(super) const EVERY_SECOND: Form = Form { appendfsync: "everysec", ..Form::ALWAYS };
    pub(super) const NEVER: Form = Form { appendfsync: "no", ..Form::ALWAYS };
    pub(super) const LOGS: [Form; 4] = [Form::ALWAYS, Form::COMMANDS, Form::EVERY_SECOND, Form::NEVER];

    fn config(self) -> Config {
        let yes_or_no = |is| if is { "yes" } else { "no" };
        let values = [
            (Directive::Appendonly, yes_or_no(self.has_log)),
            (Directive::Appendfsync, self.appendfsync),
            (Directive::AofUseRdbPreamble, yes_or_no(self.preamble)),
            (Directive::EnableDebugCommand, "yes"),
            // What a loss of power leaves may be torn anywhere behind what is durable.
            (Directive::AofLoadCorruptTailMaxSize, "1000000000"),
        ];
        let mut config = Config::new();
        for (directive, value) in values {
            config.assign(directive, &[value.as_bytes()]).expect("a value that is allowed");
        }
        config
    }
}

/// What became of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Became {
    /// It took place.
    Done,
    /// It was refused because of the disk.
    Refused,
}

/// A server.
pub(super) struct Server {
    pub(super) engine: Arc<Engine>,
    pub(super) client: Harness,
}

impl Server {
    /// Starts a server on what is on the disk.
    pub(super) fn start(disk: &TwinDisk, form: Form) -> Result<Server, String> {
        let engine = Engine::new(form.config(), 2, "0".repeat(40), 7).with_disk(Arc::new(disk.clone()));
        let engine = Arc::new(engine);
        engine.persistence.attach(&engine);
        engine.set_loading(true);
        load(&engine, form)?;
        engine.set_loading(false);
        let client = Harness::on(Arc::clone(&engine));
        Ok(Server { engine, client })
    }

    /// What a start finds on the disk, if it succeeds.
    pub(super) fn found_on(disk: &TwinDisk, form: Form) -> Result<String, String> {
        let mut server = Server::start(disk, form)?;
        let state = server.state();
        server.end()?;
        Ok(state)
    }

    /// A digest of all there is.
    pub(super) fn state(&mut self) -> String {
        self.client.run("debug digest") + &self.client.run("function list withcode")
    }

    /// Runs an operation.
    pub(super) fn run(&mut self, operation: &Operation) -> Became {
        let mut became = Became::Done;
        for request in operation {
            let args: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
            let reply = self.client.run_args(&args);
            if reply.starts_with(b"-MISCONF") || reply.starts_with(b"-EXECABORT") {
                became = Became::Refused;
            } else {
                assert_ne!(reply.first(), Some(&b'-'), "{}: {}", shown(&args), reply.escape_ascii());
            }
        }
        became
    }

    /// Whether all that the client has seen is durable. A worker would keep its replies until then.
    pub(super) fn is_durable(&self) -> bool {
        let aof = &self.engine.aof;
        !aof.is_waiting_for_base() && aof.is_durable(self.client.client.seen_offset)
    }

    /// Waits until it is, or the disk fails; whether it is.
    pub(super) fn settle(&self) -> bool {
        wait_for(|| self.is_durable() || self.engine.aof.refusal().is_some());
        self.is_durable()
    }

    /// Waits until no rewrite is under way.
    pub(super) fn wait_for_rewrite(&self) {
        wait_for(|| !self.engine.aof.is_rewriting());
    }

    /// Waits until nothing is in doubt any more that a failed sync may have lost: under `appendfsync no` only a rewrite does
    /// that, which a server begins by itself.
    pub(super) fn wait_until_whole(&self) {
        wait_for(|| {
            self.engine.tend_log();
            let status = self.engine.aof.status();
            !self.engine.aof.is_rewriting() && status.is_some_and(|status| !status.needs_rewrite)
        });
    }

    /// Waits until no snapshot is; whether the last one succeeded.
    pub(super) fn wait_for_snapshot(&self) -> bool {
        wait_for(|| !self.engine.persistence.is_saving() && self.engine.persistence.is_idle());
        !self.engine.persistence.has_failed()
    }

    /// Ends it as a server ends that is told to.
    pub(super) fn end(self) -> Result<(), String> {
        self.engine.aof.close().map_err(|error| error.to_string())
    }
}

/// What a server does at its start.
fn load(engine: &Arc<Engine>, form: Form) -> Result<(), String> {
    if !form.has_log {
        return engine.load_snapshot().map(drop).map_err(|failure| failure.to_string());
    }
    engine.lock_log()?;
    let loaded = engine.load_log()?;
    if loaded.is_none() {
        engine.load_snapshot().map_err(|failure| failure.to_string())?;
    }
    engine.begin_log_at_start(loaded.map_or(0, |loaded| loaded.base_size))
}

fn shown(args: &[&[u8]]) -> String {
    args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
}

/// Waits for something that other threads bring about.
pub(super) fn wait_for(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never happens");
        std::thread::sleep(Duration::from_micros(50));
    }
}
