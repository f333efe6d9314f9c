//! GEOSEARCH and GEOSEARCHSTORE.

use super::request::Form;
use super::search::search;
use super::*;
use crate::command::flags;

const FROM: Arg = Arg::one_of(
    "from",
    &[MEMBER.token("FROMMEMBER"), Arg::block("fromlonlat", &[LONGITUDE, LATITUDE]).token("FROMLONLAT")],
)
.optional();

const BY: Arg = Arg::one_of(
    "by",
    &[
        Arg::block("circle", &[RADIUS.token("BYRADIUS"), UNIT]),
        Arg::block(
            "box",
            &[Arg::new("width", ArgKind::Double).token("BYBOX"), Arg::new("height", ArgKind::Double), UNIT],
        ),
        Arg::block(
            "polygon",
            &[
                Arg::new("num-vertices", ArgKind::Integer).token("BYPOLYGON"),
                Arg::block("vertices", &[LONGITUDE, LATITUDE]).multiple(),
            ],
        )
        .since("9.0.0"),
    ],
);

const COUNT_ANY: Arg = Arg::block("count-block", &[COUNT, ANY]).optional();

const SEARCH: Command = Command {
    since: "6.2.0",
    complexity: "O(N+log(M)), N being the number of places in the cells of the grid around the area and M that of those \
                 in the area.",
    history: &[("7.0.0", "Units may be written in capitals."), ("9.0.0", "The option `BYPOLYGON` came.")],
    ..BASE
};

pub(super) const GEOSEARCH: Command = Command {
    name: "geosearch",
    summary: "Returns the places within a circle, a box or a polygon.",
    arity: -7,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, FROM, BY, ORDER, COUNT_ANY, WITHCOORD, WITHDIST, WITHHASH],
    handler: |call| search(call, Form::Search),
    ..SEARCH
};

pub(super) const GEOSEARCHSTORE: Command = Command {
    name: "geosearchstore",
    summary: "Stores the places within a circle, a box or a polygon in another key.",
    arity: -8,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[
        KeySpec::first(key_flags::OW | key_flags::UPDATE),
        KeySpec::at(2, key_flags::RO | key_flags::ACCESS),
    ],
    args: &[
        Arg::key("destination", 0),
        Arg::key("source", 1),
        FROM,
        BY,
        ORDER,
        COUNT_ANY,
        Arg::word("storedist", "STOREDIST").optional(),
    ],
    handler: |call| search(call, Form::SearchAndStore),
    ..SEARCH
};
