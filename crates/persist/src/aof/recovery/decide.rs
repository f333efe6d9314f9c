//! What to do about a file whose reading stopped. A decision, with the words that Redis has for it.
//!
//! | what stopped it | in the last file | elsewhere |
//! |---|---|---|
//! | it ends inside a command, a frame or a transaction | cut off, if `aof-load-truncated` | fatal |
//! | it is wrong within `aof-load-corrupt-tail-max-size` bytes of its end | cut off | fatal |
//! | it is wrong before that | fatal | fatal |
//!
//! The last file is the last that is not empty: what follows it cannot lack what it lost. A cut is always where the last unit
//! ended, so before the MULTI of a transaction that is not whole. (Redis 8.6 cuts inside it where one of its commands is cut
//! off, and appends to the rest.)

use super::super::record::{Defect, Stop};
use super::super::report::Report;

/// The directives that decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadSettings {
    /// `aof-load-truncated`.
    pub load_truncated: bool,
    /// `aof-load-corrupt-tail-max-size`, bytes; 0 for none.
    pub corrupt_tail_bytes_max: u64,
    /// Whether sums need not match.
    pub ignores_sums: bool,
    /// How much one argument and one unit may take.
    pub limits: super::super::record::ReadLimits,
}

impl Default for LoadSettings {
    fn default() -> LoadSettings {
        LoadSettings {
            load_truncated: true,
            corrupt_tail_bytes_max: 0,
            ignores_sums: false,
            limits: Default::default(),
        }
    }
}

/// What to do about a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Where to cut it off to go on; `None` to give up.
    pub cut_at: Option<u64>,
    /// What to say first.
    pub reports: Vec<Report>,
    /// What to say once it was cut off.
    pub afterwards: Option<Report>,
}

/// A file whose reading stopped.
#[derive(Clone, Copy, Debug)]
pub struct Stopped<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its path as people see it.
    pub path: &'a str,
    /// Where its last unit ended.
    pub valid_end: u64,
    /// Its length.
    pub len: u64,
    /// Whether no file with anything in it follows.
    pub is_last: bool,
}

/// Decides about a file.
pub fn decide(file: &Stopped<'_>, stop: &Stop, settings: &LoadSettings) -> Decision {
    match stop {
        Stop::Truncated { in_transaction } => truncated(file, *in_transaction, settings),
        Stop::Corrupt { at, defect } => {
            let is_sum = matches!(defect, Defect::Sum | Defect::FrameEnd);
            corrupt(file, &format!("{defect} at offset {at}"), is_sum, settings)
        }
        Stop::Disk(error) => give_up(vec![Report::Warning(format!(
            "Unrecoverable error reading the append only file {}: {}",
            file.name,
            crate::disk::reason(error)
        ))]),
    }
}

fn give_up(reports: Vec<Report>) -> Decision {
    Decision { cut_at: None, reports, afterwards: None }
}

fn truncated(file: &Stopped<'_>, in_transaction: bool, settings: &LoadSettings) -> Decision {
    let Stopped { name, path, valid_end, .. } = file;
    let mut reports = Vec::new();
    let mut warn = |text: String| reports.push(Report::Warning(text));
    if in_transaction {
        warn(format!("Revert incomplete MULTI/EXEC transaction in AOF file {name}"));
    }
    if !settings.load_truncated {
        warn(format!(
            "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your AOF file, \
             then use ./ochre-check-aof --fix <filename.manifest>. 2) Alternatively you can set the \
             'aof-load-truncated' configuration option to yes and restart the server."
        ));
        return give_up(reports);
    }
    warn(format!("!!! Warning: short read while loading the AOF file {name}!!!"));
    if !file.is_last {
        warn("Fatal error: the truncated file is not the last file".to_owned());
        return give_up(reports);
    }
    let lost = file.len.saturating_sub(*valid_end);
    warn(format!("!!! Truncating the AOF {name} at offset {valid_end} !!!"));
    warn(format!(
        "{lost} bytes at the end of the AOF file {name} are discarded: they are not a whole command"
    ));
    let afterwards = format!("AOF {path} loaded anyway because aof-load-truncated is enabled");
    Decision { cut_at: Some(*valid_end), reports, afterwards: Some(Report::Warning(afterwards)) }
}

fn corrupt(file: &Stopped<'_>, defect: &str, is_sum: bool, settings: &LoadSettings) -> Decision {
    let Stopped { name, path, valid_end, len, .. } = file;
    let lost = len.saturating_sub(*valid_end);
    let mut reports = vec![Report::Warning(format!("AOF file {name} is damaged: {defect}"))];
    let mut warn = |text: String| reports.push(Report::Warning(text));
    if lost > settings.corrupt_tail_bytes_max {
        if is_sum {
            warn(format!(
                "If nothing is wrong with {name} but that somebody has changed it by hand, or that another server has \
                 written to it, start once with 'aof-checksum no', which loads all of it, and rewrite it (BGREWRITEAOF)."
            ));
        }
        warn(format!(
            "Bad file format reading the append only file {path} at offset {valid_end}. Make a backup of your AOF file, \
             then use ./ochre-check-aof --fix <filename.manifest>. Alternatively you can set the \
             'aof-load-corrupt-tail-max-size' configuration option to {lost} and restart the server."
        ));
        return give_up(reports);
    }
    warn("!!! Warning: corrupt AOF file tail!!!".to_owned());
    if !file.is_last {
        warn("Fatal error: the truncated file is not the last file".to_owned());
        return give_up(reports);
    }
    warn(format!("!!! Truncating the AOF {path} at offset {valid_end} (remaining {lost}) !!!"));
    let afterwards = format!("AOF {path} loaded anyway because aof-load-corrupt-tail-max-size is enabled");
    Decision { cut_at: Some(*valid_end), reports, afterwards: Some(Report::Warning(afterwards)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_last_file_is_given_up() {
        let file = Stopped { name: "n", path: "d/n", valid_end: 60, len: 100, is_last: true };
        let elsewhere = Stopped { is_last: false, ..file };
        let cut = Stop::Truncated { in_transaction: false };
        let wrong = Stop::Corrupt { at: 61, defect: Defect::Sum };
        let disk = Stop::Disk(std::io::Error::from_raw_os_error(5));
        let with = |load_truncated, corrupt_tail_bytes_max| LoadSettings {
            load_truncated,
            corrupt_tail_bytes_max,
            ..LoadSettings::default()
        };
        for (file, stop, settings, cut_at, says) in [
            (&file, &cut, with(true, 0), Some(60), "!!! Truncating the AOF n at offset 60 !!!"),
            (&file, &cut, with(false, 1000), None, "Unexpected end of file reading the append only file n."),
            (&elsewhere, &cut, with(true, 0), None, "the truncated file is not the last file"),
            (
                &file,
                &wrong,
                with(true, 39),
                None,
                "'aof-load-corrupt-tail-max-size' configuration option to 40",
            ),
            (&file, &wrong, with(false, 40), Some(60), "the AOF d/n at offset 60 (remaining 40) !!!"),
            (&elsewhere, &wrong, with(true, 40), None, "the truncated file is not the last file"),
            (&file, &disk, with(true, 1000), None, "the append only file n: Input/output error"),
        ] {
            let decision = decide(file, stop, &settings);
            assert_eq!(decision.cut_at, cut_at, "{decision:?}");
            assert!(decision.reports.iter().any(|report| report.text().contains(says)), "{decision:?}");
            assert_eq!(decision.afterwards.is_some(), cut_at.is_some());
        }
    }
}
