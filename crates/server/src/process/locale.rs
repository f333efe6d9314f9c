//! `locale-collate`: whether a locale of that name is installed.
//!
//! Redis asks C's `setlocale`, which changes a global of the C library that no Rust thread may touch safely. The setting
//! decides the order of texts in SORT with ALPHA and in Lua; here it is checked and kept, and texts are compared by their
//! bytes. A locale is installed as a
//! directory of that name or as an entry of glibc's archive; the C library compares codesets without case and
//! punctuation ("UTF-8" is "utf8").

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Where glibc keeps locales; `LOCPATH` comes first.
const PLACE: &str = "/usr/lib/locale";
/// First word of glibc's archive.
const ARCHIVE_MAGIC: u32 = 0xde02_0109;
/// The archive's names are well below this.
const NAMES_LEN_MAX: u32 = 16 << 20;

/// Whether the name can be set: empty (the environment's locale), built in, or installed.
pub fn exists(name: &str) -> bool {
    if matches!(name, "" | "C" | "POSIX" | "C.UTF-8" | "C.utf8") {
        return true;
    }
    if name.contains(['/', '\0']) {
        return false;
    }
    let mut places: Vec<PathBuf> = vec![PathBuf::from(PLACE)];
    if let Some(path) = std::env::var_os("LOCPATH") {
        places.splice(..0, std::env::split_paths(&path));
    }
    exists_in(name, &places)
}

fn exists_in(name: &str, places: &[PathBuf]) -> bool {
    let normal = normalize(name);
    places.iter().any(|place| {
        let installed = |n: &str| place.join(n).join("LC_COLLATE").exists();
        installed(name)
            || installed(&normal)
            || archive_has(&place.join("locale-archive"), &normal).unwrap_or(false)
    })
}

/// `en_US.UTF-8@x` as the archive has it: `en_US.utf8@x`.
fn normalize(name: &str) -> String {
    let (name, modifier) = name.split_once('@').map_or((name, None), |(n, m)| (n, Some(m)));
    let mut normal = match name.split_once('.') {
        Some((language, codeset)) => {
            let codeset: String = codeset.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("{language}.{}", codeset.to_ascii_lowercase())
        }
        None => name.to_owned(),
    };
    if let Some(modifier) = modifier {
        normal = format!("{normal}@{modifier}");
    }
    normal
}

/// Looks a name up among the archive's strings. The head is words in the machine's order: magic, serial, three of the
/// name table, then offset and used length of the strings, each ended by NUL.
fn archive_has(path: &Path, name: &str) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let mut head = [0_u8; 28];
    file.read_exact(&mut head)?;
    let word =
        |i: usize| u32::from_ne_bytes([head[4 * i], head[4 * i + 1], head[4 * i + 2], head[4 * i + 3]]);
    let used = word(6);
    if word(0) != ARCHIVE_MAGIC || used > NAMES_LEN_MAX {
        return Ok(false);
    }
    let mut strings = vec![0_u8; used as usize];
    file.read_exact_at(&mut strings, word(5).into())?;
    Ok(strings.split(|&b| b == 0).any(|s| s == name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases = [
            ("en_US.UTF-8", "en_US.utf8"),
            ("de_DE@euro", "de_DE@euro"),
            ("a.ISO-8859-15@x", "a.iso885915@x"),
        ];
        for (name, expected) in cases {
            assert_eq!(normalize(name), expected);
        }
    }

    #[test]
    fn built_in_and_bad_names() {
        for name in ["", "C", "POSIX", "C.UTF-8"] {
            assert!(exists(name), "{name}");
        }
        for name in ["xx_YY.NOSUCH", "../../etc", "a\0b"] {
            assert!(!exists(name), "{name:?}");
        }
    }

    #[test]
    fn directories_and_archives() {
        let dir = std::env::temp_dir().join(format!("ochre-locale-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("fr_FR.utf8")).unwrap();
        std::fs::write(dir.join("fr_FR.utf8/LC_COLLATE"), "").unwrap();
        let names = b"\0en_US.utf8\0de_DE\0";
        let words = [ARCHIVE_MAGIC, 0, 0, 0, 0, 28, names.len() as u32];
        let mut archive: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
        archive.extend(names);
        std::fs::write(dir.join("locale-archive"), &archive).unwrap();
        let places = [dir.clone()];
        for (name, expected) in
            [("fr_FR.UTF-8", true), ("en_US.UTF-8", true), ("de_DE", true), ("de_D", false)]
        {
            assert_eq!(exists_in(name, &places), expected, "{name}");
        }
        std::fs::write(dir.join("locale-archive"), &archive[..30]).unwrap();
        assert!(!exists_in("de_DE", &places));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
