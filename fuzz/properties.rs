//! What must hold for any bytes. A violation panics.

#![allow(dead_code, reason = "each target uses one of these")]

use ochre_config::{Config, NoFiles};
use ochre_resp::{Limits, Progress, ReplyLimits, ReplyParser, RequestParser, Span, skip_reply};
use ochre_types::{Case, glob_match};

/// Limits that small inputs can reach.
const LIMITS: Limits =
    Limits { multibulk_len_max: 64, bulk_len_max: 512, inline_len_max: 128, authenticated: true };

/// What a parser made of a stream: the requests, and how it ended.
#[derive(Debug, PartialEq, Eq, Default)]
struct Parsed {
    requests: Vec<Vec<Vec<u8>>>,
    error: Option<String>,
}

/// Requests come out the same whether the bytes arrive at once or in pieces; arguments keep to the limits.
pub fn request(input: &[u8]) {
    let whole = parse_requests(input, input.len().max(1));
    for piece in [1, 3] {
        let parsed = parse_requests(input, piece);
        // A line above the limit passes only if its end is already there.
        if parsed.error.as_ref().is_some_and(|error| error.contains("too big")) {
            assert!(whole.requests.starts_with(&parsed.requests), "in pieces of {piece}");
        } else {
            assert_eq!(parsed, whole, "in pieces of {piece}");
        }
    }
    for request in &whole.requests {
        assert!(request.len() <= LIMITS.multibulk_len_max as usize || request.len() <= input.len());
        assert!(request.iter().map(Vec::len).sum::<usize>() <= input.len());
    }
}

fn parse_requests(input: &[u8], piece: usize) -> Parsed {
    let (mut parser, mut parsed) = (RequestParser::default(), Parsed::default());
    let (mut start, mut end) = (0, 0);
    let mut spans: Vec<Span> = Vec::new();
    loop {
        spans.clear();
        let received = &input[start..end];
        let consumed = match parser.parse(received, &LIMITS, &mut spans) {
            Err(error) => {
                parsed.error = Some(error.to_string());
                return parsed;
            }
            Ok(Progress::Complete { consumed }) => {
                parsed.requests.push(spans.iter().map(|span| span.of(received).to_vec()).collect());
                consumed
            }
            Ok(Progress::Inline { consumed, args }) => {
                if !args.is_empty() {
                    parsed.requests.push(args);
                }
                consumed
            }
            Ok(Progress::Empty { consumed }) => consumed,
            Ok(Progress::Incomplete { missing }) => {
                assert!(missing > 0 && missing <= LIMITS.bulk_len_max as usize + 2, "{missing} missing");
                assert!(
                    parser.memory_bytes() <= 16 * (received.len() + 64),
                    "memory follows the bytes received"
                );
                if end == input.len() {
                    return parsed;
                }
                end = (end + piece).min(input.len());
                continue;
            }
        };
        assert!(consumed > 0 && consumed <= received.len(), "{consumed} of {}", received.len());
        start += consumed;
    }
}

/// Replies come out the same whether the bytes arrive at once or one by one, and skipping agrees about the first.
pub fn reply(input: &[u8]) {
    let limits = ReplyLimits { depth_max: 16, bulk_len_max: 1 << 16, reply_len_max: 1 << 18 };
    let mut whole = ReplyParser::new(limits);
    whole.feed(input);
    let mut replies = Vec::new();
    while let Ok(Some(reply)) = whole.next_reply() {
        replies.push(reply);
        assert!(replies.len() <= input.len(), "every reply takes bytes");
    }
    let mut pieces = ReplyParser::new(limits);
    let mut count = 0;
    'bytes: for byte in input {
        pieces.feed(std::slice::from_ref(byte));
        loop {
            match pieces.next_reply() {
                Ok(Some(reply)) => {
                    assert_eq!(replies.get(count), Some(&reply));
                    count += 1;
                }
                Ok(None) => break,
                Err(_) => break 'bytes,
            }
        }
    }
    assert_eq!(count, replies.len());
    if let Ok(Some(len)) = skip_reply(input) {
        assert!(len > 0 && len <= input.len(), "{len} of {}", input.len());
    }
}

/// A configuration is refused, or leaves every directive with a value that can be shown and set again.
pub fn config(input: &[u8]) {
    let mut config = Config::new();
    let mut stdin = || Ok(input.to_vec());
    if config.load_args(&[b"-"], false, &mut stdin, &NoFiles).is_err() {
        return;
    }
    for record in ochre_config::TABLE {
        let _ = config.shown(record.id);
    }
}

/// The matcher agrees with the definition of a pattern.
pub fn glob(input: &[u8]) {
    let middle = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len() / 2);
    let (pattern, text) = input.split_at(middle);
    let pattern = &pattern[..pattern.len().min(24)];
    let text = &text[..text.len().min(24)];
    for case in [Case::Sensitive, Case::Insensitive] {
        let found = glob_match(pattern, text, case);
        if pattern.iter().filter(|&&byte| byte == b'*').count() <= 6 {
            let shown = || format!("{} {}", pattern.escape_ascii(), text.escape_ascii());
            assert_eq!(found, glob_by_definition(pattern, text, case), "{}", shown());
        }
    }
}

/// A star matches any number of bytes, all of which are tried; anything else is left to the matcher, one byte at a time.
fn glob_by_definition(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        // Not even a star matches an empty text, unless something came before it.
        return pattern.is_empty();
    }
    tail_by_definition(pattern, text, case)
}

fn tail_by_definition(pattern: &[u8], text: &[u8], case: Case) -> bool {
    match (pattern, text) {
        (_, []) => pattern.iter().all(|&byte| byte == b'*'),
        ([], _) => false,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skip| tail_by_definition(rest, &text[skip..], case)),
        (_, [byte, rest @ ..]) => {
            let len = element_len(pattern);
            let element = &pattern[..len];
            glob_match(element, std::slice::from_ref(byte), case)
                && tail_by_definition(&pattern[len..], rest, case)
        }
    }
}

/// The length of the first element of a pattern that does not begin with a star.
fn element_len(pattern: &[u8]) -> usize {
    match pattern {
        [b'\\', _, ..] => 2,
        [b'[', ..] => class_len(pattern),
        _ => 1,
    }
}

fn class_len(pattern: &[u8]) -> usize {
    let mut at = 1 + usize::from(pattern.get(1) == Some(&b'^'));
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b']' => return at + 1,
            b'\\' if at + 1 < pattern.len() => at += 2,
            _ if pattern.get(at + 1) == Some(&b'-') && at + 2 < pattern.len() => at += 3,
            _ => at += 1,
        }
    }
    pattern.len()
}
