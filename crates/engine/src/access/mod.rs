//! Who may do what, while the server runs.
//!
//! 1. `control`: the users and the log that all workers share, and how a change of users reaches the clients.
//! 2. `question`: a command with its arguments as a request that users can be asked about.
//! 3. `check`: the checks themselves, and what is counted and kept of refusals.
//! 4. `file`: the `aclfile`.
//!
//! A client holds its user as it was when its rules were last looked at (`Client::user`) and knows whether there is anything to
//! check at all (`Client::unrestricted`), so a client that may do everything pays nothing: the flag takes the place of that
//! for being authenticated.
//!
//! When users change, every client is marked (`ClientShared::attention`, the word that also says that a client was killed)
//! before the change is replied to. Commands look at that word with their stripes locked anyway, before they do anything; who
//! is marked looks its user up again and is checked anew. So a command that begins after the reply obeys the new rules, on
//! whatever worker; and one that was let in by the old rules holds the locks of its keys from then on, so that whoever sees
//! them afterwards sees its effects: it came before the change. No lock beyond that is needed, and no command is slower.
//!
//! Where permissions are asked for: `admission` (every command), `transaction` (once more at EXEC), `serve` (a request that
//! waited), SORT (its patterns). What runs commands otherwise, as scripts do, asks `Engine::check_access` with their context
//! before each. After a change those subscribers are closed whom `User::channels_left` does not cover; who subscribes at that
//! moment looks again by itself (`User::check_channel`).
//!
//! Rejected: an epoch of all users that each command compares, one load and one comparison more for each; and locking
//! all stripes to change a user, which stops everybody for nothing.

mod check;
mod control;
mod file;
mod question;

pub use control::AccessControl;
