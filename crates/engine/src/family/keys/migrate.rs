//! MIGRATE: keys go to another server, and are removed here once that has them. See [`crate::migration`].

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ochre_keyspace::{Key, ValueRef};
use ochre_persist::rdb::{self, EncodeOptions, Target as Version};

use super::BASE;
use crate::call::{Args, Call, integer};
use crate::client::BlockedOn;
use crate::command::{Arg, ArgKind, Begin, Command, Find, KeySpec, acl, flags, key_flags};
use crate::error::{Error, SYNTAX};
use crate::migration::{Outgoing, Target, Transfer, Value};
use crate::persistence::as_written;

const KEY_AND_KEYS: Error =
    Error::new("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
const IN_TRANSACTION: Error = Error::new("ERR MIGRATE can't wait for another server within a transaction");

/// Where the key stands, and where the options begin.
const KEY: usize = 3;
const OPTIONS: usize = 6;
/// What stands for no timeout, ms.
const TIMEOUT_MS: i64 = 1000;

pub(super) const MIGRATE: Command = Command {
    name: "migrate",
    summary: "Moves keys to another server.",
    since: "2.6.0",
    complexity: "O(N) for each key, N being the bytes of its value: it is dumped and removed here, and restored there.",
    arity: -6,
    flags: flags::WRITE | flags::MOVABLE_KEYS,
    acl: acl::KEYSPACE | acl::DANGEROUS,
    keys: &[
        KeySpec {
            begin: Begin::IndexIf { index: KEY as u16, holds: |args| keys_option(args).is_none() },
            find: Find::Range { last: 0, step: 1, limit: 0 },
            flags: key_flags::RW | key_flags::ACCESS | key_flags::DELETE,
            notes: "",
        },
        KeySpec {
            begin: Begin::KeywordAt { word: "KEYS", from: -2, find: first_of_keys },
            find: Find::Range { last: -1, step: 1, limit: 0 },
            flags: key_flags::RW | key_flags::ACCESS | key_flags::DELETE | key_flags::INCOMPLETE,
            notes: "",
        },
    ],
    tips: &["nondeterministic_output"],
    args: &[
        Arg::new("host", ArgKind::String),
        Arg::new("port", ArgKind::Integer),
        Arg::one_of("key-selector", &[Arg::key("key", 0), Arg::word("empty-string", "")]),
        Arg::new("destination-db", ArgKind::Integer),
        Arg::new("timeout", ArgKind::Integer),
        Arg::word("copy", "COPY").optional().since("3.0.0"),
        Arg::word("replace", "REPLACE").optional().since("3.0.0"),
        Arg::one_of(
            "authentication",
            &[
                Arg::new("auth", ArgKind::String).display("password").token("AUTH").since("4.0.7"),
                Arg::block(
                    "auth2",
                    &[Arg::new("username", ArgKind::String), Arg::new("password", ArgKind::String)],
                )
                .token("AUTH2")
                .since("6.0.0"),
            ],
        )
        .optional(),
        Arg::key("keys", 1).display("key").token("KEYS").since("3.0.6").optional().multiple(),
    ],
    history: &[
        ("3.0.0", "The options `COPY` and `REPLACE` came."),
        ("3.0.6", "The option `KEYS` came."),
        ("4.0.7", "The option `AUTH` came."),
        ("6.0.0", "The option `AUTH2` came."),
    ],
    handler: migrate,
    ..BASE
};

/// The index of the option KEYS with at least a key after it. A password may look like it; without a key it is none, and what
/// stands in the key's place counts.
fn keys_option(args: Args<'_>) -> Option<usize> {
    let mut index = OPTIONS;
    while index < args.len() && !args.is(index, "keys") {
        index += match () {
            () if args.is(index, "auth") => 2,
            () if args.is(index, "auth2") => 3,
            () => 1,
        };
    }
    (index + 1 < args.len()).then_some(index)
}

/// The index of the first key after KEYS; a key before it is an error, so there are none then.
fn first_of_keys(args: Args<'_>) -> Option<usize> {
    keys_option(args).filter(|_| args.get(KEY).is_some_and(<[u8]>::is_empty)).map(|index| index + 1)
}

fn migrate(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::parse(call)?;
    let timeout_ms = integer(call.args.at(5))?;
    integer(call.args.at(4))?;
    let encode = EncodeOptions {
        target: Version::default(),
        compresses: call.engine.settings.rdb_compression.load(Relaxed),
    };
    let mut keys = Vec::new();
    for key in call.keys {
        keys.extend(outgoing(call, *key, encode)?);
    }
    if keys.is_empty() {
        call.reply.simple("NOKEY");
        return Ok(());
    }
    if call.in_transaction {
        return Err(IN_TRANSACTION);
    }
    let timeout_ms = if timeout_ms > 0 { timeout_ms.unsigned_abs() } else { TIMEOUT_MS.unsigned_abs() };
    let target = Target {
        host: String::from_utf8_lossy(call.args.at(1)).into_owned(),
        port: port(call.args.at(2)),
        db: call.args.at(4).into(),
        timeout: Duration::from_millis(timeout_ms),
        auth: options.auth,
        replaces: options.replaces,
    };
    let waiting = (call.worker.index, call.client.id());
    let transfer = Transfer { target, keys, options: encode, db: call.db(), copies: options.copies, waiting };
    call.engine.migrations.begin(call.engine, transfer)?;
    call.propagate_nothing();
    call.client.block(BlockedOn::Completion, i64::MAX);
    Ok(())
}

#[derive(Default)]
struct Options {
    copies: bool,
    replaces: bool,
    auth: Vec<Box<[u8]>>,
}

impl Options {
    fn parse(call: &mut Call<'_, '_>) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut cursor = call.args.cursor(OPTIONS);
        while !cursor.is_at_end() {
            if cursor.eat("copy") {
                options.copies = true;
            } else if cursor.eat("replace") {
                options.replaces = true;
            } else if cursor.eat_with_value("auth") {
                call.client.redacted.push(cursor.index());
                options.auth = vec![cursor.next_arg()?.into()];
            } else if cursor.left() >= 3 && cursor.eat("auth2") {
                call.client.redacted.extend([cursor.index(), cursor.index() + 1]);
                options.auth = vec![cursor.next_arg()?.into(), cursor.next_arg()?.into()];
            } else if cursor.eat("keys") {
                if !call.args.at(KEY).is_empty() {
                    return Err(KEY_AND_KEYS);
                }
                break;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }
}

/// A key that is to be sent, if it is there. What is no plain string is pinned, and written where nobody waits for it.
fn outgoing(call: &mut Call<'_, '_>, key: Key<'_>, encode: EncodeOptions) -> Result<Option<Outgoing>, Error> {
    let db = call.db();
    let Some(entry) = call.view.read(db, key) else { return Ok(None) };
    let (name, expire_ms) = (key.bytes.into(), entry.expire_ms());
    let value = match entry.value() {
        ValueRef::Object(_) => call.view.pin_any(db, key).map(Value::Pinned),
        plain => {
            let payload = rdb::dump(as_written(plain), encode);
            Some(Value::Payload(payload.map_err(|error| Error::owned(format!("ERR {error}")))?))
        }
    };
    Ok(value.map(|value| Outgoing { name, value, expire_ms }))
}

/// What a number begins with counts, as in Redis; nobody listens at port 0.
fn port(arg: &[u8]) -> u16 {
    let digits = arg.iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(&arg[..digits]).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
