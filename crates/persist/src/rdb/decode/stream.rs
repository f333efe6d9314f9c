//! Streams, in five forms, each with more figures than the one before.
//!
//! | form | since | adds |
//! |---|---|---|
//! | 1 | Redis 5 | nodes, number of entries, last ID; groups, what is pending, consumers |
//! | 2 | Redis 7.0 | first ID, greatest deleted ID, number of entries ever added; how many a group has read |
//! | 3 | Redis 7.2 | when a consumer was last active |
//! | 4 | Redis 8.6 | what is remembered of producers |
//! | 5 | Redis 8.8 | pending entries that have no consumer |

use ochre_types::listpack::Listpack;
use ochre_types::stream::{IdempotencyLimits, Stream, StreamId};

use super::super::cursor::Cursor;
use super::super::error::RdbError;
use super::super::format::code;
use super::{Limits, Progress, Step};

/// The greatest limits of what is remembered of producers.
const DURATION_S_MAX: u64 = 86_400;
const IDS_MAX: u64 = 10_000;
/// Stands for a number of entries read that is not known.
const READ_UNKNOWN: u64 = u64::MAX;

/// What is read next, with how many of it are still to come.
#[derive(Clone, Copy)]
enum Next {
    NodesHead,
    Node(u64),
    Figures,
    GroupsHead,
    Group(u64),
    Pending(u64),
    ConsumersHead,
    Consumer(u64),
    Owned(u64),
    UnownedHead,
    Unowned(u64),
    IdempotencyHead,
    Producer(u64),
    Message(u64),
    IdempotencyTotals,
    End,
}

/// A stream that is being read.
pub(crate) struct StreamDecoder<'c> {
    form: u8,
    next: Next,
    stream: Stream,
    limits: &'c Limits,
    /// Groups that are still to come behind this one, consumers behind this one, producers behind this one.
    groups_left: u64,
    consumers_left: u64,
    producers_left: u64,
    group: Vec<u8>,
    consumer: Vec<u8>,
    /// Pending entries of the group that have not got a consumer yet.
    without_owner: u64,
    idempotency: Option<Idempotency>,
}

/// What is remembered of producers. It is put into the stream at the end, where the totals are known.
struct Idempotency {
    limits: IdempotencyLimits,
    producers: Vec<Producer>,
}

struct Producer {
    name: Vec<u8>,
    messages: Vec<(Vec<u8>, StreamId)>,
}

impl<'c> StreamDecoder<'c> {
    pub(crate) fn new(code: u8, limits: &'c Limits) -> StreamDecoder<'c> {
        let form = match code {
            code::STREAM => 1,
            code::STREAM_2 => 2,
            code::STREAM_3 => 3,
            code::STREAM_4 => 4,
            _ => 5,
        };
        StreamDecoder {
            form,
            next: Next::NodesHead,
            stream: Stream::new(),
            limits,
            groups_left: 0,
            consumers_left: 0,
            producers_left: 0,
            group: Vec::new(),
            consumer: Vec::new(),
            without_owner: 0,
            idempotency: None,
        }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        self.next = match self.next {
            Next::NodesHead => Next::Node(cursor.length()?),
            Next::Node(0) => Next::Figures,
            Next::Node(left) => self.read_node(cursor).map(|()| Next::Node(left - 1))?,
            Next::Figures => self.read_figures(cursor).map(|()| Next::GroupsHead)?,
            Next::GroupsHead => Next::Group(cursor.length()?),
            Next::Group(0) if self.form >= 4 => Next::IdempotencyHead,
            Next::Group(0) => Next::End,
            Next::Group(left) => self.read_group(left - 1, cursor)?,
            Next::Pending(0) => Next::ConsumersHead,
            Next::Pending(left) => self.read_pending(cursor).map(|()| Next::Pending(left - 1))?,
            Next::ConsumersHead => Next::Consumer(cursor.length()?),
            Next::Consumer(0) => Next::UnownedHead,
            Next::Consumer(left) => self.read_consumer(left - 1, cursor)?,
            Next::Owned(0) => Next::Consumer(self.consumers_left),
            Next::Owned(left) => self.read_owned(cursor).map(|()| Next::Owned(left - 1))?,
            Next::UnownedHead => self.read_unowned_head(cursor)?,
            Next::Unowned(0) => Next::Group(self.groups_left),
            Next::Unowned(left) => self.read_unowned(cursor).map(|()| Next::Unowned(left - 1))?,
            Next::IdempotencyHead => self.read_idempotency_head(cursor)?,
            Next::Producer(0) => Next::IdempotencyTotals,
            Next::Producer(left) => self.read_producer(left - 1, cursor)?,
            Next::Message(0) => Next::Producer(self.producers_left),
            Next::Message(left) => self.read_message(cursor).map(|()| Next::Message(left - 1))?,
            Next::IdempotencyTotals => self.read_totals(cursor).map(|()| Next::End)?,
            Next::End => return Ok(Progress::Done),
        };
        Ok(Progress::More)
    }

    fn read_node(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let base = cursor.text()?.with_bytes(|bytes| <[u8; 16]>::try_from(bytes));
        let base =
            base.map_err(|_| RdbError::Corrupt("Stream node key entry is not the size of a stream ID"))?;
        let error = |_| RdbError::Corrupt("Stream listpack integrity check failed.");
        let listpack = cursor.text()?.with_bytes(Listpack::from_bytes).map_err(error)?;
        self.stream.restore_node(big_endian_id(base), &listpack).map_err(error)
    }

    fn read_figures(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let len = cursor.length()?;
        let last_id = read_id(cursor)?;
        let (mut max_deleted_id, mut entries_added) = (StreamId::MIN, self.stream.len());
        if self.form >= 2 {
            // The first ID is that of the first entry.
            read_id(cursor)?;
            max_deleted_id = read_id(cursor)?;
            entries_added = cursor.length()?;
        }
        let restored = self.stream.restore_figures(last_id, max_deleted_id, entries_added);
        if restored.is_err() || len != self.stream.len() {
            return Err(RdbError::Corrupt("Stream length inconsistent with rax entries"));
        }
        Ok(())
    }

    fn read_group(&mut self, left: u64, cursor: &mut Cursor<'_>) -> Result<Next, RdbError> {
        let name = cursor.text()?.into_vec();
        let last_delivered = read_id(cursor)?;
        let entries_read = match self.form {
            1 => self.stream.entries_up_to(last_delivered),
            _ => Some(cursor.length()?).filter(|read| *read != READ_UNKNOWN),
        };
        let pending = cursor.length()?;
        let created = self.stream.create_group(&name, last_delivered, entries_read);
        created.map_err(|_| RdbError::Corrupt("Duplicated consumer group name"))?;
        self.group = name;
        self.groups_left = left;
        self.without_owner = 0;
        Ok(Next::Pending(pending))
    }

    fn read_pending(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let id = big_endian_id(cursor.array()?);
        let (delivered_ms, deliveries) = (cursor.ms()?, cursor.length()?);
        let restored = self.stream.restore_pending(&self.group, id, delivered_ms, deliveries);
        restored
            .map_err(|_| RdbError::Corrupt("Duplicated global PEL entry loading stream consumer group"))?;
        self.without_owner += 1;
        Ok(())
    }

    fn read_consumer(&mut self, left: u64, cursor: &mut Cursor<'_>) -> Result<Next, RdbError> {
        let name = cursor.text()?.into_vec();
        let seen_ms = cursor.ms()?;
        let active_ms = match self.form {
            1 | 2 => Some(seen_ms),
            _ => Some(cursor.ms()?).filter(|ms| *ms != -1),
        };
        let owned = cursor.length()?;
        let restored = self.stream.restore_consumer(&self.group, &name, seen_ms, active_ms);
        restored.map_err(|_| RdbError::Corrupt("Duplicate stream consumer detected."))?;
        self.consumer = name;
        self.consumers_left = left;
        Ok(Next::Owned(owned))
    }

    fn read_owned(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let id = big_endian_id(cursor.array()?);
        let restored = self.stream.restore_owner(&self.group, &self.consumer, id);
        if restored.is_err() {
            return Err(RdbError::Corrupt(match self.has_owner(id) {
                Some(true) => "Duplicated consumer PEL entry loading a stream consumer group",
                _ => "Consumer entry not found in group global PEL",
            }));
        }
        self.without_owner -= 1;
        Ok(())
    }

    fn read_unowned_head(&mut self, cursor: &mut Cursor<'_>) -> Result<Next, RdbError> {
        let unowned = if self.form >= 5 { cursor.length()? } else { 0 };
        if unowned != self.without_owner {
            return Err(RdbError::Corrupt("Stream CG PEL entry without consumer"));
        }
        Ok(Next::Unowned(unowned))
    }

    fn read_unowned(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let id = big_endian_id(cursor.array()?);
        match self.has_owner(id) {
            Some(false) => Ok(()),
            _ => Err(RdbError::Corrupt("Stream NACK entry not found in group global PEL")),
        }
    }

    /// Whether a pending entry of the group has an owner; nothing if there is no such entry.
    fn has_owner(&self, id: StreamId) -> Option<bool> {
        let pending = self.stream.group(&self.group)?.pending(id, id).next()?;
        Some(pending.consumer.is_some())
    }

    fn read_idempotency_head(&mut self, cursor: &mut Cursor<'_>) -> Result<Next, RdbError> {
        let (duration_s, ids_max) = (cursor.length()?, cursor.length()?);
        let producers = cursor.length()?;
        if !(1..=DURATION_S_MAX).contains(&duration_s) || !(1..=IDS_MAX).contains(&ids_max) {
            return Err(RdbError::Corrupt("Stream IDMP limits out of range"));
        }
        let limits = IdempotencyLimits { duration_s: duration_s as u32, ids_max: ids_max as u32 };
        self.idempotency = Some(Idempotency { limits, producers: Vec::new() });
        Ok(Next::Producer(producers))
    }

    fn read_producer(&mut self, left: u64, cursor: &mut Cursor<'_>) -> Result<Next, RdbError> {
        let name = cursor.text()?.into_vec();
        let messages = cursor.length()?;
        if let Some(idempotency) = &mut self.idempotency {
            idempotency.producers.push(Producer { name, messages: Vec::new() });
        }
        self.producers_left = left;
        Ok(Next::Message(messages))
    }

    fn read_message(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let message = (cursor.text()?.into_vec(), read_id(cursor)?);
        let idempotency = self.idempotency.as_mut();
        if let Some(producer) = idempotency.and_then(|it| it.producers.last_mut()) {
            producer.messages.push(message);
        }
        Ok(())
    }

    fn read_totals(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let (added, duplicates) = (cursor.length()?, cursor.length()?);
        let Some(Idempotency { limits, producers }) = self.idempotency.take() else { return Ok(()) };
        let is_plain = producers.is_empty() && added == 0 && duplicates == 0;
        if is_plain && limits == self.limits.idempotency {
            return Ok(());
        }
        let remembered: usize = producers.iter().map(|producer| producer.messages.len()).sum();
        self.stream.restore_idempotency(limits, added.saturating_sub(remembered as u64), duplicates);
        for Producer { name, messages } in producers {
            for (id, entry) in messages {
                // The time at which it was remembered is that of its entry.
                let at_ms = i64::try_from(entry.ms).unwrap_or(i64::MAX);
                let remembered = self.stream.remember_message(&name, &id, entry, limits, at_ms);
                remembered.map_err(|_| RdbError::Corrupt("Duplicated IDMP entry of a stream"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Stream, RdbError> {
        Ok(self.stream)
    }
}

fn big_endian_id(bytes: [u8; 16]) -> StreamId {
    let id = u128::from_be_bytes(bytes);
    StreamId::new((id >> 64) as u64, id as u64)
}

fn read_id(cursor: &mut Cursor<'_>) -> Result<StreamId, RdbError> {
    Ok(StreamId::new(cursor.length()?, cursor.length()?))
}
