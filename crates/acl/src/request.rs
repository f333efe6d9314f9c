//! What somebody is about to do, and what is in the way of it.

use crate::catalog::CommandId;
use crate::keys::Access;

/// A command with all that permissions are about. Who makes it may leave out keys, channels or databases if the user
/// [reaches all of them](crate::User::reaches_all_keys).
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The command, or the subcommand.
    pub command: CommandId,
    /// Whether everybody may run it, as far as the command itself is concerned (AUTH).
    pub is_exempt: bool,
    /// The argument after the command's name.
    pub first_arg: Option<&'a [u8]>,
    /// The databases that it works on, each with the index of the argument that names it, 0 if none does.
    pub databases: &'a [(usize, u32)],
    /// Its keys.
    pub keys: &'a [KeyUse<'a>],
    /// Its channels.
    pub channels: &'a [ChannelUse<'a>],
}

/// A key of a request.
#[derive(Clone, Copy, Debug)]
pub struct KeyUse<'a> {
    /// Index among the arguments.
    pub index: usize,
    /// Its name.
    pub name: &'a [u8],
    /// What happens to it.
    pub access: Access,
}

/// A channel of a request.
#[derive(Clone, Copy, Debug)]
pub struct ChannelUse<'a> {
    /// Index among the arguments.
    pub index: usize,
    /// Its name.
    pub name: &'a [u8],
    /// Whether it is subscribed to as a pattern.
    pub is_pattern: bool,
}

/// What is missing. Where several selectors miss different things, the greatest is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// A database.
    Database,
    /// The command.
    Command,
    /// A key.
    Key,
    /// A channel.
    Channel,
    /// The right name or password.
    Authentication,
}

impl Reason {
    /// The word of ACL LOG.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Database => "database",
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Authentication => "auth",
        }
    }
}

/// A refusal. Among those of several selectors the greatest counts: the last in the order of reasons, then the last
/// argument.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Denial {
    /// What is missing.
    pub reason: Reason,
    /// The index of the argument that it is about, 0 for the command itself.
    pub index: usize,
}

impl Denial {
    /// The text of the reply, without its code. `command` is the full name.
    pub fn text(self, user: &[u8], command: &str) -> Vec<u8> {
        match self.reason {
            Reason::Key => b"No permissions to access a key".to_vec(),
            Reason::Channel => b"No permissions to access a channel".to_vec(),
            Reason::Database => b"No permissions to access database".to_vec(),
            Reason::Command | Reason::Authentication => {
                let about = format!("the '{command}' command");
                [b"User ", user, b" has no permissions to run ", about.as_bytes()].concat()
            }
        }
    }

    /// The text for those who may know more (ACL DRYRUN): `object` is the argument that it is about.
    pub fn long_text(self, user: &[u8], command: &str, object: &[u8]) -> Vec<u8> {
        let (before, after): (&[u8], &[u8]) = match self.reason {
            Reason::Key => (b"the '", b"' key"),
            Reason::Channel => (b"the '", b"' channel"),
            Reason::Database => (b"database ", b""),
            Reason::Command | Reason::Authentication => return self.text(user, command),
        };
        [b"User ", user, b" has no permissions to access ", before, object, after].concat()
    }

    /// What EXEC gives as the reason if rules have changed since the command was queued.
    pub fn late_text(self) -> &'static str {
        match self.reason {
            Reason::Command => "no permission to execute the command or subcommand",
            Reason::Key => "no permission to touch the specified keys",
            Reason::Channel => "no permission to access one of the channels used as arguments",
            Reason::Database | Reason::Authentication => "no permission",
        }
    }
}
