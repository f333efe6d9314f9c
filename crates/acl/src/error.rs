//! What is wrong with rules, in the words of the peers.

use crate::until_nul;

/// Why a rule cannot be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleError {
    /// No command or category has this name.
    Unknown,
    /// It is no rule, or its pattern contains blanks.
    Syntax,
    /// A key pattern next to all keys.
    KeyPatternNextToAll,
    /// A channel pattern next to all channels.
    ChannelPatternNextToAll,
    /// There is no such password to take away.
    NoSuchPassword,
    /// A password's hash has not the right form.
    PasswordHash,
    /// The first argument of a subcommand.
    ArgumentOfSubcommand,
    /// A database number below 0 or beyond 31 bits.
    DatabaseRange,
}

impl RuleError {
    /// The text.
    pub fn text(self) -> &'static str {
        match self {
            RuleError::Unknown => "Unknown command or category name in ACL",
            RuleError::Syntax => "Syntax error",
            RuleError::KeyPatternNextToAll => {
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. \
                 Try 'resetkeys' to start with an empty list of patterns"
            }
            RuleError::ChannelPatternNextToAll => {
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                 effect. Try 'resetchannels' to start with an empty list of channels"
            }
            RuleError::NoSuchPassword => "The password you are trying to remove from the user does not exist",
            RuleError::PasswordHash => {
                "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
            }
            RuleError::ArgumentOfSubcommand => "Allowing first-arg of a subcommand is not supported",
            RuleError::DatabaseRange => "The provided database ID is out of range",
        }
    }
}

/// Why a user cannot be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetError {
    /// A selector that begins with this word does not end.
    Unmatched(Vec<u8>),
    /// A rule, and what is wrong with it.
    Rule(Vec<u8>, RuleError),
}

impl SetError {
    /// The text; it quotes what was given, up to a NUL.
    pub fn text(&self) -> Vec<u8> {
        match self {
            SetError::Unmatched(word) => {
                [b"Unmatched parenthesis in acl selector starting at '", until_nul(word), b"'."].concat()
            }
            SetError::Rule(rule, error) => {
                let (rule, reason) = (until_nul(rule), error.text().as_bytes());
                [b"Error in ACL SETUSER modifier '", rule, b"': ", reason].concat()
            }
        }
    }
}
