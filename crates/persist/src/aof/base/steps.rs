//! A stream as a series of steps, in the order of their commands.

use std::iter::once;

use ochre_types::stream::{Consumer, Group, IdempotencyLimits, PendingEntry, Stream, StreamId};

use super::absent::{Place, absent, places};

/// Something of a stream.
pub(super) enum Step<'a> {
    /// An entry, or one that is there for a while only.
    Place(Place<'a>),
    /// The figures, which groups are compared with.
    Figures,
    /// A group.
    Group(&'a [u8], &'a Group),
    /// A consumer of a group that nothing is pending for.
    Consumer(&'a [u8], &'a [u8]),
    /// An entry that is pending in a group.
    Pending(&'a [u8], PendingEntry<'a>),
    /// How much is remembered of producers.
    Limits(IdempotencyLimits),
    /// A message of a producer, and the entry that it became.
    Message(&'a [u8], &'a [u8], StreamId),
    /// All is there that refers to entries.
    Built,
    /// Everything before this entry is to go again, or everything.
    Trim(Option<StreamId>),
    /// An entry is to go again.
    Delete(StreamId),
    /// That changed the figures.
    FiguresAgain,
}

/// What steps are made by.
pub(super) type Steps<'a> = Box<dyn Iterator<Item = Step<'a>> + 'a>;

/// The steps that build a stream.
pub(super) fn steps(stream: &Stream) -> Steps<'_> {
    let entries = places(stream).map(Step::Place);
    let groups = stream.groups().flat_map(|(name, group)| group_steps(name, group));
    Box::new(
        entries.chain(once(Step::Figures)).chain(groups).chain(producers(stream)).chain(once(Step::Built)),
    )
}

/// The steps behind them if entries are there that must not be.
pub(super) fn clean_up(stream: &Stream) -> Steps<'_> {
    let first = stream.first_entry_id();
    let is_before = move |id: &StreamId| first.is_none_or(|first| *id < first);
    let mut ids = absent(stream).peekable();
    let trim = ids.peek().is_some_and(is_before).then_some(Step::Trim(first));
    let deletions = ids.skip_while(is_before).map(Step::Delete);
    Box::new(trim.into_iter().chain(deletions).chain(once(Step::FiguresAgain)))
}

/// A group: its consumers with what is pending for them, and what is pending for nobody.
fn group_steps<'a>(name: &'a [u8], group: &'a Group) -> impl Iterator<Item = Step<'a>> {
    let pending = |entry| Step::Pending(name, entry);
    let consumers = group.consumers().flat_map(move |consumer| {
        let idle = (consumer.pending_len() == 0).then_some(Step::Consumer(name, consumer.name()));
        idle.into_iter().chain(group.pending_of(consumer, StreamId::MIN, StreamId::MAX).map(pending))
    });
    let owned: usize = group.consumers().map(Consumer::pending_len).sum();
    let unowned = (owned < group.pending_len()).then(|| group.pending(StreamId::MIN, StreamId::MAX));
    let unowned = unowned.into_iter().flatten().filter(|entry| entry.consumer.is_none());
    once(Step::Group(name, group)).chain(consumers).chain(unowned.map(pending))
}

/// What is remembered of producers. Limits that are anyone's, of a stream that remembers nothing, are not worth a command that
/// few servers have.
fn producers(stream: &Stream) -> impl Iterator<Item = Step<'_>> {
    let is_worth_it = |limits: &IdempotencyLimits| {
        *limits != IdempotencyLimits::default() || stream.messages().next().is_some()
    };
    let limits = stream.idempotency_limits().filter(is_worth_it).map(Step::Limits);
    let last_id = stream.last_id();
    let messages = stream.messages().filter(move |(_, _, entry, _)| *entry <= last_id);
    let messages = messages.map(|(producer, message, entry, _)| Step::Message(producer, message, entry));
    limits.into_iter().chain(messages)
}
