//! The pattern language of KEYS, for names: `*`, `?`, `[a-z]`, `[^a]` and `\` before a literal byte.
//!
//! One backtrack point is enough, because a later `*` can always take over from an earlier one; so matching takes at
//! most the product of the two lengths, whatever the pattern.

/// Whether the whole text matches, without regard to the case of ASCII letters.
pub(crate) fn matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// Whether the whole text matches.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut done) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while done < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, done));
        } else if let Some(next) = step(pattern, at, text[done]) {
            at = next;
            done += 1;
        } else if let Some((after_star, taken)) = star {
            at = after_star;
            done = taken + 1;
            star = Some((after_star, done));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The position after the pattern's next element if that matches the byte.
fn step(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => class(pattern, at + 1, byte),
        b'\\' if at + 1 < pattern.len() => (pattern[at + 1] == byte).then_some(at + 2),
        literal => (literal == byte).then_some(at + 1),
    }
}

/// A class of bytes that starts at `at`; one without an end reaches to the end of the pattern.
fn class(pattern: &[u8], mut at: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    loop {
        match &pattern[at.min(pattern.len())..] {
            [] | [b']', ..] => break,
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                at += 2;
            }
            [low, b'-', high, ..] => {
                found |= (*low.min(high)..=*low.max(high)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= *literal == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some((at + 1).min(pattern.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("*", "x", true),
            ("h*z", "hz", true),
            ("h*z", "hzx", false),
            ("*a*b*", "xxaxxbxx", true),
            ("?", "", false),
            ("h?", "hz", true),
            ("h[yz]", "hz", true),
            ("h[^yz]", "hz", false),
            ("h[a-y]", "hz", false),
            ("h[z-a]", "hz", true),
            ("h[z", "hz", true),
            ("h[", "hz", false),
            ("h\\z", "hz", true),
            ("h\\*", "hz", false),
            ("h\\", "h\\", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), *expected, "{pattern:?} {text:?}");
        }
        assert!(matches_ignoring_case(b"H[Y-Z]", b"hz"));
    }
}
