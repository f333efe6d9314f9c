//! A script of EVAL: its text, its name, and what its first line says of it.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ochre_resp::split_args;
use sha1::{Digest as _, Sha1};

use crate::flags::ScriptFlags;

/// The name of a script: the SHA-1 of its text, as 40 small hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScriptDigest([u8; 40]);

impl ScriptDigest {
    /// The name of a text.
    pub fn of(body: &[u8]) -> ScriptDigest {
        let mut text = String::with_capacity(40);
        for byte in Sha1::digest(body) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        ScriptDigest(text.as_bytes().first_chunk().copied().unwrap_or([b'0'; 40]))
    }

    /// The name that a client gives, whatever the case of its letters; `None` if it is too long or too short for one.
    pub fn parse(text: &[u8]) -> Option<ScriptDigest> {
        let digits: [u8; 40] = text.try_into().ok()?;
        Some(ScriptDigest(digits.map(|digit| digit.to_ascii_lowercase())))
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A script.
#[derive(Debug)]
pub struct Script {
    /// A number that no other script or library of the process has: interpreters know by it what they have compiled.
    pub(crate) id: u64,
    digest: ScriptDigest,
    body: Box<[u8]>,
    flags: Option<ScriptFlags>,
    code_start: usize,
}

/// The next number for a script or a library.
pub(crate) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

impl Script {
    /// A script of this text.
    ///
    /// # Errors
    /// Its first line begins like a shebang and is none; the error text, without `ERR`.
    pub fn new(body: &[u8]) -> Result<Arc<Script>, Vec<u8>> {
        let shebang = Shebang::parse(body)?;
        Ok(Arc::new(Script {
            id: next_id(),
            digest: ScriptDigest::of(body),
            body: body.into(),
            flags: shebang.flags,
            code_start: shebang.len,
        }))
    }

    /// Its name.
    pub fn digest(&self) -> ScriptDigest {
        self.digest
    }

    /// Its text.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What it declares; `None` for a script without a shebang, which may do all that scripts could before there were
    /// any.
    pub fn flags(&self) -> Option<ScriptFlags> {
        self.flags
    }

    /// The text from the end of the shebang's line on, so that lines keep their numbers.
    pub(crate) fn code(&self) -> &[u8] {
        &self.body[self.code_start..]
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.body.len() + size_of::<Script>()
    }
}

/// The first line of a script of EVAL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shebang {
    /// What it declares; `None` if there is no such line.
    pub flags: Option<ScriptFlags>,
    /// The bytes before the end of the line.
    pub len: usize,
}

impl Shebang {
    /// Reads the first line of a text, `#!lua flags=no-writes,allow-stale`, if it begins so.
    ///
    /// # Errors
    /// The error text, without `ERR`.
    pub fn parse(body: &[u8]) -> Result<Shebang, Vec<u8>> {
        if !body.starts_with(b"#!") {
            return Ok(Shebang { flags: None, len: 0 });
        }
        let error = |text: &str, what: &[u8]| [text.as_bytes(), what].concat();
        // Texts of C end at a zero.
        let text = body.split(|&byte| byte == 0).next().unwrap_or_default();
        let len = text.iter().position(|&byte| byte == b'\n');
        let len = len.ok_or_else(|| error("Invalid script shebang", b""))?;
        let parts = split_args(&text[..len]).unwrap_or_default();
        let Some((engine, options)) = parts.split_first() else {
            return Err(error("Invalid engine in script shebang", b""));
        };
        if engine != b"#!lua" {
            return Err(error("Unexpected engine in script shebang: ", engine));
        }
        let mut flags = ScriptFlags::default();
        for option in options {
            let Some(words) = option.strip_prefix(b"flags=") else {
                return Err(error("Unknown lua shebang option: ", option));
            };
            for word in words.split(|&byte| byte == b',').filter(|_| !words.is_empty()) {
                let flag = ScriptFlags::parse(word);
                flags = flags.with(flag.ok_or_else(|| error("Unexpected flag in script shebang: ", word))?);
            }
        }
        Ok(Shebang { flags: Some(flags), len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shebangs_are_read() {
        let none = ScriptFlags::default();
        for (body, expected) in [
            ("return 1", Ok(None)),
            ("#!lua\nreturn 1", Ok(Some(none))),
            ("#!lua flags=\nreturn 1", Ok(Some(none))),
            (
                "#!lua flags=no-writes,allow-oom\n",
                Ok(Some(ScriptFlags::NO_WRITES.with(ScriptFlags::ALLOW_OOM))),
            ),
            (
                "#!lua flags=no-writes flags=allow-oom\n",
                Ok(Some(ScriptFlags::NO_WRITES.with(ScriptFlags::ALLOW_OOM))),
            ),
            ("#!lua", Err("Invalid script shebang")),
            ("#!lua \"\nreturn 1", Err("Invalid engine in script shebang")),
            ("#!js\n", Err("Unexpected engine in script shebang: #!js")),
            ("#!\n", Err("Unexpected engine in script shebang: #!")),
            ("#!lua name=x\n", Err("Unknown lua shebang option: name=x")),
            ("#!lua flags=foo\n", Err("Unexpected flag in script shebang: foo")),
            ("#!lua flags=no-writes,,allow-oom\n", Err("Unexpected flag in script shebang: ")),
        ] {
            let parsed = Shebang::parse(body.as_bytes()).map(|shebang| shebang.flags);
            assert_eq!(parsed, expected.map_err(|text: &str| text.as_bytes().to_vec()), "{body}");
        }
    }

    #[test]
    fn names_are_digests() {
        let digest = ScriptDigest::of(b"return 1");
        assert_eq!(digest.as_bytes(), b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        assert_eq!(ScriptDigest::parse(b"E0E1F9FABFC9D4800C877A703B823AC0578FF8DB"), Some(digest));
        assert_eq!(ScriptDigest::parse(b"e0"), None);
    }
}
