//! RESTORE: a key made of what DUMP answered, here or in a peer.
//!
//! Payloads of every version that is read are taken, newer ones than the peers' own among them. All of a value is looked at,
//! whatever `sanitize-dump-payload` says: taking it apart into our own encodings is looking at it.
//!
//! The journal gets the time at which the key expires, so that it means the same whenever it is read. A time that has passed
//! makes no key; what was to be replaced is removed, and the journal says that.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Key, event_class};
use ochre_persist::rdb::{Access, Payload, Value, ValueType, VersionCheck};

use super::BASE;
use crate::call::{Args, Call, integer};
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, flags, key_flags};
use crate::error::{Error, SYNTAX};
use crate::persistence::{access_clock, hand_over, limits};

const BUSY_KEY: Error = Error::new("BUSYKEY Target key name already exists.");
const INVALID_TTL: Error = Error::new("ERR Invalid TTL value, must be >= 0");
const INVALID_IDLE_TIME: Error = Error::new("ERR Invalid IDLETIME value, must be >= 0");
const INVALID_FREQUENCY: Error = Error::new("ERR Invalid FREQ value, must be >= 0 and <= 255");
const NOT_VERIFIED: Error = Error::new("ERR DUMP payload version or checksum are wrong");
const BAD_FORMAT: Error = Error::new("ERR Bad data format");

pub(super) const RESTORE: Command = Command {
    name: "restore",
    summary: "Creates a key from the bytes that DUMP returned.",
    since: "2.6.0",
    complexity: "O(N), N being the bytes of the value; O(N*log(N)) for a sorted set.",
    arity: -4,
    flags: flags::WRITE | flags::DENYOOM,
    acl: acl::KEYSPACE | acl::DANGEROUS,
    keys: &[KeySpec::first(key_flags::OW | key_flags::UPDATE)],
    args: &[
        Arg::key("key", 0),
        Arg::new("ttl", ArgKind::Integer),
        Arg::new("serialized-value", ArgKind::String),
        Arg::word("replace", "REPLACE").optional().since("3.0.0"),
        Arg::word("absttl", "ABSTTL").optional().since("5.0.0"),
        Arg::new("seconds", ArgKind::Integer).token("IDLETIME").optional().since("5.0.0"),
        Arg::new("frequency", ArgKind::Integer).token("FREQ").optional().since("5.0.0"),
    ],
    history: &[
        ("3.0.0", "The option `REPLACE` came."),
        ("5.0.0", "The option `ABSTTL` came."),
        ("5.0.0", "The options `IDLETIME` and `FREQ` came."),
    ],
    handler: restore,
    ..BASE
};

pub(super) const RESTORE_ASKING: Command = Command {
    name: "restore-asking",
    summary: "Takes in a key of a slot that moves to this node of a cluster.",
    since: "3.0.0",
    group: Group::Server,
    flags: flags::WRITE | flags::DENYOOM | flags::ASKING,
    ..RESTORE
};

fn restore(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::parse(call.args)?;
    let (db, key) = (call.db(), call.key());
    let is_there = call.view.read_to_write(db, key).is_some();
    if is_there && !options.replaces {
        return Err(BUSY_KEY);
    }
    let expire_ms = expiry(call, options)?;
    let value = read(call)?;
    match expire_ms.is_some_and(|at_ms| call.has_passed(at_ms)) {
        true if is_there => remove(call, key),
        true => {}
        false => create(call, key, value, expire_ms, options),
    }
    call.reply.ok();
    Ok(())
}

/// What is to become of the key besides its value.
#[derive(Clone, Copy, Default)]
struct Options {
    replaces: bool,
    is_absolute: bool,
    idle_seconds: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut cursor = args.cursor(4);
        while !cursor.is_at_end() {
            if cursor.eat("replace") {
                options.replaces = true;
            } else if cursor.eat("absttl") {
                options.is_absolute = true;
            } else if options.frequency.is_none() && cursor.eat_with_value("idletime") {
                let seconds = Some(cursor.next_i64()?).filter(|seconds| *seconds >= 0);
                options.idle_seconds = Some(seconds.ok_or(INVALID_IDLE_TIME)?);
            } else if options.idle_seconds.is_none() && cursor.eat_with_value("freq") {
                let frequency = u8::try_from(cursor.next_i64()?);
                options.frequency = Some(frequency.map_err(|_| INVALID_FREQUENCY)?);
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    /// What is known of how the key was used.
    fn used(self) -> Option<Access> {
        let idle = self.idle_seconds.map(|seconds| Access::Idle(seconds.unsigned_abs()));
        self.frequency.map(Access::Frequency).or(idle)
    }
}

/// When the key is to expire; 0 stands for never. A time beyond what counts is one that has passed, as in the peers.
fn expiry(call: &Call<'_, '_>, options: Options) -> Result<Option<i64>, Error> {
    let ttl_ms = integer(call.args.at(2))?;
    if ttl_ms < 0 {
        return Err(INVALID_TTL);
    }
    let base_ms = if options.is_absolute { 0 } else { call.now_ms() };
    Ok((ttl_ms != 0).then(|| base_ms.wrapping_add(ttl_ms)))
}

/// The value of the payload.
fn read<'c>(call: &Call<'c, '_>) -> Result<Value<'c>, Error> {
    let (settings, debug) = (&call.engine.settings, &call.engine.debug);
    let check = match settings.rdb_version_relaxed.load(Relaxed) {
        true => VersionCheck::Relaxed,
        false => VersionCheck::Strict,
    };
    let checks_sum = !debug.checksums_skipped.load(Relaxed);
    let payload = Payload::verify(call.args.at(3), check, checks_sum).map_err(|_| NOT_VERIFIED)?;
    payload.decode(&limits(call.engine)).map_err(|error| {
        let structure = payload.kind().map_or("Value", ValueType::structure);
        match error.is_unsupported() {
            true => log::error!("Bad payload in RESTORE: {error}"),
            false => log::error!("Bad payload in RESTORE: {structure} integrity check failed: {error}"),
        }
        BAD_FORMAT
    })
}

fn remove(call: &mut Call<'_, '_>, key: Key<'_>) {
    let db = call.db();
    call.view.remove(db, key);
    call.notify(event_class::GENERIC, "del", key);
    let lazy = call.engine.keyspace.settings.lazyfree_server_del.load(Relaxed);
    call.propagate(&[if lazy { b"UNLINK" } else { b"DEL" }, key.bytes]);
}

fn create(call: &mut Call<'_, '_>, key: Key<'_>, value: Value<'_>, expire_ms: Option<i64>, options: Options) {
    let db = call.db();
    let overwritten = hand_over(value, key.bytes.len(), |value| call.view.put_new(db, key, value, expire_ms));
    let policy = call.engine.keyspace.settings.policy();
    if let Some(clock) = options.used().and_then(|used| access_clock(used, policy, call.now_ms())) {
        call.view.set_access(db, key, clock);
    }
    call.notify(event_class::GENERIC, "restore", key);
    call.view.notify_overwritten(db, key, overwritten);
    if let Some(expire_ms) = expire_ms.filter(|_| !options.is_absolute) {
        propagate_absolute(call, expire_ms);
    }
}

fn propagate_absolute(call: &mut Call<'_, '_>, expire_ms: i64) {
    let mut digits = itoa::Buffer::new();
    let mut request: Vec<&[u8]> = call.args.iter().collect();
    request[2] = digits.format(expire_ms).as_bytes();
    request.push(b"ABSTTL");
    call.propagate(&request);
}
