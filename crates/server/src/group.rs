//! A group of ready connections, taken through one batch after another: received, parsed, prefetched, run, sent.
//!
//! The buffers belong to the worker, not to the connections, so they stay in the cache and an idle connection costs
//! nothing. A connection whose request is only half there takes its bytes along.
//!
//! Requests are parsed ahead, up to a batch, before the first of them runs, so that all their table lines can be on
//! their way. A request that stops its connection (blocked, paused, closing) undoes the parsing ahead of it: every
//! item knows where its request begins.

use std::ops::Range;
use std::sync::Arc;

use ochre_engine::{Args, OwnedRequest, Prepared};
use ochre_resp::{Head, Limits, Progress, ProtocolError, Span};

use crate::connection::{Connection, State};

/// Ready connections that are served together.
pub const GROUP_MAX: usize = 16;
/// Requests that are parsed ahead.
pub const BATCH_MAX: usize = 64;
/// Their arguments: with more, what was fetched for the first is not in the nearest cache any more when it is needed.
pub const BATCH_ARGS_MAX: usize = 192;
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
    /// Whether the next request runs a script (see [`crate::worker`]).
    pub has_script: bool,
}

impl Seat {
    /// Ready for a connection.
    pub fn take(&mut self, token: usize) {
        self.token = token;
        self.input.clear();
        (self.parsed, self.run, self.stopped, self.broken) = (0, 0, false, false);
        self.has_script = false;
        self.out.clear();
    }
}

/// What an item of a batch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A request whose arguments lie in the seat's input.
    Request,
    /// A request with memory of its own: an inline one, or one with a large argument.
    Owned,
    /// Nothing to run: an empty request.
    Empty,
    /// What was received is no request.
    Violation,
}

/// What few items have.
pub enum Rare {
    /// The arguments of a request that is inline or has large ones.
    Owned(Arc<OwnedRequest>),
    /// What is wrong with what was received.
    Violation(ProtocolError),
}

/// A parsed request. Small, because a batch of them is walked several times.
pub struct Item {
    /// Whose.
    pub seat: usize,
    /// Where its bytes begin in the seat's input.
    pub start: usize,
    /// Where they end.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
    /// Its arguments, as indexes of the batch's spans.
    first_span: u32,
    spans_end: u32,
    /// The number of its head (see [`Head::number`]), 0 if that is not known.
    pub head: u32,
    /// Its place among what few items have; none of them if it has nothing of that.
    pub rare: usize,
    /// Its command and keys, once they are found.
    pub prepared: Option<Prepared>,
}

impl Item {
    /// The arguments, if there is something to run.
    #[inline]
    pub fn args_in<'b>(&self, input: &'b [u8], spans: &'b [Span], rare: &'b [Rare]) -> Option<Args<'b>> {
        if self.kind == Kind::Request {
            let spans = spans.get(self.first_span as usize..self.spans_end as usize)?;
            return Some(Args::new(input.get(self.start..)?, spans));
        }
        match rare.get(self.rare) {
            Some(Rare::Owned(request)) => Some(request.args()),
            _ => None,
        }
    }
}

/// Room for so many arguments is kept between batches.
const KEPT_SPANS: usize = 4096;

/// Requests that are taken through the steps together.
#[derive(Default)]
pub struct Batch {
    /// The requests, those of a seat together and in order.
    pub items: Vec<Item>,
    /// Their arguments.
    pub spans: Vec<Span>,
    /// What few of them have.
    pub rare: Vec<Rare>,
    /// How the last of the usual form began; outlives the batch.
    head: Head,
}

impl Batch {
    /// Empties it.
    pub fn clear(&mut self) {
        self.items.clear();
        self.spans.clear();
        self.rare.clear();
    }

    /// Empties it and gives up what requests of very many arguments have made it grow by.
    pub fn trim(&mut self) {
        self.clear();
        self.spans.shrink_to(KEPT_SPANS);
    }

    fn push(&mut self, seat: usize, range: Range<usize>, kind: Kind, first_span: usize, rare: Option<Rare>) {
        let at = if rare.is_some() { self.rare.len() } else { usize::MAX };
        self.rare.extend(rare);
        self.items.push(self.item(seat, range, kind, first_span, at));
    }

    /// Adds a request that was read whole.
    #[inline]
    fn push_whole(&mut self, seat: usize, range: Range<usize>, first_span: usize) {
        let item = self.item(seat, range, Kind::Request, first_span, usize::MAX);
        self.items.push(Item { head: self.head.number(), ..item });
    }

    #[inline]
    fn item(&self, seat: usize, range: Range<usize>, kind: Kind, first_span: usize, rare: usize) -> Item {
        Item {
            seat,
            start: range.start,
            end: range.end,
            kind,
            first_span: first_span as u32,
            spans_end: self.spans.len() as u32,
            head: 0,
            rare,
            prepared: None,
        }
    }
}

/// Parses requests of a seat until the batch has `items_max` or the input ends.
pub fn parse_ahead(
    index: usize,
    seat: &mut Seat,
    connection: &mut Connection,
    limits: &Limits,
    batch: &mut Batch,
    items_max: usize,
) {
    if seat.stopped || connection.state != State::Open {
        return;
    }
    // Limits depend on authentication, which a request may change.
    let max = if connection.client.authenticated { items_max } else { batch.items.len() + 1 };
    while batch.items.len() < max && batch.spans.len() < BATCH_ARGS_MAX && seat.parsed < seat.input.len() {
        let (start, first_span) = (seat.parsed, batch.spans.len());
        let received = &seat.input[start..];
        let whole = connection.parser.parse_whole(received, limits, &mut batch.spans, &mut batch.head);
        if let Some(consumed) = whole {
            connection.arrived();
            seat.parsed += consumed;
            batch.push_whole(index, start..seat.parsed, first_span);
        } else if !parse_closely(index, seat, connection, limits, batch) {
            return;
        }
    }
}

/// Parses one request whatever it looks like; whether another may follow.
#[cold]
fn parse_closely(
    index: usize,
    seat: &mut Seat,
    connection: &mut Connection,
    limits: &Limits,
    batch: &mut Batch,
) -> bool {
    let (start, first_span) = (seat.parsed, batch.spans.len());
    let (kind, rare) = match connection.parser.parse(&seat.input[start..], limits, &mut batch.spans) {
        Ok(Progress::Complete { consumed }) => {
            connection.arrived();
            seat.parsed += consumed;
            let spans = &batch.spans[first_span..];
            match connection.large.take(&seat.input, spans, (start, seat.parsed)) {
                Some(request) => (Kind::Owned, Some(Rare::Owned(request))),
                None => (Kind::Request, None),
            }
        }
        Ok(Progress::Inline { consumed, args }) => {
            seat.parsed += consumed;
            match args.is_empty() {
                true => (Kind::Empty, None),
                false => (Kind::Owned, Some(Rare::Owned(Arc::new(OwnedRequest::from_parts(&args))))),
            }
        }
        Ok(Progress::Empty { consumed }) => {
            seat.parsed += consumed;
            (Kind::Empty, None)
        }
        Ok(Progress::Incomplete { missing }) => {
            seat.stopped = true;
            connection.large.begin(&connection.parser, &mut seat.input, start);
            connection.announce(seat.input.len() - start, missing);
            return false;
        }
        Err(error) => {
            seat.stopped = true;
            (Kind::Violation, Some(Rare::Violation(error)))
        }
    };
    batch.push(index, start..seat.parsed, kind, first_span, rare);
    !seat.stopped
}
