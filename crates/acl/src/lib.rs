//! Users and what they may do.
//!
//! 1. [`Catalog`]: the commands and categories that rules can name. Whoever has the commands makes it; here they are
//!    numbers with names.
//! 2. [`User`]: passwords and selectors, changed by rules, the words of ACL SETUSER. A [`Selector`] is a set of commands
//!    ([`CommandRules`]), of keys ([`KeyPatterns`]), of channels ([`ChannelPatterns`]) and of databases ([`Databases`]).
//! 3. [`Users`]: all of them, as a value. A change makes a new user and puts it in the place of the old one, so who holds an
//!    `Arc<User>` sees one state of it, whole, for as long as it likes.
//! 4. [`Request`]: what somebody is about to do, in the words of the rules; [`User::check`] is the decision, a [`Denial`]
//!    says what was in the way.
//! 5. [`Log`]: what was refused lately.
//! 6. [`load_file`], [`file_text`]: users as the lines of a file.
//!
//! A user may do what one of its selectors allows: selectors never add up. The first selector, the root, is what rules
//! outside parentheses change.
//!
//! Nothing here knows a client, a clock or a file: who asks says what is asked, when, and with what text.

mod arguments;
mod catalog;
mod channels;
mod commands;
mod databases;
mod error;
mod file;
mod keys;
mod log;
mod passwords;
mod request;
mod selector;
mod user;
mod users;

#[cfg(test)]
mod tests;

pub use arguments::join_selectors;
pub use catalog::{Catalog, CommandFacts, CommandId};
pub use channels::ChannelPatterns;
pub use commands::CommandRules;
pub use databases::Databases;
pub use error::{RuleError, SetError};
pub use file::{file_text, load_file};
pub use keys::{Access, KeyPattern, KeyPatterns};
pub use log::{Context, Event, Log, LogEntry};
pub use passwords::{PasswordHash, Passwords};
pub use request::{ChannelUse, Denial, KeyUse, Reason, Request};
pub use selector::Selector;
pub use user::{Defaults, User};
pub use users::Users;

/// The name of the user that every connection begins with.
pub const DEFAULT_USER: &[u8] = b"default";

/// Whether a name or pattern contains what would end it in the text of a rule: blanks, or a NUL.
pub fn has_blanks(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, 0 | b' ' | b'\t'..=b'\r'))
}

/// A word as the peers, who keep words as C strings, compare it: up to the first NUL.
fn until_nul(word: &[u8]) -> &[u8] {
    word.split(|byte| *byte == 0).next().unwrap_or_default()
}
