//! XNACK: entries that a consumer does not want to keep are given back to their group, where others find them first.

use ochre_types::stream::{NackMode, Stream};

use super::acknowledge::has_group;
use super::arguments::{ID_BLOCK, id_block, ids};
use super::*;
use crate::call::integer_between;
use crate::command::flags;
use crate::error::SYNTAX;

const MODE: Arg = Arg::one_of(
    "mode",
    &[Arg::word("silent", "SILENT"), Arg::word("fail", "FAIL"), Arg::word("fatal", "FATAL")],
);

pub(super) const XNACK: Command = Command {
    name: "xnack",
    summary: "Gives pending entries back to their group, which can deliver them to others at once.",
    since: "8.8.0",
    complexity: "O(1) for each entry.",
    arity: -7,
    flags: flags::WRITE | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        GROUP,
        MODE,
        ID_BLOCK,
        Arg::new("count", ArgKind::Integer).token("RETRYCOUNT").optional(),
        Arg::word("force", "FORCE").optional(),
    ],
    handler: xnack,
    ..BASE
};

fn xnack(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, group) = (call.db(), call.key(), call.args.at(2));
    if !has_group(call, group)? {
        return Err(no_group(key.bytes, group, ""));
    }
    let mut cursor = call.args.cursor(3);
    let mode = mode(cursor.next_arg()?)?;
    if !cursor.eat("IDS") {
        return Err(SYNTAX);
    }
    let ids = ids(id_block(&mut cursor)?.into_iter())?;
    let (mut deliveries, mut force) = (None, false);
    while !cursor.is_at_end() {
        if cursor.eat_with_value("RETRYCOUNT") {
            const WRONG: &str = "ERR Invalid RETRYCOUNT option argument for XNACK";
            deliveries = Some(integer_between(cursor.next_arg()?, 0, i64::MAX, Some(WRONG))? as u64);
        } else if cursor.eat("FORCE") {
            force = true;
        } else {
            return Err(SYNTAX);
        }
    }
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let given = stream.give_back(group, &ids, mode, deliveries, force).map_or(0, |given| given.len());
        edit.counted(given);
        // Somebody may wait for what has been idle for some time, and this counts as idle for ever.
        edit.wake();
        given
    })?;
    call.reply.integer(done.map_or(0, |(given, _)| given as i64));
    Ok(())
}

fn mode(arg: &[u8]) -> Result<NackMode, Error> {
    const WORDS: [(&str, NackMode); 3] =
        [("SILENT", NackMode::Silent), ("FAIL", NackMode::Fail), ("FATAL", NackMode::Fatal)];
    let is_word = |(word, _): &&(&str, NackMode)| arg.eq_ignore_ascii_case(word.as_bytes());
    WORDS.iter().find(is_word).map(|(_, mode)| *mode).ok_or(SYNTAX)
}
