//! A group of ready connections, taken through one batch after another: received, parsed, prefetched, run, sent.
//!
//! The buffers belong to the worker, not to the connections, so they stay in the cache and an idle connection costs
//! nothing. A connection whose request is only half there takes its bytes along.
//!
//! Requests are parsed ahead, up to a batch, before the first of them runs, so that all their table lines can be on
//! their way. A request that stops its connection (blocked, paused, closing) undoes the parsing ahead of it: every
//! item knows where its request begins.

use std::ops::Range;

use ochre_engine::{Args, OwnedRequest};
use ochre_resp::{Limits, Progress, ProtocolError, Span};

use crate::connection::{Connection, State};

/// Ready connections that are served together.
pub const GROUP_MAX: usize = 16;
/// Requests that are parsed ahead.
pub const BATCH_MAX: usize = 64;
/// What is received at once.
pub const RECEIVE_BYTES: usize = 16 * 1024;

/// The buffers of one connection in a group.
#[derive(Default)]
pub struct Seat {
    /// Which connection.
    pub token: usize,
    /// What was received and has not run.
    pub input: Vec<u8>,
    /// How much of it has been parsed.
    pub parsed: usize,
    /// How much of it has run.
    pub run: usize,
    /// Replies.
    pub out: Vec<u8>,
    /// Whether nothing more of it is to be parsed in this round.
    pub stopped: bool,
    /// Whether the connection is to be closed at once.
    pub broken: bool,
}

impl Seat {
    /// Ready for a connection.
    pub fn take(&mut self, token: usize) {
        self.token = token;
        self.input.clear();
        (self.parsed, self.run, self.stopped, self.broken) = (0, 0, false, false);
        self.out.clear();
    }
}

/// What an item of a batch is.
pub enum ItemKind {
    /// A request whose arguments lie in the seat's input.
    Request(Range<usize>),
    /// An inline request, with memory of its own.
    Inline(OwnedRequest),
    /// Nothing to run: an empty request.
    Empty,
    /// What was received is no request.
    Violation(ProtocolError),
}

/// A parsed request.
pub struct Item {
    /// Whose.
    pub seat: usize,
    /// Where its bytes begin in the seat's input.
    pub start: usize,
    /// Where they end.
    pub end: usize,
    /// What it is.
    pub kind: ItemKind,
}

impl Item {
    /// The arguments, if there is something to run.
    pub fn args_in<'b>(&'b self, input: &'b [u8], spans: &'b [Span]) -> Option<Args<'b>> {
        match &self.kind {
            ItemKind::Request(range) => Some(Args::new(&input[self.start..], &spans[range.clone()])),
            ItemKind::Inline(request) => Some(request.args()),
            ItemKind::Empty | ItemKind::Violation(_) => None,
        }
    }
}

/// Parses requests of a seat until the batch is full or the input ends.
pub fn parse_ahead(
    index: usize,
    seat: &mut Seat,
    connection: &mut Connection,
    limits: &Limits,
    spans: &mut Vec<Span>,
    items: &mut Vec<Item>,
) {
    if seat.stopped || connection.state != State::Open {
        return;
    }
    // Limits depend on authentication, which a request may change.
    let max = if connection.client.authenticated { BATCH_MAX } else { items.len() + 1 };
    while items.len() < max && seat.parsed < seat.input.len() {
        let (start, first) = (seat.parsed, spans.len());
        let kind = match connection.parser.parse(&seat.input[start..], limits, spans) {
            Ok(Progress::Complete { consumed }) => {
                connection.arrived();
                seat.parsed += consumed;
                ItemKind::Request(first..spans.len())
            }
            Ok(Progress::Inline { consumed, args }) => {
                seat.parsed += consumed;
                if args.is_empty() {
                    ItemKind::Empty
                } else {
                    ItemKind::Inline(OwnedRequest::from_parts(&args))
                }
            }
            Ok(Progress::Empty { consumed }) => {
                seat.parsed += consumed;
                ItemKind::Empty
            }
            Ok(Progress::Incomplete { missing }) => {
                seat.stopped = true;
                connection.announce(seat.input.len() - start, missing);
                return;
            }
            Err(error) => {
                seat.stopped = true;
                ItemKind::Violation(error)
            }
        };
        let stop = matches!(kind, ItemKind::Violation(_));
        items.push(Item { seat: index, start, end: seat.parsed, kind });
        if stop {
            return;
        }
    }
}
