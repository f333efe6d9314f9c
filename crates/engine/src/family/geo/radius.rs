//! GEORADIUS and its relatives, which GEOSEARCH has made superfluous.

use super::request::Form;
use super::search::search;
use super::*;
use crate::command::{Begin, Find, flags};

const STORE: Arg = Arg::one_of(
    "store",
    &[
        Arg::key("storekey", 1).display("key").token("STORE"),
        Arg::key("storedistkey", 2).display("key").token("STOREDIST"),
    ],
)
.optional();

/// The keys behind a word that says where to store. Only the last of such words counts, whichever it is, but the others'
/// keys are locked and checked as well, as in Redis.
const fn stored_at(word: &'static str, from: u16) -> KeySpec {
    KeySpec {
        begin: Begin::EachKeyword { word, from },
        find: Find::Range { last: 0, step: 1, limit: 0 },
        flags: key_flags::OW | key_flags::UPDATE,
        notes: "",
    }
}

const SOURCE: KeySpec = KeySpec::first(key_flags::RO | key_flags::ACCESS);

const COUNT_ANY: Arg = Arg::block("count-block", &[COUNT, ANY]).optional();
const COUNT_LATER_ANY: Arg = Arg::block("count-block", &[COUNT, ANY.since("6.2.0")]).optional();

const RADIUS_SEARCH: Command = Command {
    since: "3.2.0",
    complexity: "O(N+log(M)), N being the number of places in the square around the circle and M that of all places.",
    history: &[
        ("6.2.0", "The option `ANY` of `COUNT` came."),
        ("7.0.0", "Units may be written in capitals."),
    ],
    ..BASE
};

pub(super) const GEORADIUS: Command = Command {
    name: "georadius",
    summary: "Returns the places within a circle around a position, or stores them.",
    arity: -6,
    flags: flags::WRITE | flags::DENYOOM | flags::MOVABLE_KEYS,
    keys: &[SOURCE, stored_at("STORE", 6), stored_at("STOREDIST", 6)],
    args: &[
        KEY,
        LONGITUDE,
        LATITUDE,
        RADIUS,
        UNIT,
        WITHCOORD,
        WITHDIST,
        WITHHASH,
        COUNT_LATER_ANY,
        ORDER,
        STORE,
    ],
    deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")),
    handler: |call| search(call, Form::Radius { stores: true }),
    ..RADIUS_SEARCH
};

pub(super) const GEORADIUS_RO: Command = Command {
    name: "georadius_ro",
    summary: "Returns the places within a circle around a position.",
    since: "3.2.10",
    arity: -6,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, LONGITUDE, LATITUDE, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT_LATER_ANY, ORDER],
    deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
    handler: |call| search(call, Form::Radius { stores: false }),
    ..RADIUS_SEARCH
};

pub(super) const GEORADIUSBYMEMBER: Command = Command {
    name: "georadiusbymember",
    summary: "Returns the places within a circle around one of them, or stores them.",
    arity: -5,
    flags: flags::WRITE | flags::DENYOOM | flags::MOVABLE_KEYS,
    keys: &[SOURCE, stored_at("STORE", 5), stored_at("STOREDIST", 5)],
    args: &[KEY, MEMBER, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT_ANY, ORDER, STORE],
    deprecated: Some((
        "6.2.0",
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    )),
    handler: |call| search(call, Form::RadiusByMember { stores: true }),
    ..RADIUS_SEARCH
};

pub(super) const GEORADIUSBYMEMBER_RO: Command = Command {
    name: "georadiusbymember_ro",
    summary: "Returns the places within a circle around one of them.",
    since: "3.2.10",
    arity: -5,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, MEMBER, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT_ANY, ORDER],
    deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")),
    handler: |call| search(call, Form::RadiusByMember { stores: false }),
    ..RADIUS_SEARCH
};
