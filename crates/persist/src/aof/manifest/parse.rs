//! Reading a manifest.
//!
//! A line is pairs of a key and a value; keys that nobody knows are skipped, so that later versions can add some. Lines that
//! begin with `#` are comments. A line without an end is as wrong as one that is too long: it may have been cut off.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::{Entry, Manifest, ManifestError, ManifestFault, Role};

/// Bytes of a line with its end.
const LINE_BYTES_MAX: usize = 1024;

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        if text.is_empty() {
            return Err(ManifestError { fault: ManifestFault::Empty, line: None });
        }
        let mut manifest = Manifest::default();
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.starts_with(b"#") {
                continue;
            }
            if line.len() > LINE_BYTES_MAX || !line.ends_with(b"\n") || line.contains(&0) {
                return Err(ManifestError { fault: ManifestFault::LongLine, line: None });
            }
            let line = trim(line);
            let read = parse_line(line).and_then(|entry| manifest.add(entry));
            read.map_err(|fault| ManifestError { fault, line: Some((index + 1, shown(line))) })?;
        }
        Ok(manifest)
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| b" \t\r\n".contains(byte);
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default()
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

fn parse_line(line: &[u8]) -> Result<Entry, ManifestFault> {
    let words = ochre_resp::split_args(line).unwrap_or_default();
    // More than three pairs may come from a later version.
    if words.len() < 6 || !words.len().is_multiple_of(2) {
        return Err(ManifestFault::Format);
    }
    let (mut name, mut seq, mut letter, mut offsets) = (None, 0, None, [None; 2]);
    for pair in words.chunks_exact(2) {
        let [key, value] = pair else { continue };
        match key.to_ascii_lowercase().as_slice() {
            b"file" if value.contains(&b'/') || value.contains(&b'\\') => return Err(ManifestFault::Path),
            b"file" => name = Some(value.clone()).filter(|name| !matches!(&name[..], b"" | b"." | b"..")),
            b"seq" => seq = leading_number(value).unwrap_or(0),
            b"type" => letter = value.first().copied(),
            b"startoffset" => offsets[0] = leading_number(value),
            b"endoffset" => offsets[1] = leading_number(value),
            _ => {}
        }
    }
    let (Some(name), Some(letter), 1..) = (name, letter, seq) else {
        return Err(ManifestFault::Format);
    };
    let role = Role::from_letter(letter).ok_or(ManifestFault::Type)?;
    let [start_offset, end_offset] = offsets;
    Ok(Entry { name: OsString::from_vec(name), seq, role, start_offset, end_offset })
}

/// The number at the start of a word, which peers read with C's atoll; none where it does not fit.
fn leading_number(word: &[u8]) -> Option<i64> {
    let end = word.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(word.len());
    std::str::from_utf8(word.get(..end)?).ok()?.parse().ok()
}
