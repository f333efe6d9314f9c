//! AUTH, and the check of passwords that HELLO shares.
//!
//! There is one user, `default`; its password is `requirepass`. Without a password, any will do for it.

use std::sync::atomic::Ordering::Relaxed;

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
        None if call.engine.settings.has_password.load(Relaxed) => (DEFAULT_USER, call.args.at(1)),
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
/// `WRONGPASS`, which is counted.
pub(super) fn authenticate(call: &mut Call<'_, '_>, user: &[u8], password: &[u8]) -> Result<(), Error> {
    if user != DEFAULT_USER || !is_password(call, password) {
        call.engine.stats.acl_denied_auth.fetch_add(1, Relaxed);
        return Err(WRONG_PASS);
    }
    call.client.authenticated = true;
    call.client.was_authenticated = true;
    call.client.shared.names.lock().user = user.to_vec();
    Ok(())
}

fn is_password(call: &Call<'_, '_>, password: &[u8]) -> bool {
    let expected = call.engine.settings.password.read();
    expected.is_empty() || is_same(&expected, password)
}

/// Compares in a time that depends on the lengths alone, so that a password cannot be found byte by byte.
fn is_same(expected: &[u8], given: &[u8]) -> bool {
    let differences = expected.iter().zip(given).fold(0, |differences, (a, b)| differences | (a ^ b));
    std::hint::black_box(differences) == 0 && expected.len() == given.len()
}
