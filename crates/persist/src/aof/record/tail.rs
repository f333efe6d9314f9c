//! The end of a file whose last frame has less bytes than its header says.
//!
//! Where they end inside a command, the write that brought them was cut off, and nobody knows what of them is right. Where they
//! end with a whole command, somebody has taken commands out by hand (a FLUSHALL that should not have been), or the file was cut
//! off just there; then they are taken as they are, as in a log without sums.

use super::annotation::{ANNOTATION_BYTES_MAX, Annotation, parse as parse_annotation};
use super::command::{Command, Parsed, Progress, parse};

/// What is written at once or not at all, bytes.
const SECTOR_BYTES: u64 = 512;

/// What such a frame has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tail {
    /// Whole units.
    Whole,
    /// No, or not only, whole units.
    Cut,
    /// Another frame: so it is not the last one, and its header is wrong.
    Frames,
}

/// Looks at the bytes of a frame, which begin at `position` of the file and go to its end.
pub(crate) fn look(bytes: &[u8], position: u64, argument_bytes_max: u64) -> Tail {
    let (mut at, mut in_transaction, mut args) = (0, false, Vec::new());
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.first() == Some(&b'#') {
            let line = rest.get(..ANNOTATION_BYTES_MAX).unwrap_or(rest);
            let Some(len) = line.iter().position(|byte| *byte == b'\n') else { return Tail::Cut };
            let text = line.get(..len).unwrap_or_default();
            match parse_annotation(text.strip_suffix(b"\r").unwrap_or(text)) {
                Ok(Annotation::Frame(_)) => return Tail::Frames,
                Ok(_) => at += len + 1,
                Err(_) => return Tail::Cut,
            }
            continue;
        }
        args.clear();
        let Parsed::Whole(len) = parse(rest, argument_bytes_max, &mut Progress::default(), &mut args) else {
            return Tail::Cut;
        };
        let name = Command::new(rest, &args).name();
        let (begins, ends) = (name.eq_ignore_ascii_case(b"multi"), name.eq_ignore_ascii_case(b"exec"));
        if begins && in_transaction || ends && !in_transaction {
            return Tail::Cut;
        }
        in_transaction = (in_transaction || begins) && !ends;
        at += len;
    }
    let is_whole = !bytes.is_empty() && !in_transaction && !has_hole(bytes, position);
    if is_whole { Tail::Whole } else { Tail::Cut }
}

/// Whether a sector is all zeros: after a loss of power, one that did not make it to the disk.
fn has_hole(bytes: &[u8], position: u64) -> bool {
    let skipped = position.next_multiple_of(SECTOR_BYTES) - position;
    let sectors = usize::try_from(skipped).ok().and_then(|skipped| bytes.get(skipped..)).unwrap_or_default();
    sectors.chunks_exact(SECTOR_BYTES as usize).any(|sector| sector.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_commands_are_told_from_cut_ones() {
        let (set, ping) = (&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"[..], &b"*1\r\n$4\r\nPING\r\n"[..]);
        let (multi, exec) = (&b"*1\r\n$5\r\nMULTI\r\n"[..], &b"*1\r\n$4\r\nEXEC\r\n"[..]);
        let header = &b"#SUM:0000000001:0000000000000000\r\n"[..];
        let cases: &[(&[&[u8]], Tail)] = &[
            (&[], Tail::Cut),
            (&[set, ping], Tail::Whole),
            (&[set, b"#TS:5\r\n", ping], Tail::Whole),
            (&[set, b"#TS:5\r\n"], Tail::Whole),
            (&[set, b"#TS:5"], Tail::Cut),
            (&[set, b"#TS:x\r\n", ping], Tail::Cut),
            (&[set, &ping[..5]], Tail::Cut),
            (&[set, b"x"], Tail::Cut),
            (&[set, multi, ping], Tail::Cut),
            (&[set, multi, ping, exec, set], Tail::Whole),
            (&[multi, multi], Tail::Cut),
            (&[exec], Tail::Cut),
            (&[set, header, ping], Tail::Frames),
            (&[set, header, b"x"], Tail::Frames),
        ];
        for (pieces, expected) in cases {
            let bytes = pieces.concat();
            assert_eq!(look(&bytes, 100, 1 << 20), *expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_sector_that_is_missing_is_seen() {
        let value = |zeros: usize| {
            [b"*2\r\n$4\r\nECHO\r\n$2000\r\n", &vec![0; zeros][..], &vec![b'x'; 2000 - zeros], b"\r\n"]
                .concat()
        };
        assert_eq!(look(&value(511), 0, 1 << 20), Tail::Whole);
        assert_eq!(look(&value(1100), 0, 1 << 20), Tail::Cut);
        // Nothing of a frame is missing whose sectors are not those of the file.
        assert_eq!(look(&value(960), 20, 1 << 20), Tail::Whole);
        assert_eq!(look(&value(1100), 490, 1 << 20), Tail::Cut);
    }
}
