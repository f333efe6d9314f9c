//! Where in a list a value is: LPOS.

use std::ops::ControlFlow;

use ochre_types::list::{End, List};

use super::*;
use crate::call::integer_between;
use crate::command::flags;
use crate::error::{Error, SYNTAX};

pub(super) const LPOS: Command = Command {
    name: "lpos",
    summary: "Returns the indexes of the elements of a list that have a value.",
    since: "6.0.6",
    complexity: "O(N), N being the number of elements looked at, which `MAXLEN` limits.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    args: &[
        KEY,
        ELEMENT,
        Arg::new("rank", ArgKind::Integer).token("RANK").optional(),
        Arg::new("num-matches", ArgKind::Integer).token("COUNT").optional(),
        Arg::new("len", ArgKind::Integer).token("MAXLEN").optional(),
    ],
    handler: lpos,
    ..BASE
};

/// What is looked for.
struct Search {
    from: End,
    /// So many hits are passed over.
    skipped: u64,
    /// How many are told, 0 for all; `None`: one, not in an array.
    count: Option<usize>,
    /// How many elements are looked at.
    compared: usize,
}

fn search(call: &Call<'_, '_>) -> Result<Search, Error> {
    const RANK_RANGE: &str =
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
                             or use negative to start from the end of the list";
    let mut search = Search { from: End::Head, skipped: 0, count: None, compared: usize::MAX };
    let mut cursor = call.args.cursor(3);
    while !cursor.is_at_end() {
        if cursor.eat_with_value("rank") {
            let rank = crate::call::integer(cursor.next_arg()?)?;
            match rank {
                i64::MIN => return Err(Error::new(RANK_RANGE)),
                0 => return Err(Error::new(RANK_ZERO)),
                _ => search.skipped = rank.unsigned_abs() - 1,
            }
            search.from = if rank < 0 { End::Tail } else { End::Head };
        } else if cursor.eat_with_value("count") {
            let text = Some("ERR COUNT can't be negative");
            search.count = Some(integer_between(cursor.next_arg()?, 0, i64::MAX, text)? as usize);
        } else if cursor.eat_with_value("maxlen") {
            let text = Some("ERR MAXLEN can't be negative");
            let len = integer_between(cursor.next_arg()?, 0, i64::MAX, text)? as usize;
            search.compared = if len == 0 { usize::MAX } else { len };
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(search)
}

fn lpos(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let search = search(call)?;
    let (db, key, value) = (call.db(), call.key(), call.args.at(2));
    let hits = call.view.read_as::<List>(db, key)?.map(|list| hits(list, value, &search)).unwrap_or_default();
    let reply = &mut call.reply;
    match (search.count, hits.first()) {
        (Some(_), _) => {
            reply.array(hits.len());
            hits.iter().for_each(|index| reply.integer(*index as i64));
        }
        (None, Some(index)) => reply.integer(*index as i64),
        (None, None) => reply.null(),
    }
    Ok(())
}

/// The indexes of the elements that are found.
fn hits(list: &List, value: &[u8], search: &Search) -> Vec<usize> {
    let most = match search.count {
        None => 1,
        Some(0) => usize::MAX,
        Some(count) => count,
    };
    let (mut hits, mut skipped) = (Vec::new(), 0);
    list.find(value, search.from, search.compared, |index| {
        if skipped < search.skipped {
            skipped += 1;
            return ControlFlow::Continue(());
        }
        hits.push(index);
        if hits.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    hits
}
