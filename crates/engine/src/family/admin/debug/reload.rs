//! DEBUG RELOAD: everything into the snapshot file, and back again. DEBUG LOADAOF: everything from the append-only file.

use crate::call::Call;
use crate::error::Error;
use crate::persistence::{Reload, wait_for_save};

const OPTIONS: Error = Error::new("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");

pub(super) fn reload(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut reload = Reload { saves: true, flushes: true, merges: false };
    for word in call.args.from(2) {
        match word.to_ascii_lowercase().as_slice() {
            b"merge" => reload.merges = true,
            b"noflush" => reload.flushes = false,
            b"nosave" => reload.saves = false,
            _ => return Err(OPTIONS),
        }
    }
    if call.in_transaction {
        return Err(Error::new("ERR DEBUG RELOAD is not possible inside a transaction"));
    }
    call.engine.begin_reload(reload, (call.worker.index, call.client.id()))?;
    wait_for_save(call.client);
    Ok(())
}

pub(super) fn load_log(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.in_transaction {
        return Err(Error::new("ERR DEBUG LOADAOF is not possible inside a transaction"));
    }
    call.engine.begin_reload_of_log((call.worker.index, call.client.id()))?;
    wait_for_save(call.client);
    Ok(())
}
