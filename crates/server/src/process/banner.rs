//! The first lines of the log. Scripts and test suites wait for some of them, so their wording is Redis's.

use super::build::Build;
use super::logger::{Level, logger};
use super::title::ServerMode;

/// When to show the logo: `always-show-logo`, or when a person is watching.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogoSettings {
    /// `always-show-logo`.
    pub always: bool,
    /// Whether lines go to syslog too.
    pub syslog: bool,
    /// Whether lines go to a file.
    pub to_file: bool,
}

impl LogoSettings {
    fn shown(self, terminal: bool) -> bool {
        self.always || (!self.syslog && !self.to_file && terminal)
    }
}

/// The first two lines.
pub fn starting(build: &Build) {
    crate::notice!("oO0OoO0OoO0Oo Ochre is starting oO0OoO0OoO0Oo");
    crate::notice!(
        "Ochre version={}, bits={}, commit={}, modified={}, pid={}, just started",
        build.version,
        usize::BITS,
        build.commit,
        u8::from(build.modified),
        std::process::id()
    );
}

/// The third: where the configuration came from. `program` is the name the server was called by.
pub fn configured(from_arguments_or_file: bool, program: &str) {
    if from_arguments_or_file {
        crate::notice!("Configuration loaded");
    } else {
        crate::warning!(
            "Warning: No config file specified, using the default config. In order to specify a config file use \
             {program} /path/to/ochre.conf"
        );
    }
}

/// The logo, or one line that says the same.
pub fn logo(settings: LogoSettings, build: &Build, mode: ServerMode, port: u16) {
    if settings.shown(rustix::termios::isatty(rustix::stdio::stdout())) {
        logger().raw(Level::Notice, &picture(build, mode, port));
    } else {
        crate::notice!("Running mode={}, port={port}.", mode.name());
    }
}

/// Before the data is loaded.
pub fn initialized() {
    crate::notice!("Server initialized");
}

/// After it, once per kind of listener: `tcp`, `tls`, `unix`.
pub fn ready(listener: &str) {
    crate::notice!("Ready to accept connections {listener}");
}

fn picture(build: &Build, mode: ServerMode, port: u16) -> String {
    let side = [
        format!("Ochre {} ({}/{})", build.version, build.commit, u8::from(build.modified)),
        format!(
            "{} bit, {} workers possible",
            usize::BITS,
            std::thread::available_parallelism().map_or(1, usize::from)
        ),
        String::new(),
        format!("Running in {} mode", mode.name()),
        format!("Port: {port}"),
        format!("PID: {}", std::process::id()),
    ];
    let strata = [
        r"        ___________       ",
        r"     .-'  .  '   . '-.    ",
        r"    /~~~~~~~~~~~~~~~~~\   ",
        r"   |::::::::::::::::::::|  ",
        r"   |####################|  ",
        r"    \~~~~~~~~~~~~~~~~~/   ",
    ];
    let lines = strata
        .iter()
        .zip(&side)
        .map(|(left, right)| format!("{left:30}{right}").trim_end().to_owned() + "\n");
    format!("\n{}     '-._________.-'\n\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_logo_shows() {
        let at = |always, syslog, to_file| LogoSettings { always, syslog, to_file };
        assert!(at(false, false, false).shown(true));
        assert!(!at(false, false, false).shown(false));
        assert!(!at(false, true, false).shown(true));
        assert!(!at(false, false, true).shown(true));
        assert!(at(true, true, true).shown(false));
    }

    #[test]
    fn the_picture_says_what_runs() {
        let build = Build { version: "1.2.3", commit: "00000000", modified: false, id: "0".repeat(16) };
        let picture = picture(&build, ServerMode::Cluster, 7000);
        // The process number, with a space before it, is what starts of test suites look for.
        let pid = format!(" PID: {}\n", std::process::id());
        for text in ["Ochre 1.2.3 (00000000/0)", "Running in cluster mode", "Port: 7000", &pid] {
            assert!(picture.contains(text), "{picture}");
        }
        assert!(picture.is_ascii() && picture.lines().all(|l| l.trim_end() == l));
    }
}
