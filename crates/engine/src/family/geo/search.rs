//! Finding places, and replying or storing them.
//!
//! Results come in the order in which the cells around the centre are searched, and by score within each; they are sorted
//! by distance if that is asked for, or if only the nearest are wanted. Places whose distances are the same keep the order in
//! which they were found.

use std::ops::{Bound, Range};

use ochre_keyspace::{Key, event_class};
use ochre_resp::{Protocol, ReplyWriter};
use ochre_types::listpack::Item;
use ochre_types::zset::{Direction, ScoreRange, ZSet, ZSetGatherer, ZSetIter, ZSetLimits};
use ochre_types::{Position, Shape, push_distance, score_ranges};

use super::request::{Form, Order, Request};
use crate::call::Call;
use crate::error::{Error, SYNTAX};
use crate::family::pieces::Pieces;
use crate::family::reply_item::reply_item;
use crate::sequel::ELEMENTS_AT_ONCE;

/// A place that was found.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    member: Item<'a>,
    score: f64,
    position: Position,
    distance_m: f64,
}

/// So many places are looked at in one go.
const PLACES_AT_ONCE: usize = ELEMENTS_AT_ONCE;

/// Runs a command that searches.
pub(super) fn search(call: &mut Call<'_, '_>, form: Form) -> Result<(), Error> {
    let (db, source) = (call.db(), source_of(call, form)?);
    let zset = call.view.read_as::<ZSet>(db, source)?;
    let request = Request::parse(call.args, form, zset)?;
    let shape = request.shape();
    let found = match (zset, &shape) {
        (Some(zset), Some(shape)) if are_many(zset, shape, &request) => {
            return search_among_many(call, form, &request, shape);
        }
        (Some(zset), Some(shape)) => find(|range| members(zset, range), shape, &request),
        _ => Vec::new(),
    };
    let unit_m = shape.as_ref().map_or(1.0, |shape| shape.unit.metres());
    match request.destination {
        Some(_) => {
            let result = gather(&found, unit_m, request.stores_distances);
            store(call, &request, result, form)
        }
        None => {
            reply(&mut call.reply, &found, unit_m, &request);
            Ok(())
        }
    }
}

/// Whether so many places are to be looked at that it takes long. Where any few will do, they are soon found.
fn are_many(zset: &ZSet, shape: &Shape, request: &Request<'_>) -> bool {
    let are_few_wanted = request.any && request.count.is_some_and(|count| count <= PLACES_AT_ONCE);
    if zset.len() <= PLACES_AT_ONCE || are_few_wanted {
        return false;
    }
    let count = |range: Range<u64>| zset.ranks_of_scores(&scores(&range)).len();
    score_ranges(shape).map(count).sum::<usize>() > PLACES_AT_ONCE
}

/// What becomes of places that were found.
enum Answer {
    Reply(Pieces),
    Stored(ZSet),
}

/// Searches aside (see [`crate::aside`]).
#[cold]
fn search_among_many(
    call: &mut Call<'_, '_>,
    form: Form,
    request: &Request<'_>,
    shape: &Shape,
) -> Result<(), Error> {
    let (db, source) = (call.db(), source_of(call, form)?);
    let stores = request.destination.is_some();
    let (protocol, limits) = (call.reply.protocol(), call.engine.settings.zset_limits());
    let search = Search { request: request.detached(), shape: shape.clone(), stores, protocol, limits };
    let theirs = search.clone();
    let made = call.make(
        if stores { std::slice::from_ref(&source) } else { &[] },
        |call| {
            let pinned = call.view.pin(db, source, ZSet::pin)?;
            Some(Box::new(move || theirs.answer(|range| pinned.range_of_scores(range))))
        },
        |call| {
            let (zset, none) = (call.view.peek_as::<ZSet>(db, source)?, ZSet::new());
            Ok(search.answer(|range| members(zset.unwrap_or(&none), range)))
        },
    )?;
    match made {
        Some(Answer::Reply(found)) => {
            call.reply.array(found.count());
            found.reply(call);
            Ok(())
        }
        Some(Answer::Stored(result)) => store(call, request, result, form),
        None => Ok(()),
    }
}

/// A search with all that it takes.
#[derive(Clone)]
struct Search {
    request: Request<'static>,
    shape: Shape,
    stores: bool,
    protocol: Protocol,
    limits: ZSetLimits,
}

impl Search {
    fn answer<'a>(&self, members: impl Fn(&ScoreRange) -> ZSetIter<'a>) -> Answer {
        let found = find(members, &self.shape, &self.request);
        let unit_m = self.shape.unit.metres();
        if self.stores {
            let mut result = gather(&found, unit_m, self.request.stores_distances);
            result.make_small(&self.limits);
            return Answer::Stored(result);
        }
        let (mut pieces, mut shown) = (Pieces::new(self.protocol), Shown::of(&self.request, unit_m));
        found.iter().for_each(|place| pieces.add(|reply| shown.add(reply, place)));
        Answer::Reply(pieces)
    }
}

/// The key with the places.
fn source_of<'c>(call: &Call<'c, '_>, form: Form) -> Result<Key<'c>, Error> {
    call.keys.get(form.source_at() - 1).copied().ok_or(SYNTAX)
}

fn scores(range: &Range<u64>) -> ScoreRange {
    ScoreRange { min: Bound::Included(range.start as f64), max: Bound::Excluded(range.end as f64) }
}

fn members<'a>(zset: &'a ZSet, range: &ScoreRange) -> ZSetIter<'a> {
    zset.range(zset.ranks_of_scores(range), Direction::Ascending)
}

/// Places among those that have scores in a range, as `members` shows them.
fn find<'a>(
    members: impl Fn(&ScoreRange) -> ZSetIter<'a>,
    shape: &Shape,
    request: &Request<'_>,
) -> Vec<Found<'a>> {
    let enough = request.count.filter(|_| request.any).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for range in score_ranges(shape) {
        let within = members(&scores(&range)).filter_map(|(member, score)| {
            let position = Position::of_score(score);
            let distance_m = shape.distance_within_m(position)?;
            Some(Found { member, score, position, distance_m })
        });
        found.extend(within.take(enough - found.len()));
    }
    select(&mut found, request);
    found
}

/// Puts results in order and leaves as many as are wanted.
fn select(found: &mut Vec<Found<'_>>, request: &Request<'_>) {
    // The nearest are meant if nothing is said.
    let nearest = (request.count.is_some() && !request.any).then_some(Order::Nearest);
    let wanted = request.count.unwrap_or(found.len()).min(found.len());
    if let Some(order) = request.order.or(nearest) {
        let compare = |a: &Found<'_>, b: &Found<'_>| match order {
            Order::Nearest => a.distance_m.total_cmp(&b.distance_m),
            Order::Farthest => b.distance_m.total_cmp(&a.distance_m),
        };
        // Of many results few are wanted as a rule.
        if wanted > 0 && wanted < found.len() / 4 {
            found.select_nth_unstable_by(wanted - 1, compare);
            found.truncate(wanted);
        }
        found.sort_by(compare);
    }
    found.truncate(wanted);
}

fn reply(reply: &mut ReplyWriter<'_>, found: &[Found<'_>], unit_m: f64, request: &Request<'_>) {
    let mut shown = Shown::of(request, unit_m);
    reply.array(found.len());
    found.iter().for_each(|place| shown.add(reply, place));
}

/// What is shown of each place.
struct Shown<'r> {
    request: &'r Request<'r>,
    /// How much that is besides the member.
    details: usize,
    unit_m: f64,
    distance: Vec<u8>,
}

impl<'r> Shown<'r> {
    fn of(request: &'r Request<'r>, unit_m: f64) -> Shown<'r> {
        let details = [request.with_distances, request.with_scores, request.with_positions];
        let details = details.into_iter().filter(|wanted| *wanted).count();
        Shown { request, details, unit_m, distance: Vec::with_capacity(24) }
    }

    fn add(&mut self, reply: &mut ReplyWriter<'_>, place: &Found<'_>) {
        if self.details > 0 {
            reply.array(1 + self.details);
        }
        reply_item(reply, place.member);
        if self.request.with_distances {
            self.distance.clear();
            push_distance(&mut self.distance, place.distance_m / self.unit_m);
            reply.bulk(&self.distance);
        }
        if self.request.with_scores {
            reply.integer(place.score as i64);
        }
        if self.request.with_positions {
            reply.array(2);
            reply.double(place.position.longitude);
            reply.double(place.position.latitude);
        }
    }
}

fn gather(found: &[Found<'_>], unit_m: f64, distances: bool) -> ZSet {
    let mut gathered = ZSetGatherer::new(found.len());
    for place in found {
        let score = if distances { place.distance_m / unit_m } else { place.score };
        place.member.with_bytes(|member| gathered.add(member, score));
    }
    gathered.finish()
}

fn store(call: &mut Call<'_, '_>, request: &Request<'_>, mut result: ZSet, form: Form) -> Result<(), Error> {
    let is_destination = |key: &&Key<'_>| request.destination == Some(key.bytes);
    let key = call.keys.iter().find(is_destination).copied().ok_or(SYNTAX)?;
    let event = if form == Form::SearchAndStore { "geosearchstore" } else { "georadiusstore" };
    result.make_small(&call.engine.settings.zset_limits());
    let len = result.len();
    call.view.store(call.client.db, key, result, (event_class::ZSET, event));
    call.view.changed_more(key, len.saturating_sub(1));
    call.reply.integer(len as i64);
    Ok(())
}
