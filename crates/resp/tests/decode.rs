//! Decoding replies: tables, cuts at every byte, limits, and what the writer writes.

use ochre_resp::{
    DecodeError, Limits, Progress, Protocol, ReplyLimits, ReplyParser, ReplyWriter, RequestParser, Value,
    encode_request, skip_reply,
};

fn bulk(text: &str) -> Value {
    Value::Bulk(Some(text.into()))
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Value>, DecodeError> {
    let mut parser = ReplyParser::default();
    let mut values = Vec::new();
    for piece in pieces {
        parser.feed(piece);
        while let Some(value) = parser.next_reply()? {
            values.push(value);
        }
    }
    assert!(parser.is_idle());
    assert_eq!(parser.unread(), b"");
    Ok(values)
}

#[test]
fn replies_become_values_wherever_they_are_cut() {
    let cases: &[(&str, Value)] = &[
        ("+OK\r\n", Value::Simple("OK".into())),
        ("-ERR no\r\n", Value::Error("ERR no".into())),
        ("!6\r\nERR a\n\r\n", Value::Error("ERR a\n".into())),
        (":-7\r\n", Value::Integer(-7)),
        ("$0\r\n\r\n", bulk("")),
        ("$4\r\na\r\nb\r\n", bulk("a\r\nb")),
        ("$-1\r\n", Value::Bulk(None)),
        ("*-1\r\n", Value::Array(None)),
        ("_\r\n", Value::Null),
        ("*0\r\n", Value::Array(Some(vec![]))),
        ("*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", {
            let inner = Value::Array(Some(vec![Value::Integer(1)]));
            Value::Array(Some(vec![inner, bulk("x")]))
        }),
        ("%1\r\n+k\r\n*0\r\n", Value::Map(vec![(Value::Simple("k".into()), Value::Array(Some(vec![])))])),
        ("~1\r\n#t\r\n", Value::Set(vec![Value::Boolean(true)])),
        (">1\r\n#f\r\n", Value::Push(vec![Value::Boolean(false)])),
        (",1.5\r\n", Value::Double("1.5".into())),
        (",-inf\r\n", Value::Double("-inf".into())),
        ("(-123\r\n", Value::BigNumber("-123".into())),
        ("=8\r\ntxt:a\r\nb\r\n", Value::Verbatim { format: *b"txt", text: "a\r\nb".into() }),
        (
            "|1\r\n+ttl\r\n:3\r\n*1\r\n:4\r\n",
            Value::Attribute {
                pairs: vec![(Value::Simple("ttl".into()), Value::Integer(3))],
                value: Box::new(Value::Array(Some(vec![Value::Integer(4)]))),
            },
        ),
    ];
    for (reply, value) in cases {
        let stream = format!("{reply}{reply}:0\r\n");
        let expected = Ok(vec![value.clone(), value.clone(), Value::Integer(0)]);
        for cut in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(cut);
            assert_eq!(decode([head, tail]), expected, "{stream:?} cut at {cut}");
        }
        assert_eq!(decode(stream.as_bytes().chunks(1)), expected, "{stream:?}");
        for cut in 0..reply.len() {
            assert_eq!(skip_reply(&reply.as_bytes()[..cut]), Ok(None), "{reply:?} cut at {cut}");
        }
        assert_eq!(skip_reply(stream.as_bytes()), Ok(Some(reply.len())), "{reply:?}");
    }
}

#[test]
fn what_is_no_reply_is_refused() {
    use DecodeError::*;
    let cases: &[(&str, DecodeError)] = &[
        ("OK\r\n", UnknownType(b'O')),
        ("+a\rb", InvalidCrlf),
        (":\r\n", InvalidLine),
        (":1x\r\n", InvalidLine),
        (":9223372036854775808\r\n", InvalidLine),
        ("_x\r\n", InvalidLine),
        ("#x\r\n", InvalidLine),
        (",x\r\n", InvalidLine),
        ("(\r\n", InvalidLine),
        ("(1a\r\n", InvalidLine),
        ("$x\r\n", InvalidLength),
        ("$-2\r\n", InvalidLength),
        ("$?\r\n", InvalidLength),
        ("!-1\r\n", InvalidLength),
        ("*-2\r\n", InvalidLength),
        ("%-1\r\n", InvalidLength),
        ("$1\r\nabc", InvalidCrlf),
        ("=3\r\ntxt\r\n", InvalidLine),
        ("*1\r\nx", UnknownType(b'x')),
    ];
    for &(reply, error) in cases {
        assert_eq!(decode([reply.as_bytes()]), Err(error), "{reply:?}");
        assert_eq!(skip_reply(reply.as_bytes()), Err(error), "{reply:?}");
    }
}

#[test]
fn limits_bound_a_reply() {
    let limits = ReplyLimits { depth_max: 3, bulk_len_max: 10, reply_len_max: 60 };
    let cases: &[(&str, Result<bool, DecodeError>)] = &[
        ("*1\r\n*1\r\n*1\r\n:1\r\n", Ok(true)),
        ("*1\r\n*1\r\n*1\r\n*0\r\n", Err(DecodeError::TooDeep)),
        ("$10\r\n0123456789\r\n", Ok(true)),
        ("$11\r\n", Err(DecodeError::BulkTooLong)),
        ("*99999999999\r\n", Ok(false)),
        ("%9223372036854775807\r\n", Ok(false)),
        ("|9223372036854775807\r\n", Ok(false)),
        ("+", Ok(false)),
    ];
    for &(reply, expected) in cases {
        let mut parser = ReplyParser::new(limits);
        parser.feed(reply.as_bytes());
        assert_eq!(parser.next_reply().map(|value| value.is_some()), expected, "{reply:?}");
    }
    let mut parser = ReplyParser::new(limits);
    parser.feed(format!("*20\r\n{}", ":1\r\n".repeat(20)).as_bytes());
    assert_eq!(parser.next_reply(), Err(DecodeError::ReplyTooLong));
    let mut parser = ReplyParser::new(limits);
    parser.feed("+".repeat(61).as_bytes());
    assert_eq!(parser.next_reply(), Err(DecodeError::ReplyTooLong));
}

#[test]
fn written_replies_are_read_back() {
    let write = |protocol| {
        let mut out = Vec::new();
        let mut writer = ReplyWriter::new(&mut out, protocol);
        writer.map(2);
        writer.bulk(b"k");
        writer.double(2.5);
        writer.simple("n");
        writer.null();
        writer.push(2);
        writer.verbatim("txt", b"hi");
        writer.boolean(true);
        out
    };
    assert_eq!(
        decode([&write(Protocol::Resp3)[..]]).unwrap(),
        [
            Value::Map(vec![
                (bulk("k"), Value::Double("2.5".into())),
                (Value::Simple("n".into()), Value::Null)
            ]),
            Value::Push(vec![Value::Verbatim { format: *b"txt", text: "hi".into() }, Value::Boolean(true)]),
        ]
    );
    assert_eq!(
        decode([&write(Protocol::Resp2)[..]]).unwrap(),
        [
            Value::Array(Some(vec![bulk("k"), bulk("2.5"), Value::Simple("n".into()), Value::Bulk(None)])),
            Value::Array(Some(vec![bulk("hi"), Value::Integer(1)])),
        ]
    );
}

#[test]
fn values_tell_what_they_hold() {
    assert_eq!(bulk("12").as_i64(), Some(12));
    assert_eq!(bulk("1.5").as_f64(), Some(1.5));
    assert_eq!(Value::Double("inf".into()).as_f64(), Some(f64::INFINITY));
    assert_eq!(Value::Integer(3).as_f64(), Some(3.0));
    assert_eq!(Value::Error("ERR 1".into()).as_bytes(), None);
    assert_eq!(Value::Error("ERR 1".into()).as_error(), Some(&b"ERR 1"[..]));
    assert_eq!(Value::Set(vec![Value::Null]).as_elements(), Some(&[Value::Null][..]));
    for null in [Value::Null, Value::Bulk(None), Value::Array(None)] {
        assert!(null.is_null());
    }
    assert!(!bulk("").is_null());
}

#[test]
fn encoded_requests_are_what_the_server_reads() {
    let mut out = Vec::new();
    encode_request(&mut out, &["SET", "key", "a\r\nb"]);
    let mut spans = Vec::new();
    let progress = RequestParser::default().parse(&out, &Limits::default(), &mut spans).unwrap();
    assert_eq!(progress, Progress::Complete { consumed: out.len() });
    let args: Vec<&[u8]> = spans.iter().map(|span| span.of(&out)).collect();
    assert_eq!(args, [&b"SET"[..], b"key", b"a\r\nb"]);
}

#[test]
fn random_bytes_never_panic_and_both_readers_agree() {
    const BYTES: &[u8] = b"\r\n\r\n\r\n*$%|~>_:+-,#(=!01239tf";
    let mut state = 7u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    };
    for _ in 0..30_000 {
        let stream: Vec<u8> = (0..below(32)).map(|_| BYTES[below(BYTES.len())]).collect();
        let mut parser = ReplyParser::default();
        parser.feed(&stream);
        let parsed = parser.next_reply();
        let skipped = skip_reply(&stream);
        match (&parsed, &skipped) {
            (Ok(value), Ok(end)) => assert_eq!(value.is_some(), end.is_some(), "{}", stream.escape_ascii()),
            (Err(parsed), Err(skipped)) => assert_eq!(parsed, skipped),
            // Only the parser knows limits.
            (Err(DecodeError::BulkTooLong), Ok(None)) => {}
            _ => panic!("{parsed:?} but {skipped:?} for {}", stream.escape_ascii()),
        }
    }
}
