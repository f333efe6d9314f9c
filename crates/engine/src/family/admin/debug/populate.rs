//! DEBUG POPULATE: many keys at once.

use ochre_keyspace::Expiry;

use super::switches::positive;
use crate::call::Call;
use crate::error::{Error, STRING_TOO_LONG};
use crate::family::strings::new_string;

/// Memory of an entry and its place in the table besides key and value, bytes: a low estimate.
const ENTRY_BYTES: u64 = 24;

/// Creates the keys that do not exist yet. They are neither journalled nor replicated.
pub(super) fn populate(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let count = positive(call.args.at(2))?;
    let prefix = call.args.get(3).unwrap_or(b"key");
    let size = call.args.get(4).map_or(Ok(0), positive)?;
    if size > call.engine.settings.bulk_len_max.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(STRING_TOO_LONG);
    }
    refuse_the_impossible(call, count, size + prefix.len() as u64)?;
    let (db, mut name, mut value) = (call.db(), Vec::new(), Vec::new());
    for number in 0..count {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        join(&mut name, prefix, digits);
        let key = call.view.key(&name);
        if call.view.exists(db, key) {
            continue;
        }
        join(&mut value, b"value", digits);
        if size > 0 {
            value.resize(size as usize, 0);
        }
        call.view.set(db, key, new_string(name.len(), &value), Expiry::Clear);
    }
    call.propagate_nothing();
    call.reply.ok();
    Ok(())
}

/// Refuses what would not fit into the machine's memory: the alternative is the end of the process.
fn refuse_the_impossible(call: &Call<'_, '_>, count: u64, bytes_each: u64) -> Result<(), Error> {
    let memory = call.engine.host().and_then(|host| host.fact("total_system_memory")?.parse::<u64>().ok());
    let wanted = count.checked_mul(bytes_each.saturating_add(ENTRY_BYTES));
    if wanted.is_none_or(|wanted| wanted > memory.unwrap_or(1 << 40)) {
        return Err(Error::new("ERR OOM in dbExpand"));
    }
    Ok(())
}

fn join(out: &mut Vec<u8>, prefix: &[u8], digits: &[u8]) {
    out.clear();
    out.extend_from_slice(prefix);
    out.push(b':');
    out.extend_from_slice(digits);
}
