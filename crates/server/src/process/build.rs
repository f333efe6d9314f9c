//! What was built: version, commit, and an identity of the very binary.
//!
//! The identity is the linker's: a hash of what it linked, kept as a note in the executable. It costs no build anything, is
//! the same wherever the same sources are built in the same way, and debuggers and symbol servers find a binary's
//! debugging information by it. (Rejected: a number made by a build script, which would rebuild at every commit or tell
//! less than the truth.)
//!
//! The commit is what whoever builds says in the variable `OCHRE_COMMIT`, in the form of
//! `git describe --always --dirty --exclude '*' --abbrev=8`. Whoever says nothing gets zeros, and a build that does not
//! begin anew with each commit.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;

use ochre_engine::OCHRE_VERSION;

/// What this program is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Its version.
    pub version: &'static str,
    /// Short commit, or zeros.
    pub commit: &'static str,
    /// Whether the sources had changes that were not committed.
    pub modified: bool,
    /// 16 hexadecimal digits that tell this binary from others.
    pub id: String,
}

impl Build {
    /// That of the running program; reads the executable the first time.
    pub fn this() -> &'static Build {
        static THIS: OnceLock<Build> = OnceLock::new();
        THIS.get_or_init(|| {
            let (commit, modified) = commit(option_env!("OCHRE_COMMIT").unwrap_or_default());
            let id = identity_of_executable().unwrap_or_else(identity_of_version);
            Build { version: OCHRE_VERSION, commit, modified, id }
        })
    }
}

/// The first eight digits of a commit, and whether something was changed since.
fn commit(described: &'static str) -> (&'static str, bool) {
    let (commit, modified) = match described.strip_suffix("-dirty") {
        Some(commit) => (commit, true),
        None => (described, false),
    };
    match commit.get(..8) {
        Some(short) if short.bytes().all(|byte| byte.is_ascii_hexdigit()) => (short, modified),
        _ => ("00000000", modified),
    }
}

/// Where the executable has no such note: what version it is, and for what machine.
fn identity_of_version() -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    let target = (std::env::consts::OS, std::env::consts::ARCH, usize::BITS);
    (OCHRE_VERSION, target, cfg!(debug_assertions)).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn identity_of_executable() -> Option<String> {
    // The link leads to the file that runs even if another one has taken its name.
    let file = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?)).ok()?;
    let read = |offset: u64, len: usize| {
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, offset).ok().map(|()| bytes)
    };
    let digest = gnu_build_id(&read)?;
    Some(digest.get(..8)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// No program has more segments, and none more bytes of notes, than these.
const SEGMENTS_MAX: u16 = 256;
const NOTES_BYTES_MAX: u64 = 64 * 1024;

/// The build id of a 64-bit ELF file of this machine's byte order; `read` gives bytes at an offset.
fn gnu_build_id(read: &impl Fn(u64, usize) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    const SEGMENT_BYTES: usize = 56;
    const NOTE_SEGMENT: u64 = 4;
    let header = read(0, 64)?;
    if !header.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let (table, count) = (number::<8>(&header, 32)?, number::<2>(&header, 56)?);
    for index in 0..count.min(SEGMENTS_MAX.into()) {
        let segment = read(table.checked_add(index * SEGMENT_BYTES as u64)?, SEGMENT_BYTES)?;
        if number::<4>(&segment, 0)? != NOTE_SEGMENT {
            continue;
        }
        let (offset, len) = (number::<8>(&segment, 8)?, number::<8>(&segment, 32)?);
        let notes = read(offset, len.min(NOTES_BYTES_MAX) as usize)?;
        if let Some(id) = build_id_among(&notes) {
            return Some(id.to_vec());
        }
    }
    None
}

/// Notes follow each other: lengths of name and content, kind, name, content, each padded to four bytes.
fn build_id_among(mut notes: &[u8]) -> Option<&[u8]> {
    const BUILD_ID: u64 = 3;
    while notes.len() >= 12 {
        let (name_len, len) = (number::<4>(notes, 0)? as usize, number::<4>(notes, 4)? as usize);
        let kind = number::<4>(notes, 8)?;
        let name = notes.get(12..12 + name_len)?;
        let start = 12 + name_len.next_multiple_of(4);
        let content = notes.get(start..start + len)?;
        if kind == BUILD_ID && name == b"GNU\0" {
            return Some(content);
        }
        notes = notes.get(start + len.next_multiple_of(4)..)?;
    }
    None
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk::<N>()?;
    let mut wide = [0; 8];
    let from = if cfg!(target_endian = "big") { 8 - N } else { 0 };
    wide[from..from + N].copy_from_slice(field);
    Some(u64::from_ne_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_short_or_zeros() {
        assert_eq!(commit("0123abcd-dirty"), ("0123abcd", true));
        assert_eq!(commit("0123abcdef01"), ("0123abcd", false));
        assert_eq!(commit("v1.2.3-4-g01"), ("00000000", false));
        assert_eq!(commit(""), ("00000000", false));
    }

    #[test]
    fn this_program_has_an_identity() {
        let build = Build::this();
        assert!(
            build.id.len() == 16 && build.id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{}",
            build.id
        );
        assert_eq!(identity_of_version().len(), 16);
    }

    fn note(kind: u32, name: &[u8], content: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for number in [name.len() as u32, content.len() as u32, kind] {
            note.extend_from_slice(&number.to_ne_bytes());
        }
        for part in [name, content] {
            note.extend_from_slice(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    fn id_of(file: &[u8]) -> Option<Vec<u8>> {
        gnu_build_id(&|offset, len| Some(file.get(offset as usize..)?.get(..len)?.to_vec()))
    }

    /// An executable of two segments, the second of which has these notes.
    fn executable(notes: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 64 + 2 * 56];
        file[..5].copy_from_slice(b"\x7fELF\x02");
        file[32..40].copy_from_slice(&64u64.to_ne_bytes());
        file[56..58].copy_from_slice(&2u16.to_ne_bytes());
        let offset = file.len() as u64;
        let second = &mut file[64 + 56..];
        second[..4].copy_from_slice(&4u32.to_ne_bytes());
        second[8..16].copy_from_slice(&offset.to_ne_bytes());
        second[32..40].copy_from_slice(&(notes.len() as u64).to_ne_bytes());
        file.extend_from_slice(notes);
        file
    }

    #[test]
    fn the_note_is_found_among_others() {
        let notes =
            [note(1, b"GNU\0", b"abcde"), note(3, b"else\0", b"1234"), note(3, b"GNU\0", b"0123456789")]
                .concat();
        let file = executable(&notes);
        assert_eq!(id_of(&file).as_deref(), Some(&b"0123456789"[..]));
        for len in 0..file.len() {
            assert_eq!(id_of(&file[..len]), None, "cut at {len}");
        }
        // Whatever a field says, nothing is read that is not there.
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] = 0xff;
            id_of(&damaged);
        }
    }
}
