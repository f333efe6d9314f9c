//! From the bytes of a client to the words of a command: arrays of strings, as requests are, within bounds of their own.

use super::order::leading_i32;

/// Words of a command.
const WORDS_MAX: usize = 1024;
/// Bytes of a word; there is at least one.
const WORD_BYTES_MAX: usize = 1024;
/// Digits of a number, its mark and the end of its line.
const HEADER_BYTES_MAX: usize = 16;

/// What has been received and not been taken yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
}

/// What was sent is no command, and nothing behind it can be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

impl Input {
    /// Adds what was received.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next command; `None` if it is not complete.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, Malformed> {
        let mut reader = Reader { rest: &self.bytes };
        let words = reader.words()?;
        if words.is_some() {
            let taken = self.bytes.len() - reader.rest.len();
            self.bytes.drain(..taken);
        }
        Ok(words)
    }
}

/// The bytes that are left.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn words(&mut self) -> Result<Option<Vec<Vec<u8>>>, Malformed> {
        let Some(count) = self.header(b'*', WORDS_MAX)? else { return Ok(None) };
        let mut words = Vec::new();
        for _ in 0..count {
            match self.word()? {
                Some(word) => words.push(word),
                None => return Ok(None),
            }
        }
        Ok(Some(words))
    }

    fn word(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(len) = self.header(b'$', WORD_BYTES_MAX)? else { return Ok(None) };
        let Some(word) = self.rest.get(..len) else { return Ok(None) };
        match self.rest.get(len..len + 2) {
            None => return Ok(None),
            Some(b"\r\n") => {}
            Some(_) => return Err(Malformed),
        }
        self.rest = &self.rest[len + 2..];
        Ok(Some(word.to_vec()))
    }

    /// A mark and a number from 1 to a bound, as a line.
    fn header(&mut self, mark: u8, max: usize) -> Result<Option<usize>, Malformed> {
        if self.rest.first().is_some_and(|&first| first != mark) {
            return Err(Malformed);
        }
        let Some(end) = self.rest.windows(2).take(HEADER_BYTES_MAX).position(|pair| pair == b"\r\n") else {
            return if self.rest.len() > HEADER_BYTES_MAX { Err(Malformed) } else { Ok(None) };
        };
        let number = usize::try_from(leading_i32(&self.rest[1..end])).map_err(|_| Malformed)?;
        if !(1..=max).contains(&number) {
            return Err(Malformed);
        }
        self.rest = &self.rest[end + 2..];
        Ok(Some(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Malformed> {
        let mut input = Input::default();
        input.push(bytes);
        input.next()
    }

    #[test]
    fn commands_come_in_pieces_and_together() {
        let all = b"*2\r\n$1\r\nb\r\n$2\r\n10\r\n*1\r\n$4\r\nstep\r\n";
        let mut input = Input::default();
        let mut commands = Vec::new();
        for byte in all {
            input.push(&[*byte]);
            commands.extend(input.next().expect("all of it are commands"));
        }
        assert_eq!(commands, [vec![b"b".to_vec(), b"10".to_vec()], vec![b"step".to_vec()]]);
        let mut input = Input::default();
        input.push(all);
        assert_eq!(input.next().map(|words| words.map(|words| words.len())), Ok(Some(2)));
        assert_eq!(input.next().map(|words| words.map(|words| words.len())), Ok(Some(1)));
        assert_eq!(input.next(), Ok(None));
    }

    #[test]
    fn what_is_no_command() {
        let words = |count: usize| [format!("*{count}\r\n"), "$1\r\nx\r\n".repeat(count)].concat();
        let word = |len: usize| format!("*1\r\n${len}\r\n{}\r\n", "x".repeat(len));
        assert!(matches!(read(words(1024).as_bytes()), Ok(Some(words)) if words.len() == 1024));
        assert!(matches!(read(word(1024).as_bytes()), Ok(Some(_))));
        for bad in [
            "step\r\n",
            "\r\n",
            "*x\r\n",
            "*0\r\n",
            "*-1\r\n",
            "*1\r\n:1\r\n",
            "*1\r\n$x\r\n",
            "*1\r\n$0\r\n\r\n",
            "*1\r\n$1\r\nabc",
            "*11111111111111111111",
            &words(1025),
            &word(1025),
        ] {
            assert_eq!(read(bad.as_bytes()), Err(Malformed), "{bad:?}");
        }
    }
}
