//! From `main` to a serving process and back out.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use ochre_config::{Config, ConfigError, Directive, Loaded, Statement, SystemFiles};
use ochre_engine::{CommandTable, Engine, OCHRE_VERSION, RenameError, clock_ms, family, warn_of_missing};
use parking_lot::Mutex;

use crate::accept::Acceptor;
use crate::control::Control;
use crate::host::{Launch, ProcessHost};
use crate::listen::{Listener, open_tcp, open_unix};
use crate::mailbox::{Letter, Mailbox};
use crate::process::banner::{self, LogoSettings};
use crate::process::build::Build;
use crate::process::crash::{self, CrashSettings};
use crate::process::info::{CpuTimes, ProcessFacts, random_hex_40};
use crate::process::limits::{FileLimit, fit_open_files};
use crate::process::logger::LogSettings;
use crate::process::signals::{self, SignalHooks};
use crate::process::title::ServerMode;
use crate::process::watchdog::Watchdog;
use crate::process::{
    OomScore, PidFile, Supervised, Supervisor, affinity, checks, daemonize, locale, logger, title,
};
use crate::worker::Worker;
use crate::{end, load, options, questions, report, unloaded, users};

/// How the process was started; set by [`arguments`].
static LAUNCH: OnceLock<Launch> = OnceLock::new();

/// The arguments of the process, the first of which is the program; to be called first in `main`.
pub fn arguments() -> Vec<OsString> {
    let arguments = title::init();
    let dir = std::env::current_dir().unwrap_or_default();
    LAUNCH.get_or_init(|| Launch { arguments: arguments.clone(), dir });
    arguments
}

/// Runs a server with the arguments of a command line; `program` is the name it was called by. Returns when it ends.
///
/// To be called before any thread is started. The arguments come from [`arguments`].
pub fn serve(program: &str, arguments: &[OsString]) -> ExitCode {
    if let Some(code) = questions::answer(program, arguments) {
        return code;
    }
    let mut config = Config::new();
    let loaded = match load(&mut config, arguments) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    match Server::start(program, config, loaded, !arguments.is_empty()) {
        Ok(server) => server.run(),
        Err(Failure::Configuration(error)) => refuse(&error),
        Err(Failure::Other(text)) => {
            log::error!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// Why a server did not start.
enum Failure {
    /// A line of its configuration; told on standard error.
    Configuration(ConfigError),
    /// Anything else; told in the log.
    Other(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure::Other(text)
    }
}

/// Says what is wrong with a configuration: on standard error, but in the log if a file cannot be opened.
fn refuse(error: &ConfigError) -> ExitCode {
    match error {
        ConfigError::Open { .. } => {
            // Standard output, which cannot fail to open.
            let _ = logger::install(&LogSettings::default());
            log::error!("{error}");
        }
        _ => eprintln!("{}", error.report("Ochre", OCHRE_VERSION)),
    }
    ExitCode::FAILURE
}

fn load(config: &mut Config, arguments: &[OsString]) -> Result<Loaded, ConfigError> {
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    let mut stdin = || {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text)?;
        Ok(text)
    };
    config.load_args(&arguments, false, &mut stdin, &SystemFiles)
}

/// A server that is about to serve.
struct Server {
    engine: Arc<Engine>,
    control: Arc<Control>,
    acceptor: Acceptor,
    mailboxes: Vec<Arc<Mailbox>>,
    threads: Vec<JoinHandle<()>>,
    pidfile: Option<PidFile>,
    supervisor: Supervisor,
}

impl Server {
    fn start(program: &str, mut config: Config, loaded: Loaded, configured: bool) -> Result<Server, Failure> {
        // Before the process goes to the background: what is wrong with names must reach whoever starts it.
        let commands = command_table(&loaded.renames).map_err(Failure::Configuration)?;
        users::check(&commands, &config, &loaded.users).map_err(Failure::Configuration)?;
        let is_chosen = choose_durability(&mut config, &loaded)?;
        let (supervisor, background) = settle(&config)?;
        settle_processors(&config);
        introduce(&config, &loaded, program, configured);
        let pidfile = create_pidfile(&config, background);
        let crash = install_crash_reports(&config, pidfile.as_ref().filter(|_| background))?;
        ochre_memory::limit_freed_pages(workers_of(&config));
        ochre_memory::set_background_thread(config.bool(Directive::JemallocBgThread));
        fit_clients(&mut config)?;
        let engine = create_engine(config.clone(), commands);
        engine.persistence.attach(&engine);
        users::load(&engine.access, &config, &loaded.users)?;
        warn_of_open_door(&config, &engine);
        show_logo(&config);
        refuse_what_is_missing(&config, &loaded)?;
        let listeners = open_listeners(&config)?;
        if config.bool(Directive::Appendonly) {
            engine.lock_log()?;
        }
        if is_chosen {
            announce_durability(&config);
        }
        unloaded::warn_of_unloaded(&config);
        let watchdog = start_watchdog(&config)?;
        let workers = start_workers(&engine, &watchdog)?;
        let mailboxes: Vec<Arc<Mailbox>> = workers.iter().map(|(mailbox, _)| Arc::clone(mailbox)).collect();
        let threads = workers.into_iter().map(|(_, thread)| thread).collect();
        let (mut acceptor, waker) = Acceptor::new(Arc::clone(&engine), mailboxes.clone())
            .map_err(|error| format!("Can't poll: {error}"))?;
        let control = Arc::new(Control::default());
        control.set_waker(waker);
        install_signals(&control, &engine)?;
        engine.set_host(Box::new(ProcessHost {
            engine: Arc::clone(&engine),
            mailboxes: mailboxes.clone(),
            control: Arc::clone(&control),
            facts: ProcessFacts::collect(program),
            program: program.to_owned(),
            launch: LAUNCH.get().cloned().unwrap_or(Launch { arguments: Vec::new(), dir: PathBuf::new() }),
            config_file: loaded.config_file.clone(),
            oom: Mutex::new(apply_oom(&config)),
            watchdog: Mutex::new(watchdog),
            crash,
            supervised: supervisor.mode(),
        }));
        report::install(&engine);
        banner::initialized();
        for listener in listeners {
            acceptor.add(listener).map_err(|error| format!("Can't listen: {error}"))?;
        }
        acceptor.publish(&control);
        Ok(Server { engine, control, acceptor, mailboxes, threads, pidfile, supervisor })
    }

    /// Serves until the end; returns the exit status.
    fn run(mut self) -> ExitCode {
        let (engine, control, supervisor) = (&self.engine, &self.control, &self.supervisor);
        let loading = load::begin(engine, control);
        self.acceptor.run(control, || {
            if loading.is_over_now() && !control.is_over() {
                announce(&engine.config.read(), engine.workers.len());
                supervisor.status("Ready to accept connections");
                supervisor.ready();
            }
            tick(engine, control, supervisor);
        });
        // Before the clients' connections end: who sees that and comes again finds nobody.
        self.acceptor.close();
        self.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::Stop));
        for thread in self.threads {
            // A worker that panicked has ended the process already.
            let _ = thread.join();
        }
        if let Some(pidfile) = self.pidfile {
            pidfile.remove();
        }
        let last_words = self.control.take_last_words();
        last_words.iter().for_each(|words| log::error!("{words}"));
        if last_words.is_empty() {
            log::error!("Ochre is now ready to exit, bye bye...");
        }
        ExitCode::from(self.control.status() as u8)
    }
}

/// The log, the checks that may stop the start, the supervisor, the background.
fn settle(config: &Config) -> Result<(Supervisor, bool), Failure> {
    logger::install(&options::log(config))
        .map_err(|error| format!("Can't open the log file: {}", crate::process_error_text(&error)))?;
    checks::warn_of_machine(config.bool(Directive::DisableThp));
    check_locale(config)?;
    let supervised = Supervised::from_name(&options::text(config, Directive::Supervised)).unwrap_or_default();
    let supervisor = Supervisor::start(supervised);
    let background = config.bool(Directive::Daemonize) && supervisor.mode() == Supervised::No;
    if background {
        daemonize().map_err(|error| format!("Can't daemonize: {error}"))?;
    }
    Ok((supervisor, background))
}

/// Has a server that was started without a configuration file, and not told anything about persistence, keep an append-only
/// file; whether that was done. With a file, Redis's defaults hold, as for whoever comes with one.
fn choose_durability(config: &mut Config, loaded: &Loaded) -> Result<bool, Failure> {
    let is_about_persistence =
        |directive: &Directive| matches!(directive, Directive::Appendonly | Directive::Save);
    if loaded.config_file.is_some() || loaded.sentinel || loaded.set.iter().any(is_about_persistence) {
        return Ok(false);
    }
    config.assign(Directive::Appendonly, &[b"yes"])?;
    Ok(true)
}

/// Says what was chosen, and how to have it otherwise.
fn announce_durability(config: &Config) {
    let folder = std::path::absolute(options::text(config, Directive::Appenddirname)).unwrap_or_default();
    log::warn!(
        "Nothing was said about persistence, so changes are kept in an append-only file, besides snapshots: a crash costs a \
         second of them at most. It is in {}. With '--appendonly no' there are only snapshots, as in Redis.",
        folder.display()
    );
}

/// Warns where anybody may connect from anywhere and do everything.
fn warn_of_open_door(config: &Config, engine: &Engine) {
    let addresses = options::text(config, Directive::Bind);
    let is_open = !config.bool(Directive::ProtectedMode) && !engine.access.has_password();
    if is_open && config.int(Directive::Port) != 0 && is_reachable(&addresses) {
        crate::warning!(
            "WARNING Whoever can reach this machine can read and change everything: there is no password (requirepass), \
             protected-mode is off, and bind ({addresses}) does not limit who may connect."
        );
    }
}

/// Whether other machines can connect to one of these addresses.
fn is_reachable(addresses: &str) -> bool {
    let is_own = |address: &str| address.starts_with("127.") || matches!(address, "::1" | "localhost");
    addresses.split_whitespace().any(|address| !is_own(address.trim_start_matches('-')))
}

/// The first lines of the log.
fn introduce(config: &Config, loaded: &Loaded, program: &str, configured: bool) {
    banner::starting(Build::this());
    banner::configured(configured, program);
    note_ignored(loaded);
    note_missing(config);
    checks::warn_of_backlog(config.uint(Directive::TcpBacklog) as u32);
    checks::warn_of_maxmemory(config.uint(Directive::Maxmemory));
    options::set_title(config, program, loaded.config_file.as_deref());
}

fn check_locale(config: &Config) -> Result<(), Failure> {
    match locale::exists(&options::text(config, Directive::LocaleCollate)) {
        true => Ok(()),
        false => Err("Failed to configure LOCALE for invalid locale name.".to_owned().into()),
    }
}

fn note_ignored(loaded: &Loaded) {
    for directive in &loaded.ignored {
        log::warn!("The directive '{}' is accepted but has no meaning for Ochre.", directive.name());
    }
    for name in &loaded.withdrawn {
        log::warn!("The directive '{name}' belongs to old versions and has no effect.");
    }
}

/// Names what is configured and not there yet, where the server can be of use without it.
fn note_missing(config: &Config) {
    // Of these the refusal to start tells.
    let refused = [Directive::TlsPort, Directive::ClusterEnabled, Directive::Replicaof];
    warn_of_missing(config, |directive| !refused.contains(&directive));
}

/// What must not be passed over.
fn refuse_what_is_missing(config: &Config, loaded: &Loaded) -> Result<(), Failure> {
    if let Some(module) = loaded.modules.first() {
        let path = module.args.first().map_or_else(String::new, |path| String::from_utf8_lossy(path).into());
        log::error!("Module {path} failed to load: Ochre does not load modules.");
        return Err(format!("Can't load module from {path}: server aborting").into());
    }
    // Each of these would be something else than what was asked for: a writable primary, a server of its own, an open port,
    // data that are gone.
    let missing = [
        (loaded.sentinel, "Sentinel"),
        (config.replica_of().is_some(), "replication (replicaof)"),
        (config.bool(Directive::ClusterEnabled), "cluster (cluster-enabled)"),
        (config.uint(Directive::TlsPort) != 0, "TLS (tls-port)"),
    ];
    match missing.iter().find(|(is_wanted, _)| *is_wanted) {
        Some((_, name)) => Err(format!("This version of Ochre has no {name} yet.").into()),
        None => Ok(()),
    }
}

fn create_pidfile(config: &Config, background: bool) -> Option<PidFile> {
    let path = options::text(config, Directive::Pidfile);
    let path = (!path.is_empty()).then(|| PathBuf::from(path));
    PidFile::wanted(background, path.as_deref()).map(PidFile::create)
}

fn install_crash_reports(config: &Config, pidfile: Option<&PidFile>) -> Result<CrashSettings, Failure> {
    let base = CrashSettings {
        enabled: true,
        memory_check: true,
        exit_on_panic: false,
        pidfile: pidfile.map(|file| file.path().to_path_buf()),
        build: Build::this().clone(),
    };
    crash::install(options::crash(config, &base))
        .map_err(|error| format!("Can't install crash reports: {error}"))?;
    Ok(base)
}

/// The commands under the names that the configuration gives them.
fn command_table(renames: &[Statement]) -> Result<CommandTable, ConfigError> {
    let mut commands = CommandTable::new(family::ALL);
    for line in renames {
        let [old, new] = line.args.as_slice() else { continue };
        commands.rename(old, new).map_err(|error| {
            line.origin.error(match error {
                RenameError::NoSuchCommand => "No such command in rename-command",
                RenameError::Taken => "Target command name already exists",
            })
        })?;
    }
    Ok(commands)
}

/// How many workers there will be.
fn workers_of(config: &Config) -> usize {
    config.workers(std::thread::available_parallelism().map_or(1, usize::from))
}

fn create_engine(config: Config, commands: CommandTable) -> Arc<Engine> {
    let workers = workers_of(&config);
    let run_id = random_hex_40();
    let seed = u64::from_str_radix(&random_hex_40()[..16], 16).unwrap_or(clock_ms() as u64);
    let mut engine = Engine::new(config, workers, run_id, seed);
    engine.commands = commands;
    Arc::new(engine)
}

/// Fits `maxclients` into the limit of open files.
fn fit_clients(config: &mut Config) -> Result<(), Failure> {
    match fit_open_files(config.uint(Directive::Maxclients), true) {
        FileLimit::Enough | FileLimit::Raised { .. } => Ok(()),
        FileLimit::Reduced { maxclients, .. } => {
            Ok(config.assign(Directive::Maxclients, &[maxclients.to_string().as_bytes()])?)
        }
        FileLimit::TooLow { limit, needed } => {
            Err(format!("The limit of open files is {limit}; {needed} are needed.").into())
        }
    }
}

fn show_logo(config: &Config) {
    let logo = LogoSettings {
        always: config.bool(Directive::AlwaysShowLogo),
        syslog: config.bool(Directive::SyslogEnabled),
        to_file: !config.text(Directive::Logfile).is_empty(),
    };
    banner::logo(logo, Build::this(), ServerMode::Standalone, config.int(Directive::Port) as u16);
}

fn open_listeners(config: &Config) -> Result<Vec<Listener>, Failure> {
    let port = config.int(Directive::Port);
    let tcp =
        open_tcp(config, &[]).map_err(|_| format!("Failed listening on port {port} (tcp), aborting."))?;
    let mut listeners: Vec<Listener> = tcp.new.into_iter().map(Listener::Tcp).collect();
    listeners.extend(open_unix(config)?.map(|(listener, path)| Listener::Unix(listener, path)));
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".to_owned().into());
    }
    Ok(listeners)
}

fn start_watchdog(config: &Config) -> Result<Watchdog, Failure> {
    let mut watchdog = Watchdog::default();
    let (period_ms, hz) = (config.uint(Directive::WatchdogPeriod), config.uint(Directive::Hz));
    watchdog.set_period(period_ms, hz).map_err(|error| format!("Can't start the watchdog: {error}"))?;
    Ok(watchdog)
}

type Started = (Arc<Mailbox>, JoinHandle<()>);

fn start_workers(engine: &Arc<Engine>, watchdog: &Watchdog) -> Result<Vec<Started>, Failure> {
    let (count, cores) = (engine.workers.len(), std::thread::available_parallelism().map_or(1, usize::from));
    if count > cores {
        log::warn!("io-threads asks for {count} workers, but there are {cores} cores: they will share them.");
    }
    let start = |index: usize| -> std::io::Result<Started> {
        let worker = Worker::new(Arc::clone(engine), index, watchdog.watch())?;
        let mailbox = worker.mailbox();
        let thread = std::thread::Builder::new().name(format!("worker-{index}")).spawn(|| worker.run())?;
        Ok((mailbox, thread))
    };
    let started = (0..count)
        .map(|index| start(index).map_err(|error| Failure::Other(format!("Can't start a worker: {error}"))));
    started.collect()
}

/// Keeps this thread, and with it the workers that it will start, on the processors of `server-cpulist`, and threads that help
/// them on those of `bio-cpulist`. To be called before any of them is started.
fn settle_processors(config: &Config) {
    pin("server-cpulist", &options::text(config, Directive::ServerCpulist));
    let theirs = options::text(config, Directive::BioCpulist);
    if affinity::is_valid_list(&theirs) {
        ochre_keyspace::prepare_helpers(move || pin("bio-cpulist", &theirs));
    } else {
        log::error!("bio-cpulist '{theirs}' is no list of processors and has no effect.");
    }
}

/// Keeps the calling thread on the processors of a list, if that is one.
fn pin(directive: &str, processors: &str) {
    if !affinity::is_valid_list(processors) {
        log::error!("{directive} '{processors}' is no list of processors and has no effect.");
    } else if let Err(error) = affinity::bind_thread(processors) {
        log::error!("Can't bind a thread to the processors {processors} of {directive}: {error}");
    }
}

fn install_signals(control: &Arc<Control>, engine: &Arc<Engine>) -> Result<(), Failure> {
    let (control, engine) = (Arc::clone(control), Arc::clone(engine));
    let hooks = SignalHooks {
        wake: Box::new(move || control.wake()),
        clean_up: Box::new(move || engine.remove_unfinished_snapshot()),
    };
    signals::install(hooks).map_err(|error| format!("Can't install signal handlers: {error}").into())
}

fn apply_oom(config: &Config) -> OomScore {
    let mut score = OomScore::default();
    let (setting, values) = options::oom(config);
    // A failure is logged where it happens.
    let _ = score.apply(setting, &values, false);
    score
}

/// Says what it listens on and how to connect.
fn announce(config: &Config, workers: usize) {
    let port = config.int(Directive::Port);
    let unix = options::text(config, Directive::Unixsocket);
    if port != 0 {
        let addresses = options::text(config, Directive::Bind);
        log::warn!(
            "Listening on {addresses} port {port}, {workers} worker(s). Connect with: redis-cli -p {port}"
        );
        banner::ready("tcp");
    }
    if !unix.is_empty() {
        log::warn!("Listening on the Unix socket {unix}. Connect with: redis-cli -s {unix}");
        banner::ready("unix");
    }
}

/// Ten times a second: what belongs to no worker.
fn tick(engine: &Arc<Engine>, control: &Control, supervisor: &Supervisor) {
    end::look(engine, control, supervisor);
    control.note_main_thread(CpuTimes::of_this_thread());
    if !engine.debug.cron_paused.load(std::sync::atomic::Ordering::Relaxed) {
        ochre_memory::record_peak();
        engine.sample_rates();
        engine.save_if_due();
        engine.tend_log();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_out_of_reach() {
        for (addresses, expected) in [
            ("* -::*", true),
            ("127.0.0.1 -::1", false),
            ("localhost", false),
            ("127.0.0.1 10.1.2.3", true),
            ("0.0.0.0", true),
        ] {
            assert_eq!(is_reachable(addresses), expected, "{addresses}");
        }
    }
}
