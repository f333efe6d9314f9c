//! Pins of streams under random changes, beside a copy of the model, and across threads.

use super::*;
use crate::portion::Portion;

/// What a pin of a range has still to show.
struct RangePin {
    pinned: PinnedEntries,
    expected: Vec<(StreamId, Fields)>,
}

#[derive(Default)]
struct Pins {
    whole: Vec<(PinnedStream, Model)>,
    ranges: Vec<RangePin>,
}

fn read(pin: &mut RangePin, most: usize) {
    assert_eq!(pin.pinned.is_empty(), pin.expected.is_empty());
    let mut shown = Vec::new();
    let more =
        pin.pinned.read(Portion::of_elements(most), &mut |entry| shown.push((entry.id(), texts(entry))));
    let expected: Vec<_> = pin.expected.drain(..most.min(pin.expected.len())).collect();
    assert_eq!(shown, expected);
    assert_eq!(more, !pin.expected.is_empty());
}

impl Pins {
    fn step(&mut self, bench: &mut Bench) {
        let whole = bench.rng.below(self.whole.len() as u64 + 1) as usize;
        let range = bench.rng.below(self.ranges.len() as u64 + 1) as usize;
        match bench.rng.below(12) {
            0 if whole < 4 => self.whole.push((bench.stream.pin(), bench.model.clone())),
            1 if range < 4 => self.pin_range(bench),
            2 if whole < self.whole.len() => drop(self.whole.swap_remove(whole)),
            3 if range < self.ranges.len() => drop(self.ranges.swap_remove(range)),
            4 if whole < self.whole.len() => compare(&self.whole[whole].0, &self.whole[whole].1),
            5 | 6 if range < self.ranges.len() => read(&mut self.ranges[range], bench.rng.below(12) as usize),
            _ => {}
        }
    }

    fn pin_range(&mut self, bench: &mut Bench) {
        let (start, end) = match bench.rng.below(3) {
            0 => (bench.id(), bench.id()),
            1 => (StreamId::MIN, StreamId::MAX),
            _ => (bench.id(), StreamId::MAX),
        };
        let reverse = bench.rng.below(2) == 0;
        let inside = |(id, _): &(&StreamId, &Fields)| (start..=end).contains(id);
        let entries = bench.model.entries.iter().filter(inside).map(|(id, fields)| (*id, fields.clone()));
        let mut expected: Vec<_> = entries.collect();
        let most = bench.rng.below(200);
        assert_eq!(bench.stream.count_between(start, end, most), most.min(expected.len() as u64));
        if reverse {
            expected.reverse();
        }
        self.ranges.push(RangePin { pinned: bench.stream.pin_range(start, end, reverse), expected });
    }
}

#[test]
fn pins_show_the_stream_as_it_was() {
    for seed in 3000..3060 {
        let (mut bench, mut pins) = (Bench::new(seed), Pins::default());
        for step in 0..400 {
            bench.step();
            pins.step(&mut bench);
            bench.compare_ranges();
            if step % 10 == 0 {
                bench.compare();
            }
            if bench.rng.below(100) == 0 {
                (bench.stream, bench.model) = (Stream::new(), Model::default());
            }
        }
        let log = &bench.stream.0.log;
        let capacities: usize = log.nodes().map(|node| node.capacity()).sum();
        assert_eq!(log.heap_bytes() - log.node_tree_bytes(), capacities);
        drop(bench);
        pins.whole.iter().for_each(|(pinned, model)| compare(pinned, model));
        pins.ranges.iter_mut().for_each(|pin| read(pin, usize::MAX));
    }
}

/// A stream of many entries in small nodes, half of them read and most of those pending, for three consumers.
fn large(entries: u64) -> Stream {
    let mut stream = Stream::new();
    let limits = NodeLimits { entries: 7, bytes: 0 };
    for ms in 1..=entries {
        let request = IdRequest::Exact(StreamId::new(ms, 0));
        stream.add(request, &[b"name", ms.to_string().as_bytes()], limits, 0).unwrap();
    }
    stream.create_group(b"g", StreamId::MIN, None).unwrap();
    for turn in 0..entries / 20 {
        stream.deliver(b"g", &[b'c', turn as u8 % 3], Some(10), false, turn as i64).unwrap();
    }
    let acknowledged: Vec<_> = (1..entries / 2).step_by(5).map(|ms| StreamId::new(ms, 0)).collect();
    stream.acknowledge(b"g", &acknowledged).unwrap();
    stream
}

/// A change to a large stream of this many entries.
type Change = fn(&mut Stream, u64);

const CHANGES: [Change; 9] = [
    |stream, entries| {
        for ms in entries * 2..entries * 2 + 500 {
            let request = IdRequest::Exact(StreamId::new(ms, 0));
            let _ = stream.add(request, &[b"name", b"more"], NodeLimits::default(), 0);
        }
    },
    |stream, entries| {
        let ids: Vec<_> = (1..=entries).step_by(3).map(|ms| StreamId::new(ms, 0)).collect();
        stream.delete(&ids);
    },
    |stream, entries| {
        let to = TrimTo::Len(entries / 3);
        stream.trim(&Trim { to, approximate: false, limit: 0, references: References::Delete });
    },
    |stream, entries| {
        let ids: Vec<_> = (1..=entries).step_by(2).map(|ms| StreamId::new(ms, 0)).collect();
        _ = stream.acknowledge(b"g", &ids);
    },
    |stream, _| _ = stream.deliver(b"g", b"new", None, false, 77),
    |stream, entries| {
        let ids: Vec<_> = (1..=entries).step_by(4).map(|ms| StreamId::new(ms, 0)).collect();
        let options = ClaimOptions { deliveries: Some(u64::MAX), force: true, ..ClaimOptions::default() };
        _ = stream.claim(b"g", b"claims", &ids, &options, 1000);
    },
    |stream, _| _ = stream.claim_idle(b"g", b"idle", 0, |_| true, 2000),
    |stream, _| _ = stream.delete_consumer(b"g", b"c\x01"),
    |stream, _| drop(stream.destroy_group(b"g")),
];

#[test]
fn a_pin_of_a_long_stream_survives_any_change_to_it() {
    let entries = 1500;
    let original = large(entries);
    for first in CHANGES {
        for second in CHANGES {
            let mut stream = large(entries);
            let (pinned, mut range) = (stream.pin(), stream.pin_range(StreamId::MIN, StreamId::MAX, true));
            first(&mut stream, entries);
            let (between, later) = (restored(&stream), stream.pin());
            second(&mut stream, entries);
            assert!(*pinned == original && *later == between);
            let mut ids = Vec::new();
            while range.read(Portion { elements: 70, bytes: 200 }, &mut |entry| ids.push(entry.id())) {}
            assert!(
                ids.iter().eq(original
                    .range_back(StreamId::MIN, StreamId::MAX)
                    .map(|it| it.id())
                    .collect::<Vec<_>>()
                    .iter())
            );
            let again = restored(&pinned);
            drop((pinned, later));
            // What was shared is the stream's own again, or copied.
            CHANGES.iter().take(8).for_each(|change| change(&mut stream, entries));
            assert!(again == original);
        }
    }
}

#[test]
fn a_pin_is_read_on_from_where_one_was() {
    let mut stream = large(1000);
    stream.create_group(b"h", StreamId::MIN, None).unwrap();
    let pinned = stream.pin();
    let nodes: Vec<StreamId> = pinned.nodes().map(|(base, _)| base).collect();
    assert!(nodes.len() > 128);
    for (at, base) in nodes.iter().enumerate() {
        assert!(
            pinned
                .nodes_after(Some(*base))
                .map(|(base, _)| base)
                .take(3)
                .eq(nodes[at + 1..].iter().copied().take(3))
        );
    }
    let names = |after: &[u8]| pinned.groups_after(after).map(|(name, _)| name.to_vec()).collect::<Vec<_>>();
    assert_eq!(
        (names(b""), names(b"g"), names(b"h")),
        (vec![b"g".to_vec(), b"h".to_vec()], vec![b"h".to_vec()], vec![])
    );
    let group = pinned.group(b"g").unwrap();
    let consumers: Vec<_> = group.consumers_after(b"c\x00").map(|it| it.name().to_vec()).collect();
    assert_eq!(consumers, [b"c\x01", b"c\x02"]);
}

#[test]
fn messages_of_producers_are_pinned() {
    let mut stream = Stream::new();
    let limits = IdempotencyLimits { duration_s: 10, ids_max: 3 };
    let remember = |stream: &mut Stream, producer: &[u8], seq: u64| {
        let message = seq.to_string();
        stream.remember_message(producer, message.as_bytes(), StreamId::new(1, seq), limits, 0).unwrap();
    };
    let shown = |stream: &Stream| -> Vec<_> {
        stream
            .messages()
            .map(|(producer, message, id, ms)| (producer.to_vec(), message.to_vec(), id, ms))
            .collect()
    };
    (0..3).for_each(|seq| remember(&mut stream, b"p", seq));
    (0..2).for_each(|seq| remember(&mut stream, b"q", seq));
    let (pinned, expected) = (stream.pin(), shown(&stream));
    (3..9).for_each(|seq| remember(&mut stream, b"p", seq));
    stream.forget_old_messages(5, i64::MAX);
    assert!(shown(&stream).is_empty());
    assert_eq!(shown(&pinned), expected);
    let after = |producer: &[u8]| pinned.messages_after(Some(producer)).count();
    assert_eq!((after(b""), after(b"p"), after(b"q")), (5, 2, 0));
    assert_eq!((pinned.idempotency_limits(), pinned.idempotency_figures().tracked), (Some(limits), 5));
}

#[test]
fn a_stream_is_read_on_other_threads_while_it_changes() {
    let entries = 2000;
    let mut stream = large(entries);
    std::thread::scope(|scope| {
        for round in 0..12 {
            let copy = restored(&stream);
            let (pinned, mut range) = (stream.pin(), stream.pin_range(StreamId::MIN, StreamId::MAX, false));
            scope.spawn(move || {
                let mut count = 0;
                while range.read(Portion::of_elements(100), &mut |_| count += 1) {}
                assert_eq!(count, pinned.len());
                assert!(*pinned == copy);
            });
            CHANGES[round * 5 % 8](&mut stream, entries + round as u64 * 300);
        }
    });
}
