//! The lines that a client is shown, kept until they are sent: an array of status replies.

/// Bytes of lines that are kept until they are sent; what comes behind them is counted and left out.
pub const SHOWN_BYTES_MAX: usize = 4 << 20;
/// Bytes of a line that shows a value, where the client wants no bound.
const LINE_BYTES_MAX: usize = 1 << 20;
/// What lines are cut at unless the client says something else.
const DEFAULT_LEN: usize = 256;
/// What they can be cut at.
const LEN_MIN: usize = 60;

/// Lines for the client.
#[derive(Debug)]
pub(super) struct Log {
    /// The replies so far.
    bytes: Vec<u8>,
    count: usize,
    left_out: usize,
    /// Bytes that a line about a value may have; 0 for as many as there are.
    len_max: usize,
    has_hinted: bool,
}

impl Default for Log {
    fn default() -> Log {
        Log { bytes: Vec::new(), count: 0, left_out: 0, len_max: DEFAULT_LEN, has_hinted: false }
    }
}

impl Log {
    /// Adds a line. Ends of lines within it become blanks.
    pub(super) fn add(&mut self, line: &[u8]) {
        if self.bytes.len() + line.len() > SHOWN_BYTES_MAX {
            self.left_out += 1;
            return;
        }
        self.push(line);
    }

    fn push(&mut self, line: &[u8]) {
        self.bytes.push(b'+');
        self.bytes.extend(line.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        self.bytes.extend_from_slice(b"\r\n");
        self.count += 1;
    }

    /// Adds a line about a value, no longer than the client wants; the first that is cut is followed by how to see all.
    pub(super) fn add_cut(&mut self, line: &[u8]) {
        let max = self.line_bytes_max();
        if line.len() <= max {
            return self.add(line);
        }
        self.add(&[&line[..max], b" ..."].concat());
        if !self.has_hinted {
            self.has_hinted = true;
            self.add(b"<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
        }
    }

    /// Bytes that are worth making for [`Log::add_cut`].
    pub(super) fn line_bytes_max(&self) -> usize {
        if self.len_max == 0 { LINE_BYTES_MAX } else { self.len_max.min(LINE_BYTES_MAX) }
    }

    /// Sets what lines about values are cut at, if that is said, and tells it.
    pub(super) fn set_len_max(&mut self, len: Option<i32>) {
        if let Some(len) = len {
            self.len_max = match usize::try_from(len) {
                Ok(0) => 0,
                Ok(len) => len.max(LEN_MIN),
                Err(_) => LEN_MIN,
            };
            // Who says so knows how it is done.
            self.has_hinted = true;
        }
        match self.len_max {
            0 => self.add(b"<value> replies are unlimited."),
            len => self.add(format!("<value> replies are truncated at {len} bytes.").as_bytes()),
        }
    }

    /// Takes all lines, as a reply.
    pub(super) fn take(&mut self) -> Vec<u8> {
        if self.left_out > 0 {
            self.push(format!("<hint> {} more lines were left out here.", self.left_out).as_bytes());
        }
        let mut reply = format!("*{}\r\n", self.count).into_bytes();
        reply.append(&mut self.bytes);
        (self.bytes, self.count, self.left_out) = (Vec::new(), 0, 0);
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_counted() {
        let mut log = Log::default();
        log.add(b"a\r\nb");
        assert_eq!(log.take(), b"*1\r\n+a  b\r\n");
        assert_eq!(log.take(), b"*0\r\n");
        log.add_cut(&[b'x'; 256]);
        log.add_cut(&[b'x'; 257]);
        log.add_cut(&[b'x'; 257]);
        let reply = String::from_utf8(log.take()).expect("the lines are texts");
        let lines: Vec<&str> = reply.split("\r\n").collect();
        assert_eq!(lines[0], "*4");
        assert_eq!((lines[1].len(), lines[2].len(), lines[4].len()), (257, 261, 261));
        assert!(lines[2].ends_with("x ...") && lines[3].starts_with("+<hint>"));
        for (len, text) in [
            (None, "truncated at 256 bytes."),
            (Some(3), "truncated at 60 bytes."),
            (Some(-3), "truncated at 60 bytes."),
            (Some(61), "truncated at 61 bytes."),
            (Some(0), "unlimited."),
        ] {
            log.set_len_max(len);
            assert_eq!(log.take(), format!("*1\r\n+<value> replies are {text}\r\n").as_bytes());
        }
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let mut log = Log::default();
        for _ in 0..100 {
            log.add(&[b'x'; SHOWN_BYTES_MAX / 50]);
        }
        let reply = log.take();
        assert!(reply.len() < SHOWN_BYTES_MAX + 1000);
        assert!(reply.ends_with(b"more lines were left out here.\r\n"));
    }
}
