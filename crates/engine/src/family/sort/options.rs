//! What a request of SORT asks for.

use std::ops::Range;

use super::pattern::Pattern;
use crate::call::{Args, integer};
use crate::error::{Error, SYNTAX};

const BY_DENIED: Error = Error::new("ERR BY option of SORT denied due to insufficient ACL permissions.");
const GET_DENIED: Error = Error::new("ERR GET option of SORT denied due to insufficient ACL permissions.");

/// The options of a request.
pub(super) struct Options<'a> {
    /// Largest first.
    pub descending: bool,
    /// By text rather than by number.
    pub alpha: bool,
    /// What is compared in place of the element itself.
    pub by: Option<Pattern<'a>>,
    /// Whether the elements are left in the order that they have (a BY that leads to no key).
    pub unsorted: bool,
    /// What is returned in place of the elements.
    pub gets: Vec<Pattern<'a>>,
    /// Whether the result is stored.
    pub stores: bool,
    /// Whether members of sets are sorted even if that is not asked for.
    pub orders_sets: bool,
    offset: i64,
    /// Negative: all.
    count: i64,
    /// Where the destination is among the arguments.
    destination: Option<usize>,
}

impl<'a> Options<'a> {
    /// Reads them. Patterns are for who may read every key.
    ///
    /// # Errors
    /// The first argument that does not fit.
    pub fn parse(args: Args<'a>, may_store: bool, reads_every_key: bool) -> Result<Options<'a>, Error> {
        let mut options = Options {
            descending: false,
            alpha: false,
            by: None,
            unsorted: false,
            gets: Vec::new(),
            stores: false,
            orders_sets: false,
            offset: 0,
            count: -1,
            destination: None,
        };
        let mut cursor = args.cursor(2);
        while !cursor.is_at_end() {
            if cursor.eat("asc") {
                options.descending = false;
            } else if cursor.eat("desc") {
                options.descending = true;
            } else if cursor.eat("alpha") {
                options.alpha = true;
            } else if cursor.left() >= 3 && cursor.eat("limit") {
                options.offset = integer(cursor.next_arg()?)?;
                options.count = integer(cursor.next_arg()?)?;
            } else if may_store && cursor.eat_with_value("store") {
                (options.stores, options.orders_sets) = (true, true);
                options.destination = Some(cursor.index());
                cursor.next_arg()?;
            } else if cursor.eat_with_value("by") {
                let pattern = Pattern::parse(cursor.next_arg()?);
                if pattern.leads_to_keys() && !reads_every_key {
                    return Err(BY_DENIED);
                }
                options.sort_by(pattern);
            } else if cursor.eat_with_value("get") {
                if !reads_every_key {
                    return Err(GET_DENIED);
                }
                options.gets.push(Pattern::parse(cursor.next_arg()?));
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    /// Once a BY has said that nothing is sorted, no other one changes that.
    fn sort_by(&mut self, pattern: Pattern<'a>) {
        self.unsorted |= !pattern.leads_to_keys();
        self.by = Some(pattern);
    }

    /// Whether the reply follows from the elements alone.
    pub fn is_plain(&self) -> bool {
        let leads_nowhere = |pattern: &Pattern<'_>| !pattern.leads_to_keys();
        !self.stores && !self.unsorted && self.by.iter().chain(&self.gets).all(leads_nowhere)
    }

    /// Whether the reply is the elements, or as many nothings, in the order that they have.
    pub fn is_plain_but_unsorted(&self) -> bool {
        self.unsorted && !self.stores && !self.gets.iter().any(Pattern::leads_to_keys)
    }

    /// The same without the request, if the result follows from the elements alone.
    pub fn without_keys(&self) -> Option<Options<'static>> {
        let of_element = |pattern: &Pattern<'_>| match pattern {
            Pattern::Element => Some(Pattern::Element),
            Pattern::Nothing => Some(Pattern::Nothing),
            Pattern::Key { .. } => None,
        };
        let gets = self.gets.iter().map(of_element).collect::<Option<Vec<_>>>()?;
        // One that leads to no key has said that nothing is sorted, and says nothing else.
        let has_weights = self.by.is_some_and(|pattern| pattern.leads_to_keys());
        (!has_weights).then_some(Options {
            descending: self.descending,
            alpha: self.alpha,
            by: None,
            unsorted: self.unsorted,
            gets,
            stores: self.stores,
            orders_sets: self.orders_sets,
            offset: self.offset,
            count: self.count,
            destination: self.destination,
        })
    }

    /// What a reply that follows from the elements alone shows of each: itself, or nothing.
    pub fn shown(&self) -> Vec<bool> {
        match self.gets.is_empty() {
            true => vec![true],
            false => self.gets.iter().map(|pattern| *pattern == Pattern::Element).collect(),
        }
    }

    /// Which of `len` elements are asked for.
    pub fn window(&self, len: usize) -> Range<usize> {
        let start = usize::try_from(self.offset.max(0)).map_or(len, |offset| offset.min(len));
        let end = usize::try_from(self.count).map_or(len, |count| start.saturating_add(count).min(len));
        start..end
    }
}

/// Whether a request has patterns that lead to other keys.
pub(super) fn has_patterns(args: Args<'_>) -> bool {
    let Ok(options) = Options::parse(args, true, true) else { return false };
    options.by.iter().chain(&options.gets).any(Pattern::leads_to_keys)
}

/// Where the destination of a request is. Of a request that is wrong, COMMAND GETKEYS wants to know it as well.
pub(super) fn destination(args: Args<'_>) -> Option<usize> {
    match Options::parse(args, true, true) {
        Ok(options) => options.destination,
        Err(_) => probable_destination(args),
    }
}

/// The argument after the last STORE that is not the value of another option.
fn probable_destination(args: Args<'_>) -> Option<usize> {
    let (mut index, mut found) = (2, None);
    while index < args.len() {
        if args.is(index, "store") && index + 1 < args.len() {
            found = Some(index + 1);
        }
        let values = [("limit", 2), ("get", 1), ("by", 1)];
        index += 1 + values.iter().find(|(word, _)| args.is(index, word)).map_or(0, |(_, count)| *count);
    }
    found
}
