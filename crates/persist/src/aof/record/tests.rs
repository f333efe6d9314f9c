//! Logs that are cut, flipped and fed by hand.

use super::super::recovery::Load as _;
use super::super::testing::{Model, command, unit};
use super::frame::{FRAME_BYTES, push_frame_header, write_frame_header};
use super::{Defect, ReadLimits, Reader, Stop, push_timestamp};
use crate::disk::{Access, Disk as _, TwinDisk};

/// How reading ended: units, the end of the valid part, why it stopped.
type Outcome = (Vec<Found>, u64, Option<Stop>);
/// A unit: where it begins and ends, the arguments of its commands.
type Found = (u64, u64, Vec<Vec<Vec<u8>>>);

fn read_with(bytes: &[u8], limits: ReadLimits) -> Outcome {
    let disk = TwinDisk::default();
    disk.put("f", bytes);
    let file = disk.open("f".as_ref(), Access::Read).unwrap();
    let mut reader = Reader::new(&*file, 0, limits);
    let mut units = Vec::new();
    let stop = loop {
        match reader.next_unit() {
            Ok(Some(unit)) => {
                let commands = unit.commands().map(|command| command.args().map(<[u8]>::to_vec).collect());
                units.push((unit.start, unit.end, commands.collect()));
            }
            Ok(None) => break None,
            Err(stop) => break Some(stop),
        }
    };
    (units, reader.valid_end(), stop)
}

fn read(bytes: &[u8]) -> Outcome {
    read_with(bytes, ReadLimits::default())
}

/// A log of some units, with sums or without, and where each thing ends at which the log may be cut without loss.
fn log(count: u64, sums: bool) -> (Vec<u8>, Vec<(usize, u64)>) {
    let (mut bytes, mut ends, mut header_at) = (Vec::new(), vec![(0, 0)], None);
    for number in 0..count {
        let timestamp_s = (number % 4 == 1).then_some(1_700_000_000 + number);
        if let Some(seconds) = timestamp_s {
            push_timestamp(&mut bytes, seconds);
            ends.push((bytes.len(), number));
        }
        if sums {
            header_at = Some(bytes.len());
            push_frame_header(&mut bytes);
        }
        bytes.extend(unit(number));
        let end = bytes.len();
        if let Some(header_at) = header_at {
            write_frame_header(&mut bytes, header_at, end, timestamp_s.unwrap_or(0));
        }
        ends.push((end, number + 1));
    }
    (bytes, ends)
}

#[test]
fn whole_logs_are_read_to_their_end() {
    for sums in [false, true] {
        let (bytes, _) = log(30, sums);
        let (units, valid_end, stop) = read(&bytes);
        assert!(stop.is_none() && valid_end == bytes.len() as u64, "{stop:?}");
        assert_eq!(units.len(), 30);
        for (number, (_, _, commands)) in units.iter().enumerate() {
            assert_eq!(commands.len(), if number % 3 == 2 { 2 } else { 1 });
            assert_eq!(commands[0][1], number.to_string().into_bytes());
        }
    }
}

#[test]
fn cut_at_every_byte_the_log_is_what_was_whole() {
    for sums in [false, true] {
        let (bytes, ends) = log(9, sums);
        for len in 0..bytes.len() {
            let (units, valid_end, stop) = read(&bytes[..len]);
            let (end, count) = *ends.iter().rfind(|(end, _)| *end <= len).unwrap();
            assert_eq!((units.len() as u64, valid_end), (count, end as u64), "cut at {len}");
            match stop {
                None => assert_eq!(end, len),
                Some(Stop::Truncated { .. }) => assert!(end < len),
                stop => panic!("cut at {len}: {stop:?}"),
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_found_where_there_are_sums() {
    let (bytes, _) = log(8, true);
    let (whole, ..) = read(&bytes);
    let mut harmless = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (units, _, stop) = read(&flipped);
        let commands = |units: &[Found]| units.iter().map(|unit| unit.2.clone()).collect::<Vec<_>>();
        assert!(commands(&whole).starts_with(&commands(&units)), "bit {bit} changed what was read");
        if stop.is_none() {
            assert_eq!(units.len(), whole.len(), "bit {bit} hid a unit");
            harmless += 1;
        }
    }
    // What can change and stay unseen: a word of an annotation that then is none, and no data.
    assert!(harmless < bytes.len() / 4, "{harmless}");
}

/// Without sums a value may change, but never what is around it.
#[test]
fn flipped_bits_without_sums_do_no_more_than_change_a_value() {
    let (bytes, _) = log(6, false);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (units, valid_end, stop) = read(&flipped);
        assert!(valid_end <= flipped.len() as u64);
        assert!(stop.is_some() || units.len() >= 5, "bit {bit}: {} units", units.len());
    }
}

#[test]
fn what_is_wrong_is_named_where_it_is() {
    let set = command(&[b"SET", b"k", b"v"]);
    let at = set.len() as u64;
    let cases: &[(&[u8], u64, Defect)] = &[
        (b"!!!", at, Defect::NoCommand),
        (b"\0\0\0\0", at, Defect::NoCommand),
        (b"*0\r\n", at, Defect::NoArguments),
        (b"*-1\r\n", at, Defect::Header),
        (b"*\r\n", at, Defect::Header),
        (b"*1x", at, Defect::Header),
        (b"*1\n", at, Defect::Header),
        (b"*99999999999999999999\r\n", at, Defect::Header),
        (b"*1\r\nx", at + 4, Defect::NoArgument),
        (b"*1\r\n$-1\r\n", at + 4, Defect::Header),
        (b"*1\r\n$536870913\r\n", at + 4, Defect::TooLong),
        (b"*1\r\n$9999999999999999999\r\n", at + 4, Defect::TooLong),
        (b"*1\r\n$1\r\nabc\r\n", at + 9, Defect::LineEnd),
        (b"*1\r\n$4\r\nEXEC\r\n", at, Defect::ExecWithoutMulti),
        (b"*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nmulti\r\n", at + 15, Defect::NestedMulti),
        (b"#TS:x\r\n", at, Defect::Annotation),
        (b"#TS:1\n", at, Defect::Annotation),
        (b"#SUM:1:2\r\n", at, Defect::Annotation),
        (b"#SUM:0000000001:0000000000000000\r\n*", at, Defect::Sum),
    ];
    for (tail, at, defect) in cases {
        let (units, valid_end, stop) = read(&[&set, *tail].concat());
        let shown = tail.escape_ascii();
        assert_eq!((units.len(), valid_end), (1, set.len() as u64), "{shown}");
        assert!(
            matches!(stop, Some(Stop::Corrupt { at: found_at, defect: found }) if (found_at, found) == (*at, *defect)),
            "{shown}: {stop:?}"
        );
    }
}

#[test]
fn what_is_cut_is_told_from_what_is_wrong() {
    for (tail, in_transaction) in [
        (&b"*"[..], false),
        (b"*1\r", false),
        (b"*1\r\n$", false),
        (b"*1\r\n$3\r\nab", false),
        (b"*1\r\n$3\r\nabc\r", false),
        (b"*999999999\r\n$1\r\na\r\n", false),
        (b"#TS:12", false),
        (b"*1\r\n$5\r\nMULTI\r\n", true),
        (b"*1\r\n$5\r\nMULTI\r\n*1", true),
        (b"*1\r\n$5\r\nMULTI\r\n#TS:1\r\n*1\r\n$4\r\nPING\r\n", true),
    ] {
        let (_, valid_end, stop) = read(tail);
        assert_eq!(valid_end, 0);
        let shown = tail.escape_ascii();
        assert!(
            matches!(stop, Some(Stop::Truncated { in_transaction: found }) if found == in_transaction),
            "{shown}: {stop:?}"
        );
    }
}

#[test]
fn annotations_are_skipped_and_times_are_told() {
    let set = command(&[b"SET", b"k", b"v"]);
    let bytes = [b"#TS:5\r\n#anything\r\n", &set[..], b"#TS:7\r\n"].concat();
    let disk = TwinDisk::default();
    disk.put("f", &bytes);
    let file = disk.open("f".as_ref(), Access::Read).unwrap();
    let mut reader = Reader::new(&*file, 0, ReadLimits::default());
    assert_eq!(reader.next_unit().unwrap().unwrap().timestamp_s, Some(5));
    assert!(reader.next_unit().unwrap().is_none());
    assert_eq!((reader.timestamp_s(), reader.valid_end()), (Some(7), bytes.len() as u64));
    let (_, valid_end, stop) = read(&[b"#", &[b'x'; 2000][..]].concat());
    assert!(matches!(stop, Some(Stop::Corrupt { at: 0, defect: Defect::Annotation })) && valid_end == 0);
}

/// Memory follows what the file has, not what a header says.
#[test]
fn units_are_bounded() {
    let limits = ReadLimits { argument_bytes_max: 10, unit_bytes_max: 100 };
    let multi = command(&[b"MULTI"]);
    let many = [multi, command(&[b"PING"]).repeat(20)].concat();
    assert!(matches!(read_with(&many, limits).2, Some(Stop::Corrupt { defect: Defect::TooLong, .. })));
    let wide = [&b"*50\r\n"[..], &b"$1\r\na\r\n".repeat(20)].concat();
    assert!(matches!(read_with(&wide, limits).2, Some(Stop::Corrupt { defect: Defect::TooLong, .. })));
    let frame = b"#SUM:00000000ff:0000000000000000\r\n";
    assert!(matches!(read_with(frame, limits).2, Some(Stop::Corrupt { defect: Defect::TooLong, .. })));
}

#[test]
fn frames_end_between_units() {
    let set = command(&[b"SET", b"k", b"v"]);
    let framed = |len: usize, bytes: &[u8]| {
        let mut out = Vec::new();
        push_frame_header(&mut out);
        out.extend_from_slice(&bytes[..len]);
        let end = out.len();
        write_frame_header(&mut out, 0, end, 0);
        out.extend_from_slice(&bytes[len..]);
        out
    };
    let two = set.repeat(2);
    assert!(read(&framed(set.len(), &two)).2.is_none());
    let inside = read(&framed(set.len() + 3, &two));
    assert!(matches!(inside.2, Some(Stop::Corrupt { defect: Defect::FrameEnd, .. })), "{inside:?}");
    assert_eq!((inside.0.len(), inside.1), (1, 0), "cut off before the frame");
    // A header inside another frame, and one inside a transaction.
    let nested = framed(set.len() + 34 + set.len(), &framed(set.len(), &two)[..]);
    assert!(matches!(read(&nested).2, Some(Stop::Corrupt { .. })));
    let split = [command(&[b"MULTI"]), framed(set.len(), &set)].concat();
    assert!(matches!(read(&split).2, Some(Stop::Corrupt { defect: Defect::FrameEnd, .. })));
    assert!(FRAME_BYTES > set.len());
}

#[test]
fn long_logs_are_read_through_a_small_window() {
    let (bytes, _) = log(2000, true);
    assert!(bytes.len() > 2 << 20);
    let disk = TwinDisk::default();
    disk.put("f", &bytes);
    let file = disk.open("f".as_ref(), Access::Read).unwrap();
    let mut reader = Reader::new(&*file, 0, ReadLimits::default());
    let mut model = Model::default();
    while let Some(unit) = reader.next_unit().unwrap() {
        model.unit(&unit).unwrap();
    }
    assert_eq!(model.next, 2000);
}
