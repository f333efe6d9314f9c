//! AUTH, and the check of passwords that HELLO shares.
//!
//! Without a name it is the default user, whose password `requirepass` is.

use ochre_acl::PasswordHash;

use super::{BASE, HANDSHAKE};
use crate::call::Call;
use crate::client::DEFAULT_USER;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::{Error, SYNTAX, WRONG_PASS};

pub(super) const AUTH: Command = Command {
    name: "auth",
    summary: "Tells the server who is connected, by name and password.",
    complexity: "O(N) where N is the number of passwords defined for the user",
    arity: -2,
    flags: HANDSHAKE | flags::SENTINEL | flags::SENSITIVE,
    args: &[
        Arg::new("username", ArgKind::String).optional().since("6.0.0"),
        Arg::new("password", ArgKind::String),
    ],
    history: &[("6.0.0", "A user name may precede the password (ACL).")],
    handler: auth,
    ..BASE
};

fn auth(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 3 {
        return Err(SYNTAX);
    }
    call.client.redacted.extend(1..call.args.len());
    let (user, password) = match call.args.get(2) {
        Some(password) => (call.args.at(1), password),
        None if call.engine.access.has_password() => (DEFAULT_USER, call.args.at(1)),
        None => {
            return Err(Error::new(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                 configuration is correct?",
            ));
        }
    };
    authenticate(call, user, password)?;
    call.reply.ok();
    Ok(())
}

/// Makes the client a user's, if the password is right.
///
/// # Errors
/// `WRONGPASS`, which is counted and logged.
pub(super) fn authenticate(call: &mut Call<'_, '_>, user: &[u8], password: &[u8]) -> Result<(), Error> {
    if call.engine.access.log_in(call.client, user, &PasswordHash::of(password)) {
        return Ok(());
    }
    call.engine.note_failed_login(call.client, call.args.at(0), user);
    Err(WRONG_PASS)
}
