//! Replies as trees, read from the bytes of either protocol version.
//!
//! Invariant: a reply keeps nothing that its bytes did not say, so two replies with equal bytes are equal trees; the
//! other direction does not hold for maps and sets in odd encodings, which is why comparison begins with the bytes.
//! Limits on depth and length keep a broken server from exhausting the harness.

/// One reply of a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+text`
    Simple(Vec<u8>),
    /// `-text`, and RESP3's `!` bulk errors
    Error(Vec<u8>),
    /// `:number`
    Integer(i64),
    /// `$length`
    Bulk(Vec<u8>),
    /// `_`, `$-1` or `*-1`; the bytes tell them apart
    Null,
    /// `*count`, `~count` and `>count`
    Array(Vec<Reply>),
    /// `%count`, in the order sent
    Map(Vec<(Reply, Reply)>),
    /// `,number`, `#t`, `(number`, `=length`: kept as the text after the type byte
    Other(u8, Vec<u8>),
}

/// Why bytes are not a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// More bytes are needed.
    Incomplete,
    /// No continuation makes this a reply.
    Malformed,
}

const DEPTH_MAX: usize = 64;
const LENGTH_MAX: usize = 1 << 30;

impl Reply {
    /// Reads the reply that `bytes` begin with; returns it with its length in bytes.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), Broken> {
        let mut reader = Reader { bytes, at: 0 };
        let reply = reader.reply(0)?;
        Ok((reply, reader.at))
    }

    /// The length of the reply that `bytes` begin with, without building it.
    pub fn length(bytes: &[u8]) -> Result<usize, Broken> {
        let mut reader = Reader { bytes, at: 0 };
        let mut pending = 1usize;
        while pending > 0 {
            pending = pending - 1 + reader.skip()?;
        }
        Ok(reader.at)
    }

    /// The bytes of a string-like reply.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Error(text) | Self::Bulk(text) | Self::Other(_, text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array; none for any other reply.
    pub fn elements(&self) -> &[Self] {
        if let Self::Array(elements) = self { elements } else { &[] }
    }

    /// A letter for the kind of reply, for reports and shapes.
    pub fn kind(&self) -> char {
        match self {
            Self::Simple(_) => '+',
            Self::Error(_) => '-',
            Self::Integer(_) => ':',
            Self::Bulk(_) => '$',
            Self::Null => '_',
            Self::Array(_) => '*',
            Self::Map(_) => '%',
            Self::Other(kind, _) => *kind as char,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The type byte and the text up to the end of the line.
    fn line(&mut self) -> Result<(u8, &'a [u8]), Broken> {
        let rest = &self.bytes[self.at..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n").ok_or(Broken::Incomplete)?;
        let (kind, text) = rest[..end].split_first().ok_or(Broken::Malformed)?;
        self.at += end + 2;
        Ok((*kind, text))
    }

    /// `length` bytes and the line end after them.
    fn block(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let rest = &self.bytes[self.at..];
        let block = rest.get(..length).ok_or(Broken::Incomplete)?;
        match rest.get(length..length + 2) {
            Some(b"\r\n") => self.at += length + 2,
            Some(_) => return Err(Broken::Malformed),
            None => return Err(Broken::Incomplete),
        }
        Ok(block)
    }

    fn reply(&mut self, depth: usize) -> Result<Reply, Broken> {
        let (kind, text) = self.line()?;
        let depth = if depth < DEPTH_MAX { depth + 1 } else { return Err(Broken::Malformed) };
        Ok(match kind {
            b'+' => Reply::Simple(text.to_vec()),
            b'-' => Reply::Error(text.to_vec()),
            b':' => Reply::Integer(number(text)?),
            b'_' => Reply::Null,
            b',' | b'#' | b'(' => Reply::Other(kind, text.to_vec()),
            b'$' | b'!' | b'=' => match (length(text)?, kind) {
                (None, _) => Reply::Null,
                (Some(length), b'$') => Reply::Bulk(self.block(length)?.to_vec()),
                (Some(length), b'!') => Reply::Error(self.block(length)?.to_vec()),
                (Some(length), _) => Reply::Other(kind, self.block(length)?.to_vec()),
            },
            b'*' | b'~' | b'>' => match length(text)? {
                Some(count) => Reply::Array((0..count).map(|_| self.reply(depth)).collect::<Result<_, _>>()?),
                None => Reply::Null,
            },
            b'%' => {
                let count = length(text)?.ok_or(Broken::Malformed)?;
                let pair = |_| Ok((self.reply(depth)?, self.reply(depth)?));
                Reply::Map((0..count).map(pair).collect::<Result<_, _>>()?)
            }
            _ => return Err(Broken::Malformed),
        })
    }

    /// Passes over one node of the tree; returns how many nodes it announces.
    fn skip(&mut self) -> Result<usize, Broken> {
        let (kind, text) = self.line()?;
        match kind {
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => Ok(0),
            b'$' | b'!' | b'=' => {
                if let Some(length) = length(text)? {
                    self.block(length)?;
                }
                Ok(0)
            }
            b'*' | b'~' | b'>' => Ok(length(text)?.unwrap_or(0)),
            b'%' => Ok(length(text)?.unwrap_or(0) * 2),
            _ => Err(Broken::Malformed),
        }
    }
}

fn number(text: &[u8]) -> Result<i64, Broken> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Broken::Malformed)
}

/// A length, or `None` for the null forms `$-1` and `*-1`.
fn length(text: &[u8]) -> Result<Option<usize>, Broken> {
    match number(text)? {
        -1 => Ok(None),
        length if (0..LENGTH_MAX as i64).contains(&length) => Ok(Some(length as usize)),
        _ => Err(Broken::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_protocols() {
        let bulk = |text: &str| Reply::Bulk(text.into());
        for (bytes, expected) in [
            ("+OK\r\n", Reply::Simple(b"OK".to_vec())),
            ("-ERR x\r\n", Reply::Error(b"ERR x".to_vec())),
            ("!5\r\nERR x\r\n", Reply::Error(b"ERR x".to_vec())),
            (":-7\r\n", Reply::Integer(-7)),
            ("$-1\r\n", Reply::Null),
            ("*-1\r\n", Reply::Null),
            ("_\r\n", Reply::Null),
            ("$0\r\n\r\n", bulk("")),
            ("*2\r\n$1\r\na\r\n*0\r\n", Reply::Array(vec![bulk("a"), Reply::Array(vec![])])),
            ("%1\r\n$1\r\na\r\n:1\r\n", Reply::Map(vec![(bulk("a"), Reply::Integer(1))])),
            (",1.5\r\n", Reply::Other(b',', b"1.5".to_vec())),
            ("=7\r\ntxt:abc\r\n", Reply::Other(b'=', b"txt:abc".to_vec())),
        ] {
            let (reply, length) = Reply::read(bytes.as_bytes()).unwrap();
            assert_eq!((reply, length), (expected, bytes.len()), "{bytes:?}");
            assert_eq!(Reply::length(bytes.as_bytes()), Ok(bytes.len()));
            for cut in 0..bytes.len() {
                assert_eq!(
                    Reply::length(&bytes.as_bytes()[..cut]),
                    Err(Broken::Incomplete),
                    "{bytes:?} {cut}"
                );
                assert_eq!(Reply::read(&bytes.as_bytes()[..cut]), Err(Broken::Incomplete));
            }
        }
    }

    #[test]
    fn refuses_what_is_no_reply() {
        for bytes in [
            "x\r\n",
            "\r\n",
            ":\r\n",
            ":1x\r\n",
            "$-2\r\n",
            "$1\r\nabc",
            "%-1\r\n",
            "*99999999999999999999\r\n",
        ] {
            assert_eq!(Reply::read(bytes.as_bytes()), Err(Broken::Malformed), "{bytes:?}");
        }
        let deep = "*1\r\n".repeat(DEPTH_MAX + 1);
        assert_eq!(Reply::read(deep.as_bytes()), Err(Broken::Malformed));
    }
}
