//! Finding places, and replying or storing them.
//!
//! Results come in the order in which the cells around the centre are searched, and by score within each; they are sorted
//! by distance if that is asked for, or if only the nearest are wanted. Places whose distances are the same keep the order in
//! which they were found.

use ochre_keyspace::{Key, event_class};
use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;
use ochre_types::zset::{Direction, ScoreRange, ZSet, ZSetGatherer};
use ochre_types::{Position, Shape, push_distance, score_ranges};
use std::ops::Bound;

use super::request::{Form, Order, Request};
use crate::call::Call;
use crate::error::{Error, SYNTAX};
use crate::family::reply_item::reply_item;

/// A place that was found.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    member: Item<'a>,
    score: f64,
    position: Position,
    distance_m: f64,
}

/// Runs a command that searches.
pub(super) fn search(call: &mut Call<'_, '_>, form: Form) -> Result<(), Error> {
    let (db, source) = (call.db(), source_of(call, form)?);
    let zset = call.view.read_as::<ZSet>(db, source)?;
    let request = Request::parse(call.args, form, zset)?;
    let shape = request.shape();
    let found = match (zset, &shape) {
        (Some(zset), Some(shape)) => find(zset, shape, &request),
        _ => Vec::new(),
    };
    let unit_m = shape.as_ref().map_or(1.0, |shape| shape.unit.metres());
    match request.destination {
        Some(destination) => {
            let result = gather(&found, unit_m, request.stores_distances);
            store(call, destination, result, form)
        }
        None => {
            reply(&mut call.reply, &found, unit_m, &request);
            Ok(())
        }
    }
}

/// The key with the places.
fn source_of<'c>(call: &Call<'c, '_>, form: Form) -> Result<Key<'c>, Error> {
    call.keys.get(form.source_at() - 1).copied().ok_or(SYNTAX)
}

fn find<'a>(zset: &'a ZSet, shape: &Shape, request: &Request<'_>) -> Vec<Found<'a>> {
    let enough = request.count.filter(|_| request.any).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for range in score_ranges(shape) {
        let range =
            ScoreRange { min: Bound::Included(range.start as f64), max: Bound::Excluded(range.end as f64) };
        let members = zset.range(zset.ranks_of_scores(&range), Direction::Ascending);
        let within = members.filter_map(|(member, score)| {
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
    let details = [request.with_distances, request.with_scores, request.with_positions];
    let details = details.into_iter().filter(|wanted| *wanted).count();
    reply.array(found.len());
    let mut distance = Vec::with_capacity(24);
    for place in found {
        if details > 0 {
            reply.array(1 + details);
        }
        reply_item(reply, place.member);
        if request.with_distances {
            distance.clear();
            push_distance(&mut distance, place.distance_m / unit_m);
            reply.bulk(&distance);
        }
        if request.with_scores {
            reply.integer(place.score as i64);
        }
        if request.with_positions {
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

fn store(call: &mut Call<'_, '_>, name: &[u8], mut result: ZSet, form: Form) -> Result<(), Error> {
    let key = call.keys.iter().find(|key| key.bytes == name).copied().ok_or(SYNTAX)?;
    let event = if form == Form::SearchAndStore { "geosearchstore" } else { "georadiusstore" };
    result.make_small(&call.engine.settings.zset_limits());
    let len = result.len();
    call.view.store(call.client.db, key, result, (event_class::ZSET, event));
    call.view.changed_more(key, len.saturating_sub(1));
    call.reply.integer(len as i64);
    Ok(())
}
