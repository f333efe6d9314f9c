//! Commands as text: what a report prints, a reproducer file holds and an exception's pattern matches.
//!
//! The notation is that of the interactive client: words apart by blanks, quoted where a byte asks for it, with
//! `\xHH`, `\r`, `\n`, `\t`, `\"` and `\\` inside quotes. Every byte string survives the way there and back.

use std::fmt::Write;

/// Shows one argument, quoted when it must be.
pub fn quote(argument: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'#');
    if !argument.is_empty() && argument.iter().all(plain) {
        return String::from_utf8_lossy(argument).into_owned();
    }
    format!("\"{}\"", escape(argument))
}

/// Shows bytes on one line, without quotes.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(byte as char),
            _ => write!(text, "\\x{byte:02x}").unwrap_or_default(),
        }
    }
    text
}

/// Shows a whole command.
pub fn show(arguments: &[Vec<u8>]) -> String {
    arguments.iter().map(|argument| quote(argument)).collect::<Vec<_>>().join(" ")
}

/// Cuts `text` after about `limit` characters and says how long it was.
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}... ({} characters)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

/// Reads what [`show`] wrote. `None` when a quote stays open or an escape is malformed.
pub fn parse(line: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = line.trim_start().as_bytes();
    let mut arguments = Vec::new();
    while !rest.is_empty() {
        let (argument, after) = if rest[0] == b'"' { quoted(&rest[1..])? } else { word(rest) };
        arguments.push(argument);
        rest = after.trim_ascii_start();
    }
    Some(arguments)
}

fn word(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (text[..end].to_vec(), &text[end..])
}

/// The bytes up to the closing quote, and what follows it.
fn quoted(mut text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut bytes = Vec::new();
    loop {
        match text {
            [b'"', rest @ ..] => return Some((bytes, rest)),
            [b'\\', b'x', high, low, rest @ ..] => {
                let digit = |byte: &u8| (*byte as char).to_digit(16);
                bytes.push((digit(high)? * 16 + digit(low)?) as u8);
                text = rest;
            }
            [b'\\', letter, rest @ ..] => {
                bytes.push(match letter {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                });
                text = rest;
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                text = rest;
            }
            [] => return None,
        }
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for anything; letters match in either case.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && pattern[p].eq_ignore_ascii_case(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            star = Some((star_p, star_t + 1));
            p = star_p + 1;
            t = star_t + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        for arguments in [
            vec![b"SET".to_vec(), all, b"x".to_vec()],
            vec![b"".to_vec(), b" ".to_vec(), b"a\"b\\".to_vec(), b"'".to_vec()],
            vec![],
        ] {
            assert_eq!(parse(&show(&arguments)).unwrap(), arguments);
        }
        assert_eq!(parse("GET \"open"), None);
        assert_eq!(parse("\"\\xzz\""), None);
    }

    #[test]
    fn patterns_match_like_globs() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("get *", "GET a", true),
            ("get *", "GETDEL a", false),
            ("*a*b", "xxaxxbxb", true),
            ("*a*b", "xxaxxbxc", false),
            ("", "x", false),
            ("a*", "a", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn long_text_is_cut_at_characters() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("äöü", 2), "äö... (6 characters)");
    }
}
