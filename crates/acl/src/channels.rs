//! Which channels a selector reaches.

use ochre_types::{Case, glob_match};

use crate::error::RuleError;
use crate::has_blanks;

/// The channels of a selector.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelPatterns {
    all: bool,
    patterns: Vec<Vec<u8>>,
}

impl ChannelPatterns {
    /// Permits all channels.
    pub fn permit_all(&mut self) {
        (self.all, self.patterns) = (true, Vec::new());
    }

    /// Permits none.
    pub fn clear(&mut self) {
        *self = ChannelPatterns::default();
    }

    /// Adds a pattern, unless it is there.
    ///
    /// # Errors
    /// All channels are permitted already, or the pattern contains blanks.
    pub fn add(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all {
            return Err(RuleError::ChannelPatternNextToAll);
        }
        if has_blanks(pattern) {
            return Err(RuleError::Syntax);
        }
        if !self.patterns.iter().any(|old| old == pattern) {
            self.patterns.push(pattern.to_vec());
        }
        Ok(())
    }

    /// Adds what others permit.
    pub fn extend(&mut self, other: &ChannelPatterns) {
        match other.all {
            true => self.permit_all(),
            false if self.all => {}
            false => self.patterns.extend(other.patterns.iter().cloned()),
        }
    }

    /// Whether every channel is permitted.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Whether a channel is permitted. What is subscribed to as a pattern has to be permitted literally: which channels
    /// it will turn out to reach cannot be told.
    pub fn permits(&self, channel: &[u8], is_pattern: bool) -> bool {
        let fits = |pattern: &Vec<u8>| match is_pattern {
            true => pattern == channel,
            false => glob_match(pattern, channel, Case::Sensitive),
        };
        self.all || self.patterns.iter().any(fits)
    }

    /// Whether these are all among others, word for word.
    pub fn is_within(&self, other: &ChannelPatterns) -> bool {
        other.all || (!self.all && self.patterns.iter().all(|pattern| other.patterns.contains(pattern)))
    }

    /// The rules.
    pub fn rules(&self) -> Vec<Vec<u8>> {
        let rule = |pattern: &Vec<u8>| [b"&", pattern.as_slice()].concat();
        match self.all {
            true => vec![b"&*".to_vec()],
            false => self.patterns.iter().map(rule).collect(),
        }
    }

    /// The rules, with blanks between.
    pub fn text(&self) -> Vec<u8> {
        self.rules().join(&b' ')
    }
}
