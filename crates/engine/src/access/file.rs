//! The `aclfile`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ochre_acl::{Defaults, Users, file_text, load_file};
use ochre_config::{AclPubsubDefault, Config, Directive, os_reason};

use super::AccessControl;

impl AccessControl {
    /// What a configuration gives new users.
    pub fn defaults(config: &Config) -> Defaults {
        let choice = config.choice::<AclPubsubDefault>(Directive::AclPubsubDefault);
        Defaults { all_channels: choice == AclPubsubDefault::Allchannels }
    }

    /// The `aclfile` of a configuration, if it has one.
    pub fn path(config: &Config) -> Option<PathBuf> {
        let path = config.text(Directive::Aclfile);
        (!path.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(path)))
    }

    /// The users in a file.
    ///
    /// # Errors
    /// It cannot be read, or all that is wrong in it, in one line.
    pub fn load(&self, path: &Path, defaults: Defaults) -> Result<Users, Vec<u8>> {
        let name = path.display().to_string();
        let text = std::fs::read(path).map_err(|error| {
            format!("Error loading ACLs, opening file '{name}': {}", os_reason(&error)).into_bytes()
        })?;
        load_file(&text, &name, defaults, self.catalog())
    }

    /// Writes all users into a file: whole or not at all, also when the machine fails in between.
    ///
    /// # Errors
    /// The system's, with what was being done; the file is as it was.
    pub fn save(&self, path: &Path) -> Result<(), (&'static str, io::Error)> {
        let _one_at_a_time = self.saving.lock();
        let text = file_text(&self.users());
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".tmp-{}", std::process::id()));
        let temporary = path.with_file_name(name);
        let saved = write_whole(&temporary, &text).and_then(|()| {
            std::fs::rename(&temporary, path).map_err(|error| ("Renaming ACL file for ACL SAVE", error))
        });
        if saved.is_err() {
            // What is not there need not go.
            let _ = std::fs::remove_file(&temporary);
            return saved;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder
            .and_then(|folder| folder.sync_all())
            .map_err(|error| ("Syncing ACL directory for ACL SAVE", error))
    }
}

fn write_whole(path: &Path, text: &[u8]) -> Result<(), (&'static str, io::Error)> {
    let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path);
    let mut file = open.map_err(|error| ("Opening temp ACL file for ACL SAVE", error))?;
    file.write_all(text).map_err(|error| ("Writing ACL file for ACL SAVE", error))?;
    file.sync_all().map_err(|error| ("Syncing ACL file for ACL SAVE", error))
}
