//! DUMP: a value as bytes that RESTORE takes, here and in the peers.
//!
//! The payload has the oldest version that holds the value, 11 at least: servers from Redis 7.2 and Valkey 7.2 on take it,
//! newer ones only where the value needs it (times of fields, what streams remember of producers). Redis names its own
//! version in every payload, so that nothing older takes any.

use std::sync::atomic::Ordering::Relaxed;

use ochre_persist::rdb::{self, EncodeOptions, Target};

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;
use crate::persistence::as_written;

pub(super) const DUMP: Command = Command {
    name: "dump",
    summary: "Returns the value of a key as bytes that RESTORE takes.",
    since: "2.6.0",
    complexity: "O(N), N being the bytes of the value.",
    arity: 2,
    flags: flags::READONLY,
    keys: &[KeySpec::first(key_flags::RO | key_flags::ACCESS)],
    tips: &["nondeterministic_output"],
    args: &[Arg::key("key", 0)],
    handler: dump,
    ..BASE
};

fn dump(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let compresses = call.engine.settings.rdb_compression.load(Relaxed);
    let options = EncodeOptions { target: Target::default(), compresses };
    let Some(entry) = call.view.read(call.client.db, call.key()) else {
        call.reply.null();
        return Ok(());
    };
    let payload = rdb::dump(as_written(entry.value()), options);
    // The target is as new as the value needs, so it can hold all.
    call.reply.bulk(&payload.map_err(|error| Error::owned(format!("ERR {error}")))?);
    Ok(())
}
