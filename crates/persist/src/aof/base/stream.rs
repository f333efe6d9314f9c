//! Streams: XADD, XSETID, XGROUP, XCLAIM, XNACK, XCFGSET, XIDMPRECORD, XTRIM, XDEL.
//!
//! The steps (`steps`) come from one iterator that walks over everything, which is kept from part to part: both a pinned stream
//! and a plain one are a `Stream` that nobody changes meanwhile. Steps that only differ in an ID share a command.

use ochre_types::stream::{Entry, Group, IdempotencyLimits, Stream, StreamId};

use super::absent::{FIRST_ID, Place};
use super::batch::{Batch, Same};
use super::encoder::CommandEncoder;
use super::steps::{Step, Steps, clean_up, steps};
use super::value::CommandParts;

/// Writes a stream.
pub(super) struct StreamCommands<'a> {
    stream: &'a Stream,
    steps: Steps<'a>,
    /// Entries that were written, those included that will be deleted again.
    written: u64,
    absent: u64,
    batch: Batch<'a>,
}

impl<'a> StreamCommands<'a> {
    pub(super) fn new(stream: &'a Stream) -> StreamCommands<'a> {
        StreamCommands { stream, steps: steps(stream), written: 0, absent: 0, batch: Batch::default() }
    }

    fn write(&mut self, out: &mut CommandEncoder, key: &[u8], step: Step<'a>) {
        match step {
            Step::Pending(group, entry) => {
                return self.batch.push(out, key, Same::pending(group, &entry), entry.id);
            }
            Step::Delete(id) => return self.batch.push(out, key, Same::Deleted, id),
            _ => self.batch.write(out, key),
        }
        match step {
            Step::Place(place) => self.write_place(out, key, place),
            Step::Figures => {
                if self.written == 0 {
                    write_empty(out, key);
                }
                // While there are more entries than there will be, there must be as many that were added.
                self.write_figures(out, key, self.stream.entries_added().max(self.written));
            }
            Step::Group(name, group) => write_group(out, key, name, group),
            Step::Consumer(group, consumer) => {
                out.command(&[b"XGROUP", b"CREATECONSUMER", key, group, consumer]);
            }
            Step::Limits(limits) => write_limits(out, key, limits),
            Step::Message(producer, message, entry) => write_message(out, key, producer, message, entry),
            Step::Built if self.absent > 0 => self.steps = clean_up(self.stream),
            Step::Trim(first) => write_trim(out, key, first),
            Step::FiguresAgain => self.write_figures(out, key, self.stream.entries_added()),
            Step::Built | Step::Pending(..) | Step::Delete(_) => {}
        }
    }

    fn write_place(&mut self, out: &mut CommandEncoder, key: &[u8], place: Place<'_>) {
        self.written += 1;
        match place {
            Place::Entry(entry) => write_entry(out, key, &entry),
            Place::Absent(id) => {
                self.absent += 1;
                out.begin(5, "XADD");
                out.push_text(key);
                out.push_id(id);
                out.push_word("x");
                out.push_word("y");
            }
        }
    }

    fn write_figures(&self, out: &mut CommandEncoder, key: &[u8], entries_added: u64) {
        out.begin(7, "XSETID");
        out.push_text(key);
        out.push_id(self.stream.last_id());
        out.push_word("ENTRIESADDED");
        out.push_count(entries_added);
        out.push_word("MAXDELETEDID");
        out.push_id(self.stream.max_deleted_id());
    }
}

impl CommandParts for StreamCommands<'_> {
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool {
        while out.len() < bytes {
            let Some(step) = self.steps.next() else {
                self.batch.write(out, key);
                return true;
            };
            self.write(out, key, step);
        }
        false
    }
}

fn write_entry(out: &mut CommandEncoder, key: &[u8], entry: &Entry<'_>) {
    out.begin(3 + 2 * entry.len(), "XADD");
    out.push_text(key);
    out.push_id(entry.id());
    for (name, value) in entry.fields() {
        out.push_item(name);
        out.push_item(value);
    }
}

/// An entry that is gone by the end of its command.
fn write_empty(out: &mut CommandEncoder, key: &[u8]) {
    out.begin(7, "XADD");
    out.push_text(key);
    out.push_word("MAXLEN");
    out.push_word("0");
    out.push_id(FIRST_ID);
    out.push_word("x");
    out.push_word("y");
}

fn write_group(out: &mut CommandEncoder, key: &[u8], name: &[u8], group: &Group) {
    out.begin(7, "XGROUP");
    out.push_word("CREATE");
    out.push_text(key);
    out.push_text(name);
    out.push_id(group.last_delivered_id());
    out.push_word("ENTRIESREAD");
    match group.entries_read() {
        Some(entries) => out.push_count(entries),
        None => out.push_int(-1),
    }
}

fn write_limits(out: &mut CommandEncoder, key: &[u8], limits: IdempotencyLimits) {
    out.begin(6, "XCFGSET");
    out.push_text(key);
    out.push_word("IDMP-DURATION");
    out.push_int(limits.duration_s.into());
    out.push_word("IDMP-MAXSIZE");
    out.push_int(limits.ids_max.into());
}

fn write_message(out: &mut CommandEncoder, key: &[u8], producer: &[u8], message: &[u8], entry: StreamId) {
    out.begin(5, "XIDMPRECORD");
    out.push_text(key);
    out.push_text(producer);
    out.push_text(message);
    out.push_id(entry);
}

fn write_trim(out: &mut CommandEncoder, key: &[u8], first: Option<StreamId>) {
    out.begin(4, "XTRIM");
    out.push_text(key);
    match first {
        Some(first) => {
            out.push_word("MINID");
            out.push_id(first);
        }
        None => {
            out.push_word("MAXLEN");
            out.push_word("0");
        }
    }
}
