//! The arguments: small pools in which collisions, boundaries and wrong types are frequent.
//!
//! Two rules keep two servers comparable. A relative time is either not positive or so long that no key expires within
//! a run, and drawn from so many that two are hardly ever equal (the servers execute at instants milliseconds apart).
//! And nothing grows without bound: lengths and offsets stay below a few thousand bytes, or jump beyond the limit that
//! a server refuses.

use crate::random::Random;

/// Keys that commands use; few, so that commands meet.
pub const KEYS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"d",
    b"key:1",
    b"key:2",
    b"{tag}1",
    b"{tag}2",
    b"",
    b"\x00\xff\r\n",
    b"long-key-that-does-not-fit-inline-0123456789",
];

const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "10",
    "100",
    "-100",
    "9999",
    "10000",
    "32767",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775806",
    "9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
];

const NOT_INTEGERS: &[&str] = &[
    "",
    " ",
    "abc",
    "1.0",
    "1.5",
    "+1",
    " 1",
    "1 ",
    "01",
    "-0",
    "--1",
    "0x10",
    "1e3",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "99999999999999999999999999",
    "1\0",
    "\u{661}",
];

const FLOATS: &[&str] = &[
    "0",
    "1",
    "-1",
    "0.1",
    "0.2",
    "-0.5",
    "3.14159",
    "1.5e3",
    "5.0e3",
    "1e-7",
    "1e17",
    "1e18",
    "123456789.123456789",
    "0.30000000000000004",
    "-0",
    "1e300",
    "9223372036854775807",
    "1e-300",
    "100.0",
    ".5",
    "5.",
    "1.7976931348623157e308",
];

const NOT_FLOATS: &[&str] = &[
    "", " ", "nan", "inf", "-inf", "+inf", "infinity", "abc", " 1.5", "1.5 ", "1.5x", "1e", "1e5000",
    "-1e5000", "0x1p3", "1,5", "1\0",
];

/// Lengths at which representations change.
const LENGTHS: &[usize] =
    &[0, 1, 2, 7, 8, 11, 12, 19, 20, 21, 43, 44, 45, 63, 64, 65, 127, 128, 255, 256, 1000, 2047];

/// Words that no command knows, and words that some do: bait for option parsers.
const WORDS: &[&str] = &[
    "NX",
    "XX",
    "GT",
    "LT",
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "KEEPTTL",
    "PERSIST",
    "GET",
    "REPLACE",
    "DB",
    "MATCH",
    "COUNT",
    "TYPE",
    "IFEQ",
    "IFNE",
    "LEN",
    "IDX",
    "WITHMATCHLEN",
    "MINMATCHLEN",
    "SYNC",
    "ASYNC",
    "SAMPLES",
    "FIELDS",
    "nosuchword",
    "FNX",
    "BYINT",
    "STORE",
    "LIMIT",
    "WEIGHTS",
    "(1",
    "+",
    "-",
    "*",
    "$",
    "0",
];

const PATTERNS: &[&str] = &[
    "*", "", "a", "?", "key:*", "{tag}*", "[a-c]", "[^a]", "*1", "\\*", "[", "[a", "a*b*c*d*", "*****",
    "[z-a]", "\\",
];

const SCORES: &[&str] =
    &["0", "1", "2", "3", "-1", "1.5", "2.5", "10", "inf", "-inf", "1e300", "-1e-7", "0.1", "4294967296"];

const SCORE_BOUNDS: &[&str] = &[
    "-inf", "+inf", "(1", "1", "(0", "0", "2.5", "(2.5", "(-inf", "(inf", "10", "(10", "-1", "x", "(", "nan",
];

const LEX_BOUNDS: &[&str] =
    &["-", "+", "-", "+", "[a", "(a", "[b", "(b", "[c", "(abc", "[", "(", "[1", "(2", "[zz", "a", "", "[\0"];

const LONGITUDES: &[&str] =
    &["0", "13.361389", "15.087269", "-122.4", "179.99", "-180", "180", "181", "x", "nan"];

const LATITUDES: &[&str] =
    &["0", "38.115556", "37.502669", "-33.9", "66.6", "81", "-85.05112878", "85.06", "x", "inf"];

const DISTANCES: &[&str] =
    &["0", "1", "100", "200", "1000.5", "5000", "20000", "1e7", "1e9", "-1", "x", "0.001", "inf"];
/// What SORT makes of elements; some lead to keys that are there.
const SORT_PATTERNS: &[&str] =
    &["*", "key:*", "{tag}*", "*->f1", "key:*->f2", "#", "nosuch*", "nosort", "*->", "key:*x", "->*", ""];

/// Appends an argument (some classes: several) of `class` to `arguments`. Panics on an unknown class: classes are
/// constants of this crate, and a test draws from all that the grammar names.
pub fn argument(class: &str, random: &mut Random, arguments: &mut Vec<Vec<u8>>) {
    let one: Vec<u8> = match class {
        "key" => random.pick(KEYS).to_vec(),
        "value" => value(random),
        "integer" => integer(random),
        "small" => text(random.below(12) as i64 - 2),
        "float" => float(random),
        "index" => index(random),
        "offset" => offset(random),
        "bitoffset" => bit_offset(random),
        "fieldtype" => field_type(random),
        "fieldoffset" => match random.below(3) {
            0 => [b"#", &text(random.below(20) as i64)[..]].concat(),
            _ => bit_offset(random),
        },
        "bit" => text(random.below(3) as i64),
        "seconds" => relative_time(random, 1),
        "milliseconds" => relative_time(random, 1000),
        "unixseconds" => absolute_time(random, 1),
        "unixmilliseconds" => absolute_time(random, 1000),
        "db" => random.pick(&["0", "1", "2", "3", "0", "1", "15", "16", "-1", "x"]).as_bytes().to_vec(),
        "protocol" => random.pick(&["2", "3", "2", "3", "1", "4", "x", ""]).as_bytes().to_vec(),
        "pattern" => random.pick(PATTERNS).as_bytes().to_vec(),
        "word" => word(random),
        "name" => random
            .pick(&["client-1", "x", "", "with blank", "new\nline", "tab\t", "\u{e4}", "lib(1.0)"])
            .as_bytes()
            .to_vec(),
        "type" => random
            .pick(&["string", "list", "set", "zset", "hash", "stream", "STRING", "nosuch", ""])
            .as_bytes()
            .to_vec(),
        "streamid" => stream_id(random),
        "newid" => new_stream_id(random),
        "bound" => stream_bound(random),
        "group" => random.pick(&["g1", "g1", "g2", ""]).as_bytes().to_vec(),
        "consumer" => random.pick(&["c1", "c2", "c3", ""]).as_bytes().to_vec(),
        "digest" => digest(random),
        "command" => random.pick(COMMANDS).as_bytes().to_vec(),
        "parameter" => random.pick(crate::grammar::CONFIG_PARAMETERS).0.as_bytes().to_vec(),
        "setting" => return setting(random, arguments),
        "configpattern" => config_pattern(random),
        "member" => member(random),
        "weight" => weight(random),
        "sortkey" => random.pick(&["sort:1", "sort:2", "sort:3"]).as_bytes().to_vec(),
        "lexkey" => random.pick(&["lex:1", "lex:2", "lex:3"]).as_bytes().to_vec(),
        "score" => score(random),
        "scorebound" => score_bound(random),
        "lexbound" => random.pick(LEX_BOUNDS).as_bytes().to_vec(),
        "longitude" => coordinate(random, LONGITUDES),
        "latitude" => coordinate(random, LATITUDES),
        "distance" => random.pick(DISTANCES).as_bytes().to_vec(),
        "unit" => random.pick(&["m", "km", "mi", "ft", "KM", "yd"]).as_bytes().to_vec(),
        "sortpattern" => random.pick(SORT_PATTERNS).as_bytes().to_vec(),
        "user" => random.pick(&["u1", "u2", "u3"]).as_bytes().to_vec(),
        "aclrule" => acl_rule(random),
        "script" => crate::scripts::script(random),
        "scriptdigest" => crate::scripts::digest(random),
        "library" => crate::scripts::library(random),
        "libraryname" => random.pick(&["one", "two", "three", "t*", ""]).as_bytes().to_vec(),
        "function" => random.pick(&["f", "g", "h", "F", "nosuch"]).as_bytes().to_vec(),
        "payload" => crate::payload::payload(random),
        "field" => random.pick(&["f1", "f2", "f3", ""]).as_bytes().to_vec(),
        _ => panic!("the grammar names an unknown class of arguments: {class}"),
    };
    arguments.push(one);
}

/// A rule of ACL SETUSER; one in eight is a selector of several.
fn acl_rule(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => {
            let rules: Vec<Vec<u8>> = (0..random.below(4)).map(|_| simple_acl_rule(random)).collect();
            [b"(", rules.join(&b' ').as_slice(), b")"].concat()
        }
        1 | 2 => {
            let sign = *random.pick(&["~", "%R~", "%W~", "%rw~", "&"]);
            [sign, *random.pick(PATTERNS)].concat().into_bytes()
        }
        _ => simple_acl_rule(random),
    }
}

fn simple_acl_rule(random: &mut Random) -> Vec<u8> {
    let rules: Vec<&str> = ACL_RULES.split(' ').collect();
    random.pick(&rules).as_bytes().to_vec()
}

/// Rules that mean the same to every server: what is in a category may differ, but not that it is there.
const ACL_RULES: &str = "on off ON nopass resetpass reset >p1 >p2 <p1 #bad !bad allkeys resetkeys ~* ~key:* ~{tag}* %R~* %W~* \
     %R~key:* %W~key:* %RW~key:1 %RR~x %~x %R allchannels resetchannels &* &c &c* +@all -@all allcommands \
     nocommands +get +GET -get +set -set +del +incr -incr +config -config +config|get -config|get \
     +config|set -config|set +client -client|id +client|list +select|0 +select|1 -select +get|x -get|x \
     +config|x +config|get|x +nosuch -nosuch +@nosuch + - +@read -@read +@write -@write +@string -@string \
     +@admin -@admin +@dangerous -@dangerous +@connection -@connection +@fast -@slow clearselectors \
     nosuch ) ( sanitize-payload skip-sanitize-payload";

/// Anything at all, for mutations.
pub fn junk(random: &mut Random) -> Vec<u8> {
    match random.below(9) {
        0 => integer(random),
        1 => float(random),
        2 => value(random),
        3 | 4 => random.pick(WORDS).as_bytes().to_vec(),
        5 => random.pick(KEYS).to_vec(),
        6 => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
        7 => {
            let length = random.below(20);
            random.bytes(length)
        }
        _ => Vec::new(),
    }
}

const COMMANDS: &[&str] = &[
    "get",
    "SET",
    "mset",
    "Del",
    "ping",
    "multi",
    "exec",
    "expire",
    "copy",
    "rename",
    "lcs",
    "object",
    "object|encoding",
    "config|get",
    "CLIENT",
    "nosuch",
    "",
    "get|x",
    "config|nosuch",
    "msetex",
    "scan",
    "keys",
    "command",
    "hello",
    "eval",
    "lmpop",
    "zunionstore",
    "xread",
    "sort",
    "migrate",
    "sintercard",
    "memory|usage",
    "select",
    "bitop",
];

fn text(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0..=2 => random.pick(&["x", "hello", "Hello World", "foo", "foobar"]).as_bytes().to_vec(),
        3 | 4 => integer(random),
        5 => float(random),
        6 => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
        7 => {
            let letter = *random.pick(b"ab0\0\xff");
            vec![letter; *random.pick(LENGTHS)]
        }
        8 => {
            let length = *random.pick(LENGTHS) % 70;
            random.bytes(length)
        }
        _ => Vec::new(),
    }
}

/// Members of sets: so few that sets have many in common.
fn member(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0..=4 => text(random.below(16) as i64 - 4),
        5..=8 => vec![b'a' + random.below(12) as u8],
        9 => random.pick(&["100000", "-40000", "5000000000", "member:10", "member:11"]).as_bytes().to_vec(),
        10 => format!("a member that is longer than most others: {}", random.below(4)).into_bytes(),
        _ => value(random),
    }
}

/// What SORT takes for a number, mostly.
fn weight(random: &mut Random) -> Vec<u8> {
    match random.below(24) {
        0..=15 => text(random.below(20) as i64 - 8),
        16..=22 => random.pick(FLOATS).as_bytes().to_vec(),
        _ => random.pick(&["inf", "-inf", "", "+3", "-infinity", "a"]).as_bytes().to_vec(),
    }
}

fn integer(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0..=4 => random.pick(INTEGERS).as_bytes().to_vec(),
        5 | 6 => text(random.bits() as i64 >> random.below(64)),
        _ => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
    }
}

fn float(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0..=4 => random.pick(FLOATS).as_bytes().to_vec(),
        5 | 6 => {
            format!("{}.{}", random.bits() as i32 >> random.below(32), random.below(100_000)).into_bytes()
        }
        _ => random.pick(NOT_FLOATS).as_bytes().to_vec(),
    }
}

fn score(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0..=4 => random.pick(SCORES).as_bytes().to_vec(),
        5 | 6 => text(random.below(20) as i64 - 5),
        _ => float(random),
    }
}

fn score_bound(random: &mut Random) -> Vec<u8> {
    if random.one_in(3) { score(random) } else { random.pick(SCORE_BOUNDS).as_bytes().to_vec() }
}

fn coordinate(random: &mut Random, known: &[&str]) -> Vec<u8> {
    match random.below(6) {
        0..=2 => random.pick(known).as_bytes().to_vec(),
        _ => format!("{}.{}", random.below(160) as i64 - 80, random.below(1_000_000)).into_bytes(),
    }
}

fn index(random: &mut Random) -> Vec<u8> {
    if random.one_in(6) { integer(random) } else { text(random.below(24) as i64 - 12) }
}

/// Positions to write at: small, or beyond the limit of 512 MB, never in between.
fn offset(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => random
            .pick(&["536870912", "536870913", "4294967295", "9223372036854775807", "-1"])
            .as_bytes()
            .to_vec(),
        1 => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
        2 => text(*random.pick(LENGTHS) as i64),
        _ => text(random.below(50) as i64),
    }
}

/// Positions of bits: small, or beyond the limit of 512 MB, never in between.
fn bit_offset(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => random
            .pick(&["4294967296", "4294967297", "9223372036854775807", "-1", "#", "#0", "#-1"])
            .as_bytes()
            .to_vec(),
        1 => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
        2 => text(random.below(20_000) as i64),
        _ => text(random.below(100) as i64),
    }
}

fn field_type(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => random
            .pick(&["i0", "u0", "i65", "u64", "u65", "I8", "u", "i", "8", "", "u08", "u-1"])
            .as_bytes()
            .to_vec(),
        1 => random.pick(&["i64", "u63", "i1", "u1"]).as_bytes().to_vec(),
        2..=6 => [b"i", &text(1 + random.below(64) as i64)[..]].concat(),
        _ => [b"u", &text(1 + random.below(63) as i64)[..]].concat(),
    }
}

/// The shortest positive relative time in seconds that a generated command holds.
pub const FAR_SECONDS: i64 = 30_000_000;

fn relative_time(random: &mut Random, units_per_second: i64) -> Vec<u8> {
    match random.below(10) {
        0 => random.pick(&["0", "-1", "-100", "-9223372036854775808"]).as_bytes().to_vec(),
        1 => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
        2 => random
            .pick(&["9223372036854775807", "9223372036854774807", "-9223372036854775"])
            .as_bytes()
            .to_vec(),
        3 => text(9_223_370_000_000_000 - far(random)),
        _ => text(far(random) * units_per_second),
    }
}

/// A relative time far enough away, hardly ever the same twice.
pub fn far(random: &mut Random) -> i64 {
    FAR_SECONDS + (random.bits() >> 32) as i64
}

fn absolute_time(random: &mut Random, units_per_second: i64) -> Vec<u8> {
    match random.below(10) {
        0 | 1 => {
            random.pick(&["0", "-1", "1", "1000", "-9223372036854775808", "1700000000"]).as_bytes().to_vec()
        }
        2 => random.pick(NOT_INTEGERS).as_bytes().to_vec(),
        3 => {
            random.pick(&["9223372036854775807", "9223372036854775", "9223372036854776"]).as_bytes().to_vec()
        }
        4 => text(4_102_444_800 * units_per_second),
        _ => text((4_102_444_800 + (random.bits() >> 40) as i64) * units_per_second),
    }
}

fn word(random: &mut Random) -> Vec<u8> {
    random.pick(WORDS).as_bytes().to_vec()
}

/// IDs of entries that may be there: of few times, most of them of the one at which all sequences end up.
fn stream_id(random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0 => random
            .pick(&[
                "0-0",
                "18446744073709551615-18446744073709551615",
                "18446744073709551615",
                "-",
                "+",
                "5-",
                "5-*",
                "*5",
            ])
            .as_bytes()
            .to_vec(),
        1 => integer(random),
        2..=5 => text(random.below(20) as i64),
        6 | 7 => format!("{}-{}", random.below(20), random.below(3)).into_bytes(),
        _ => format!("20-{}", random.below(40)).into_bytes(),
    }
}

/// IDs for new entries, most of which are greater than the last one.
fn new_stream_id(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => stream_id(random),
        1 | 2 => text(random.below(20) as i64),
        3 => format!("{}-*", random.below(20)).into_bytes(),
        _ => b"20-*".to_vec(),
    }
}

fn stream_bound(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => b"-".to_vec(),
        1 => b"+".to_vec(),
        2 => [b"(", &stream_id(random)[..]].concat(),
        _ => stream_id(random),
    }
}

fn digest(random: &mut Random) -> Vec<u8> {
    // The first is the digest of "Hello World"; the others are well and badly formed ones of nothing in particular.
    random
        .pick(&["e34615aade2e6333", "0000000000000000", "E34615AADE2E6333", "zzzzzzzzzzzzzzzz", "123", ""])
        .as_bytes()
        .to_vec()
}

fn setting(random: &mut Random, arguments: &mut Vec<Vec<u8>>) {
    let (name, values) = random.pick(crate::grammar::CONFIG_PARAMETERS);
    arguments.push(name.as_bytes().to_vec());
    let value = if random.one_in(5) { junk(random) } else { random.pick(values).as_bytes().to_vec() };
    arguments.push(value);
}

fn config_pattern(random: &mut Random) -> Vec<u8> {
    let (name, _) = random.pick(crate::grammar::CONFIG_PARAMETERS);
    match random.below(4) {
        0 => name.to_ascii_uppercase().into_bytes(),
        1 => random.pick(&["nosuch", "", "[", "hz*no", "nosuch*"]).as_bytes().to_vec(),
        _ => name.as_bytes().to_vec(),
    }
}
