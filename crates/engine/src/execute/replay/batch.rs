//! Commands of a log that have one key each: what can be run beside others, since the order matters only where the key is the
//! same.

use ochre_resp::Span;

use crate::call::Args;
use crate::command::CommandId;

/// A command that may be run beside those with other keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// What it is.
    pub(super) id: CommandId,
    /// In which database.
    pub(super) db: u32,
    /// Which of its arguments is the key.
    pub(super) key: u32,
    /// Its stripe.
    pub(super) stripe: usize,
}

/// A command of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) placed: Placed,
    /// Where its arguments end among those of all.
    args_end: usize,
}

/// Commands in order, with bytes of their own.
#[derive(Default, Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    items: Vec<Item>,
}

impl Batch {
    /// So many bytes a command may have here.
    pub(crate) const COMMAND_BYTES_MAX: usize = 1 << 20;
    /// A batch is full with so many commands,
    const ITEMS_MAX: usize = 128;
    /// or so many bytes.
    const BYTES_MAX: usize = 64 * 1024;

    /// Adds a command, which has at most [`Batch::COMMAND_BYTES_MAX`] bytes.
    pub(crate) fn push(&mut self, bytes: &[u8], spans: &[Span], placed: Placed) {
        // Less than both bounds together: it fits.
        let before = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.spans.extend(spans.iter().map(|span| Span { start: span.start + before, len: span.len }));
        self.items.push(Item { placed, args_end: self.spans.len() });
    }

    /// Whether it is to be run before anything is added.
    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= Batch::ITEMS_MAX || self.bytes.len() >= Batch::BYTES_MAX
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Makes it empty.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.items.clear();
    }

    /// The commands in order.
    pub(super) fn commands(&self) -> impl Iterator<Item = (Placed, Args<'_>)> {
        let mut start = 0;
        self.items.iter().map(move |item| {
            let own = self.spans.get(start..item.args_end).unwrap_or_default();
            start = item.args_end;
            (item.placed, Args::new(&self.bytes, own))
        })
    }
}
