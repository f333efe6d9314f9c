//! HSETEX: fields, when they expire, and on which condition they are set.

use ochre_keyspace::Edit;
use ochre_types::hash::{Hash, HashLimits, NewExpiry};

use super::expire::propagate_removal;
use super::options::{FieldTime, Of, Options};
use super::*;
use crate::call::{Args, Call};
use crate::command::flags;
use crate::error::Error;

pub(super) const HSETEX: Command = Command {
    name: "hsetex",
    summary: "Sets fields of a hash, on a condition and with an expiry if so asked.",
    since: "8.0.0",
    complexity: "O(N), N being the number of fields that are set.",
    arity: -6,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        Arg::one_of("key-condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional(),
        Arg::one_of("condition", &[Arg::word("fnx", "FNX"), Arg::word("fxx", "FXX")]).optional(),
        Arg::one_of("expiration", &[EX, PX, EXAT, PXAT, Arg::word("keepttl", "KEEPTTL")]).optional(),
        Arg::block("fields", &[NUM_FIELDS, DATA]).token("FIELDS"),
    ],
    handler: hsetex,
    ..BASE
};

fn hsetex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let options = Options::parse(call.args, Of::SetEx, call.now_ms(), "hsetex")?;
    let write = Write {
        args: call.args,
        options: &options,
        now_ms: call.passed_ms(),
        clock_ms: call.view.field_clock_ms(),
        limits: call.engine.settings.hash_limits(),
    };
    let change = |hash: &mut Hash, edit: &mut Edit| write.run(hash, edit);
    let (is_set, _) = call.view.edit_or_create(db, key, change)?;
    if is_set {
        propagate(call, &options);
    }
    call.reply.integer(i64::from(is_set));
    Ok(())
}

struct Write<'a, 'o> {
    args: Args<'a>,
    options: &'o Options,
    now_ms: i64,
    clock_ms: i64,
    limits: HashLimits,
}

impl<'a> Write<'a, '_> {
    fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let args = self.args;
        self.options.fields.clone().step_by(2).map(move |index| args.at(index))
    }

    /// Sets the fields if the condition holds; whether it does.
    fn run(&self, hash: &mut Hash, edit: &mut Edit) -> bool {
        if !self.holds(hash, edit) {
            return false;
        }
        let expiry = match self.options.time {
            FieldTime::At(at_ms) => NewExpiry::At(at_ms),
            FieldTime::KeepTtl => NewExpiry::Keep,
            FieldTime::Unsaid | FieldTime::Persist => NewExpiry::Never,
        };
        for index in self.options.fields.clone().step_by(2) {
            let (name, value) = (self.args.at(index), self.args.at(index + 1));
            hash.set_expiring(name, value, expiry, self.now_ms, &self.limits);
        }
        edit.changed(self.options.fields.len() / 2);
        edit.notify_of_fields("hset", self.names());
        if let FieldTime::At(at_ms) = self.options.time {
            let has_passed = at_ms <= self.now_ms;
            edit.removed_as_expired(if has_passed { self.names().count() } else { 0 });
            edit.notify_of_fields(if has_passed { "hdel" } else { "hexpire" }, self.names());
        }
        true
    }

    fn holds(&self, hash: &mut Hash, edit: &mut Edit) -> bool {
        let Options { only_new, only_old, key_exists, .. } = *self.options;
        // A hash without fields is one that is about to be made.
        if key_exists == Some(hash.is_empty()) {
            return false;
        }
        if !only_new && !only_old {
            return true;
        }
        self.names().all(|name| {
            edit.expire_field(hash, name, self.clock_ms);
            hash.contains(name, self.clock_ms) == only_old
        })
    }
}

/// Has the journal say an absolute time, or that the fields are gone if it has passed; and nothing of a condition on the key,
/// which not everybody knows.
fn propagate(call: &mut Call<'_, '_>, options: &Options) {
    if let FieldTime::At(at_ms) = options.time
        && at_ms <= call.passed_ms()
    {
        let names: Vec<&[u8]> = options.fields.clone().step_by(2).map(|index| call.args.at(index)).collect();
        return propagate_removal(call, &names);
    }
    if options.relative_at.is_none() && options.key_exists.is_none() {
        return;
    }
    let mut at = itoa::Buffer::new();
    let mut request: Vec<&[u8]> = call.args.iter().collect();
    if let (FieldTime::At(at_ms), Some(index)) = (options.time, options.relative_at) {
        request[index..index + 2].copy_from_slice(&[b"PXAT", at.format(at_ms).as_bytes()]);
    }
    for index in options.key_conditions.iter().rev() {
        request.remove(*index);
    }
    call.propagate(&request);
}
