//! XSETID.

use ochre_keyspace::event_class;
use ochre_types::stream::{SetIdError, Stream};

use super::arguments::id;
use super::*;
use crate::command::flags;
use crate::error::{NO_SUCH_KEY, SYNTAX};

pub(super) const XSETID: Command = Command {
    name: "xsetid",
    summary: "Sets the last ID of a stream, and what else it knows of its past.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        Arg::new("last-id", ArgKind::String),
        Arg::new("entries-added", ArgKind::Integer).token("ENTRIESADDED").since("7.0.0").optional(),
        Arg::new("max-deleted-id", ArgKind::String).token("MAXDELETEDID").since("7.0.0").optional(),
    ],
    history: &[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")],
    handler: xsetid,
    ..BASE
};

fn xsetid(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let last_id = id(call.args.at(2))?;
    let (mut added, mut max_deleted) = (None, None);
    let mut cursor = call.args.cursor(3);
    while !cursor.is_at_end() {
        if cursor.eat_with_value("ENTRIESADDED") {
            let negative = Error::new("ERR entries_added must be positive");
            added = Some(u64::try_from(cursor.next_i64()?).map_err(|_| negative)?);
        } else if cursor.eat_with_value("MAXDELETEDID") {
            let id = id(cursor.next_arg()?)?;
            if last_id < id {
                return Err(set_id_error(SetIdError::BelowGivenMaxDeleted));
            }
            max_deleted = Some(id);
        } else {
            return Err(SYNTAX);
        }
    }
    let (db, key) = (call.db(), call.key());
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        stream.set_last_id(last_id, added, max_deleted)?;
        edit.counted(1);
        edit.notify(event_class::STREAM, "xsetid");
        Ok(())
    })?;
    done.ok_or(NO_SUCH_KEY)?.0.map_err(set_id_error)?;
    call.reply.ok();
    Ok(())
}

fn set_id_error(error: SetIdError) -> Error {
    Error::new(match error {
        SetIdError::BelowGivenMaxDeleted => {
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
        }
        SetIdError::BelowMaxDeleted => {
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
        }
        SetIdError::BelowLastEntry => {
            "ERR The ID specified in XSETID is smaller than the target stream top item"
        }
        SetIdError::AddedBelowLen => {
            "ERR The entries_added specified in XSETID is smaller than the target stream length"
        }
    })
}
