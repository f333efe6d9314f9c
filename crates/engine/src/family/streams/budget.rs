//! How much one read may return.

use ochre_types::stream::Entry;

/// MAXCOUNT and MAXSIZE: limits of all entries that a command returns, of whatever streams. The first entry is always
/// within them, so that a reader gets on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    entries: u64,
    bytes: Option<u64>,
    is_begun: bool,
}

impl Budget {
    /// So many entries; names and values of so many bytes. `None`: no limit.
    pub(super) fn new(entries: Option<u64>, bytes: Option<u64>) -> Budget {
        Budget { entries: entries.unwrap_or(u64::MAX), bytes, is_begun: false }
    }

    /// Whether there is any limit.
    pub(super) fn is_limited(&self) -> bool {
        self.entries != u64::MAX || self.bytes.is_some()
    }

    /// How many entries may be taken at once, of `wanted`, before sizes have to be looked at.
    pub(super) fn at_once(&self, wanted: u64) -> u64 {
        match self.bytes {
            Some(0) if self.is_begun => 0,
            Some(_) => wanted.min(self.entries).min(1),
            None => wanted.min(self.entries),
        }
    }

    /// Takes an entry that is returned in any case.
    pub(super) fn charge(&mut self, entry: Option<&Entry<'_>>) {
        self.is_begun = true;
        if self.entries != u64::MAX {
            self.entries = self.entries.saturating_sub(1);
        }
        if let Some(bytes) = &mut self.bytes {
            *bytes = bytes.saturating_sub(entry.map_or(0, size));
        }
    }

    /// Takes an entry, if it is within the limits.
    pub(super) fn allows(&mut self, entry: &Entry<'_>) -> bool {
        let fits = self.bytes.is_none_or(|bytes| size(entry) <= bytes);
        let allowed = self.entries > 0 && (fits || !self.is_begun);
        if allowed {
            self.charge(Some(entry));
        }
        allowed
    }
}

/// Bytes of an entry's names and values.
fn size(entry: &Entry<'_>) -> u64 {
    entry.fields().map(|(name, value)| (name.len() + value.len()) as u64).sum()
}

#[cfg(test)]
mod tests {
    use ochre_types::stream::{IdRequest, NodeLimits, Stream, StreamId};

    use super::*;

    fn taken(mut budget: Budget) -> usize {
        let mut stream = Stream::new();
        for value in ["12345678", "1234", "1234", "12345678"] {
            stream.add(IdRequest::Auto, &[b"ab", value.as_bytes()], NodeLimits::default(), 1).unwrap();
        }
        stream.range(StreamId::MIN, StreamId::MAX).take_while(|entry| budget.allows(entry)).count()
    }

    #[test]
    fn limits_but_the_first_is_free() {
        assert_eq!(taken(Budget::new(None, None)), 4);
        assert_eq!(taken(Budget::new(Some(3), None)), 3);
        assert_eq!(taken(Budget::new(None, Some(1))), 1);
        assert_eq!(taken(Budget::new(None, Some(15))), 1);
        assert_eq!(taken(Budget::new(None, Some(16))), 2);
        assert_eq!(taken(Budget::new(None, Some(31))), 3);
        assert_eq!(taken(Budget::new(Some(2), Some(32))), 2);
        assert_eq!(taken(Budget::new(None, Some(32))), 4);
    }
}
