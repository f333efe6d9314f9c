//! Replies of commands as the debugger shows them: one line, strings quoted.

use ochre_resp::append_quoted;
use ochre_types::parse_i64;

/// Replies within replies.
const DEPTH_MAX: u32 = 128;

/// Appends a reply as a text, about `max` bytes of it.
pub(super) fn append_reply(out: &mut Vec<u8>, reply: &[u8], max: usize) {
    // What is not a reply is shown as far as it is one.
    let _ = Reader { rest: reply, max }.append(out, 0);
}

/// Appends a string in quotes, about `max` bytes of it.
pub(super) fn append_text(out: &mut Vec<u8>, text: &[u8], max: usize) {
    let room = max.saturating_sub(out.len()).saturating_add(1);
    append_quoted(out, &text[..text.len().min(room)]);
}

/// The bytes of a reply that are left.
struct Reader<'a> {
    rest: &'a [u8],
    max: usize,
}

impl<'a> Reader<'a> {
    /// Appends the next reply; `None` if there is none, or enough has been shown.
    fn append(&mut self, out: &mut Vec<u8>, depth: u32) -> Option<()> {
        if depth > DEPTH_MAX || out.len() > self.max {
            return None;
        }
        let &mark = self.rest.first()?;
        let line = self.line()?;
        match mark {
            b':' => out.extend_from_slice(line),
            b'+' | b'-' => append_text(out, &[&[mark], line].concat(), self.max),
            b'$' => match length(line) {
                Some(len) => append_text(out, self.take(len)?, self.max),
                None => out.extend_from_slice(b"NULL"),
            },
            b'=' => append_text(out, self.take(length(line)?)?.get(4..)?, self.max),
            b'*' | b'>' => match length(line) {
                Some(len) => self.append_all(out, len, (b"[", b"]"), depth)?,
                None => out.extend_from_slice(b"NULL"),
            },
            b'~' => self.append_all(out, length(line)?, (b"~(", b")"), depth)?,
            b'%' => self.append_map(out, length(line)?, depth)?,
            b'_' => out.extend_from_slice(b"(null)"),
            b'#' => out.extend_from_slice(if line == b"t" { b"#true" } else { b"#false" }),
            b',' => out.extend_from_slice(&[b"(double) ", line].concat()),
            b'(' => out.extend_from_slice(line),
            _ => return None,
        }
        Some(())
    }

    fn append_all(
        &mut self,
        out: &mut Vec<u8>,
        len: usize,
        (open, close): (&[u8], &[u8]),
        depth: u32,
    ) -> Option<()> {
        out.extend_from_slice(open);
        for index in 0..len {
            if index > 0 {
                out.push(b',');
            }
            self.append(out, depth + 1)?;
        }
        out.extend_from_slice(close);
        Some(())
    }

    fn append_map(&mut self, out: &mut Vec<u8>, len: usize, depth: u32) -> Option<()> {
        out.push(b'{');
        for index in 0..len {
            if index > 0 {
                out.push(b',');
            }
            self.append(out, depth + 1)?;
            out.extend_from_slice(b" => ");
            self.append(out, depth + 1)?;
        }
        out.push(b'}');
        Some(())
    }

    /// What stands between a mark and the end of its line.
    fn line(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|&byte| byte == b'\r')?;
        let line = &self.rest[1..end];
        self.rest = self.rest.get(end + 2..)?;
        Some(line)
    }

    /// So many bytes, and the end of the line behind them.
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.rest.get(..len)?;
        self.rest = self.rest.get(len + 2..)?;
        Some(taken)
    }
}

/// A number of bytes or elements; `None` for -1.
fn length(line: &[u8]) -> Option<usize> {
    parse_i64(line).and_then(|number| usize::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_shown() {
        for (reply, expected) in [
            ("+OK\r\n", r#""+OK""#),
            ("-ERR x\r\n", r#""-ERR x""#),
            (":6\r\n", "6"),
            ("$-1\r\n", "NULL"),
            ("*-1\r\n", "NULL"),
            ("$3\r\na\"b\r\n", r#""a\"b""#),
            ("*0\r\n", "[]"),
            ("*3\r\n$1\r\na\r\n*1\r\n:1\r\n$-1\r\n", r#"["a",[1],NULL]"#),
            ("%2\r\n$1\r\nf\r\n$1\r\nv\r\n:1\r\n#t\r\n", r#"{"f" => "v",1 => #true}"#),
            ("~2\r\n$1\r\na\r\n#f\r\n", r#"~("a",#false)"#),
            ("_\r\n", "(null)"),
            (",1.5\r\n", "(double) 1.5"),
            ("(123\r\n", "123"),
            ("=5\r\ntxt:x\r\n", r#""x""#),
            ("*2\r\n:1\r\n", "[1,"),
            ("", ""),
        ] {
            let mut out = Vec::new();
            append_reply(&mut out, reply.as_bytes(), 1000);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{reply:?}");
        }
    }

    #[test]
    fn no_more_is_made_than_is_shown() {
        let mut out = Vec::new();
        append_reply(&mut out, &[b"*1000\r\n".as_slice(), &b":7\r\n".repeat(1000)].concat(), 100);
        assert!((101..110).contains(&out.len()), "{}", out.len());
        let mut out = Vec::new();
        append_reply(&mut out, &[b"$1000\r\n".as_slice(), &[b'x'; 1002]].concat(), 100);
        assert!((101..110).contains(&out.len()), "{}", out.len());
    }
}
