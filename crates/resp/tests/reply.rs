//! Replies in both versions, and the doubles in them.

use ochre_resp::{Protocol, ProtocolError, ReplyWriter};
use ochre_types::push_f64;

type Write = fn(&mut ReplyWriter<'_>);

#[allow(clippy::unwrap_used, reason = "a helper of tests")]
fn written(protocol: Protocol, write: impl FnOnce(&mut ReplyWriter<'_>)) -> String {
    let mut out = b"before".to_vec();
    write(&mut ReplyWriter::new(&mut out, protocol));
    String::from_utf8(out.split_off("before".len())).unwrap()
}

#[test]
fn each_reply_in_both_versions() {
    let cases: &[(Write, &str, &str)] = &[
        (|w| w.simple("PONG"), "+PONG\r\n", "+PONG\r\n"),
        (|w| w.simple("a\r\nb"), "+a  b\r\n", "+a  b\r\n"),
        (|w| w.ok(), "+OK\r\n", "+OK\r\n"),
        (|w| w.queued(), "+QUEUED\r\n", "+QUEUED\r\n"),
        (|w| w.error("ERR a\r\nb\r\n"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        (|w| w.error("\n\r"), "-\r\n", "-\r\n"),
        (
            |w| w.protocol_error(&ProtocolError::ExpectedDollar(b'x')),
            "-ERR Protocol error: expected '$', got 'x'\r\n",
            "-ERR Protocol error: expected '$', got 'x'\r\n",
        ),
        (|w| w.integer(-1), ":-1\r\n", ":-1\r\n"),
        (|w| w.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
        (|w| w.bulk(b"a\r\nb"), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"),
        (|w| w.bulk_int(-42), "$3\r\n-42\r\n", "$3\r\n-42\r\n"),
        (|w| w.null(), "$-1\r\n", "_\r\n"),
        (|w| w.null_array(), "*-1\r\n", "_\r\n"),
        (|w| w.array(0), "*0\r\n", "*0\r\n"),
        (|w| w.array(1_000_000), "*1000000\r\n", "*1000000\r\n"),
        (|w| w.map(7), "*14\r\n", "%7\r\n"),
        (|w| w.set(3), "*3\r\n", "~3\r\n"),
        (|w| w.push(3), "*3\r\n", ">3\r\n"),
        (|w| assert_eq!(w.attribute(1), w.protocol() == Protocol::Resp3), "", "|1\r\n"),
        (|w| w.double(3.25), "$4\r\n3.25\r\n", ",3.25\r\n"),
        (|w| w.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
        (|w| w.bulk_double(0.5), "$3\r\n0.5\r\n", "$3\r\n0.5\r\n"),
        (
            |w| w.big_number("-12345678901234567890"),
            "$21\r\n-12345678901234567890\r\n",
            "(-12345678901234567890\r\n",
        ),
        (|w| w.boolean(true), ":1\r\n", "#t\r\n"),
        (|w| w.boolean(false), ":0\r\n", "#f\r\n"),
        (|w| w.verbatim("txt", b"hello"), "$5\r\nhello\r\n", "=9\r\ntxt:hello\r\n"),
        (|w| w.verbatim("m", b""), "$0\r\n\r\n", "=4\r\nm  :\r\n"),
        (|w| w.verbatim("markdown", b"x"), "$1\r\nx\r\n", "=5\r\nmar:x\r\n"),
        (|w| w.raw(b"+A\r\n+B\r\n"), "+A\r\n+B\r\n", "+A\r\n+B\r\n"),
    ];
    for (index, &(write, resp2, resp3)) in cases.iter().enumerate() {
        assert_eq!(written(Protocol::Resp2, write), resp2, "case {index} in RESP2");
        assert_eq!(written(Protocol::Resp3, write), resp3, "case {index} in RESP3");
    }
}

#[test]
fn integers_of_every_width() {
    let mut values = vec![0i64, i64::MAX, i64::MIN];
    for shift in 0..19 {
        let power = 10i64.pow(shift);
        values.extend([power - 1, power, power + 1, -power, -power - 1]);
    }
    values.extend(0..2000);
    for value in values {
        assert_eq!(written(Protocol::Resp2, |w| w.integer(value)), format!(":{value}\r\n"));
        let text = value.to_string();
        let expected = format!("${}\r\n{text}\r\n", text.len());
        assert_eq!(written(Protocol::Resp2, |w| w.bulk_int(value)), expected);
    }
}

#[test]
fn bulk_headers_of_every_width() {
    for len in (0..1200).chain([9_999, 10_000, 99_999, 100_000]) {
        let text = "x".repeat(len);
        assert_eq!(written(Protocol::Resp2, |w| w.bulk(text.as_bytes())), format!("${len}\r\n{text}\r\n"));
    }
}

#[test]
fn deferred_aggregates_may_nest_and_have_any_length() {
    for count in [0, 1, 4, 5, 9, 10, 100, 1000, 12_345] {
        let text = written(Protocol::Resp3, |w| {
            let outer = w.defer_array();
            let map = w.defer_map();
            (0..count).for_each(|_| {
                w.ok();
                w.null();
            });
            w.finish_map(map, count);
            let set = w.defer_set();
            (0..count).for_each(|value| w.integer(value as i64));
            w.finish_set(set, count);
            w.finish_array(outer, 2);
        });
        let integers: String = (0..count).map(|value| format!(":{value}\r\n")).collect();
        let pairs = "+OK\r\n_\r\n".repeat(count);
        assert_eq!(text, format!("*2\r\n%{count}\r\n{pairs}~{count}\r\n{integers}"));
    }
    let text = written(Protocol::Resp2, |w| {
        let map = w.defer_map();
        (0..10).for_each(|_| w.ok());
        w.finish_map(map, 5);
    });
    assert_eq!(text, format!("*10\r\n{}", "+OK\r\n".repeat(10)));
}

#[test]
fn the_version_can_change_in_between() {
    let text = written(Protocol::Resp2, |w| {
        w.null();
        w.set_protocol(Protocol::Resp3);
        w.null();
        assert_eq!((w.len(), w.is_empty()), (6 + 5 + 3, false));
        w.truncate(6 + 5);
    });
    assert_eq!(text, "$-1\r\n");
}

/// Texts as Valkey 9.1 and Redis 8.6 print them.
#[test]
fn doubles_are_printed_as_peers_print_them() {
    let cases: &[(f64, &str)] = &[
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-1.5, "-1.5"),
        (1234.5678, "1234.5678"),
        (1e17, "100000000000000000"),
        (4611686018427387904.0, "4611686018427387904"),
        (4611686018427388928.0, "4611686018427389000"),
        (9223372036854775807.0, "9223372036854776000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e20, "1e+20"),
        (1e21, "1e+21"),
        (1e300, "1e+300"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN, "-1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (1.25e-10, "1.25e-10"),
        (0.000012345, "1.2345e-5"),
        (-4611686018427388928.0, "-4611686018427389000"),
        // Neither the shortest nor the nearest text, but the one Grisu2 finds.
        (-1.547182503134182e-78, "-1.5471825031341819e-78"),
        (1626983080611305.8, "1626983080611305.7"),
        (1.7976931348623157e100, "1.7976931348623157e+100"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (-f64::NAN, "nan"),
    ];
    for &(value, text) in cases {
        let mut out = Vec::new();
        push_f64(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

#[test]
fn doubles_read_back_as_the_same_number() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    for _ in 0..100_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let value = f64::from_bits(state);
        if !value.is_finite() {
            continue;
        }
        let mut out = Vec::new();
        push_f64(&mut out, value);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.parse(), Ok(value), "{text}");
        assert!(text.len() <= 25, "{text}");
    }
}
