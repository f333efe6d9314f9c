//! GEOADD: places become members of a sorted set. The journal gets the ZADD that it is.

use ochre_types::score_of;

use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::SYNTAX;
use crate::family::sorted_sets::{AddOptions, Pairs, add_pairs};

pub(super) const GEOADD: Command = Command {
    name: "geoadd",
    summary: "Adds places to a sorted set by longitude and latitude; makes the key if it is not there.",
    since: "3.2.0",
    complexity: "O(log(N)) for each place, N being the number of members of the sorted set.",
    arity: -5,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::first(key_flags::RW | key_flags::UPDATE)],
    args: &[
        KEY,
        Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional().since("6.2.0"),
        Arg::word("change", "CH").optional().since("6.2.0"),
        Arg::block("data", &[LONGITUDE, LATITUDE, MEMBER]).multiple(),
    ],
    history: &[("6.2.0", "The options `CH`, `NX` and `XX` came.")],
    handler: geoadd,
    ..BASE
};

fn geoadd(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (mut cursor, mut options) = (call.args.cursor(2), AddOptions::default());
    while eat_option(&mut cursor, &mut options) {}
    if cursor.is_at_end() || !cursor.left().is_multiple_of(3) || options.only_new && options.only_existing {
        return Err(SYNTAX);
    }
    let first = cursor.index();
    let mut pairs = Pairs::new();
    while !cursor.is_at_end() {
        let position = next_position(&mut cursor)?;
        pairs.push((score_of(position) as f64, cursor.next_arg()?));
    }
    if add_pairs(call, options, &pairs)? {
        propagate(call, first, &pairs);
    }
    Ok(())
}

fn eat_option(cursor: &mut Cursor<'_>, options: &mut AddOptions) -> bool {
    for (word, option) in [
        ("NX", &mut options.only_new),
        ("XX", &mut options.only_existing),
        ("CH", &mut options.count_changed),
    ] {
        if cursor.eat(word) {
            *option = true;
            return true;
        }
    }
    false
}

/// The same with scores instead of positions.
fn propagate(call: &mut Call<'_, '_>, first: usize, pairs: &[(f64, &[u8])]) {
    if !call.engine.keyspace.journal.is_active() {
        return;
    }
    let scores: Vec<String> = pairs.iter().map(|(score, _)| (*score as u64).to_string()).collect();
    let mut args: Vec<&[u8]> = call.args.iter().take(first).collect();
    args[0] = b"ZADD";
    for (score, (_, member)) in scores.iter().zip(pairs) {
        args.extend([score.as_bytes(), member]);
    }
    call.propagate(&args);
}
