//! Passwords, which are kept as SHA-256 only.

use sha2::{Digest as _, Sha256};

use crate::error::RuleError;

/// The SHA-256 of a password, as 64 lower-case hexadecimal digits: the form in which it is shown and saved.
#[derive(Clone, Copy, Debug)]
pub struct PasswordHash([u8; 64]);

impl PasswordHash {
    /// That of a password.
    pub fn of(password: &[u8]) -> PasswordHash {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(Sha256::digest(password)) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        PasswordHash(text)
    }

    /// A hash in its text form.
    ///
    /// # Errors
    /// It is not 64 lower-case hexadecimal digits.
    pub fn parse(text: &[u8]) -> Result<PasswordHash, RuleError> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let text: [u8; 64] = text.try_into().map_err(|_| RuleError::PasswordHash)?;
        if text.iter().all(is_digit) { Ok(PasswordHash(text)) } else { Err(RuleError::PasswordHash) }
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.0
    }
}

/// In a time that does not depend on where two hashes differ.
impl PartialEq for PasswordHash {
    fn eq(&self, other: &PasswordHash) -> bool {
        let differences = self.0.iter().zip(&other.0).fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differences) == 0
    }
}

impl Eq for PasswordHash {}

/// The passwords of a user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Passwords {
    hashes: Vec<PasswordHash>,
}

impl Passwords {
    /// Adds one, unless it is there.
    pub fn add(&mut self, hash: PasswordHash) {
        if !self.contains(&hash) {
            self.hashes.push(hash);
        }
    }

    /// Takes one away.
    ///
    /// # Errors
    /// It is not there.
    pub fn remove(&mut self, hash: &PasswordHash) -> Result<(), RuleError> {
        let index = self.hashes.iter().position(|other| other == hash).ok_or(RuleError::NoSuchPassword)?;
        self.hashes.remove(index);
        Ok(())
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.hashes.clear();
    }

    /// Whether one is there; looks at all of them either way.
    pub fn contains(&self, hash: &PasswordHash) -> bool {
        self.hashes.iter().fold(false, |found, other| found | (other == hash))
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &PasswordHash> {
        self.hashes.iter()
    }
}
