//! Streams: nodes, figures, then each group with what is pending, and what is remembered of producers.
//!
//! The order and the forms are those that `decode/stream` reads. A group's pending entries and those of its consumers are
//! written in parts as well: a position in them is an ID.

use ochre_types::stream::{Consumer, Group, StreamId};

use super::super::format::code;
use super::super::version::Version;
use super::encoder::Encoder;
use super::parts::{StreamSource, ValueParts};
use super::plan::{CannotHold, Target};

/// Pending entries that are written before the size of the buffer is looked at again.
const ENTRIES: usize = 256;
/// Stands for a number of entries read that is not known.
const READ_UNKNOWN: u64 = u64::MAX;
/// What a stream's idempotency takes if it has none: the defaults of Redis.
const DEFAULT_LIMIT: u64 = 100;

/// What is written next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Head,
    Nodes,
    Figures,
    Group(usize),
    /// Of a group, from an ID on.
    Pending(usize, StreamId),
    /// Of a group, a consumer by its number, and if its head stands there, from an ID on.
    Consumer(usize, usize, Option<StreamId>),
    /// Of a group, from an ID on.
    Unowned(usize, StreamId),
    Producers,
    End,
}

/// Writes a stream.
#[derive(Debug)]
pub struct StreamWriter<S> {
    source: S,
    code: u8,
    next: Next,
}

impl<S: StreamSource> StreamWriter<S> {
    /// One that has written nothing.
    pub fn new(source: S) -> StreamWriter<S> {
        StreamWriter { source, code: code::STREAM_3, next: Next::Head }
    }

    fn has_unowned(&self) -> bool {
        let mut groups = (0..self.source.groups_len()).filter_map(|index| self.source.group(index));
        groups.any(|(_, group)| unowned_len(group) > 0)
    }

    fn step(&mut self, out: &mut Encoder) -> Next {
        match self.next {
            Next::Head => {
                out.push_length(self.source.nodes_len() as u64);
                Next::Nodes
            }
            Next::Nodes => {
                let has_node = self.source.next_node(&mut |base, listpack| {
                    push_text_of_id(out, base);
                    out.push_text(listpack.as_bytes());
                });
                if has_node { Next::Nodes } else { Next::Figures }
            }
            Next::Figures => {
                self.write_figures(out);
                Next::Group(0)
            }
            Next::Group(index) => self.write_group(out, index),
            Next::Pending(index, from) => self.write_pending(out, index, from),
            Next::Consumer(index, consumer, from) => self.write_consumer(out, index, consumer, from),
            Next::Unowned(index, from) => self.write_unowned(out, index, from),
            Next::Producers => {
                self.write_producers(out);
                Next::End
            }
            Next::End => Next::End,
        }
    }

    fn write_figures(&self, out: &mut Encoder) {
        let figures = self.source.figures();
        out.push_length(figures.len);
        push_id(out, figures.last_id);
        if self.code != code::STREAM {
            push_id(out, figures.first_id);
            push_id(out, figures.max_deleted_id);
            out.push_length(figures.entries_added);
        }
        out.push_length(self.source.groups_len() as u64);
    }

    fn write_group(&self, out: &mut Encoder, index: usize) -> Next {
        let Some((name, group)) = self.source.group(index) else {
            let has_producers = matches!(self.code, code::STREAM_4 | code::STREAM_5);
            return if has_producers { Next::Producers } else { Next::End };
        };
        out.push_text(name);
        push_id(out, group.last_delivered_id());
        if self.code != code::STREAM {
            out.push_length(group.entries_read().unwrap_or(READ_UNKNOWN));
        }
        out.push_length(group.pending_len() as u64);
        Next::Pending(index, StreamId::MIN)
    }

    fn write_pending(&self, out: &mut Encoder, index: usize, from: StreamId) -> Next {
        let Some((_, group)) = self.source.group(index) else { return Next::End };
        let mut last = None;
        for pending in group.pending(from, StreamId::MAX).take(ENTRIES) {
            push_raw_id(out, pending.id);
            out.push_raw(&pending.delivered_ms.to_le_bytes());
            out.push_length(pending.deliveries);
            last = Some(pending.id);
        }
        if let Some(next) = last.and_then(StreamId::next) {
            return Next::Pending(index, next);
        }
        out.push_length(group.consumers_len() as u64);
        Next::Consumer(index, 0, None)
    }

    fn write_consumer(&self, out: &mut Encoder, index: usize, number: usize, from: Option<StreamId>) -> Next {
        let Some((_, group)) = self.source.group(index) else { return Next::End };
        let mut consumers = group.consumers().skip(number).take(ENTRIES).enumerate();
        // Many small ones at a time, since finding one by its number is a walk.
        let (first, mut from) = (out.bytes().len(), from);
        for (offset, consumer) in consumers.by_ref() {
            let rest = self.write_consumer_part(out, group, consumer, from.take());
            if rest.is_some() {
                return Next::Consumer(index, number + offset, rest);
            }
            if out.bytes().len() - first > ENTRIES * size_of::<StreamId>() {
                return Next::Consumer(index, number + offset + 1, None);
            }
        }
        if number + ENTRIES < group.consumers_len() {
            return Next::Consumer(index, number + ENTRIES, None);
        }
        if self.code != code::STREAM_5 {
            return Next::Group(index + 1);
        }
        out.push_length(unowned_len(group) as u64);
        Next::Unowned(index, StreamId::MIN)
    }

    /// Writes a consumer's head, unless it stands there, and some of what is pending for it; from which ID to go on.
    fn write_consumer_part(
        &self,
        out: &mut Encoder,
        group: &Group,
        consumer: &Consumer,
        from: Option<StreamId>,
    ) -> Option<StreamId> {
        if from.is_none() {
            out.push_text(consumer.name());
            out.push_raw(&consumer.seen_ms().to_le_bytes());
            if !matches!(self.code, code::STREAM | code::STREAM_2) {
                out.push_raw(&consumer.active_ms().unwrap_or(-1).to_le_bytes());
            }
            out.push_length(consumer.pending_len() as u64);
        }
        let pending = group.pending_of(consumer, from.unwrap_or(StreamId::MIN), StreamId::MAX);
        let (mut count, mut last) = (0, None);
        for pending in pending.take(ENTRIES) {
            push_raw_id(out, pending.id);
            (count, last) = (count + 1, Some(pending.id));
        }
        last.filter(|_| count == ENTRIES).and_then(StreamId::next)
    }

    fn write_unowned(&self, out: &mut Encoder, index: usize, from: StreamId) -> Next {
        let Some((_, group)) = self.source.group(index) else { return Next::End };
        let pending = group.pending(from, StreamId::MAX).filter(|pending| pending.consumer.is_none());
        let mut last = None;
        for pending in pending.take(ENTRIES) {
            push_raw_id(out, pending.id);
            last = Some(pending.id);
        }
        match last.and_then(StreamId::next) {
            Some(next) => Next::Unowned(index, next),
            None => Next::Group(index + 1),
        }
    }

    fn write_producers(&self, out: &mut Encoder) {
        let idempotency = self.source.figures().idempotency;
        let limits = idempotency.map(|(limits, _)| limits);
        out.push_length(limits.map_or(DEFAULT_LIMIT, |limits| u64::from(limits.duration_s)));
        out.push_length(limits.map_or(DEFAULT_LIMIT, |limits| u64::from(limits.ids_max)));
        let messages: Vec<_> = self.source.messages().collect();
        let producers = || messages.chunk_by(|one, next| one.0 == next.0);
        out.push_length(producers().count() as u64);
        for messages in producers() {
            out.push_text(messages[0].0);
            out.push_length(messages.len() as u64);
            for (_, id, entry) in messages {
                out.push_text(id);
                push_id(out, *entry);
            }
        }
        let figures = idempotency.map(|(_, figures)| figures).unwrap_or_default();
        out.push_length(figures.added);
        out.push_length(figures.duplicates);
    }
}

impl<S: StreamSource> ValueParts for StreamWriter<S> {
    fn plan(&mut self, target: Target) -> Result<(u8, Version), CannotHold> {
        let plan = target.stream(self.has_unowned(), self.source.figures().idempotency.is_some())?;
        self.code = plan.0;
        Ok(plan)
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        while out.bytes().len() < bytes {
            if let Next::End = self.next {
                return true;
            }
            self.next = self.step(out);
        }
        false
    }
}

/// How many pending entries of a group have no consumer.
fn unowned_len(group: &Group) -> usize {
    let owned: usize = group.consumers().map(Consumer::pending_len).sum();
    group.pending_len().saturating_sub(owned)
}

fn push_id(out: &mut Encoder, id: StreamId) {
    out.push_length(id.ms);
    out.push_length(id.seq);
}

/// Writes an ID as sixteen bytes.
fn push_raw_id(out: &mut Encoder, id: StreamId) {
    out.push_raw(&id.ms.to_be_bytes());
    out.push_raw(&id.seq.to_be_bytes());
}

/// Writes an ID as a text of sixteen bytes.
fn push_text_of_id(out: &mut Encoder, id: StreamId) {
    out.push_length(16);
    push_raw_id(out, id);
}
