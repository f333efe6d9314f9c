//! Reports of whole files.

use super::super::{EncodeOptions, KeyInfo, Target, ValueRef, Version, WriteOptions, Writer};
use super::inspect::Inspector;
use super::*;

fn file(build: impl FnOnce(&mut Writer<Vec<u8>>)) -> Vec<u8> {
    let encode = EncodeOptions { target: Target::Exactly(Version::V11), compresses: true };
    let mut writer = Writer::new(Vec::new(), WriteOptions { encode, has_checksum: true }).unwrap();
    build(&mut writer);
    writer.finish().unwrap().0
}

fn report(bytes: &[u8], style: Style) -> (bool, String) {
    let mut out = Vec::new();
    let is_sound = check_rdb(bytes, style, 2000, &mut out).unwrap().is_some();
    (is_sound, String::from_utf8(out).unwrap())
}

fn sample() -> Vec<u8> {
    file(|writer| {
        writer.aux(b"redis-ver", b"7.2.0").unwrap();
        writer.aux(b"lua", b"return 1").unwrap();
        writer.function(b"#!lua name=x").unwrap();
        writer.select_db(3, 2, 2).unwrap();
        for (key, expire_ms) in [("a", 1999), ("b", 2000)] {
            let info = KeyInfo { expire_ms: Some(expire_ms), access: None };
            writer.record(key.as_bytes(), info, ValueRef::String(b"value")).unwrap();
        }
    })
}

#[test]
fn a_sound_file() {
    let bytes = sample();
    let lines = "[offset 26] AUX FIELD redis-ver = '7.2.0'\n\
                 [offset 40] AUX FIELD lua = 'return 1'\n\
                 [offset 56] Selecting DB ID 3\n\
                 [offset 104] Checksum OK\n";
    let totals = "[info] 2 keys read\n[info] 2 expires\n[info] 1 already expired\n";
    let redis = format!("{lines}[offset 104] \\o/ RDB looks OK! \\o/\n{totals}[info] 0 subexpires\n");
    assert_eq!(report(&bytes, Style::Redis), (true, redis));
    let valkey = format!(
        "{lines}[offset 104] Check RDB returned error code 0 (0 means success)\n[offset 104] \\o/ RDB looks OK! \\o/\n\
         {totals}[info] 1 functions\n[info] 1 lua scripts read\n"
    );
    assert_eq!(report(&bytes, Style::Valkey), (true, valkey));
}

#[test]
fn a_damaged_one() {
    let mut bytes = b"REDIS0011\xfe\x00\x00\x01a\x01v\x0b\x03bad\x05xxxxx\xff".to_vec();
    bytes.extend_from_slice(&[0; 8]);
    let error = "[offset 11] Selecting DB ID 0\n--- RDB ERROR DETECTED ---\n\
                 [offset 27] Intset integrity check failed.\n\
                 [additional info] While doing: read-object-value\n\
                 [additional info] Reading key 'bad'\n\
                 [additional info] Reading type 11 (set-intset)\n\
                 [info] 2 keys read\n[info] 0 expires\n[info] 0 already expired\n";
    assert_eq!(report(&bytes, Style::Redis), (false, format!("{error}[info] 0 subexpires\n")));
    let (is_sound, text) = report(&bytes[..11], Style::Valkey);
    assert!(
        !is_sound
            && text.contains("Unexpected EOF reading RDB file\n[additional info] While doing: read-type\n")
    );
    assert!(text.ends_with("Check RDB returned error code 1 (0 means success)\n"), "{text}");
}

#[test]
fn versions_that_are_not_known() {
    let bytes = |header: &[u8]| [header, b"\xfe\x00\x00\x01a\x01v\xff\0\0\0\0\0\0\0\0"].concat();
    let (is_sound, text) = report(&bytes(b"REDIS0075"), Style::Valkey);
    assert!(is_sound && text.contains("[offset 9] Foreign RDB version 75 detected\n"), "{text}");
    assert!(text.contains("\\o/ RDB looks OK, but loading requires config 'rdb-version-check relaxed'\n"));
    let (is_sound, text) = report(&bytes(b"REDIS0075"), Style::Redis);
    assert!(!is_sound && text.contains("[offset 9] Can't handle RDB format version 75\n"), "{text}");
    let (_, text) = report(b"VALKEY987\xfe\x00\x96", Style::Valkey);
    assert!(
        text.contains("[offset 12] Unknown object type 150 in RDB file with future version 987\n"),
        "{text}"
    );
    let (_, text) = report(b"nonsense that is long enough", Style::Redis);
    assert!(
        text.contains("Wrong signature trying to load DB from file\n[additional info] While doing: start\n")
    );
}

#[test]
fn statistics_in_each_form() {
    let print = |format| {
        let inspector = Inspector::new(&sample()[..], Style::Valkey, Some(format), 2000).run(&mut Vec::new());
        let mut out = Vec::new();
        inspector.unwrap().statistics.print(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let csv = print(StatisticsFormat::Csv);
    assert_eq!(csv.lines().count(), 4 * 18);
    for line in [
        "db.0.keys.total,0,0,0,0,0,0,0",
        "db.3.type.name,string,list,set,zset,hash,module,stream",
        "db.3.keys.total,2,0,0,0,0,0,0",
        "db.3.already_expired.total,1,0,0,0,0,0,0",
        "db.3.keys.value_size,10,0,0,0,0,0,0",
        "db.3.elements.size.avg,5.00,0.00,0.00,0.00,0.00,0.00,0.00",
        "db.3.elements.size.p50,5.00,0.00,0.00,0.00,0.00,0.00,0.00",
    ] {
        assert!(csv.lines().any(|one| one == line), "{line}\n{csv}");
    }
    let table = print(StatisticsFormat::Table);
    assert!(
        table.contains("db.3.keys.total               \t2    \t0    \t0    \t0    \t0    \t0    \t0    \n")
    );
    let info = print(StatisticsFormat::Info);
    assert!(info.contains("[info] db.3.type.string.keys.size:2\n") && !info.contains("type.name"), "{info}");
}
