//! From `main` to a serving process and back out.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use ochre_config::{Config, Directive, Loaded, SystemFiles};
use ochre_engine::{Engine, OCHRE_VERSION, REDIS_VERSION, clock_ms};
use parking_lot::Mutex;

use crate::accept::Acceptor;
use crate::control::Control;
use crate::host::ProcessHost;
use crate::listen::{Listener, open_tcp, open_unix};
use crate::mailbox::{Letter, Mailbox};
use crate::options;
use crate::process::banner::{self, Build, LogoSettings};
use crate::process::crash::{self, CrashSettings};
use crate::process::info::{ProcessFacts, random_hex_40};
use crate::process::limits::{FileLimit, fit_open_files};
use crate::process::signals::{self, SignalHooks};
use crate::process::{OomScore, PidFile, Supervised, Supervisor, checks, daemonize, locale, logger, title};
use crate::worker::Worker;

const BUILD: Build = Build { version: OCHRE_VERSION, commit: "00000000", modified: false };

/// Runs a server with the arguments of a command line; `program` is the name it was called by. Returns when it ends.
///
/// To be called before any thread is started. The arguments come from [`title::init`].
pub fn serve(program: &str, arguments: &[OsString]) -> ExitCode {
    if let Some(text) = answer(program, arguments) {
        print!("{text}");
        return ExitCode::SUCCESS;
    }
    let mut config = Config::new();
    let loaded = match load(&mut config, arguments) {
        Ok(loaded) => loaded,
        Err(text) => {
            eprintln!("\n{text}");
            return ExitCode::FAILURE;
        }
    };
    match Server::start(program, config, loaded, !arguments.is_empty()) {
        Ok(server) => server.run(),
        Err(text) => {
            log::error!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// Answers to `--help` and `--version`.
fn answer(program: &str, arguments: &[OsString]) -> Option<String> {
    match arguments.first()?.to_str()? {
        "-v" | "--version" => Some(format!(
            "Ochre server v={OCHRE_VERSION} redis={REDIS_VERSION} sha=00000000:0 malloc={} bits={} build=0000000000000000\n",
            ochre_memory::allocator_name(),
            usize::BITS
        )),
        "-h" | "--help" => Some(format!(
            "Usage: {program} [/path/to/ochre.conf] [options] [-]\n       {program} - (read the configuration from \
             standard input)\n       {program} -v or --version\n       {program} -h or --help\n\nOptions are the directives \
             of the configuration file, each with two dashes before it:\n       {program} --port 7777 --maxmemory 1gb\n       \
             {program} /etc/ochre.conf --loglevel verbose\n"
        )),
        _ => None,
    }
}

fn load(config: &mut Config, arguments: &[OsString]) -> Result<Loaded, String> {
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    let mut stdin = || {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text)?;
        Ok(text)
    };
    config
        .load_args(&arguments, false, &mut stdin, &SystemFiles)
        .map_err(|error| error.report("Ochre", OCHRE_VERSION).to_string())
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
    fn start(program: &str, config: Config, loaded: Loaded, configured: bool) -> Result<Server, String> {
        let log_settings = options::log(&config);
        logger::install(&log_settings).map_err(|error| format!("Can't open the log file: {error}"))?;
        checks::warn_of_machine(config.bool(Directive::DisableThp));
        check_locale(&config)?;
        let supervised =
            Supervised::from_name(&options::text(&config, Directive::Supervised)).unwrap_or_default();
        let supervisor = Supervisor::start(supervised);
        let background = config.bool(Directive::Daemonize) && supervisor.mode() == Supervised::No;
        if background {
            daemonize().map_err(|error| format!("Can't daemonize: {error}"))?;
        }
        banner::starting(&BUILD);
        banner::configured(configured, program);
        note_ignored(&loaded);
        options::set_title(&config, program, loaded.config_file.as_deref());
        let pidfile = create_pidfile(&config, background);
        install_crash_reports(&config, pidfile.as_ref())?;
        ochre_memory::set_background_thread(config.bool(Directive::JemallocBgThread));
        let engine = create_engine(config)?;
        let logo = LogoSettings {
            always: engine.config.read().bool(Directive::AlwaysShowLogo),
            syslog: log_settings.syslog.is_some(),
            to_file: log_settings.file.is_some(),
        };
        let port = engine.config.read().int(Directive::Port) as u16;
        banner::logo(logo, &BUILD, crate::process::title::ServerMode::Standalone, port);
        let listeners = open_listeners(&engine.config.read())?;
        let workers = start_workers(&engine)?;
        let mailboxes: Vec<Arc<Mailbox>> = workers.iter().map(|(mailbox, _)| Arc::clone(mailbox)).collect();
        let threads = workers.into_iter().map(|(_, thread)| thread).collect();
        let (mut acceptor, waker) = Acceptor::new(Arc::clone(&engine), mailboxes.clone())
            .map_err(|error| format!("Can't poll: {error}"))?;
        let control = Arc::new(Control::default());
        control.set_waker(waker);
        install_signals(&control)?;
        engine.set_host(Box::new(ProcessHost {
            engine: Arc::clone(&engine),
            mailboxes: mailboxes.clone(),
            control: Arc::clone(&control),
            facts: ProcessFacts::collect(program),
            program: program.to_owned(),
            config_file: loaded.config_file.clone(),
            oom: Mutex::new(apply_oom(&engine.config.read())),
        }));
        banner::initialized();
        acceptor.listen(listeners).map_err(|error| format!("Can't listen: {error}"))?;
        Ok(Server { engine, control, acceptor, mailboxes, threads, pidfile, supervisor })
    }

    /// Serves until the end; returns the exit status.
    fn run(mut self) -> ExitCode {
        announce(&self.engine.config.read(), self.engine.workers.len());
        self.supervisor.ready();
        let (engine, control) = (Arc::clone(&self.engine), Arc::clone(&self.control));
        self.acceptor.run(&self.control, || tick(&engine, &control));
        self.supervisor.stopping();
        self.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::Stop));
        for thread in self.threads {
            // A worker that panicked has ended the process already.
            let _ = thread.join();
        }
        if let Some(pidfile) = self.pidfile {
            pidfile.remove();
        }
        log::error!("Ochre is now ready to exit, bye bye...");
        ExitCode::from(self.control.status() as u8)
    }
}

fn check_locale(config: &Config) -> Result<(), String> {
    let name = options::text(config, Directive::LocaleCollate);
    if locale::exists(&name) {
        Ok(())
    } else {
        Err("Failed to configure LOCALE for invalid locale name.".to_owned())
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

fn create_pidfile(config: &Config, background: bool) -> Option<PidFile> {
    let path = options::text(config, Directive::Pidfile);
    let path = (!path.is_empty()).then(|| PathBuf::from(path));
    PidFile::wanted(background, path.as_deref()).map(PidFile::create)
}

fn install_crash_reports(config: &Config, pidfile: Option<&PidFile>) -> Result<(), String> {
    let settings = CrashSettings {
        enabled: config.bool(Directive::CrashLogEnabled),
        memory_check: config.bool(Directive::CrashMemcheckEnabled),
        exit_on_panic: config.bool(Directive::UseExitOnPanic),
        pidfile: pidfile.map(|file| file.path().to_path_buf()),
        build: BUILD,
    };
    crash::install(settings).map_err(|error| format!("Can't install crash reports: {error}"))
}

fn create_engine(mut config: Config) -> Result<Arc<Engine>, String> {
    let wanted = config.uint(Directive::Maxclients);
    match fit_open_files(wanted) {
        FileLimit::Enough | FileLimit::Raised { .. } => {}
        FileLimit::Reduced { maxclients, .. } => {
            config.assign(Directive::Maxclients, &[maxclients.to_string().as_bytes()])?;
        }
        FileLimit::TooLow { limit, needed } => {
            return Err(format!("The limit of open files is {limit}; {needed} are needed."));
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = config.workers(cores);
    let run_id = random_hex_40();
    let seed = u64::from_str_radix(&random_hex_40()[..16], 16).unwrap_or(clock_ms() as u64);
    Ok(Arc::new(Engine::new(config, workers, run_id, seed)))
}

fn open_listeners(config: &Config) -> Result<Vec<Listener>, String> {
    let mut listeners: Vec<Listener> = open_tcp(config)?.into_iter().map(Listener::Tcp).collect();
    listeners.extend(open_unix(config)?.map(|(listener, path)| Listener::Unix(listener, path)));
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".to_owned());
    }
    Ok(listeners)
}

type Started = (Arc<Mailbox>, JoinHandle<()>);

fn start_workers(engine: &Arc<Engine>) -> Result<Vec<Started>, String> {
    let start = |index: usize| -> std::io::Result<Started> {
        let worker = Worker::new(Arc::clone(engine), index)?;
        let mailbox = worker.mailbox();
        let thread =
            std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || worker.run())?;
        Ok((mailbox, thread))
    };
    (0..engine.workers.len())
        .map(|index| start(index).map_err(|error| format!("Can't start a worker: {error}")))
        .collect()
}

fn install_signals(control: &Arc<Control>) -> Result<(), String> {
    let control = Arc::clone(control);
    let hooks = SignalHooks { wake: Box::new(move || control.wake()), clean_up: Box::new(|| ()) };
    signals::install(hooks).map_err(|error| format!("Can't install signal handlers: {error}"))
}

fn apply_oom(config: &Config) -> OomScore {
    let mut score = OomScore::default();
    let (setting, values) = options::oom(config);
    if let Err(error) = score.apply(setting, &values, false) {
        log::error!("Unable to write oom_score_adj: {error}");
    }
    score
}

/// Says what it listens on and how to connect.
fn announce(config: &Config, workers: usize) {
    let port = config.int(Directive::Port);
    let addresses: Vec<String> =
        config.bind_addresses().iter().map(|address| String::from_utf8_lossy(address).into_owned()).collect();
    let unix = options::text(config, Directive::Unixsocket);
    if port != 0 {
        log::warn!(
            "Listening on {} port {port}, {workers} worker(s). Connect with: redis-cli -p {port}",
            addresses.join(" ")
        );
        banner::ready("tcp");
    }
    if !unix.is_empty() {
        log::warn!("Listening on the Unix socket {unix}. Connect with: redis-cli -s {unix}");
        banner::ready("unix");
    }
}

/// Ten times a second: what belongs to no worker.
fn tick(engine: &Engine, control: &Control) {
    ochre_memory::record_peak();
    engine.sample_rates();
    if let Some(signal) = signals::shutdown_requested() {
        log::error!("Received {signal:?}, scheduling shutdown...");
        log::error!("User requested shutdown...");
        control.end(0);
    }
}

/// The arguments of the process, the first of which is the program; to be called first in `main`.
pub fn arguments() -> Vec<OsString> {
    title::init()
}
