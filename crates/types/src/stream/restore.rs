//! A stream into its parts for a file, and together again from parts that nobody vouches for.
//!
//! The parts are those of Redis's files: nodes, figures, groups, for each group what is pending, and for each consumer
//! which of that is its own. They are added in this order; what contradicts an earlier part is refused.

use super::group::Group;
use super::id::StreamId;
use super::idempotency::{Idempotency, IdempotencyLimits};
use super::listpack_form;
use super::pending::Pending;
use super::read::DELIVERIES_MAX;
use super::state::Stream;
use crate::listpack::{Corrupt, Listpack};

impl Stream {
    /// The nodes: their first IDs, and the listpacks that Redis would keep under them. They are made on the way.
    pub fn nodes(&self) -> impl Iterator<Item = (StreamId, Listpack)> {
        self.nodes_after(None)
    }

    /// The nodes behind the one with this first ID, or all: for who goes on another time. O(log n) to begin.
    pub fn nodes_after(&self, base: Option<StreamId>) -> impl Iterator<Item = (StreamId, Listpack)> {
        let nodes = self.0.log.nodes_from(base.unwrap_or(StreamId::MIN));
        let nodes = nodes.skip_while(move |node| base.is_some_and(|base| node.base() <= base));
        nodes.map(|node| (node.base(), listpack_form::write(node)))
    }

    /// Adds a node behind all others.
    ///
    /// # Errors
    /// When it is no node, or has no entries, or does not belong behind the others.
    pub fn restore_node(&mut self, base: StreamId, listpack: &Listpack) -> Result<(), Corrupt> {
        let node = listpack_form::read(base, listpack)?;
        if self.0.log.append_node(node) { Ok(()) } else { Err(Corrupt) }
    }

    /// Sets the figures, after all nodes are there.
    ///
    /// # Errors
    /// When entries have greater IDs than `last_id`, or there are more of them than were added.
    pub fn restore_figures(
        &mut self,
        last_id: StreamId,
        max_deleted_id: StreamId,
        entries_added: u64,
    ) -> Result<(), Corrupt> {
        let inner = &mut *self.0;
        if inner.log.last_id().is_some_and(|last| last > last_id) || inner.log.len() > entries_added {
            return Err(Corrupt);
        }
        inner.last_id = last_id;
        inner.max_deleted_id = max_deleted_id;
        inner.entries_added = entries_added;
        Ok(())
    }

    /// How many entries were added up to `id`, where that follows from the figures: what a group has read of which an old
    /// file tells the last ID only.
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        self.history().position(id)
    }

    /// Puts an entry that has no owner (yet) on the list of a group.
    ///
    /// # Errors
    /// When there is no such group, or the entry is on its list already.
    pub fn restore_pending(
        &mut self,
        group: &[u8],
        id: StreamId,
        delivered_ms: i64,
        deliveries: u64,
    ) -> Result<(), Corrupt> {
        let group = self.group_to_restore(group)?;
        if group.is_pending(id) {
            return Err(Corrupt);
        }
        let deliveries = deliveries.min(DELIVERIES_MAX);
        group.put_pending(Pending { id, delivered_ms, deliveries, consumer: None });
        Ok(())
    }

    /// Makes a consumer.
    ///
    /// # Errors
    /// When there is no such group, or the consumer is there already.
    pub fn restore_consumer(
        &mut self,
        group: &[u8],
        name: &[u8],
        seen_ms: i64,
        active_ms: Option<i64>,
    ) -> Result<(), Corrupt> {
        let group = self.group_to_restore(group)?;
        let (index, created) = group.consumers.get_or_create(name, seen_ms);
        match group.consumers.get_mut(index) {
            Some(consumer) if created => consumer.active_ms = active_ms,
            _ => return Err(Corrupt),
        }
        Ok(())
    }

    /// Makes a consumer the owner of a pending entry.
    ///
    /// # Errors
    /// When one of the three is not there, or the entry has an owner.
    pub fn restore_owner(&mut self, group: &[u8], consumer: &[u8], id: StreamId) -> Result<(), Corrupt> {
        let group = self.group_to_restore(group)?;
        let consumer = Some(group.consumers.index(consumer).ok_or(Corrupt)?);
        match group.get_pending(id) {
            Some(pending) if pending.consumer.is_none() => {
                group.put_pending(Pending { consumer, ..pending });
                Ok(())
            }
            _ => Err(Corrupt),
        }
    }

    /// Sets the limits and totals of idempotent production, forgetting what was remembered. What was is then added by
    /// [`Stream::remember_message`], which counts it in the total again.
    pub fn restore_idempotency(&mut self, limits: IdempotencyLimits, added: u64, duplicates: u64) {
        let mut idempotency = Idempotency::new(limits);
        idempotency.set_totals(added, duplicates);
        self.0.idempotency = Some(Box::new(idempotency));
    }

    fn group_to_restore(&mut self, name: &[u8]) -> Result<&mut Group, Corrupt> {
        self.group_mut(name).map_err(|_| Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{IdRequest, NodeLimits};
    use super::*;

    fn stream() -> Stream {
        let mut stream = Stream::new();
        for (id, fields) in [
            ((5, 3), &[&b"a"[..], b"1", b"b", b"two"][..]),
            ((5, 7), &[b"a", b"-1", b"b", b""]),
            ((6, 0), &[b"other", b"1"]),
            ((u64::MAX, 1), &[b"a", b"9223372036854775807", b"b", b"\xff\x00"]),
        ] {
            let request = IdRequest::Exact(StreamId::new(id.0, id.1));
            stream.add(request, fields, NodeLimits::default(), 0).unwrap();
        }
        stream
    }

    fn listpack(ints: &[i64]) -> Listpack {
        let mut listpack = Listpack::new();
        ints.iter().for_each(|int| listpack.push_back_int(*int));
        listpack
    }

    #[test]
    fn the_bytes_that_redis_has() {
        let mut stream = Stream::new();
        let request = IdRequest::Exact(StreamId::new(1, 1));
        stream.add(request, &[b"a", b"1"], NodeLimits::default(), 0).unwrap();
        let (base, node) = stream.nodes().next().unwrap();
        assert_eq!(base, StreamId::new(1, 1));
        // DUMP of the same stream, from Redis.
        let dumped = b"\x1c\x00\x00\x00\x0a\x00\x01\x01\x00\x01\x01\x01\x81a\x02\x00\x01\x02\x01\x00\x01\x00\x01\x01\x01\x04\x01\xff";
        assert_eq!(node.as_bytes(), dumped);
    }

    #[test]
    fn nodes_there_and_back() {
        let stream = stream();
        let mut restored = Stream::new();
        for (base, node) in stream.nodes() {
            let bytes = node.as_bytes();
            restored.restore_node(base, &Listpack::from_bytes(bytes).unwrap()).unwrap();
        }
        restored.restore_figures(stream.last_id(), StreamId::MIN, 4).unwrap();
        assert_eq!(stream, restored);
        assert_eq!(restored.restore_figures(StreamId::new(9, 9), StreamId::MIN, 4), Err(Corrupt));
        assert_eq!(restored.restore_figures(StreamId::MAX, StreamId::MIN, 3), Err(Corrupt));
    }

    #[test]
    fn deleted_entries_are_left_out() {
        let ints = [1, 1, 1, 7, 0, 3, 0, 0, 8, 4, 2, 0, 1, 9, 4];
        let mut stream = Stream::new();
        stream.restore_node(StreamId::new(3, 0), &listpack(&ints)).unwrap();
        assert_eq!(stream.len(), 1);
        let entry = stream.get(StreamId::new(3, 1)).unwrap();
        assert_eq!(
            entry.fields().collect::<Vec<_>>(),
            [(crate::listpack::Item::Int(7), crate::listpack::Item::Int(9))]
        );
    }

    #[test]
    fn anything_changed_is_refused_or_makes_a_sound_stream() {
        let good = [1i64, 1, 1, 7, 0, 3, 0, 0, 8, 4, 0, 0, 1, 1, 5, 9, 6];
        assert!(Stream::new().restore_node(StreamId::new(3, 0), &listpack(&good)).is_ok());
        let mut refused = 0;
        for at in 0..good.len() {
            for value in [-1, 0, 1, 2, 3, 5, 100, i64::MAX, i64::MIN] {
                let mut changed = good;
                changed[at] = value;
                let mut stream = Stream::new();
                match stream.restore_node(StreamId::new(3, 0), &listpack(&changed)) {
                    Ok(()) => {
                        assert_eq!(stream.range(StreamId::MIN, StreamId::MAX).count() as u64, stream.len())
                    }
                    Err(Corrupt) => refused += 1,
                }
            }
            let shorter = Stream::new().restore_node(StreamId::new(3, 0), &listpack(&good[..at]));
            assert_eq!(shorter, Err(Corrupt));
        }
        assert!(refused > 80, "{refused}");
    }

    #[test]
    fn nodes_out_of_order_are_refused() {
        let node = listpack(&[1, 0, 1, 7, 0, 2, 5, 0, 9, 4]);
        let mut stream = Stream::new();
        assert_eq!(stream.restore_node(StreamId::new(3, 0), &node), Ok(()));
        assert_eq!(stream.restore_node(StreamId::new(8, 0), &node), Err(Corrupt));
        assert_eq!(stream.restore_node(StreamId::new(8, 1), &node), Ok(()));
        assert_eq!(stream.len(), 2);
    }

    #[test]
    fn groups_are_put_together() {
        let mut stream = stream();
        let (one, two) = (StreamId::new(5, 3), StreamId::new(5, 7));
        stream.create_group(b"g", two, Some(2)).unwrap();
        assert_eq!(stream.restore_pending(b"h", one, 10, 1), Err(Corrupt));
        stream.restore_pending(b"g", one, 10, 1).unwrap();
        assert_eq!(stream.restore_pending(b"g", one, 10, 1), Err(Corrupt));
        stream.restore_pending(b"g", two, 20, u64::MAX).unwrap();
        assert_eq!(stream.restore_owner(b"g", b"c", one), Err(Corrupt));
        stream.restore_consumer(b"g", b"c", 5, Some(6)).unwrap();
        assert_eq!(stream.restore_consumer(b"g", b"c", 5, Some(6)), Err(Corrupt));
        stream.restore_owner(b"g", b"c", one).unwrap();
        assert_eq!(stream.restore_owner(b"g", b"c", one), Err(Corrupt));
        let pending: Vec<_> = stream.group(b"g").unwrap().pending(StreamId::MIN, StreamId::MAX).collect();
        assert_eq!((pending[0].consumer, pending[0].deliveries), (Some(&b"c"[..]), 1));
        assert_eq!((pending[1].consumer, pending[1].deliveries), (None, i64::MAX as u64));
    }
}
