//! Replacing the configuration file: whole or not at all, also when the machine fails in between.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ochre_config::{Appendix, Config, TABLE};

/// Writes a configuration into its file; comments and order stay. With `all` every directive gets a line.
///
/// # Errors
/// The system's; the file is as it was.
pub fn rewrite(path: &Path, config: &Config, appendix: &Appendix, all: bool) -> io::Result<()> {
    let mut old = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    if all {
        // A line that stands is rewritten whatever its value: so a line that only names a directive asks for it.
        TABLE.iter().for_each(|record| old.extend_from_slice(format!("\n{}", record.name).as_bytes()));
    }
    replace(path, &config.rewrite(&old, appendix))
}

/// Replaces a file: a new one beside it takes its name once it is on the disk.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let replaced = write_whole(&temporary, text).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = replaced {
        log::error!("Could not write or rename tmp config file ({})", crate::process_error_text(&error));
        // What is not there need not go.
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use ochre_config::{Directive, NoFiles};

    use super::*;

    #[test]
    fn a_file_is_replaced_or_left() {
        let dir = std::env::temp_dir().join(format!("ochre-rewrite-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("ochre.conf");
        std::fs::write(&path, "# mine\nport 7\n").unwrap();
        let mut config = Config::new();
        config.assign(Directive::Port, &[b"8"]).unwrap();
        config.assign(Directive::Hz, &[b"20"]).unwrap();
        rewrite(&path, &config, &Appendix::default(), false).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# mine\nport 8\n") && text.contains("\nhz 20\n"), "{text}");
        assert!(!text.contains("maxmemory-policy"), "{text}");
        rewrite(&path, &config, &Appendix::default(), true).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in ["port 8", "maxmemory-policy noeviction", "hz 20"] {
            assert_eq!(text.lines().filter(|other| other == &line).count(), 1, "{line}");
        }
        let mut again = Config::new();
        again.load_text(text.as_bytes(), false, &NoFiles).unwrap();
        assert_eq!(again.int(Directive::Port), 8);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(rewrite(&path, &config, &Appendix::default(), false).is_err());
    }
}
