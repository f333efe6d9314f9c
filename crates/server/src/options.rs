//! From the configuration to the plain settings of the process's parts.

use std::path::{Path, PathBuf};

use ochre_config::{Config, Directive};

use crate::process::crash::CrashSettings;
use crate::process::logger::{Facility, Format, Level, LogSettings, SyslogSettings, TimestampFormat};
use crate::process::title::{self, ServerMode, TitleVariables};
use crate::process::{OomScoreAdj, OomScoreValues};

/// A directive's value as text.
pub fn text(config: &Config, directive: Directive) -> String {
    String::from_utf8_lossy(&config.shown(directive)).into_owned()
}

/// What the log needs.
pub fn log(config: &Config) -> LogSettings {
    let file = text(config, Directive::Logfile);
    let syslog = config.bool(Directive::SyslogEnabled).then(|| SyslogSettings {
        ident: text(config, Directive::SyslogIdent),
        facility: Facility::from_name(&text(config, Directive::SyslogFacility)).unwrap_or_default(),
    });
    LogSettings {
        level: Level::from_name(&text(config, Directive::Loglevel)).unwrap_or_default(),
        file: (!file.is_empty()).then(|| PathBuf::from(file)),
        format: Format::from_name(&text(config, Directive::LogFormat)).unwrap_or_default(),
        timestamp: TimestampFormat::from_name(&text(config, Directive::LogTimestampFormat))
            .unwrap_or_default(),
        syslog,
    }
}

/// What the kernel is told for when memory runs out.
pub fn oom(config: &Config) -> (OomScoreAdj, OomScoreValues) {
    let setting = match text(config, Directive::OomScoreAdj).as_str() {
        "no" => OomScoreAdj::No,
        "absolute" => OomScoreAdj::Absolute,
        _ => OomScoreAdj::Relative,
    };
    let [primary, replica, child] = config.oom_score_adj_values();
    (setting, OomScoreValues { primary, replica, child })
}

/// What crash reports need; what no directive says is taken from `base`.
pub fn crash(config: &Config, base: &CrashSettings) -> CrashSettings {
    CrashSettings {
        enabled: config.bool(Directive::CrashLogEnabled),
        memory_check: config.bool(Directive::CrashMemcheckEnabled),
        exit_on_panic: config.bool(Directive::UseExitOnPanic),
        ..base.clone()
    }
}

/// What a title is made of.
pub fn title_variables(config: &Config, program: &str, config_file: Option<&Path>) -> TitleVariables {
    let address = config.bind_addresses().first().map(|first| String::from_utf8_lossy(first).into_owned());
    TitleVariables {
        title: program.to_owned(),
        bind_address: address.unwrap_or_default(),
        port: config.int(Directive::Port) as u16,
        tls_port: config.int(Directive::TlsPort) as u16,
        unix_socket: text(config, Directive::Unixsocket),
        mode: if config.bool(Directive::ClusterEnabled) {
            ServerMode::Cluster
        } else {
            ServerMode::Standalone
        },
        config_file: config_file.map(|path| path.display().to_string()),
    }
}

/// Shows the process in the process table as `proc-title-template` says.
pub fn set_title(config: &Config, program: &str, config_file: Option<&Path>) {
    if !config.bool(Directive::SetProcTitle) {
        return;
    }
    let template = text(config, Directive::ProcTitleTemplate);
    if let Some(line) = title::expand(&template, &title_variables(config, program, config_file)) {
        title::set(&line);
    }
}
