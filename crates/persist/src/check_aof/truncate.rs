//! Cutting a file off.

use std::io::BufRead as _;

use super::check::{Check, Halt, Subject};
use super::program::Terminal;
use crate::disk::DiskFile;

/// How the check of a file ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Nothing is wrong with it.
    Valid,
    /// There is nothing in it.
    Empty,
    /// What was damaged is gone.
    Cut,
    /// What was later is gone.
    CutAtTime,
}

fn truncate(file: &mut dyn DiskFile, len: u64) -> Result<(), ()> {
    file.truncate(len).and_then(|()| file.sync_data()).map_err(drop)
}

/// Cuts off what is damaged, if that is wanted.
pub(super) fn ask_and_truncate(
    terminal: &mut Terminal<'_>,
    file: &mut dyn DiskFile,
    len: u64,
    valid_end: u64,
    subject: &Subject<'_>,
) -> Result<Outcome, Halt> {
    let (name, lost) = (subject.name, len - valid_end);
    if !subject.is_last {
        return Err(Halt::Says(format!("Failed to truncate AOF {name} because it is not the last file\n")));
    }
    write!(
        terminal.out,
        "This will shrink the AOF {name} from {len} bytes, with {lost} bytes, to {valid_end} bytes\nContinue? [y/N]: "
    )?;
    terminal.out.flush()?;
    let mut answer = String::new();
    let read = std::io::Read::take(&mut *terminal.input, 1024).read_line(&mut answer);
    if read.is_err() || !answer.starts_with(['y', 'Y']) {
        return Err(Halt::Says("Aborting...\n".to_owned()));
    }
    truncate(file, valid_end).map_err(|()| Halt::Says(format!("Failed to truncate AOF {name}\n")))?;
    Ok(Outcome::Cut)
}

impl Check<'_, '_> {
    /// Cuts off what is later than what is wanted.
    pub(super) fn cut_at_time(
        &mut self,
        file: &mut dyn DiskFile,
        at: u64,
        subject: &Subject<'_>,
    ) -> Result<Outcome, Halt> {
        let (path, until_s) = (subject.path, self.until_s);
        if !subject.is_last {
            return Err(Halt::Says(format!(
                "Failed to truncate AOF {path} to timestamp {until_s} to offset {at} because it is not the last file.\n\
                 If you insist, please delete all files after this file according to the manifest file and delete the \
                 corresponding records in manifest file manually. Then re-run ochre-check-aof.\n"
            )));
        }
        truncate(file, at)
            .map_err(|()| Halt::Says(format!("Failed to truncate AOF {path} to timestamp {until_s}\n")))?;
        Ok(Outcome::CutAtTime)
    }
}
