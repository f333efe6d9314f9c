//! Requests: each case as a whole, cut at every byte, and byte by byte.

use ochre_resp::{Limits, Progress, ProtocolError, RequestParser, Span, encode_request, split_args};

/// What came out of a stream: its requests, how it went on, and how much of it was consumed.
#[derive(Debug, PartialEq)]
struct Outcome {
    requests: Vec<Vec<Vec<u8>>>,
    error: Option<ProtocolError>,
    consumed: usize,
    idle: bool,
}

/// Feeds `pieces` the way a connection does: append, parse until nothing is complete.
fn run<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Outcome {
    let mut parser = RequestParser::default();
    let mut outcome = Outcome { requests: vec![], error: None, consumed: 0, idle: true };
    let mut received = Vec::new();
    let mut spans = vec![Span { start: 7, len: 7 }];
    for piece in pieces {
        received.extend_from_slice(piece);
        loop {
            let input = &received[outcome.consumed..];
            let before = spans.len();
            let progress = match parser.parse(input, limits, &mut spans) {
                Ok(progress) => progress,
                Err(error) => {
                    assert_eq!(spans.len(), before, "spans of a refused request");
                    outcome.error = Some(error);
                    return outcome;
                }
            };
            match progress {
                Progress::Complete { consumed } => {
                    let args: Vec<_> = spans[before..].iter().map(|span| span.of(input).to_vec()).collect();
                    assert!(!args.is_empty());
                    outcome.requests.push(args);
                    outcome.consumed += consumed;
                }
                Progress::Inline { consumed, args } => {
                    assert_eq!(spans.len(), before);
                    if !args.is_empty() {
                        outcome.requests.push(args);
                    }
                    outcome.consumed += consumed;
                }
                Progress::Empty { consumed } => outcome.consumed += consumed,
                Progress::Incomplete { missing } => {
                    assert!(missing > 0);
                    assert_eq!(spans.len(), before, "spans of an incomplete request");
                    assert_eq!(parser.is_idle(), input.is_empty());
                    break;
                }
            }
            assert!(parser.is_idle());
            assert_eq!(spans[0], Span { start: 7, len: 7 });
        }
    }
    outcome.idle = parser.is_idle();
    outcome
}

/// Runs `stream` whole, cut in two at every byte, and byte by byte, and expects the same each time.
fn run_cut(stream: &[u8], limits: &Limits) -> Outcome {
    let whole = run([stream], limits);
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert_eq!(run([head, tail], limits), whole, "{} cut at {cut}", stream.escape_ascii());
    }
    assert_eq!(run(stream.chunks(1), limits), whole, "{} byte by byte", stream.escape_ascii());
    whole
}

const PING: &str = "*1\r\n$4\r\nPING\r\n";

#[test]
fn complete_streams_become_requests() {
    let long = "v".repeat(12_345);
    let cases: &[(String, &[&[&str]])] = &[
        (PING.into(), &[&["PING"]]),
        (format!("{PING}{PING}"), &[&["PING"], &["PING"]]),
        ("*2\r\n$3\r\nGET\r\n$0\r\n\r\n".into(), &[&["GET", ""]]),
        ("*1\r\n$0\r\n\r\n".into(), &[&[""]]),
        ("*1\r\n$1\r\nx\r\n".into(), &[&["x"]]),
        ("*2\r\n$2\r\n\r\n\r\n$4\r\n$1\r\n\r\n".into(), &[&["\r\n", "$1\r\n"]]),
        ("*3\r\n$3\r\nSET\r\n$10\r\n0123456789\r\n$1\r\n*\r\n".into(), &[&["SET", "0123456789", "*"]]),
        (format!("*0\r\n{PING}"), &[&["PING"]]),
        (format!("*-1\r\n{PING}"), &[&["PING"]]),
        (format!("*-9223372036854775808\r\n{PING}"), &[&["PING"]]),
        (format!("PING\r\n{PING}"), &[&["PING"], &["PING"]]),
        (format!("PING\n{PING}"), &[&["PING"], &["PING"]]),
        (format!("\r\n\n  \t\r\n{PING}"), &[&["PING"]]),
        (format!("\r\r\n{PING}"), &[&["PING"]]),
        ("PING\r\r\n".into(), &[&["PING"]]),
        ("ECHO a\rb\r\n".into(), &[&["ECHO", "a", "b"]]),
        ("ECHO \"a b\" '' \u{b}c\u{b}\r\n".into(), &[&["ECHO", "a b", "", "c\u{b}"]]),
        ("$4\r\n".into(), &[&["$4"]]),
        (format!("*1\r\n$12345\r\n{long}\r\n"), &[&[&long]]),
    ];
    for (stream, expected) in cases {
        let limits = Limits::default();
        let outcome = if stream.len() < 1000 {
            run_cut(stream.as_bytes(), &limits)
        } else {
            run(stream.as_bytes().chunks(1), &limits)
        };
        let expected: Vec<Vec<Vec<u8>>> =
            expected.iter().map(|args| args.iter().map(|arg| arg.as_bytes().to_vec()).collect()).collect();
        assert_eq!(outcome.requests, expected, "{stream:?}");
        assert_eq!(outcome.error, None, "{stream:?}");
        assert_eq!(outcome.consumed, stream.len(), "{stream:?}");
        assert!(outcome.idle, "{stream:?}");
    }
}

#[test]
fn header_lengths_on_both_sides_of_the_short_form() {
    for len in [0, 1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 16_384, 100_000] {
        for count in [1, 2, 9, 10, 11, 1000] {
            if len * count > 200_000 {
                continue;
            }
            let args = vec![vec![b'\r'; len]; count];
            let mut stream = Vec::new();
            encode_request(&mut stream, &args);
            let outcome = run([&stream[..]], &Limits::default());
            assert_eq!(outcome.requests, [args], "{count} of {len}");
            assert_eq!(outcome.consumed, stream.len());
        }
    }
}

#[test]
fn malformed_streams_get_the_peers_errors() {
    use ProtocolError::*;
    let cases: &[(&[u8], ProtocolError)] = &[
        (b"*1\rx", InvalidCrlf),
        (b"*x\rx", InvalidCrlf),
        (b"*1\r\n$4\rx", InvalidCrlf),
        (b"*1\r\n$x\rx", InvalidCrlf),
        (b"*1\r\n$4\r\nPINGxx", InvalidCrlf),
        (b"*1\r\n$4\r\nPING\r\r", InvalidCrlf),
        (b"*1\r\n$4\r\nPING\n\n", InvalidCrlf),
        (b"*\r\n", InvalidMultibulkLength),
        (b"*+1\r\n", InvalidMultibulkLength),
        (b"*01\r\n", InvalidMultibulkLength),
        (b"*00\r\n", InvalidMultibulkLength),
        (b"*-0\r\n", InvalidMultibulkLength),
        (b"*-01\r\n", InvalidMultibulkLength),
        (b"*01\r\n$4\r\nPING\r\n", InvalidMultibulkLength),
        (b"* 1\r\n", InvalidMultibulkLength),
        (b"*1 \r\n$4\r\nPING\r\n", InvalidMultibulkLength),
        (b"*1\n$4\r\nPING\r\n", InvalidMultibulkLength),
        (b"*2147483648\r\n", InvalidMultibulkLength),
        (b"*9223372036854775808\r\n", InvalidMultibulkLength),
        (b"*-9223372036854775809\r\n", InvalidMultibulkLength),
        (b"*1\r\n$\r\n", InvalidBulkLength),
        (b"*1\r\n$-1\r\n", InvalidBulkLength),
        (b"*1\r\n$-0\r\n", InvalidBulkLength),
        (b"*1\r\n$+4\r\nPING\r\n", InvalidBulkLength),
        (b"*1\r\n$04\r\nPING\r\n", InvalidBulkLength),
        (b"*1\r\n$4x\r\nPING\r\n", InvalidBulkLength),
        (b"*1\r\n$536870913\r\n", InvalidBulkLength),
        (b"*1\r\n$18446744073709551617\r\n", InvalidBulkLength),
        (b"*2\r\n$1\r\na\r\n$-1\r\n", InvalidBulkLength),
        (b"*1\r\n+4\r\nPING\r\n", ExpectedDollar(b'+')),
        (b"*1\r\n\r\n", ExpectedDollar(b'\r')),
        (b"*1\r\n\n\r\n", ExpectedDollar(b'\n')),
        (b"*1\r\n\x00\r\n", ExpectedDollar(0)),
        (b"*1\r\n\xff\rx", ExpectedDollar(0xff)),
        (b"*2\r\n$1\r\na\r\n#1\r\n", ExpectedDollar(b'#')),
        (b"\"PING\r\n", UnbalancedQuotes),
        (b"ECHO 'a\n", UnbalancedQuotes),
    ];
    for &(stream, error) in cases {
        let outcome = run_cut(stream, &Limits::default());
        assert_eq!(outcome.error, Some(error), "{}", stream.escape_ascii());
        assert_eq!(outcome.requests, Vec::<Vec<Vec<u8>>>::new());
    }
}

#[test]
fn unfinished_streams_wait() {
    let cases: &[&[u8]] = &[
        b"",
        b"*",
        b"*1",
        b"*1\r",
        b"*1\n$4\nPING\n",
        b"*2147483647\r\n",
        b"*1\r\n",
        b"*1\r\n#",
        b"*1\r\n#\r",
        b"*1\r\n$4\r",
        b"*1\r\n$536870912\r\n",
        b"*1\r\n$4\r\nPING",
        b"*1\r\n$4\r\nPINGx",
        b"PING",
        b"\r",
        b"\"PING",
        b"PING\0\r\n",
        b"\0\r\nPING\r\n",
    ];
    for &stream in cases {
        let outcome = run_cut(stream, &Limits::default());
        assert_eq!((outcome.error, outcome.consumed), (None, 0), "{}", stream.escape_ascii());
        assert_eq!(outcome.idle, stream.is_empty());
    }
}

#[test]
fn lines_without_end_are_refused_above_the_limit() {
    use ProtocolError::*;
    let cases: &[(&[u8], u8, ProtocolError)] = &[
        (b"*", b'1', MultibulkHeaderTooBig),
        (b"*1\r\n$", b'1', BulkHeaderTooBig),
        (b"*1\r\n", b'x', BulkHeaderTooBig),
        (b"", b'a', InlineTooBig),
        (b"", 0, InlineTooBig),
    ];
    for &(head, fill, error) in cases {
        let line_start = head.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut stream = head.to_vec();
        stream.resize(line_start + Limits::INLINE_LEN_MAX, fill);
        assert_eq!(run([&stream[..]], &Limits::default()).error, None, "{}", head.escape_ascii());
        stream.push(fill);
        for piece in [1, 16_384, stream.len()] {
            let outcome = run(stream.chunks(piece), &Limits::default());
            assert_eq!(outcome.error, Some(error), "{} by {piece}", head.escape_ascii());
        }
    }
    // The limit is for lines whose end has not arrived.
    let line = format!("ECHO {}\r\n", "a".repeat(70_000));
    assert_eq!(run([line.as_bytes()], &Limits::default()).requests.len(), 1);
}

#[test]
fn clients_that_have_not_authenticated_get_little() {
    use ProtocolError::*;
    let limits = Limits::new(Limits::BULK_LEN_MAX, false);
    let cases: &[(&[u8], Option<ProtocolError>)] = &[
        (b"*10\r\n", None),
        (b"*11\r\n", Some(UnauthenticatedMultibulkLength)),
        (b"*2147483648\r\n", Some(InvalidMultibulkLength)),
        (b"*1\r\n$16384\r\n", None),
        (b"*1\r\n$16385\r\n", Some(UnauthenticatedBulkLength)),
        (b"*1\r\n$536870913\r\n", Some(InvalidBulkLength)),
        (b"*0\r\n", None),
    ];
    for &(stream, error) in cases {
        assert_eq!(run_cut(stream, &limits).error, error, "{}", stream.escape_ascii());
    }
}

#[test]
fn errors_have_the_peers_texts() {
    use ProtocolError::*;
    let cases: &[(ProtocolError, &[u8])] = &[
        (MultibulkHeaderTooBig, b"Protocol error: too big mbulk count string"),
        (InvalidMultibulkLength, b"Protocol error: invalid multibulk length"),
        (UnauthenticatedMultibulkLength, b"Protocol error: unauthenticated multibulk length"),
        (BulkHeaderTooBig, b"Protocol error: too big bulk count string"),
        (ExpectedDollar(b'+'), b"Protocol error: expected '$', got '+'"),
        (ExpectedDollar(b'\r'), b"Protocol error: expected '$', got ' '"),
        (ExpectedDollar(0), b"Protocol error: expected '$', got '\0'"),
        (ExpectedDollar(0xff), b"Protocol error: expected '$', got '\xff'"),
        (InvalidBulkLength, b"Protocol error: invalid bulk length"),
        (UnauthenticatedBulkLength, b"Protocol error: unauthenticated bulk length"),
        (InlineTooBig, b"Protocol error: too big inline request"),
        (UnbalancedQuotes, b"Protocol error: unbalanced quotes in request"),
        (InvalidCrlf, b"Protocol error: invalid CRLF in request"),
    ];
    for &(error, text) in cases {
        let mut out = Vec::new();
        error.append_to(&mut out);
        assert_eq!(out, text);
        if text.is_ascii() {
            assert_eq!(error.to_string().as_bytes(), text);
        }
    }
}

#[test]
fn a_request_in_pieces_is_not_read_again() {
    // What lies before the resume point may change without anyone noticing.
    let mut parser = RequestParser::default();
    let mut spans = Vec::new();
    let limits = Limits::default();
    let mut input = b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$5\r\nhe".to_vec();
    let progress = parser.parse(&input, &limits, &mut spans).unwrap();
    assert_eq!(progress, Progress::Incomplete { missing: 5 });
    assert_eq!((parser.arguments_received(), parser.arguments_missing()), (2, 1));
    input[1..18].fill(b'?');
    input.extend_from_slice(b"llo\r\n");
    let progress = parser.parse(&input, &limits, &mut spans).unwrap();
    assert_eq!(progress, Progress::Complete { consumed: input.len() });
    assert_eq!(spans, [(8, 1), (15, 1), (22, 5)].map(|(start, len)| Span { start, len }));
    assert!(parser.is_idle());
}

#[test]
fn announced_numbers_reserve_nothing() {
    let mut parser = RequestParser::default();
    let mut spans = Vec::new();
    let input = b"*2147483647\r\n$0\r\n\r\n$536870912\r\n";
    parser.parse(input, &Limits::default(), &mut spans).unwrap();
    assert!(parser.memory_bytes() <= 64, "{}", parser.memory_bytes());
    parser.reset();
    assert!(parser.is_idle());
    assert_eq!((parser.arguments_received(), parser.arguments_missing()), (0, 0));
}

#[test]
fn a_shorter_input_than_before_is_only_incomplete() {
    let mut parser = RequestParser::default();
    let mut spans = Vec::new();
    let limits = Limits::default();
    parser.parse(b"*2\r\n$1\r\na\r\n$5\r\nx", &limits, &mut spans).unwrap();
    for input in [&b""[..], b"*", b"*2\r\n"] {
        let progress = parser.parse(input, &limits, &mut spans);
        assert!(matches!(progress, Ok(Progress::Incomplete { .. })), "{progress:?}");
    }
}

/// A small generator, so that the cases are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn random_requests_survive_random_cuts() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..300 {
        let requests: Vec<Vec<Vec<u8>>> = (0..random.below(6))
            .map(|_| {
                (0..1 + random.below(12))
                    .map(|_| {
                        let len = [0, 1, 7, 100, 2000][random.below(5)];
                        (0..len).map(|_| b"\r\n$*0x"[random.below(6)]).collect()
                    })
                    .collect()
            })
            .collect();
        let mut stream = Vec::new();
        requests.iter().for_each(|args| encode_request(&mut stream, args));
        let mut pieces = Vec::new();
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random.below(rest.len().min(300)));
            pieces.push(piece);
            rest = after;
        }
        let outcome = run(pieces, &Limits::default());
        assert_eq!(outcome.requests, requests);
        assert!(outcome.idle && outcome.error.is_none());
    }
}

#[test]
fn random_bytes_never_panic_and_never_depend_on_cuts() {
    const BYTES: &[u8] = b"\r\n\r\n**$$01234-+ '\"\\x\0a";
    let mut random = Random(42);
    let limits = Limits { inline_len_max: 1 << 20, ..Limits::default() };
    for _ in 0..20_000 {
        let stream: Vec<u8> = (0..random.below(24)).map(|_| BYTES[random.below(BYTES.len())]).collect();
        let whole = run([&stream[..]], &limits);
        assert_eq!(run(stream.chunks(1), &limits), whole, "{}", stream.escape_ascii());
        assert_eq!(run(stream.chunks(3), &limits), whole, "{}", stream.escape_ascii());
    }
}

#[test]
fn lines_split_like_a_shell_would() {
    type Args = &'static [&'static [u8]];
    let cases: &[(&[u8], Option<Args>)] = &[
        (b"", Some(&[])),
        (b" \t\r\n\x0b\x0c", Some(&[])),
        (b"a  b\tc\rd\ne", Some(&[b"a", b"b", b"c", b"d", b"e"])),
        (b"a\x0bb a\x0cb", Some(&[b"a\x0bb", b"a\x0cb"])),
        (b"\x0ba", Some(&[b"a"])),
        (b"\xa0\x85x", Some(&[b"\xa0\x85x"])),
        (b"'' \"\"", Some(&[b"", b""])),
        (br#""a\x41\n\r\t\b\a\q\"\\\xZZ\x4""#, Some(&[b"aA\n\r\t\x08\x07q\"\\xZZx4"])),
        (br#""\xff\xAb\x00""#, Some(&[b"\xff\xab\0"])),
        (br"'a\nb\'c'", Some(&[br"a\nb'c"])),
        (br"a\nb", Some(&[br"a\nb"])),
        (b"a\"b c\"d'e f'", Some(&[b"ab cde f"])),
        (b"\"a\nb\"", Some(&[b"a\nb"])),
        (b"a b\0c d", Some(&[b"a", b"b"])),
        (b"\"a", None),
        (b"'a", None),
        (b"a \"", None),
        (br#""a\""#, None),
        (br"'a\'", None),
        (br#""a\"#, None),
        (br#""\x4"#, None),
        (b"\"a\0\"", None),
        (b"'a\0'", None),
    ];
    for &(line, expected) in cases {
        let args = split_args(line);
        let args: Option<Vec<&[u8]>> = args.as_ref().map(|args| args.iter().map(Vec::as_slice).collect());
        assert_eq!(args.as_deref(), expected, "{}", line.escape_ascii());
    }
}
