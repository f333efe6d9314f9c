//! What kind of file it is.

use std::path::Path;

use super::check::Halt;
use crate::disk::{Access, Disk, DiskFile, read_full_at, reason};

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// A manifest.
    Manifest,
    /// A log in one file.
    Old {
        /// Whether it begins with a snapshot.
        has_snapshot: bool,
    },
}

/// Looks at the start of a file.
pub(super) fn style(disk: &dyn Disk, path: &Path) -> Result<Style, Halt> {
    if is_manifest(disk, path)? {
        return Ok(Style::Manifest);
    }
    Ok(Style::Old { has_snapshot: has_snapshot(disk, path)? })
}

fn open(disk: &dyn Disk, path: &Path) -> Result<Box<dyn DiskFile>, Halt> {
    disk.open(path, Access::Read)
        .map_err(|error| Halt::Says(format!("Cannot open file {}: {}\n", path.display(), reason(&error))))
}

/// Whether the first line that is no comment begins as those of manifests do.
fn is_manifest(disk: &dyn Disk, path: &Path) -> Result<bool, Halt> {
    let file = open(disk, path)?;
    let unreadable = |_| Halt::Says(format!("Cannot read file: {}\n", path.display()));
    let (mut position, mut piece) = (0, [0; 4096]);
    // Within a comment that began in the piece before.
    let mut in_comment = false;
    loop {
        let len = read_full_at(&*file, position, &mut piece).map_err(unreadable)?;
        let mut rest = piece.get(..len).unwrap_or_default();
        while in_comment || rest.first() == Some(&b'#') {
            let end = rest.iter().position(|byte| *byte == b'\n');
            in_comment = end.is_none();
            match end {
                Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
                None => break,
            }
        }
        let passed = if in_comment { len } else { len - rest.len() };
        if !in_comment && (rest.len() >= 4 || passed == 0) {
            return Ok(rest.starts_with(b"file"));
        }
        position += passed as u64;
        if len == 0 {
            return Ok(false);
        }
    }
}

/// Whether a file begins with a snapshot.
pub(super) fn has_snapshot(disk: &dyn Disk, path: &Path) -> Result<bool, Halt> {
    let file = open(disk, path)?;
    let mut start = [0; 8];
    let len = read_full_at(&*file, 0, &mut start)
        .map_err(|_| Halt::Says(format!("Cannot read file: {}\n", path.display())))?;
    Ok(len == start.len() && (start.starts_with(b"REDIS") || start.starts_with(b"VALKEY")))
}
