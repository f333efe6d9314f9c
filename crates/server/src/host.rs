//! What the process does for the engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_config::{Changes, Config, Directive, SetError};
use ochre_engine::{Engine, Host, Message, ShutdownRequest};
use parking_lot::Mutex;

use crate::control::Control;
use crate::listen::{Listener, open_tcp};
use crate::mailbox::{Letter, Mailbox};
use crate::options;
use crate::process::info::{CpuTimes, ProcessFacts, resident_bytes, total_system_memory_bytes};
use crate::process::limits::{FileLimit, fit_open_files};
use crate::process::logger::logger;
use crate::process::{OomScore, crash};

/// The process around the engine.
pub struct ProcessHost {
    /// The engine; it outlives the workers.
    pub engine: Arc<Engine>,
    /// Where the workers get their letters.
    pub mailboxes: Vec<Arc<Mailbox>>,
    /// The way to the main thread.
    pub control: Arc<Control>,
    /// Facts that do not change.
    pub facts: ProcessFacts,
    /// The name it was called by.
    pub program: String,
    /// The configuration file.
    pub config_file: Option<PathBuf>,
    /// What is set for the kernel's choice when memory runs out.
    pub oom: Mutex<OomScore>,
}

impl Host for ProcessHost {
    fn post(&self, worker: usize, message: Message) {
        if let Some(mailbox) = self.mailboxes.get(worker) {
            mailbox.post(Letter::Engine(message));
        }
    }

    fn apply(&self, changes: &Changes, config: &Config) -> Result<(), SetError> {
        if changes.contains(Directive::Port) || changes.contains(Directive::Bind) {
            let name = if changes.contains(Directive::Port) { "port" } else { "bind" };
            let failed = "Unable to listen on this port. Check server logs.";
            // What the old listeners hold must be free for the new ones: only addresses that are new are opened.
            let tcp = open_tcp(config).map_err(|_| SetError::failed(name, failed))?;
            self.control.replace_listeners(tcp.into_iter().map(Listener::Tcp).collect());
        }
        if changes.contains(Directive::Maxclients) {
            self.fit_clients(config)?;
        }
        if changes.contains(Directive::OomScoreAdj) || changes.contains(Directive::OomScoreAdjValues) {
            let (setting, values) = options::oom(config);
            let applied = self.oom.lock().apply(setting, &values, false);
            applied.map_err(|_| {
                SetError::failed(
                    "oom-score-adj",
                    "Failed to apply new oom_score_adj configuration, check server logs.",
                )
            })?;
        }
        if changes.contains(Directive::ProcTitleTemplate) {
            options::set_title(config, &self.program, self.config_file.as_deref());
        }
        if logger().configure(&options::log(config)).is_err() {
            return Err(SetError::failed("logfile", "Can't open the log file"));
        }
        self.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::Engine(Message::Reconfigure)));
        Ok(())
    }

    fn shutdown(&self, _request: ShutdownRequest) -> Result<(), String> {
        log::error!("User requested shutdown...");
        self.control.end(0);
        Ok(())
    }

    fn abort_shutdown(&self) -> bool {
        false
    }

    fn fact(&self, name: &str) -> Option<String> {
        let cpu = CpuTimes::of_process();
        let children = CpuTimes::of_children();
        let seconds = |time_us: u64| format!("{}.{:06}", time_us / 1_000_000, time_us % 1_000_000);
        Some(match name {
            "executable" => self.facts.executable.display().to_string(),
            "os" => self.facts.os.clone(),
            "arch_bits" => self.facts.arch_bits.to_string(),
            "monotonic_clock" => self.facts.monotonic_clock.to_owned(),
            "gcc_version" => self.facts.gcc_version.to_owned(),
            "process_id" => std::process::id().to_string(),
            "config_file" => {
                self.config_file.as_ref().map_or_else(String::new, |path| path.display().to_string())
            }
            "rss" | "used_memory_rss" => resident_bytes().to_string(),
            "total_system_memory" => total_system_memory_bytes().to_string(),
            "used_cpu_sys" => seconds(cpu.system_us),
            "used_cpu_user" => seconds(cpu.user_us),
            "used_cpu_sys_children" => seconds(children.system_us),
            "used_cpu_user_children" => seconds(children.user_us),
            _ => return None,
        })
    }

    fn crash(&self, how: &str) {
        match how.to_ascii_lowercase().as_str() {
            "segfault" => crash::segfault(),
            "abort" => std::process::abort(),
            how => panic!("DEBUG {how} called at unix time {}", ochre_engine::clock_ms() / 1000),
        }
    }

    fn config_file(&self) -> Option<PathBuf> {
        self.config_file.clone()
    }
}

impl ProcessHost {
    fn fit_clients(&self, config: &Config) -> Result<(), SetError> {
        let wanted = config.uint(Directive::Maxclients);
        match fit_open_files(wanted) {
            FileLimit::Enough | FileLimit::Raised { .. } => {
                self.engine.settings.max_clients.store(wanted as usize, Relaxed);
                Ok(())
            }
            FileLimit::Reduced { .. } | FileLimit::TooLow { .. } => Err(SetError::failed(
                "maxclients",
                "The operating system is not able to handle the specified number of clients, try with a lower number",
            )),
        }
    }
}
