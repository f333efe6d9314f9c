//! What manifests are taken, and how they are written.

use super::ManifestFault::{DuplicateBase, Empty, Format, LongLine, Path, Sequence, Type};
use super::{Entry, Manifest, Role};

#[test]
fn what_redis_refuses_is_refused_in_its_words() {
    let long = format!("file {} seq 1 type i\n", "x".repeat(1024));
    let cases: &[(&str, _)] = &[
        ("", Empty),
        ("\n", Format),
        ("file a seq 1 type i\n\n", Format),
        ("file a seq 1 type\n", Format),
        ("file a seq 1 type i more\n", Format),
        ("file a seq 0 type i\n", Format),
        ("file a seq -1 type i\n", Format),
        ("file a seq 99999999999999999999 type i\n", Format),
        ("file .. seq 1 type i\n", Format),
        ("file \"\" seq 1 type i\n", Format),
        ("seq 1 type i more 1\n", Format),
        ("file \"a seq 1 type i\n", Format),
        ("file a seq 1 type x\n", Type),
        ("file d/a seq 1 type i\n", Path),
        ("file d\\a seq 1 type i\n", Path),
        ("file a seq 1 type b\nfile b seq 2 type b\n", DuplicateBase),
        ("file a seq 2 type i\nfile b seq 2 type i\n", Sequence),
        ("file a seq 2 type i\nfile b seq 1 type i\n", Sequence),
        ("file a seq 1 type i", LongLine),
        (&long, LongLine),
        ("file a\0 seq 1 type i\n", LongLine),
    ];
    for (text, fault) in cases {
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap_err().fault, *fault, "{text:?}");
    }
    let error = Manifest::parse(b"# first\nfile a seq 1 type i\n!!!\n").unwrap_err();
    assert_eq!(
        error.log_lines().concat(),
        "\n*** FATAL AOF MANIFEST FILE ERROR ***\nReading the manifest file, at line 3\n>>> '!!!'\n\
         Invalid AOF manifest file format\n"
    );
}

#[test]
fn what_peers_write_is_read_and_written_again() {
    let redis = b"file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.1.incr.aof seq 1 type h\n\
                  file appendonly.aof.4.incr.aof seq 4 type i startoffset 100 endoffset 250\n";
    let manifest = Manifest::parse(redis).unwrap();
    assert_eq!(manifest.text(), redis);
    assert_eq!((manifest.next_base_seq(), manifest.next_incremental_seq()), (3, 5));
    let later =
        b"# comment\n  FILE a SEQ 1x TYPE base newkey newvalue \r\nfile \"b c\\\"\\xff\" seq 3 type i\n";
    let manifest = Manifest::parse(later).unwrap();
    assert_eq!(manifest.text(), b"file a seq 1 type b\nfile \"b c\\\"\\xff\" seq 3 type i\n");
    assert_eq!(Manifest::parse(&manifest.text()).unwrap(), manifest);
    assert!(Manifest::parse(b"# nothing\n").unwrap().is_empty());
}

#[test]
fn a_rewrite_makes_history() {
    let mut manifest = Manifest::default();
    manifest.set_base(Entry::new("b1", 1, Role::Base));
    (1..=3).for_each(|seq| manifest.push_incremental(Entry::new(format!("i{seq}"), seq, Role::Incremental)));
    manifest.set_base(Entry::new("b2", 2, Role::Base));
    manifest.retire_incrementals(1);
    let text = "file b2 seq 2 type b\nfile i1 seq 1 type h\nfile i2 seq 2 type h\nfile b1 seq 1 type h\n\
                file i3 seq 3 type i\n";
    assert_eq!(String::from_utf8(manifest.text()).unwrap(), text);
    manifest.clear_history();
    assert_eq!(manifest.live().count(), 2);
    manifest.retire_incrementals(5);
    assert!(manifest.history().is_empty());
}

/// Whatever is changed in a manifest: it is refused, or means the same once written.
#[test]
fn mutated_manifests_are_refused_or_keep_their_meaning() {
    use crate::disk::{Choose as _, Seeded};
    let text = b"file a.2.base.rdb seq 2 type b\nfile a.1.incr.aof seq 1 type h\nfile \"a b\" seq 4 type i startoffset 1\n";
    let mut choose = Seeded::new(1);
    let mut taken = 0;
    for _ in 0..20_000 {
        let mut changed = text.to_vec();
        for _ in 0..=choose.pick(3) {
            let at = choose.pick(changed.len());
            match choose.pick(3) {
                0 => changed[at] ^= 1 << choose.pick(8),
                1 => drop(changed.remove(at)),
                _ => changed.insert(at, b" \n\"\\#f0/"[choose.pick(8)]),
            }
        }
        if let Ok(manifest) = Manifest::parse(&changed) {
            taken += 1;
            let mut again = Manifest::parse(&manifest.text())
                .map_err(|error| (error, changed.escape_ascii().to_string()));
            // Of nothing, nothing is written.
            if manifest.text().is_empty() {
                again = Ok(manifest.clone());
            }
            assert_eq!(again.unwrap(), manifest);
            let inside = |entry: &Entry| !entry.name.to_string_lossy().contains(['/', '\\']);
            assert!(manifest.live().chain(manifest.history()).all(inside));
        }
    }
    assert!(taken > 1000, "{taken}");
}
