//! Selectors that a command line or a file has split at their blanks.

use crate::error::SetError;

/// The rules among words: what stands between `(` at the beginning of a word and `)` at the end of one is a single rule.
///
/// # Errors
/// A selector does not end.
pub fn join_selectors(words: &[&[u8]]) -> Result<Vec<Vec<u8>>, SetError> {
    let mut rules = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for word in words {
        match &mut open {
            Some((_, selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(word);
                if word.ends_with(b")") {
                    rules.extend(open.take().map(|(_, selector)| selector));
                }
            }
            None if word.starts_with(b"(") && !word.ends_with(b")") => open = Some((word, word.to_vec())),
            None => rules.push(word.to_vec()),
        }
    }
    match open {
        Some((start, _)) => Err(SetError::Unmatched(start.to_vec())),
        None => Ok(rules),
    }
}
