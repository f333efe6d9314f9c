//! Finding the keys of a request by its command's key specifications.

use smallvec::SmallVec;

use super::record::{Begin, Command, Find, KeySpec};
use crate::call::Args;

/// Argument indexes of keys.
pub type KeyIndexes = SmallVec<[u32; 16]>;

/// The argument indexes of a request's keys, in order of the specifications. `None` if the arguments do not fit the
/// specification (a number of keys that is no number, say): the handler will find the error.
pub fn key_indexes(command: &Command, args: Args<'_>) -> Option<KeyIndexes> {
    let mut indexes = KeyIndexes::new();
    for spec in command.keys {
        find(spec, args, &mut indexes)?;
    }
    Some(indexes)
}

/// The argument indexes of the keys of one specification are added to `indexes`.
pub fn find(spec: &KeySpec, args: Args<'_>, indexes: &mut KeyIndexes) -> Option<()> {
    if let Begin::EachKeyword { word, from } = spec.begin {
        let places = usize::from(from) + 1..args.len();
        indexes.extend(places.filter(|index| args.is(index - 1, word)).map(|index| index as u32));
        return Some(());
    }
    let Some(begin) = begin(spec.begin, args) else { return Some(()) };
    let (first, last, step) = match spec.find {
        Find::Range { last, step, limit } => (begin, range_end(begin, last, limit, args.len()), step),
        Find::KeyNum { number, first, step } => {
            let count = ochre_types::parse_i64(args.get(begin + usize::from(number))?)?;
            let count = usize::try_from(count).ok()?;
            let first = begin + usize::from(first);
            let end = count.checked_mul(usize::from(step))?.checked_add(first)?;
            if count == 0 || end > args.len() + usize::from(step) - 1 {
                return None;
            }
            (first, Some(end - 1), step)
        }
        Find::Unknown => return Some(()),
    };
    let Some(last) = last else { return Some(()) };
    let last = last.min(args.len().saturating_sub(1));
    indexes.extend((first..=last).step_by(usize::from(step).max(1)).map(|index| index as u32));
    Some(())
}

fn begin(begin: Begin, args: Args<'_>) -> Option<usize> {
    match begin {
        Begin::Index(index) => (usize::from(index) < args.len()).then_some(usize::from(index)),
        Begin::IndexIf { index, holds } => {
            Some(usize::from(index)).filter(|index| *index < args.len() && holds(args))
        }
        Begin::KeywordAt { find, .. } => find(args).filter(|index| *index < args.len()),
        Begin::Keyword { word: "STREAMS", .. } if let Some(index) = streams(args) => Some(index),
        Begin::Keyword { word, from } => {
            let is_word = |index: &usize| args[*index].eq_ignore_ascii_case(word.as_bytes());
            let found = if from >= 0 {
                (usize::from(from.unsigned_abs())..args.len()).find(is_word)
            } else {
                (1..args.len().saturating_sub(usize::from(from.unsigned_abs()) - 1)).rev().find(is_word)
            };
            found.map(|index| index + 1).filter(|index| *index < args.len())
        }
        Begin::Computed(index) => index(args).filter(|index| *index < args.len()),
        // What has no single place is found by `find`.
        Begin::EachKeyword { .. } | Begin::Unknown => None,
    }
}

/// What follows the word STREAMS of XREAD and XREADGROUP: groups and consumers may have that name, so the options before it
/// are gone past one by one. `None` if they are no options, or the word stands where a number should.
fn streams(args: Args<'_>) -> Option<usize> {
    const WITH_VALUE: [&str; 5] = ["COUNT", "BLOCK", "CLAIM", "MAXCOUNT", "MAXSIZE"];
    let mut index = 1;
    while index < args.len() && !args.is(index, "STREAMS") {
        index += match () {
            () if args.is(index, "GROUP") => 3,
            () if args.is(index, "NOACK") => 1,
            () if args.is(index + 1, "STREAMS") => return None,
            () if WITH_VALUE.iter().any(|word| args.is(index, word)) => 2,
            () => return None,
        };
    }
    (index + 1 < args.len()).then_some(index + 1)
}

fn range_end(begin: usize, last: i16, limit: u16, len: usize) -> Option<usize> {
    if last >= 0 {
        return Some(begin + usize::from(last.unsigned_abs()));
    }
    if last == -1 && limit > 1 {
        return Some(begin + (len - begin) / usize::from(limit) - 1);
    }
    len.checked_sub(usize::from(last.unsigned_abs())).filter(|end| *end >= begin)
}
