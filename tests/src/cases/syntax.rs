//! The notation of expected replies, read.

use super::Pattern;
use super::pattern::Rest;

/// Reads one reply.
///
/// # Errors
/// What is wrong with it.
pub fn parse_reply(text: &str) -> Result<Pattern, String> {
    let text = text.trim();
    // On the outermost level a status or an error may be a sentence.
    match text.as_bytes() {
        [b'+', rest @ ..] if !rest.starts_with(b"\"") => return Ok(Pattern::Simple(rest.to_vec())),
        [b'-', rest @ ..] if !rest.starts_with(b"\"") => return Ok(Pattern::Error(rest.to_vec())),
        _ => {}
    }
    let mut reader = Reader { rest: text.as_bytes() };
    let pattern = reader.pattern()?;
    reader.skip_blanks();
    if reader.rest.is_empty() {
        Ok(pattern)
    } else {
        Err(format!("`{}` behind the reply", String::from_utf8_lossy(reader.rest)))
    }
}

/// Makes the pattern of an aggregate from its elements.
type Aggregate = fn(Vec<Pattern>, Rest) -> Pattern;

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn accept(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text.as_bytes()) else { return false };
        self.rest = rest;
        true
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        self.skip_blanks();
        if self.accept(text) { Ok(()) } else { Err(format!("{text} is missing")) }
    }

    fn pattern(&mut self) -> Result<Pattern, String> {
        self.skip_blanks();
        let openers: [(&str, &str, Aggregate); 4] = [
            ("[", "]", Pattern::Array),
            ("{", "}", Pattern::Map),
            ("~[", "]", Pattern::Set),
            (">[", "]", Pattern::Push),
        ];
        for (open, close, make) in openers {
            if self.accept(open) {
                let (patterns, rest) = self.elements(close)?;
                return Ok(make(patterns, rest));
            }
        }
        if self.accept("<") {
            return self.matcher();
        }
        if self.rest.starts_with(b"\"") {
            return Ok(Pattern::Bulk(self.quoted()?));
        }
        self.scalar()
    }

    fn elements(&mut self, close: &str) -> Result<(Vec<Pattern>, Rest), String> {
        let mut patterns = Vec::new();
        loop {
            self.skip_blanks();
            if self.accept(close) {
                return Ok((patterns, Rest::None));
            }
            if self.accept("...") {
                self.expect(close)?;
                return Ok((patterns, Rest::Anything));
            }
            patterns.push(self.pattern()?);
        }
    }

    fn scalar(&mut self) -> Result<Pattern, String> {
        let Some((&marker, after)) = self.rest.split_first() else {
            return Err("a reply is missing".to_owned());
        };
        if matches!(marker, b'+' | b'-' | b':' | b',' | b'#' | b'=') {
            self.rest = after;
        }
        Ok(match marker {
            b'+' => Pattern::Simple(self.text()?),
            b'-' => Pattern::Error(self.text()?),
            b':' => Pattern::Integer(self.number()?),
            b',' => Pattern::Double(self.text()?),
            b'#' => Pattern::Boolean(self.word() == b"t"),
            b'=' => {
                let format = self.rest.get(..3).ok_or("a format is missing")?.to_vec();
                self.rest = &self.rest[3..];
                self.expect(":")?;
                Pattern::Verbatim(format, self.quoted()?)
            }
            _ => match self.word().as_slice() {
                b"nil" if self.accept("[]") => Pattern::NilArray,
                b"nil" => Pattern::Nil,
                other => return Err(format!("`{}` is not a reply", String::from_utf8_lossy(other))),
            },
        })
    }

    /// What follows `<`.
    fn matcher(&mut self) -> Result<Pattern, String> {
        self.skip_blanks();
        let word = if self.rest.first().is_some_and(u8::is_ascii_lowercase) && !self.rest.starts_with(b"nil")
        {
            String::from_utf8_lossy(&self.word()).into_owned()
        } else {
            String::new()
        };
        self.skip_blanks();
        let pattern = match word.as_str() {
            "" => self.pattern()?,
            "any" => Pattern::Any,
            "int" => self.range()?,
            "like" => Pattern::Like(self.quoted()?),
            "error" => Pattern::ErrorLike(self.quoted()?),
            "length" => Pattern::Length(usize::try_from(self.number()?).map_err(|_| "a length")?),
            "sorted" => {
                self.expect("[")?;
                Pattern::Unordered(self.elements("]")?.0)
            }
            "has" => {
                self.expect("{")?;
                Pattern::Has(self.elements("}")?.0)
            }
            other => return Err(format!("<{other} is not a pattern")),
        };
        self.skip_blanks();
        let named = if self.accept("as ") {
            self.skip_blanks();
            let name = String::from_utf8_lossy(&self.word()).into_owned();
            Pattern::Named(Box::new(pattern), name)
        } else {
            pattern
        };
        self.expect(">")?;
        Ok(named)
    }

    /// The bounds of `<int 1..10>`; without any, every number.
    fn range(&mut self) -> Result<Pattern, String> {
        if !self.rest.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-') {
            return Ok(Pattern::Range(i64::MIN, i64::MAX));
        }
        let word = String::from_utf8_lossy(&self.word()).into_owned();
        let (low, high) = word.split_once("..").ok_or("a range is low..high")?;
        let bound = |text: &str, open: i64| match text {
            "" => Ok(open),
            text => text.parse().map_err(|_| format!("{text} is not a number")),
        };
        Ok(Pattern::Range(bound(low, i64::MIN)?, bound(high, i64::MAX)?))
    }

    fn number(&mut self) -> Result<i64, String> {
        let word = String::from_utf8_lossy(&self.word()).into_owned();
        word.parse().map_err(|_| format!("{word} is not a number"))
    }

    fn text(&mut self) -> Result<Vec<u8>, String> {
        if self.rest.starts_with(b"\"") { self.quoted() } else { Ok(self.word()) }
    }

    fn word(&mut self) -> Vec<u8> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"[]{}<>\"".contains(byte);
        let len = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(len);
        self.rest = rest;
        word.to_vec()
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        self.expect("\"")?;
        let len = quoted_len(self.rest).ok_or("a quote is not closed")?;
        // The grammar of inline requests has the same escapes.
        let with_quotes = [b"\"", &self.rest[..=len]].concat();
        self.rest = &self.rest[len + 1..];
        let mut args = ochre_resp::split_args(&with_quotes).ok_or("a quote is not closed")?;
        Ok(args.pop().unwrap_or_default())
    }
}

/// Bytes before the closing quote.
fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::Captures;
    use ochre_resp::{ReplyParser, Value};

    fn reply(bytes: &str) -> Value {
        let mut parser = ReplyParser::default();
        parser.feed(bytes.replace('|', "\r\n").as_bytes());
        parser.next_reply().unwrap().unwrap()
    }

    #[test]
    fn patterns_match_what_they_say() {
        // Notation, a reply of RESP2 and one of RESP3 that match, and one (of RESP3) that does not.
        let cases = [
            ("+OK", "+OK|", "+OK|", "+OKAY|"),
            ("-ERR no such key", "-ERR no such key|", "-ERR no such key|", "-ERR no|"),
            (":-3", ":-3|", ":-3|", ":3|"),
            (r#""a\x20\"b""#, "$4|a \"b|", "$4|a \"b|", "$4|a \"c|"),
            ("nil", "$-1|", "_|", "$-1|"),
            ("nil[]", "*-1|", "_|", "*-1|"),
            ("[:1 [] nil]", "*3|:1|*0|$-1|", "*3|:1|*0|_|", "*2|:1|*0|"),
            ("[:1 ...]", "*2|:1|:2|", "*1|:1|", "*0|"),
            (r#"{"a" :1}"#, "*2|$1|a|:1|", "%1|$1|a|:1|", "*2|$1|a|:1|"),
            (r#"~["a"]"#, "*1|$1|a|", "~1|$1|a|", "*1|$1|a|"),
            (",1.5", "$3|1.5|", ",1.5|", "$3|1.5|"),
            ("#t", ":1|", "#t|", ":1|"),
            (r#"=txt:"hi""#, "$2|hi|", "=6|txt:hi|", "$2|hi|"),
            ("<int>", ":7|", ":7|", "$1|7|"),
            ("<int 1..5>", ":1|", ":5|", ":6|"),
            ("<int 3..>", ":3|", ":99|", ":2|"),
            (r#"<like "a*">"#, "$2|ab|", "+abc|", "-abc|"),
            (r#"<error "ERR*">"#, "-ERR x|", "-ERR y|", "-WRONG|"),
            ("<length 2>", "$2|ab|", "$2|cd|", "$3|abc|"),
            ("<sorted [:1 :2 :2]>", "*3|:2|:1|:2|", "*3|:1|:2|:2|", "*3|:1|:1|:2|"),
            (r#"<has {"b" :2}>"#, "*4|$1|a|:1|$1|b|:2|", "%1|$1|b|:2|", "%1|$1|b|:3|"),
            (r#"[-"ERR a b" +OK]"#, "*2|-ERR a b|+OK|", "*2|-ERR a b|+OK|", "*2|-ERR a|+OK|"),
        ];
        for (notation, resp2, resp3, other) in cases {
            let pattern = parse_reply(notation).unwrap();
            let names = &mut Captures::new();
            assert!(pattern.matches(&reply(resp2), false, names), "{notation} and {resp2}");
            assert!(pattern.matches(&reply(resp3), true, names), "{notation} and {resp3}");
            assert!(!pattern.matches(&reply(other), true, names), "{notation} and {other}");
        }
    }

    #[test]
    fn names_keep_what_matched() {
        let mut names = Captures::new();
        let pattern = parse_reply(r#"[<int as id> <any as text>]"#).unwrap();
        assert!(pattern.matches(&reply("*2|:12|$1|x|"), false, &mut names));
        assert_eq!((&names["id"][..], &names["text"][..]), (&b"12"[..], &b"x"[..]));
    }

    #[test]
    fn wrong_notations_are_refused() {
        for notation in ["", "[:1", "what", ":x", "\"open", "<nosuch>", "[] []", "<int 1>", "{:1"] {
            assert!(parse_reply(notation).is_err(), "{notation}");
        }
    }
}
