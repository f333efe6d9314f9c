//! What is known of single places: where they are, how far from each other.

use ochre_types::zset::ZSet;
use ochre_types::{DistanceUnit, geohash_text, push_distance};

use super::request::unit;
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::SYNTAX;

pub(super) const GEOPOS: Command = Command {
    name: "geopos",
    summary: "Returns longitude and latitude of places.",
    since: "3.2.0",
    complexity: "O(1) for each place asked for.",
    arity: -2,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, MEMBER.optional().multiple()],
    handler: geopos,
    ..BASE
};

fn geopos(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let zset = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?;
    call.reply.array(call.args.len() - 2);
    for member in call.args.from(2) {
        match zset.and_then(|zset| zset.score(member)).map(Position::of_score) {
            Some(position) => {
                call.reply.array(2);
                call.reply.double(position.longitude);
                call.reply.double(position.latitude);
            }
            None => call.reply.null_array(),
        }
    }
    Ok(())
}

pub(super) const GEOHASH: Command = Command {
    name: "geohash",
    summary: "Returns places as geohashes, texts that other programs know.",
    since: "3.2.0",
    complexity: "O(1) for each place asked for.",
    arity: -2,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, MEMBER.optional().multiple()],
    handler: geohash,
    ..BASE
};

fn geohash(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let zset = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?;
    call.reply.array(call.args.len() - 2);
    for member in call.args.from(2) {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => call.reply.bulk(&geohash_text(score)),
            None => call.reply.null(),
        }
    }
    Ok(())
}

pub(super) const GEODIST: Command = Command {
    name: "geodist",
    summary: "Returns the distance between two places.",
    since: "3.2.0",
    arity: -4,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, Arg::new("member1", ArgKind::String), Arg::new("member2", ArgKind::String), UNIT.optional()],
    handler: geodist,
    ..BASE
};

fn geodist(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let unit = match call.args.len() {
        4 => DistanceUnit::Metres,
        5 => unit(call.args.at(4))?,
        _ => return Err(SYNTAX),
    };
    let zset = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?;
    let place = |index| zset.and_then(|zset| zset.score(call.args.at(index))).map(Position::of_score);
    match (place(2), place(3)) {
        (Some(from), Some(to)) => {
            let mut text = Vec::with_capacity(24);
            push_distance(&mut text, from.distance_m(to) / unit.metres());
            call.reply.bulk(&text);
        }
        _ => call.reply.null(),
    }
    Ok(())
}
