//! The patterns of KEYS, SCAN, PSUBSCRIBE, ACL and CONFIG GET: `*`, `?`, classes in brackets and `\` escapes, on
//! bytes.
//!
//! A greedy matcher with one point of return: on a mismatch, the last star takes one byte more. Earlier stars need no
//! retry, because what stands between two stars is found where it occurs first. So the time is at most
//! |pattern| x |text|, whatever the pattern.
//!
//! The oddities are those of Redis, which clients can see:
//! - An empty text matches only an empty pattern, not even `*`. (KEYS and SCAN do not ask for a lone `*`.)
//! - A class without its closing bracket ends with the pattern. `[` alone matches nothing, `[^` any byte.
//! - `]` first in a class closes it. Ranges may be reversed. The end of a range is never the closing bracket: in
//!   `[a-]` it is the byte `]`. Ranges compare signed bytes, unless case is ignored.
//! - A backslash at the end of the pattern is an ordinary byte. Within a class an escaped byte matches only in its own
//!   case, even where case is ignored.
//! - A pattern with more than 1000 stars that has something after the last matches nothing.

/// Stars after which a pattern that goes on matches nothing.
const STARS_MAX: usize = 1000;

/// Whether upper and lower case letters (ASCII) are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They differ.
    Sensitive,
    /// They are the same.
    Insensitive,
}

/// Whether the whole of `text` matches `pattern`. O(|pattern| |text|) time, no allocation.
pub fn glob_match(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t, mut stars) = (0, 0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p = skip_stars(pattern, p);
            stars += 1;
            if p == pattern.len() {
                return true;
            }
            if stars > STARS_MAX {
                return false;
            }
            retry = Some((p, t));
        } else if let Some(next) = match_one(&pattern[p..], text[t], case) {
            p += next;
            t += 1;
        } else {
            let Some((after_star, start)) = retry else { return false };
            let Some(start) = next_start(pattern[after_star], text, start + 1, case) else { return false };
            retry = Some((after_star, start));
            (p, t) = (after_star, start);
        }
        if t == text.len() && skip_stars(pattern, p) != pattern.len() {
            // The text is used up too early. With a star behind, shorter rests of the text cannot do better.
            return false;
        }
    }
    true
}

/// Whether a pattern may match anything but itself. O(|pattern|) time.
pub fn has_wildcards(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// Where, from `from` on, what follows a star can begin: skips to the first byte if the pattern goes on with an
/// ordinary one.
fn next_start(first: u8, text: &[u8], from: usize, case: Case) -> Option<usize> {
    let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
    if matches!(first, b'?' | b'[' | b'\\') || (case == Case::Insensitive && first.is_ascii_alphabetic()) {
        return Some(from);
    }
    rest.iter().position(|&byte| byte == first).map(|offset| from + offset)
}

fn skip_stars(pattern: &[u8], from: usize) -> usize {
    let stars = pattern.get(from..).unwrap_or_default().iter().take_while(|&&byte| byte == b'*').count();
    from + stars
}

/// Matches one byte against the first element of a pattern (not a star): the element's length if it does.
fn match_one(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => match_class(class, byte, case).map(|len| len + 1),
        [b'\\', escaped, ..] => same(*escaped, byte, case).then_some(2),
        [literal, ..] => same(*literal, byte, case).then_some(1),
    }
}

fn same(a: u8, b: u8, case: Case) -> bool {
    a == b || (case == Case::Insensitive && a.eq_ignore_ascii_case(&b))
}

/// Matches one byte against a class, given without its opening bracket: the class's length, the closing bracket
/// included, if it does.
fn match_class(class: &[u8], byte: u8, case: Case) -> Option<usize> {
    let negated = class.first() == Some(&b'^');
    let mut rest = &class[usize::from(negated)..];
    let mut matched = false;
    while let Some((item, after)) = ClassItem::take(rest) {
        matched |= item.contains(byte, case);
        rest = after;
    }
    let closing = usize::from(!rest.is_empty());
    (matched != negated).then_some(class.len() - rest.len() + closing)
}

enum ClassItem {
    Byte(u8),
    Escaped(u8),
    Range(u8, u8),
}

impl ClassItem {
    /// The first item and what follows it; `None` at the closing bracket or at the end.
    fn take(class: &[u8]) -> Option<(ClassItem, &[u8])> {
        match class {
            [] | [b']', ..] => None,
            [b'\\', byte, rest @ ..] => Some((ClassItem::Escaped(*byte), rest)),
            [start, b'-', end, rest @ ..] => Some((ClassItem::Range(*start, *end), rest)),
            [byte, rest @ ..] => Some((ClassItem::Byte(*byte), rest)),
        }
    }

    fn contains(&self, byte: u8, case: Case) -> bool {
        match *self {
            ClassItem::Escaped(item) => item == byte,
            ClassItem::Byte(item) => same(item, byte, case),
            ClassItem::Range(start, end) => range_contains(start, end, byte, case),
        }
    }
}

/// Ranges are put in order first, as signed bytes, and folded to lower case afterwards.
fn range_contains(start: u8, end: u8, byte: u8, case: Case) -> bool {
    let (low, high) = if start.cast_signed() <= end.cast_signed() { (start, end) } else { (end, start) };
    (range_rank(low, case)..=range_rank(high, case)).contains(&range_rank(byte, case))
}

/// Where a byte stands within ranges. Folding goes through C's `tolower`, which takes bytes from 128 on for what they
/// are unsigned, except for the last one, which it takes for the end of a file.
fn range_rank(byte: u8, case: Case) -> i16 {
    match case {
        Case::Sensitive => i16::from(byte.cast_signed()),
        Case::Insensitive if byte == 0xff => -1,
        Case::Insensitive => i16::from(byte.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        glob_match(pattern, text, Case::Sensitive)
    }

    /// Pattern, and which of these texts it matches; as KEYS of Redis 8.6 answers.
    const TEXTS: [&[u8]; 19] = [
        b"", b"a", b"b", b"]", b"[", b"\\", b"-", b"^", b"!", b"z", b"ab", b"a]", b"a\\", b"*", b"c", b"e",
        b"\xe9", b"ba", b"a-",
    ];
    const ALL_BUT_EMPTY: &str = "a b ] [ \\ - ^ ! z ab a] a\\ * c e é ba a-";
    const SINGLE: &str = "a b ] [ \\ - ^ ! z * c e é";

    #[test]
    fn oddities() {
        let cases: &[(&[u8], &str)] = &[
            (b"*", ALL_BUT_EMPTY),
            (b"***", ALL_BUT_EMPTY),
            (b"?*", ALL_BUT_EMPTY),
            (b"*?", ALL_BUT_EMPTY),
            (b"?", SINGLE),
            (b"[", ""),
            (b"[^", SINGLE),
            (b"[a", "a"),
            (b"[^a", "b ] [ \\ - ^ ! z * c e é"),
            (b"[]", ""),
            (b"[]a]", ""),
            (b"[^]", SINGLE),
            (b"[a-", "a -"),
            (b"[a-]", "a ] ^"),
            (b"[z-a]", "a b z c e"),
            (b"[\\", "\\"),
            (b"[\\]", "]"),
            (b"[\\a]", "a"),
            (b"[\\-z]", "- z"),
            (b"[a-\\]", "a ] \\ ^"),
            (b"[!a]", "a !"),
            (b"[-a]", "a -"),
            (b"[a-c-e]", "a b - c e"),
            (b"[^a-c", "] [ \\ - ^ ! z * e é"),
            (b"[\xe0-\xff]", "é"),
            (b"\\", "\\"),
            (b"a\\", "a\\"),
            (b"*\\", "\\ a\\"),
            (b"\\*", "*"),
            (b"*[", ""),
            (b"a*", "a ab a] a\\ a-"),
            (b"*a", "a ba"),
        ];
        for (pattern, expected) in cases {
            let found: Vec<String> = TEXTS
                .iter()
                .filter(|text| matches(pattern, text))
                .map(|text| text.iter().map(|&byte| char::from(byte)).collect())
                .collect();
            assert_eq!(found.join(" "), *expected, "{}", pattern.escape_ascii());
        }
        assert!(matches(b"", b""));
        assert!(!matches(b"*", b""));
    }

    #[test]
    fn without_wildcards_a_pattern_matches_itself_alone() {
        for text in TEXTS {
            assert!(
                has_wildcards(text) || TEXTS.iter().all(|other| matches(text, other) == (text == *other))
            );
        }
        assert!([&b"a*"[..], b"?", b"x[y", b"\\a"].iter().all(|pattern| has_wildcards(pattern)));
        assert!(!has_wildcards(b"") && !has_wildcards(b"a]b-^c"));
    }

    #[test]
    fn classes_compare_signed_bytes() {
        assert!(matches(b"[a-\xff]", b"A") && matches(b"[a-\xff]", b"\xff"));
        assert!(!matches(b"[a-\xff]", b"b") && !matches(b"[a-\xff]", b"\xe9"));
    }

    #[test]
    fn classes_that_ignore_case_compare_unsigned_bytes() {
        let matches = |pattern: &[u8], text| glob_match(pattern, text, Case::Insensitive);
        assert!(!matches(b"[A-\xde]", b"a") && !matches(b"[A-\xde]", b"\xde"));
        assert!(matches(b"[\x80-\xde]", b"\xa0") && !matches(b"[\x80-\xde]", b"a"));
        assert!(matches(b"[\xff-B]", b"0") && matches(b"[\xff-B]", b"A") && !matches(b"[\xff-B]", b"c"));
    }

    #[test]
    fn ignoring_case() {
        let cases: &[(&str, &str, bool)] = &[
            ("Max*", "maxmemory", true),
            ("m[A-C]x", "mbx", true),
            ("m[^A-C]x", "mbx", false),
            ("m[B]x", "mbx", true),
            ("m[\\B]x", "mbx", false),
            ("m[\\B]x", "mBx", true),
            ("\\M", "m", true),
            ("*Y", "mYy", true),
            ("[a-Z]", "[", false),
            ("[Z-a]", "p", false), // in order before folding, reversed after it,
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                glob_match(pattern.as_bytes(), text.as_bytes(), Case::Insensitive),
                *expected,
                "{pattern} {text}"
            );
        }
    }

    /// A matcher by definition: a star matches any number of bytes, all of which are tried.
    fn model(pattern: &[u8], text: &[u8], case: Case) -> bool {
        match (pattern, text) {
            (_, []) => pattern.iter().all(|&byte| byte == b'*'),
            ([b'*', rest @ ..], _) => (0..=text.len()).any(|skip| model(rest, &text[skip..], case)),
            (_, [byte, rest @ ..]) => {
                match_one(pattern, *byte, case).is_some_and(|len| model(&pattern[len..], rest, case))
            }
        }
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut rng = Rng::new(6);
        let (mut hits, alphabet) = (0, b"ab*?[]^-\\AB*");
        for _ in 0..60_000 {
            let pattern: Vec<u8> = (0..rng.below(9)).map(|_| alphabet[rng.below(12) as usize]).collect();
            let text: Vec<u8> = (0..1 + rng.below(8)).map(|_| b"aabbA]-"[rng.below(7) as usize]).collect();
            let case = if rng.below(2) == 0 { Case::Sensitive } else { Case::Insensitive };
            let expected = model(&pattern, &text, case);
            hits += u32::from(expected);
            assert_eq!(
                glob_match(&pattern, &text, case),
                expected,
                "{} {}",
                pattern.escape_ascii(),
                text.escape_ascii()
            );
        }
        assert!(hits > 2_000, "{hits}");
    }

    /// CVE-2022-36021 took exponential time, CVE-2024-31228 all of the stack.
    #[test]
    fn many_stars_cost_little() {
        let text = [b'a'; 10_000];
        let pattern = [b"*a".repeat(900), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &text));
        assert!(matches(&pattern, &[&text[..], b"b"].concat()));
        assert!(matches(&[b"*a".repeat(STARS_MAX), b"*".to_vec()].concat(), &text));
        assert!(!matches(&b"*a".repeat(STARS_MAX + 1), &text));
    }
}
