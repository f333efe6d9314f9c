//! Data in `dir` that a start does not load, since another kind of persistence wrote them.
//!
//! Who switches between snapshots and an append-only file gets what the file of the chosen kind has, as in Redis: old data, or
//! none. That is said in the log. Of a snapshot and a log, the one that was written last is taken to be the newer one; so that a
//! server that keeps both does not warn of its own last snapshot, the log's manifest is touched when the log ends in order.

use std::fs::{self, File};
use std::path::{Path, PathBuf, absolute};
use std::time::SystemTime;

use ochre_config::{Config, Directive};

use crate::options::text;

/// The files of both kinds.
struct Places {
    snapshot: PathBuf,
    folder: PathBuf,
    manifest: PathBuf,
}

impl Places {
    fn of(config: &Config) -> Places {
        let in_dir = |directive| Path::new(&text(config, Directive::Dir)).join(text(config, directive));
        let folder = in_dir(Directive::Appenddirname);
        let manifest = folder.join(text(config, Directive::Appendfilename) + ".manifest");
        Places { snapshot: in_dir(Directive::Dbfilename), folder, manifest }
    }

    /// What there is to say, if something is not loaded that may be wanted.
    fn doubt(&self, has_log: bool) -> Option<String> {
        if !self.manifest.is_file() {
            return None;
        }
        if !has_log {
            let folder = shown(&self.folder);
            return Some(format!(
                "The append-only file in {folder} is not loaded, as appendonly is 'no'. To have its data, start with \
                 '--appendonly yes'."
            ));
        }
        let is_newer = modified(&self.snapshot)? > newest_in(&self.folder)?;
        is_newer.then(|| {
            format!(
                "{} is newer than the append-only file, and not loaded. If it has what is wanted, start with '--appendonly no', \
                 then 'CONFIG SET appendonly yes' makes a new append-only file of it.",
                shown(&self.snapshot)
            )
        })
    }
}

/// Warns of data that are about to be left aside.
pub fn warn_of_unloaded(config: &Config) {
    if let Some(doubt) = Places::of(config).doubt(config.bool(Directive::Appendonly)) {
        crate::warning!("WARNING {doubt}");
    }
}

/// Makes the log, which has ended with everything in it, newer than the last snapshot.
pub fn touch_log(config: &Config) {
    let touched =
        File::open(Places::of(config).manifest).and_then(|file| file.set_modified(SystemTime::now()));
    // At worst the next start warns without a reason.
    let _ = touched;
}

fn shown(path: &Path) -> String {
    absolute(path).as_deref().unwrap_or(path).display().to_string()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn newest_in(folder: &Path) -> Option<SystemTime> {
    fs::read_dir(folder).ok()?.filter_map(|entry| modified(&entry.ok()?.path())).max()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_left_aside_is_named() {
        let dir = std::env::temp_dir().join(format!("ochre-unloaded-{}", std::process::id()));
        fs::create_dir_all(dir.join("appendonlydir")).unwrap();
        let mut config = Config::new();
        config.assign(Directive::Dir, &[dir.to_string_lossy().as_bytes()]).unwrap();
        let places = Places::of(&config);
        assert_eq!((places.doubt(true), places.doubt(false)), (None, None), "there is nothing");
        fs::write(&places.manifest, "").unwrap();
        assert!(places.doubt(false).unwrap().contains("appendonlydir is not loaded"));
        assert_eq!(places.doubt(true), None);
        let snapshot = File::create(&places.snapshot).unwrap();
        snapshot.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        assert!(places.doubt(true).unwrap().contains("dump.rdb is newer"));
        snapshot.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        touch_log(&config);
        assert_eq!(places.doubt(true), None);
        fs::remove_dir_all(&dir).unwrap();
    }
}
