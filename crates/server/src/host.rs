//! What the process does for the engine.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ochre_acl::User;
use ochre_config::{Appendix, Changes, Config, Directive, SetError, join_words};
use ochre_engine::{AccessControl, Engine, Host, Message, ShutdownRequest};
use parking_lot::Mutex;

use crate::control::{Control, Relisten};
use crate::listen::{is_in_own_way, open_address, open_tcp};
use crate::mailbox::{Letter, Mailbox};
use crate::process::build::Build;
use crate::process::crash::CrashSettings;
use crate::process::info::{CpuTimes, ProcessFacts, resident_bytes, total_system_memory_bytes};
use crate::process::limits::{FileLimit, fit_open_files};
use crate::process::logger::logger;
use crate::process::watchdog::Watchdog;
use crate::process::{OomScore, Supervised, crash, locale};
use crate::{config_file, end, options};

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
    /// How it was started, for starting it again.
    pub launch: Launch,
    /// The configuration file.
    pub config_file: Option<PathBuf>,
    /// What is set for the kernel's choice when memory runs out.
    pub oom: Mutex<OomScore>,
    /// Looks whether workers go on.
    pub watchdog: Mutex<Watchdog>,
    /// What crash reports contain.
    pub crash: CrashSettings,
    /// Who supervises the process.
    pub supervised: Supervised,
}

/// What the poller asks the system with.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MULTIPLEXING_API: &str = "epoll";
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const MULTIPLEXING_API: &str = "kqueue";

/// How the program was started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// All arguments, the program first.
    pub arguments: Vec<OsString>,
    /// The directory it was started in.
    pub dir: PathBuf,
}

/// A thing that follows the configuration; one may follow several directives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Listeners,
    Tls,
    FileLimit,
    OomScore,
    Title,
    Locale,
    Log,
    CrashReports,
    Watchdog,
    Dir,
}

impl Part {
    fn of(directive: Directive) -> Option<Part> {
        use Directive as D;
        Some(match directive {
            D::Port | D::Bind => Part::Listeners,
            D::TlsPort => Part::Tls,
            D::Maxclients => Part::FileLimit,
            D::OomScoreAdj | D::OomScoreAdjValues => Part::OomScore,
            D::ProcTitleTemplate => Part::Title,
            D::LocaleCollate => Part::Locale,
            D::Loglevel | D::LogFormat | D::LogTimestampFormat => Part::Log,
            D::CrashLogEnabled | D::CrashMemcheckEnabled | D::UseExitOnPanic => Part::CrashReports,
            D::WatchdogPeriod => Part::Watchdog,
            D::Dir => Part::Dir,
            _ => return None,
        })
    }
}

impl Host for ProcessHost {
    fn post(&self, worker: usize, message: Message) {
        if let Some(mailbox) = self.mailboxes.get(worker) {
            mailbox.post(Letter::Engine(message));
        }
    }

    /// Part after part, in the order in which directives were given; when one fails, those before it follow the old
    /// configuration again.
    fn apply(&self, changes: &Changes, old: &Config, new: &mut Config) -> Result<(), SetError> {
        let mut done: Vec<Part> = Vec::new();
        for directive in &changes.directives {
            let Some(part) = Part::of(*directive).filter(|part| !done.contains(part)) else { continue };
            if let Err(reason) = self.follow(part, *directive, new) {
                let mut old = old.clone();
                for part in done.into_iter().rev() {
                    // It was so a moment ago; if it cannot be so again, the log tells.
                    let _ = self.follow(part, *directive, &mut old);
                }
                return Err(SetError::failed(directive.name(), reason));
            }
            done.push(part);
        }
        Ok(())
    }

    fn shutdown(&self, request: ShutdownRequest) -> Result<(), String> {
        self.control.request_shutdown(request);
        Ok(())
    }

    fn abort_shutdown(&self) -> bool {
        end::abort(&self.engine, &self.control)
    }

    fn fact(&self, name: &str) -> Option<String> {
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
            "used_cpu_sys" => seconds(CpuTimes::of_process().system_us),
            "used_cpu_user" => seconds(CpuTimes::of_process().user_us),
            "used_cpu_sys_children" => seconds(CpuTimes::of_children().system_us),
            "used_cpu_user_children" => seconds(CpuTimes::of_children().user_us),
            "used_cpu_sys_main_thread" => seconds(self.control.main_thread().system_us),
            "used_cpu_user_main_thread" => seconds(self.control.main_thread().user_us),
            "process_supervised" => self.supervised.name().to_owned(),
            "multiplexing_api" => MULTIPLEXING_API.to_owned(),
            "build_id" => Build::this().id.clone(),
            "commit" => Build::this().commit.to_owned(),
            "modified" => u8::from(Build::this().modified).to_string(),
            _ => return self.listener(name.strip_prefix("listener")?.parse().ok()?),
        })
    }

    fn crash(&self, how: &str) {
        match how.to_ascii_lowercase().as_str() {
            "segfault" => crash::segfault(),
            "oom" => std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 1 << 46]>()),
            // In the words of the standard library, by which the report tells assertions from other panics.
            "assert" => panic!("assertion failed: 1 == 2"),
            _ => panic!("DEBUG PANIC called at Unix time {}", ochre_engine::clock_ms() / 1000),
        }
    }

    fn config_file(&self) -> Option<PathBuf> {
        self.config_file.clone()
    }

    fn rewrite_config(&self, config: &Config, all: bool) -> std::io::Result<()> {
        let path = self.config_file.as_ref().ok_or(std::io::ErrorKind::NotFound)?;
        config_file::rewrite(path, config, &appendix(&self.engine, config), all)
    }

    fn restart(&self, delay_ms: u64) {
        std::thread::sleep(Duration::from_millis(delay_ms));
        let Some((program, arguments)) = self.launch.arguments.split_first() else { return };
        let mut command = Command::new(&self.facts.executable);
        command.arg0(program).args(arguments).current_dir(&self.launch.dir);
        // Returns only if it fails; otherwise this process is another program by then.
        let error = command.exec();
        log::error!("Can't restart: this process has no permissions to execute the server: {error}");
    }
}

impl ProcessHost {
    /// Has a part follow a configuration.
    fn follow(&self, part: Part, directive: Directive, config: &mut Config) -> Result<(), String> {
        match part {
            Part::Listeners => self.listen(config).map_err(|()| match directive {
                Directive::Bind => "Failed to bind to specified addresses.".to_owned(),
                _ => "Unable to listen on this port. Check server logs.".to_owned(),
            }),
            Part::Tls if config.uint(Directive::TlsPort) != 0 => {
                // Written to the file, it would keep the server from starting.
                log::warn!("This version of Ochre has no TLS (tls-port) yet.");
                Err("Unable to update TLS configuration. Check server logs.".to_owned())
            }
            Part::Tls => Ok(()),
            Part::FileLimit => fit_clients(config),
            Part::OomScore => {
                let (setting, values) = options::oom(config);
                let applied = self.oom.lock().apply(setting, &values, false);
                applied.map_err(|_| "Failed to set current oom_score_adj. Check server logs.".to_owned())
            }
            Part::Title => {
                options::set_title(config, &self.program, self.config_file.as_deref());
                Ok(())
            }
            Part::Locale => match locale::exists(&options::text(config, Directive::LocaleCollate)) {
                true => Ok(()),
                false => Err("Invalid locale name".to_owned()),
            },
            Part::Log => {
                let configured = logger().configure(&options::log(config));
                configured.map_err(|error| crate::process_error_text(&error))
            }
            Part::CrashReports => {
                let settings = options::crash(config, &self.crash);
                crash::install(settings).map_err(|error| crate::process_error_text(&error))
            }
            Part::Watchdog => self.watch(config),
            Part::Dir => change_dir(config),
        }
    }

    /// What INFO says of the `index`-th kind of listener; those that are there come first.
    fn listener(&self, index: usize) -> Option<String> {
        let config = self.engine.config.read();
        let port = config.int(Directive::Port);
        let binds: String = config.bind_addresses().iter().map(|one| bound_to(one)).collect();
        let tcp = (port != 0).then(|| format!("name=tcp{binds},port={port}"));
        let path = config.text(Directive::Unixsocket);
        let unix = (!path.is_empty()).then(|| format!("name=unix{}", bound_to(path)));
        tcp.into_iter().chain(unix).nth(index)
    }

    /// Listens on the addresses of a configuration. What is open already stays open; new listeners are there before old
    /// ones go, unless an old one is in the way of a new one.
    fn listen(&self, config: &Config) -> Result<(), ()> {
        let open = self.control.listening();
        match open_tcp(config, &open) {
            Ok(opened) => {
                self.control.relisten(Relisten { keep: opened.kept, add: opened.new });
                return Ok(());
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && is_in_own_way(config, &open) => {}
            Err(_) => return Err(()),
        }
        self.control.relisten(Relisten { keep: Vec::new(), add: Vec::new() });
        let backlog = config.int(Directive::TcpBacklog) as i32;
        let (opened, result) = match open_tcp(config, &[]) {
            Ok(opened) => (opened.new, Ok(())),
            Err(_) => {
                (open.iter().filter_map(|address| open_address(*address, backlog).ok()).collect(), Err(()))
            }
        };
        self.control.relisten(Relisten { keep: Vec::new(), add: opened });
        result
    }

    /// Periods too short are raised, and the configuration shows it.
    fn watch(&self, config: &mut Config) -> Result<(), String> {
        let (period_ms, hz) = (config.uint(Directive::WatchdogPeriod), config.uint(Directive::Hz));
        let set = self.watchdog.lock().set_period(period_ms, hz);
        let period_ms = set.map_err(|error| crate::process_error_text(&error))?;
        config.assign(Directive::WatchdogPeriod, &[period_ms.to_string().as_bytes()])
    }
}

/// Lines of the configuration file that are no directives: all users, unless they have a file of their own.
fn appendix(engine: &Engine, config: &Config) -> Appendix {
    let users = match AccessControl::path(config) {
        Some(_) => Vec::new(),
        None => engine.access.users().iter().map(|user| user_line(user)).collect(),
    };
    Appendix { users, ..Appendix::default() }
}

fn user_line(user: &User) -> Vec<u8> {
    let words: Vec<Vec<u8>> = std::iter::once(user.name.clone()).chain(user.rules()).collect();
    join_words(&words)
}

fn bound_to(address: &[u8]) -> String {
    format!(",bind={}", String::from_utf8_lossy(address))
}

fn fit_clients(config: &Config) -> Result<(), String> {
    const TOO_MANY: &str =
        "The operating system is not able to handle the specified number of clients, try with";
    match fit_open_files(config.uint(Directive::Maxclients), false) {
        FileLimit::Enough | FileLimit::Raised { .. } => Ok(()),
        FileLimit::Reduced { maxclients, .. } => Err(format!("{TOO_MANY} {maxclients}")),
        FileLimit::TooLow { limit, .. } => Err(format!("{TOO_MANY} {limit}")),
    }
}

/// Changes the working directory; the configuration shows its absolute path.
fn change_dir(config: &mut Config) -> Result<(), String> {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = PathBuf::from(std::ffi::OsStr::from_bytes(config.text(Directive::Dir)));
    let entered = std::env::set_current_dir(&dir).and_then(|()| std::env::current_dir());
    let dir = entered.map_err(|error| crate::process_error_text(&error))?;
    config.assign(Directive::Dir, &[dir.as_os_str().as_bytes()])
}
