//! HGETEX: the values of fields, and when the fields expire from now on.

use ochre_keyspace::Edit;
use ochre_types::hash::{Condition, ExpireOutcome, Hash, PersistOutcome};

use super::expire::propagate_removal;
use super::options::{FieldTime, Of, Options};
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;

pub(super) const HGETEX: Command = Command {
    name: "hgetex",
    summary: "Returns the values of fields of a hash and changes when the fields expire.",
    since: "8.0.0",
    complexity: "O(N), N being the number of fields given.",
    arity: -5,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec {
        notes: "Changing the expiry makes it RW and UPDATE",
        ..KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE)
    }],
    args: &[
        KEY,
        Arg::one_of("expiration", &[EX, PX, EXAT, PXAT, Arg::word("persist", "PERSIST")]).optional(),
        FIELDS,
    ],
    handler: hgetex,
    ..BASE
};

fn hgetex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let is_there = call.view.peek_as::<Hash>(db, key)?.is_some();
    let options = Options::parse(call.args, Of::GetEx, call.now_ms(), "hgetex")?;
    let names = options.fields.clone().map(|index| call.args.at(index));
    let (now_ms, clock_ms) = (call.passed_ms(), call.view.field_clock_ms());
    let reply = &mut call.reply;
    reply.array(names.len());
    if !is_there {
        names.for_each(|_| reply.null());
        return Ok(());
    }
    let mut change = Change { time: options.time, now_ms, changed: Vec::new(), removed: Vec::new() };
    call.view.edit(db, key, |hash: &mut Hash, edit| {
        for name in names {
            edit.expire_field(hash, name, clock_ms);
            match hash.get(name, clock_ms) {
                Some(value) => reply_item(reply, value),
                None => reply.null(),
            }
            change.apply(hash, name);
        }
        change.tell(edit);
    })?;
    propagate(call, &options, &change);
    Ok(())
}

/// What is done to the fields, one after the other.
struct Change<'a> {
    time: FieldTime,
    now_ms: i64,
    /// Fields whose times have changed.
    changed: Vec<&'a [u8]>,
    /// Fields that are gone, since their new time has passed already.
    removed: Vec<&'a [u8]>,
}

impl<'a> Change<'a> {
    fn apply(&mut self, hash: &mut Hash, name: &'a [u8]) {
        match self.time {
            FieldTime::Unsaid | FieldTime::KeepTtl => {}
            FieldTime::Persist => {
                hash.make_expiring();
                let outcome = hash.persist(name, self.now_ms);
                if outcome == PersistOutcome::Persisted {
                    self.changed.push(name);
                }
            }
            FieldTime::At(at_ms) => match hash.expire(name, at_ms, Condition::Always, self.now_ms) {
                ExpireOutcome::NoField | ExpireOutcome::ConditionNotMet => {}
                ExpireOutcome::Set => self.changed.push(name),
                ExpireOutcome::Deleted => self.removed.push(name),
            },
        }
    }

    fn tell(&self, edit: &mut Edit) {
        if !self.removed.is_empty() {
            edit.changed(self.removed.len());
            edit.removed_as_expired(self.removed.len());
            edit.notify_of_fields("hdel", self.removed.iter().copied());
        } else if !self.changed.is_empty() && self.time == FieldTime::Persist {
            // Once, whatever the number of fields, as in Redis.
            edit.changed(1);
            edit.notify_of_fields("hpersist", self.changed.iter().copied());
        } else if !self.changed.is_empty() {
            edit.changed(self.changed.len());
            edit.notify_of_fields("hexpire", self.changed.iter().copied());
        }
    }
}

/// Has the journal contain what was done, without the reading.
fn propagate(call: &mut Call<'_, '_>, options: &Options, change: &Change<'_>) {
    if !change.removed.is_empty() {
        return propagate_removal(call, &change.removed);
    }
    if change.changed.is_empty() {
        return;
    }
    let (mut at, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let key = call.key().bytes;
    let mut request: Vec<&[u8]> = match options.time {
        FieldTime::At(at_ms) => vec![b"HPEXPIREAT", key, at.format(at_ms).as_bytes()],
        _ => vec![b"HPERSIST", key],
    };
    request.extend([b"FIELDS", count.format(options.fields.len()).as_bytes()]);
    request.extend(options.fields.clone().map(|index| call.args.at(index)));
    call.propagate(&request);
}
