//! The program against what redis-check-aof 8.6 says and does.

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::Arc;

use super::{CheckBegin, CheckRdb, Terminal, run};
use crate::disk::{DiskFile, TwinDisk};

const MANIFEST: &str = "d/a.manifest";

fn command(args: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len());
    args.iter().for_each(|arg| bytes += &format!("${}\r\n{arg}\r\n", arg.len()));
    bytes.into_bytes()
}

/// Runs the program; what it says, and whether all was well.
fn check_with(disk: &TwinDisk, arguments: &[&str], answer: &str, rdb: &mut dyn CheckRdb) -> (String, bool) {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let (mut input, mut out) = (answer.as_bytes(), Vec::new());
    let mut terminal = Terminal { input: &mut input, out: &mut out };
    let well = run("check-aof", &arguments, Arc::new(disk.clone()), rdb, &mut terminal).unwrap();
    (String::from_utf8(out).unwrap(), well)
}

fn check(disk: &TwinDisk, arguments: &[&str], answer: &str) -> (String, bool) {
    check_with(disk, arguments, answer, &mut CheckBegin)
}

/// A file `f` with one SET (27 bytes, 7 lines) and more.
fn file(more: &[u8]) -> TwinDisk {
    let disk = TwinDisk::default();
    disk.put("f", &[command(&["set", "a", "1"]), more.to_vec()].concat());
    disk
}

#[test]
fn what_is_wrong_is_said_as_redis_says_it() {
    let set = command(&["set", "b", "2"]);
    let multi = [command(&["multi"]), set.clone()].concat();
    let twice = [command(&["multi"]), command(&["multi"]), set.clone()].concat();
    let cases: &[(&[u8], &str, &str)] = &[
        (&set[..20], "", "size=47, ok_up_to=27, ok_up_to_line=13, diff=20"),
        (
            &multi,
            "0x              42: Reached EOF before reading EXEC for MULTI\n",
            "size=69, ok_up_to=27, ok_up_to_line=18, diff=42",
        ),
        (
            &twice,
            "0x              32: Unexpected MULTI in AOF f\n",
            "size=84, ok_up_to=27, ok_up_to_line=14, diff=57",
        ),
        (
            &command(&["exec"]),
            "0x              23: Unexpected EXEC in AOF f\n",
            "size=41, ok_up_to=27, ok_up_to_line=11, diff=14",
        ),
        (b"garbage\r\n", "AOF f format error\n", "size=36, ok_up_to=27, ok_up_to_line=8, diff=9"),
        (
            b"*3\r\nx",
            "0x              1f: Expected prefix '$', got: 'x'\n",
            "size=32, ok_up_to=27, ok_up_to_line=9, diff=5",
        ),
        (
            b"*3\r\n$3\r\nset\r\n$-5\r\n",
            "0x              28: Expected to read string of -5 bytes, which is not in the suitable range\n",
            "size=45, ok_up_to=27, ok_up_to_line=12, diff=18",
        ),
        (
            b"*3\r\n$3\r\nset\r\n$x\r\n",
            "0x              28: Expected \\r\\n, got: 780d\n",
            "size=44, ok_up_to=27, ok_up_to_line=11, diff=17",
        ),
        (
            b"*3\r\n$3\r\nset\r\n$9999\r\nabc",
            "0x              2f: Expected to read 10001 bytes, got 3 bytes\n",
            "size=50, ok_up_to=27, ok_up_to_line=12, diff=23",
        ),
    ];
    for (more, fault, figures) in cases {
        let (said, well) = check(&file(more), &["f"], "");
        let expected = format!(
            "Start checking Old-Style AOF\n{fault}AOF analyzed: filename=f, {figures}\n\
             AOF f is not valid. Use the --fix option to try fixing it.\n"
        );
        assert_eq!((said, well), (expected, false), "{}", more.escape_ascii());
    }
}

#[test]
fn what_peers_let_pass_passes() {
    for (more, figures) in [
        (&b""[..], "size=27, ok_up_to=27, ok_up_to_line=8, diff=0"),
        (b"*0\r\n*-3\r\n", "size=36, ok_up_to=36, ok_up_to_line=10, diff=0"),
        (b"#hello\r\n", "size=35, ok_up_to=35, ok_up_to_line=8, diff=0"),
    ] {
        let (said, well) = check(&file(more), &["f"], "");
        let expected =
            format!("Start checking Old-Style AOF\nAOF analyzed: filename=f, {figures}\nAOF f is valid\n");
        assert_eq!((said, well), (expected, true));
    }
    let disk = TwinDisk::default();
    disk.put("f", b"");
    assert_eq!(check(&disk, &["f"], ""), ("Start checking Old-Style AOF\nAOF f is empty\n".to_owned(), true));
}

#[test]
fn a_damaged_end_is_cut_off_when_asked_to() {
    let disk = file(&command(&["set", "b", "2"])[..20]);
    for (answer, last, len) in [
        ("n\n", "Aborting...\n", 47),
        ("", "Aborting...\n", 47),
        ("Yes\n", "Successfully truncated AOF f\n", 27),
    ] {
        let (said, well) = check(&disk, &["--fix", "f"], answer);
        let prompt =
            "This will shrink the AOF f from 47 bytes, with 20 bytes, to 27 bytes\nContinue? [y/N]: ";
        assert!(said.ends_with(&format!("{prompt}{last}")), "{said}");
        assert_eq!((well, disk.contents("f").unwrap().len()), (len == 27, len));
    }
    assert!(check(&disk, &["f"], "").1);
}

#[test]
fn later_commands_are_cut_off_at_a_time() {
    let timed = |from: u64| [format!("#TS:{from}\r\n").into_bytes(), command(&["set", "a", "1"])].concat();
    let disk = TwinDisk::default();
    disk.put("f", &[timed(100), timed(200)].concat());
    let until = |time: &str| {
        let (said, well) = check(&disk, &["--truncate-to-timestamp", time, "f"], "");
        (said.replace("Start checking Old-Style AOF\n", ""), well, disk.contents("f").unwrap().len())
    };
    assert_eq!(until("x"), ("Invalid timestamp, aborting...\n".to_owned(), false, 72));
    assert_eq!(until("50"), ("AOF f has nothing before timestamp 50, aborting...\n".to_owned(), false, 72));
    assert_eq!(until("150"), ("Successfully truncated AOF f to timestamp 150\n".to_owned(), true, 36));
    assert_eq!(
        until("150"),
        ("Truncate nothing in AOF f to timestamp 150\nAOF f is valid\n".to_owned(), true, 36)
    );
    disk.put("f", b"#TS:1x0\r\n");
    assert_eq!(until("150").0, "Invalid timestamp annotation\n");
}

#[test]
fn all_files_of_a_manifest_are_checked() {
    let set = command(&["set", "a", "1"]);
    let disk = TwinDisk::default();
    disk.put(MANIFEST, b"# comment\nfile b seq 1 type b\nfile i seq 1 type i\nfile j seq 2 type i\n");
    disk.put("d/b", &set);
    disk.put("d/i", b"");
    disk.put("d/j", &set);
    let (said, well) = check(&disk, &[MANIFEST], "");
    let expected = "Start checking Multi Part AOF\nStart to check BASE AOF (RESP format).\n\
        AOF analyzed: filename=b, size=27, ok_up_to=27, ok_up_to_line=8, diff=0\nBASE AOF b is valid\n\
        Start to check INCR files.\nINCR AOF i is empty\n\
        AOF analyzed: filename=j, size=27, ok_up_to=27, ok_up_to_line=15, diff=0\nINCR AOF j is valid\n\
        All AOF files and manifest are valid\n";
    assert_eq!((said.as_str(), well), (expected, true));
    disk.put("d/b", &set[..20]);
    let (said, well) = check(&disk, &["--fix", MANIFEST], "y\n");
    assert!(said.ends_with("Failed to truncate AOF b because it is not the last file\n") && !well, "{said}");
    disk.put("d/b", b"#TS:1\r\n#TS:9\r\n");
    let (said, well) = check(&disk, &["--truncate-to-timestamp", "5", MANIFEST], "");
    assert!(
        said.contains(
            "Failed to truncate AOF d/b to timestamp 5 to offset 7 because it is not the last file.\n"
        ),
        "{said}"
    );
    assert!(!well);
    disk.put(MANIFEST, b"file b seq 1 type b\n!!!\n");
    let (said, well) = check(&disk, &[MANIFEST], "");
    assert!(
        said.contains(">>> '!!!'\n") && said.contains("Invalid AOF manifest file format\n") && !well,
        "{said}"
    );
    disk.put(MANIFEST, b"file gone seq 1 type b\n");
    assert!(
        check(&disk, &[MANIFEST], "").0.ends_with("Cannot open file d/gone: No such file or directory\n")
    );
}

#[test]
fn the_command_line_is_redis_s() {
    let disk = file(b"");
    let usage = "Usage: check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n";
    for arguments in [&[][..], &["a", "b"], &["--fix", "a", "b"], &["--truncate-to-timestamp", "1", "a", "b"]]
    {
        assert_eq!(check(&disk, arguments, ""), (usage.to_owned(), false));
    }
    for path in ["nope", "--fix", "--help"] {
        assert_eq!(
            check(&disk, &[path], ""),
            (format!("Cannot open file {path}: No such file or directory\n"), false)
        );
    }
    assert!(
        check(&disk, &["-v"], "").1 && check(&disk, &["--version"], "").0.starts_with("ochre-check-aof v=")
    );
}

/// A snapshot of twelve bytes.
struct Twelve(bool);

impl CheckRdb for Twelve {
    fn check(&mut self, _: &dyn DiskFile, name: &str, out: &mut dyn Write) -> io::Result<Option<u64>> {
        writeln!(out, "[offset 0] Checking RDB file {name}")?;
        Ok(self.0.then_some(12))
    }
}

#[test]
fn a_snapshot_at_the_start_is_checked_by_another() {
    let disk = TwinDisk::default();
    disk.put("f", &[b"REDIS0012345".to_vec(), command(&["set", "a", "1"])].concat());
    let (said, well) = check_with(&disk, &["f"], "", &mut Twelve(true));
    let expected = "Start checking Old-Style AOF\n[offset 0] Checking RDB file f\n\
        RDB preamble is OK, proceeding with AOF tail...\n\
        AOF analyzed: filename=f, size=39, ok_up_to=39, ok_up_to_line=8, diff=0\nAOF f is valid\n";
    assert_eq!((said.as_str(), well), (expected, true));
    let (said, well) = check_with(&disk, &["f"], "", &mut Twelve(false));
    assert!(said.ends_with("RDB preamble of AOF file is not sane, aborting.\n") && !well);
    disk.put("d/b", b"REDIS0012345");
    disk.put(MANIFEST, b"file b seq 1 type b\n");
    let (said, _) = check_with(&disk, &[MANIFEST], "", &mut Twelve(true));
    assert!(said.contains("Start to check BASE AOF (RDB format).\n"), "{said}");
    assert!(!check(&disk, &[MANIFEST], "").1);
}

/// Sums are compared too, which peers do not.
#[test]
fn a_frame_that_does_not_match_is_damage() {
    use crate::aof::push_timestamp;
    let set = command(&["set", "b", "2"]);
    let mut more = Vec::new();
    push_timestamp(&mut more, 5);
    let header_at = more.len();
    crate::aof::push_frame_header(&mut more);
    more.extend(&set);
    let end = more.len();
    crate::aof::write_frame_header(&mut more, header_at, end, 5);
    assert!(check(&file(&more), &["f"], "").1);
    for bit in 0..more.len() * 8 {
        let mut flipped = more.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (said, well) = check(&file(&flipped), &["f"], "");
        let in_data = bit / 8 >= header_at + 34;
        assert!(!(in_data && well), "bit {bit}: {said}");
    }
    let cut = check(&file(&more[..end - 1]), &["f"], "").0;
    assert!(cut.contains("Expected 27 bytes with a checksum, got 26 bytes\n"), "{cut}");
}
