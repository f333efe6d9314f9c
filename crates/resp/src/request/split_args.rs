//! Splitting a line into arguments with the quoting of a shell: inline requests, configuration
//! files and the command line's prompt share this grammar.
//!
//! Blanks separate arguments. Double quotes know `\n \r \t \b \a \xHH` and take any other escaped
//! byte as itself; single quotes know only `\'`. A quoted part may touch an unquoted one
//! (`a"b c"d` is one argument): Valkey accepts that, Redis calls it unbalanced, and accepting is
//! the choice that breaks neither's users. An escape at the very end of a line still escapes, so
//! `"a\"` is unbalanced, as for Redis (Valkey's inline requests take it as a closed quote, against
//! its own configuration parser). A NUL byte ends the line, since peers keep such lines
//! as C strings.

/// The arguments of `line`, unquoted; `None` when a quote is not closed.
///
/// ```
/// let args = ochre_resp::split_args(br#"set key "a\x20b" 'it\'s'"#).unwrap();
/// assert_eq!(args, [&b"set"[..], b"key", b"a b", b"it's"]);
/// assert!(ochre_resp::split_args(b"\"open").is_none());
/// ```
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = line;
    let mut args = Vec::new();
    loop {
        rest = skip_blanks(rest);
        if matches!(rest.first(), None | Some(0)) {
            return Some(args);
        }
        let (arg, after) = take_arg(rest)?;
        args.push(arg);
        rest = after;
    }
}

/// Appends `text` in double quotes, with everything but printable ASCII escaped: as [`split_args`] reads it back, and as
/// MONITOR, the configuration file and the manifest of a log show texts.
pub fn append_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(*byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    line.get(blanks..).unwrap_or_default()
}

/// One argument and what follows it. A vertical tab or a form feed inside an argument belongs to
/// it, although before an argument it is blank.
fn take_arg(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = line;
    let mut arg = Vec::new();
    loop {
        match *rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t' | 0, ..] => return Some((arg, rest)),
            [b'"', ref quoted @ ..] => rest = take_double_quoted(quoted, &mut arg)?,
            [b'\'', ref quoted @ ..] => rest = take_single_quoted(quoted, &mut arg)?,
            [byte, ref after @ ..] => {
                arg.push(byte);
                rest = after;
            }
        }
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, after) = match *rest {
            [] | [0, ..] => return None,
            [b'"', ref after @ ..] => return Some(after),
            [b'\\', b'x', high, low, ref after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex_value(high) << 4 | hex_value(low), after)
            }
            [b'\\', escaped, ref after @ ..] if escaped != 0 => (unescape(escaped), after),
            [byte, ref after @ ..] => (byte, after),
        };
        arg.push(byte);
        rest = after;
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, after) = match *rest {
            [] | [0, ..] => return None,
            [b'\'', ref after @ ..] => return Some(after),
            [b'\\', b'\'', ref after @ ..] => (b'\'', after),
            [byte, ref after @ ..] => (byte, after),
        };
        arg.push(byte);
        rest = after;
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10) & 0x0f,
    }
}
