//! Words of a line, with quotes and escapes.
//!
//! Blanks separate words. `"double"` quotes know `\n \r \t \a \b`, `\xHH` and a backslash before any other byte;
//! `'single'` quotes know `\'` only. A quote may begin within a word, but the word ends with it.

/// The words of a line; `None` if a quote is not closed or is followed by more than a blank.
pub(crate) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let (word, after) = take_word(rest)?;
        words.push(word);
        rest = skip_blanks(after);
    }
    Some(words)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0)
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    &line[line.iter().take_while(|byte| is_blank(**byte)).count()..]
}

/// The word at the start of the line and what follows it.
fn take_word(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        match *byte {
            b'"' => return closed(word, take_double(after)?),
            b'\'' => return closed(word, take_single(after)?),
            blank if is_blank(blank) => break,
            literal => word.push(literal),
        }
        rest = after;
    }
    Some((word, rest))
}

/// Appends a quoted part to its word, which must end there.
fn closed(mut word: Vec<u8>, (part, rest): (Vec<u8>, &[u8])) -> Option<(Vec<u8>, &[u8])> {
    word.extend(part);
    rest.first().is_none_or(|byte| is_blank(*byte)).then_some((word, rest))
}

fn take_double(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut part = Vec::new();
    let mut rest = line;
    loop {
        rest = match rest {
            [] => return None,
            [b'"', after @ ..] => return Some((part, after)),
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                part.push(hex(*high) << 4 | hex(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                part.push(unescape(*escaped));
                after
            }
            [literal, after @ ..] => {
                part.push(*literal);
                after
            }
        };
    }
}

fn take_single(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut part = Vec::new();
    let mut rest = line;
    loop {
        rest = match rest {
            [] => return None,
            [b'\'', after @ ..] => return Some((part, after)),
            [b'\\', b'\'', after @ ..] => {
                part.push(b'\'');
                after
            }
            [literal, after @ ..] => {
                part.push(*literal);
                after
            }
        };
    }
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        literal => literal,
    }
}

/// Appends a text in double quotes such that [`split`] reads it back.
pub(crate) fn append_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', *byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            7 => out.extend(b"\\a"),
            8 => out.extend(b"\\b"),
            b' '..=b'~' => out.push(*byte),
            _ => out.extend(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases: &[(&str, Option<&[&[u8]]>)] = &[
            ("", Some(&[])),
            (" \t ", Some(&[])),
            ("a  b\tc", Some(&[b"a", b"b", b"c"])),
            (r#""a b" 'c d'"#, Some(&[b"a b", b"c d"])),
            (r#"po"rt" 1"#, Some(&[b"port", b"1"])),
            (r#""\x41\n\r\t\a\b\q\"\\""#, Some(&[b"A\n\r\t\x07\x08q\"\\"])),
            (r#""\xZZ""#, Some(&[b"xZZ"])),
            (r#"'\'' '\n'"#, Some(&[b"'", b"\\n"])),
            (r#""""#, Some(&[b""])),
            (r#"a"#, Some(&[b"a"])),
            (r#""a"b"#, None),
            (r#"'a'b"#, None),
            (r#""a"#, None),
            (r#"'a"#, None),
            (r#""a\"#, None),
        ];
        for (line, expected) in cases {
            let words = split(line.as_bytes());
            let expected = expected.map(|words| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>());
            assert_eq!(words, expected, "{line:?}");
        }
    }

    #[test]
    fn any_text_survives_quoting() {
        let text: Vec<u8> = (0..=255).collect();
        let mut line = Vec::new();
        append_quoted(&mut line, &text);
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        assert_eq!(split(&line), Some(vec![text]));
    }
}
