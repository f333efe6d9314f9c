//! A range of members as the commands of the family write it, read in one place.
//!
//! ZRANGE has options for everything; its older relatives settle by their name what the range is of and in which direction
//! it is walked. Where that is downwards, bounds by score or by bytes are written from the highest to the lowest.

use std::ops::Range;

use ochre_types::zset::{Direction, LexRange, ScoreRange, ZSet, limit_ranks, ranks_of_indices};

use crate::call::{Args, Cursor, integer};
use crate::error::{Error, SYNTAX};

/// The bounds of a range of scores.
///
/// # Errors
/// `ERR min or max is not a float`.
pub(super) fn score_range(min: &[u8], max: &[u8]) -> Result<ScoreRange, Error> {
    ScoreRange::parse(min, max).ok_or(Error::new("ERR min or max is not a float"))
}

/// The bounds of a range of members by their bytes.
///
/// # Errors
/// `ERR min or max not valid string range item`.
pub(super) fn lex_range<'a>(min: &'a [u8], max: &'a [u8]) -> Result<LexRange<'a>, Error> {
    LexRange::parse(min, max).ok_or(Error::new("ERR min or max not valid string range item"))
}

/// What a range is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Index,
    Score,
    Lex,
}

/// What the name of a command settles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// What the range is of, if no option may say it.
    pub(super) by: Option<By>,
    /// The direction, if no option may say it.
    pub(super) direction: Option<Direction>,
    /// Whether WITHSCORES may be asked for.
    pub(super) may_have_scores: bool,
}

#[derive(Clone, Copy, Debug)]
enum Bounds<'a> {
    Indices(i64, i64),
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

/// A range that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    bounds: Bounds<'a>,
    limit: Option<(i64, i64)>,
    /// The direction to walk in.
    pub(super) direction: Direction,
    /// Whether scores are wanted.
    pub(super) with_scores: bool,
}

/// The options behind the bounds.
struct Options {
    form: Form,
    by: Option<By>,
    direction: Option<Direction>,
    limit: Option<(i64, i64)>,
    with_scores: bool,
}

impl Options {
    fn parse(mut cursor: Cursor<'_>, form: Form) -> Result<Options, Error> {
        let Form { by, direction, .. } = form;
        let mut options = Options { form, by, direction, limit: None, with_scores: false };
        while !cursor.is_at_end() {
            options.parse_one(&mut cursor)?;
        }
        options.check()?;
        Ok(options)
    }

    fn parse_one(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        if self.form.may_have_scores && cursor.eat("WITHSCORES") {
            self.with_scores = true;
        } else if cursor.left() >= 3 && cursor.eat("LIMIT") {
            self.limit = Some((cursor.next_i64()?, cursor.next_i64()?));
        } else if self.direction.is_none() && cursor.eat("REV") {
            self.direction = Some(Direction::Descending);
        } else if self.by.is_none() && cursor.eat("BYLEX") {
            self.by = Some(By::Lex);
        } else if self.by.is_none() && cursor.eat("BYSCORE") {
            self.by = Some(By::Score);
        } else {
            return Err(SYNTAX);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let by = self.by();
        // A limit that leaves all is not noticed.
        if by == By::Index && self.limit.is_some_and(|(_, count)| count != -1) {
            return Err(Error::new(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if by == By::Lex && self.with_scores {
            return Err(Error::new("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        Ok(())
    }

    fn by(&self) -> By {
        self.by.unwrap_or(By::Index)
    }
}

impl<'a> Query<'a> {
    /// Whether indexes were asked for, so that the number of members is known before they are looked at.
    pub(super) fn is_by_index(&self) -> bool {
        matches!(self.bounds, Bounds::Indices(..))
    }

    /// Reads bounds from an index on, and the options behind them.
    pub(super) fn parse(args: Args<'a>, first: usize, form: Form) -> Result<Query<'a>, Error> {
        let options = Options::parse(args.cursor(first + 2), form)?;
        let direction = options.direction.unwrap_or_default();
        let (start, stop) = (args.at(first), args.at(first + 1));
        let (min, max) = if direction == Direction::Descending { (stop, start) } else { (start, stop) };
        let bounds = match options.by() {
            By::Index => Bounds::Indices(integer(start)?, integer(stop)?),
            By::Score => Bounds::Scores(score_range(min, max)?),
            By::Lex => Bounds::Members(lex_range(min, max)?),
        };
        Ok(Query { bounds, limit: options.limit, direction, with_scores: options.with_scores })
    }

    /// The ranks it means in a sorted set.
    pub(super) fn ranks(&self, zset: &ZSet) -> Range<usize> {
        let ranks = match &self.bounds {
            Bounds::Indices(start, stop) => {
                return ranks_of_indices(*start, *stop, zset.len(), self.direction);
            }
            Bounds::Scores(range) => zset.ranks_of_scores(range),
            Bounds::Members(range) => zset.ranks_of_members(range, self.direction),
        };
        match self.limit {
            Some((offset, count)) => limit_ranks(ranks, offset, count, self.direction),
            None => ranks,
        }
    }
}
