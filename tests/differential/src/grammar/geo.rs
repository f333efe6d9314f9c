//! Places on the earth.

use super::{Known, Rule};
use crate::compare::Tolerance::Unordered;

pub(super) const RULES: &[Rule] = &[
    Rule::new("GEOADD key [NX|XX] [CH] (longitude latitude member)...").weight(60),
    Rule::new("ZADD key score member").weight(3),
    Rule::new("ZREM key member").weight(3),
    Rule::new("GEODIST key member member [unit]"),
    Rule::new("GEOHASH key member...").weight(5),
    Rule::new("GEOPOS key member...").weight(5).only(Known::Redis),
    Rule::new("GEOSEARCH key (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS distance unit|BYBOX distance distance unit) [ASC|DESC] [COUNT small [ANY]] [WITHDIST] [WITHHASH]").weight(30).tolerance(Unordered),
    Rule::new("GEOSEARCH key FROMLONLAT longitude latitude BYRADIUS distance unit WITHCOORD").only(Known::Redis),
    Rule::new("GEOSEARCH key BYPOLYGON 3 longitude latitude longitude latitude longitude latitude [ASC|DESC] [WITHDIST]").only(Known::Valkey),
    Rule::new("GEOSEARCHSTORE key key (FROMMEMBER member|FROMLONLAT longitude latitude) (BYRADIUS distance unit|BYBOX distance distance unit) [ASC|DESC] [COUNT small] [STOREDIST]"),
    Rule::new("GEORADIUS key longitude latitude distance unit [WITHDIST] [WITHHASH] [ASC|DESC] [COUNT small [ANY]]").tolerance(Unordered),
    Rule::new("GEORADIUS key longitude latitude distance unit [STORE key|STOREDIST key]").weight(5),
    Rule::new("GEORADIUS_RO key longitude latitude distance unit [ASC|DESC]").weight(3).tolerance(Unordered),
    Rule::new("GEORADIUSBYMEMBER key member distance unit [WITHDIST] [WITHHASH] [ASC|DESC] [COUNT small [ANY]] [STORE key|STOREDIST key]").tolerance(Unordered),
    Rule::new("GEORADIUSBYMEMBER_RO key member distance unit [WITHDIST]").weight(3).tolerance(Unordered),
];
