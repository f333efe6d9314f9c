//! JSON to values, pushed as they are read.

use super::number::parse_prefix;
use super::settings::JsonSettings;
use crate::library::ARRAY_METATABLE_UPVALUE;
use crate::lua::{Frame, Outcome, Raise, Returned};

/// The depth that no setting exceeds.
const DEPTH_MAX: i32 = 2000;

/// `cjson.decode`
pub(crate) fn decode(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() != 1 {
        return Err(frame.arg_error(1, "expected 1 argument"));
    }
    let text = frame.check_string(1)?;
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(Raise::text("JSON parser does not support UTF-16 or UTF-32"));
    }
    let settings = JsonSettings::of_function(frame)?;
    let mut decoder = Decoder { settings, text, at: 0, depth: 0, string: Vec::new() };
    let token = decoder.next();
    decoder.push_value(frame, &token)?;
    let token = decoder.next();
    match token.kind {
        TokenKind::End => Ok(Returned::Values(1)),
        _ => Err(unexpected("the end", &token)),
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum TokenKind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// The text is in the decoder.
    String,
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Token {
    kind: TokenKind,
    /// Where it begins, or where the error is.
    at: usize,
}

impl TokenKind {
    /// How errors call it.
    fn name(self) -> &'static str {
        match self {
            TokenKind::ObjectBegin => "T_OBJ_BEGIN",
            TokenKind::ObjectEnd => "T_OBJ_END",
            TokenKind::ArrayBegin => "T_ARR_BEGIN",
            TokenKind::ArrayEnd => "T_ARR_END",
            TokenKind::String => "T_STRING",
            TokenKind::Number(_) => "T_NUMBER",
            TokenKind::Boolean(_) => "T_BOOLEAN",
            TokenKind::Null => "T_NULL",
            TokenKind::Colon => "T_COLON",
            TokenKind::Comma => "T_COMMA",
            TokenKind::End => "T_END",
            TokenKind::Error(text) => text,
        }
    }
}

fn unexpected(expected: &str, token: &Token) -> Raise {
    let found = token.kind.name();
    Raise::text(&format!("Expected {expected} but found {found} at character {}", token.at + 1))
}

struct Decoder<'a> {
    settings: JsonSettings,
    text: &'a [u8],
    at: usize,
    depth: i32,
    string: Vec<u8>,
}

impl Decoder<'_> {
    /// The byte at a place; zero at the end, which ends the text wherever it is.
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn starts_with(&self, word: &str) -> bool {
        self.text[self.at.min(self.text.len())..].starts_with(word.as_bytes())
    }

    fn next(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        let start = self.at;
        let single = match self.byte(start) {
            b'{' => TokenKind::ObjectBegin,
            b'}' => TokenKind::ObjectEnd,
            b'[' => TokenKind::ArrayBegin,
            b']' => TokenKind::ArrayEnd,
            b',' => TokenKind::Comma,
            b':' => TokenKind::Colon,
            0 => return Token { kind: TokenKind::End, at: start },
            _ => return self.long_token(start),
        };
        self.at += 1;
        Token { kind: single, at: start }
    }

    fn long_token(&mut self, start: usize) -> Token {
        let kind = match self.byte(start) {
            b'"' => match self.read_string() {
                Ok(()) => TokenKind::String,
                Err(text) => return Token { kind: TokenKind::Error(text), at: self.at },
            },
            b'-' | b'0'..=b'9' if !self.settings.decode_invalid && self.is_invalid_number() => {
                TokenKind::Error("invalid number")
            }
            b'-' | b'0'..=b'9' => self.number(),
            b't' if self.starts_with("true") => self.word(4, TokenKind::Boolean(true)),
            b'f' if self.starts_with("false") => self.word(5, TokenKind::Boolean(false)),
            b'n' if self.starts_with("null") => self.word(4, TokenKind::Null),
            b'i' | b'I' | b'n' | b'N' | b'+' if self.settings.decode_invalid && self.is_invalid_number() => {
                self.number()
            }
            _ => TokenKind::Error("invalid token"),
        };
        Token { kind, at: start }
    }

    fn word(&mut self, len: usize, kind: TokenKind) -> TokenKind {
        self.at += len;
        kind
    }

    fn number(&mut self) -> TokenKind {
        match parse_prefix(&self.text[self.at..]) {
            Some((number, len)) => self.word(len, TokenKind::Number(number)),
            None => TokenKind::Error("invalid number"),
        }
    }

    /// Whether what stands here is a number that JSON does not have.
    fn is_invalid_number(&self) -> bool {
        let mut at = self.at;
        if self.byte(at) == b'+' {
            return true;
        }
        at += usize::from(self.byte(at) == b'-');
        match self.byte(at) {
            b'0' => matches!(self.byte(at + 1), b'x' | b'X' | b'0'..=b'9'),
            0..=b'9' => false,
            _ => {
                let word = self.text.get(at..at + 3).unwrap_or_default();
                word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
            }
        }
    }

    /// Reads a string; the place stays at what is wrong with it.
    fn read_string(&mut self) -> Result<(), &'static str> {
        self.at += 1;
        self.string.clear();
        loop {
            let rest = &self.text[self.at.min(self.text.len())..];
            let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0)).count();
            self.string.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match self.byte(self.at) {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                0 => return Err("unexpected end of string"),
                _ => self.read_escape()?,
            }
        }
    }

    fn read_escape(&mut self) -> Result<(), &'static str> {
        let byte = match self.byte(self.at + 1) {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b't' => b'\t',
            b'n' => b'\n',
            b'f' => 0x0c,
            b'r' => b'\r',
            b'u' => return self.read_unicode().ok_or("invalid unicode escape code"),
            _ => return Err("invalid escape code"),
        };
        self.string.push(byte);
        self.at += 2;
        Ok(())
    }

    fn read_unicode(&mut self) -> Option<()> {
        let mut code = self.hex4(self.at + 2)?;
        let mut len = 6;
        if code & 0xf800 == 0xd800 {
            let low = self.hex4(self.at + 8)?;
            let is_pair = self.byte(self.at + 6) == b'\\' && self.byte(self.at + 7) == b'u';
            if code & 0x400 != 0 || !is_pair || low & 0xfc00 != 0xdc00 {
                return None;
            }
            code = ((code & 0x3ff) << 10 | (low & 0x3ff)) + 0x1_0000;
            len = 12;
        }
        let character = char::from_u32(code)?;
        self.string.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += len;
        Some(())
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
    }

    fn push_value(&mut self, frame: &mut Frame<'_>, token: &Token) -> Result<(), Raise> {
        frame.spend(1)?;
        match token.kind {
            TokenKind::String => frame.push_string(&self.string),
            TokenKind::Number(number) => frame.push_number(number),
            TokenKind::Boolean(value) => frame.push_boolean(value),
            TokenKind::Null => frame.push_null(),
            TokenKind::ObjectBegin => self.push_object(frame),
            TokenKind::ArrayBegin => self.push_array(frame),
            _ => Err(unexpected("value", token)),
        }
    }

    fn descend(&mut self, frame: &mut Frame<'_>) -> Result<(), Raise> {
        self.depth += 1;
        if self.depth > self.settings.decode_max_depth.min(DEPTH_MAX) || frame.reserve(4).is_err() {
            let text = "Found too many nested data structures";
            return Err(Raise::text(&format!("{text} ({}) at character {}", self.depth, self.at)));
        }
        Ok(())
    }

    fn push_object(&mut self, frame: &mut Frame<'_>) -> Result<(), Raise> {
        self.descend(frame)?;
        frame.push_table(0, 0)?;
        let table = frame.top();
        let mut token = self.next();
        while token.kind != TokenKind::ObjectEnd {
            if token.kind != TokenKind::String {
                return Err(unexpected("object key string", &token));
            }
            frame.push_string(&self.string)?;
            token = self.next();
            if token.kind != TokenKind::Colon {
                return Err(unexpected("colon", &token));
            }
            token = self.next();
            self.push_value(frame, &token)?;
            frame.set(table);
            frame.check_memory(0)?;
            token = self.next();
            match token.kind {
                TokenKind::ObjectEnd => {}
                TokenKind::Comma => {
                    token = self.next();
                    if token.kind != TokenKind::String {
                        return Err(unexpected("object key string", &token));
                    }
                }
                _ => return Err(unexpected("comma or object end", &token)),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn push_array(&mut self, frame: &mut Frame<'_>) -> Result<(), Raise> {
        self.descend(frame)?;
        frame.push_table(0, 0)?;
        let table = frame.top();
        if self.settings.array_mt {
            frame.push_upvalue(ARRAY_METATABLE_UPVALUE)?;
            frame.set_metatable(table);
        }
        let mut token = self.next();
        let mut number = 0;
        while token.kind != TokenKind::ArrayEnd {
            self.push_value(frame, &token)?;
            number += 1;
            frame.set_element(table, number);
            frame.check_memory(0)?;
            token = self.next();
            match token.kind {
                TokenKind::ArrayEnd => {}
                TokenKind::Comma => {
                    token = self.next();
                    if token.kind == TokenKind::ArrayEnd {
                        return Err(unexpected("value", &token));
                    }
                }
                _ => return Err(unexpected("comma or array end", &token)),
            }
        }
        self.depth -= 1;
        Ok(())
    }
}
