//! Places on the earth: sorted sets whose scores are positions.
//!
//! What a position is, and which scores an area covers, is `ochre_types`'s; the keys are sorted sets like any other. All
//! commands that search are one: `request` reads what is asked for, `search` finds it, `radius` and `area` say how
//! each of them is written.

mod add;
mod area;
mod places;
mod radius;
mod request;
mod search;
#[cfg(test)]
mod tests;

use ochre_types::{Position, parse_f64};

use crate::call::Cursor;
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::error::{Error, NOT_A_FLOAT};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    add::GEOADD,
    places::GEODIST,
    places::GEOHASH,
    places::GEOPOS,
    radius::GEORADIUS,
    radius::GEORADIUSBYMEMBER,
    radius::GEORADIUSBYMEMBER_RO,
    radius::GEORADIUS_RO,
    area::GEOSEARCH,
    area::GEOSEARCHSTORE,
];

const BASE: Command = Command { group: Group::Geo, acl: acl::GEO, ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];

const KEY: Arg = Arg::key("key", 0);
const MEMBER: Arg = Arg::new("member", ArgKind::String);
const LONGITUDE: Arg = Arg::new("longitude", ArgKind::Double);
const LATITUDE: Arg = Arg::new("latitude", ArgKind::Double);
const RADIUS: Arg = Arg::new("radius", ArgKind::Double);
const UNIT: Arg = Arg::one_of(
    "unit",
    &[Arg::word("m", "M"), Arg::word("km", "KM"), Arg::word("ft", "FT"), Arg::word("mi", "MI")],
);
const ORDER: Arg = Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional();
const COUNT: Arg = Arg::new("count", ArgKind::Integer).token("COUNT");
const ANY: Arg = Arg::word("any", "ANY").optional();
const WITHCOORD: Arg = Arg::word("withcoord", "WITHCOORD").optional();
const WITHDIST: Arg = Arg::word("withdist", "WITHDIST").optional();
const WITHHASH: Arg = Arg::word("withhash", "WITHHASH").optional();

/// Longitude and latitude.
fn next_position(cursor: &mut Cursor<'_>) -> Result<Position, Error> {
    let longitude = parse_f64(cursor.next_arg()?).ok_or(NOT_A_FLOAT)?;
    let latitude = parse_f64(cursor.next_arg()?).ok_or(NOT_A_FLOAT)?;
    Position::new(longitude, latitude).ok_or_else(|| {
        Error::owned(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}"))
    })
}
