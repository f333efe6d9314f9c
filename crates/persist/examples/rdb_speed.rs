//! How fast files are written, cut into records and decoded, by type of value: seconds of one core.
//!
//! `cargo run --release -p ochre-persist --example rdb_speed [KEYS]`

use std::hint::black_box;

use ochre_persist::rdb::{
    EncodeOptions, Event, KeyInfo, Limits, ReadOptions, Reader, Target, ValueRef, WriteOptions, Writer,
};
use ochre_types::hash::Hash;
use ochre_types::list::{End, List};
use ochre_types::set::Set;
use ochre_types::stream::{IdRequest, NodeLimits, Stream};
use ochre_types::zset::{AddRule, ZSet};
use ochre_types::{DataType, Object};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

fn main() {
    let keys: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(3_000_000);
    let limits = Limits::default();
    println!("{:<28} {:>9} {:>8} {:>8} {:>8} {:>8}", "", "MB", "write", "frame", "decode", "ns/elem");
    run("strings of 100 bytes", keys, 1, ValueRef::String(&[b'v'; 100]));
    run("integers", keys, 1, ValueRef::Int(123_456));
    for (elements, keys) in [(10, keys / 10), (1_000_000, 1)] {
        for (name, object) in objects(elements, &limits) {
            run(&format!("{elements} {name}"), keys, elements, ValueRef::from(&object));
        }
    }
}

fn objects(elements: usize, limits: &Limits) -> Vec<(&'static str, Object)> {
    let text = |at: usize| format!("element:{at:08}");
    let (mut list, mut set, mut hash) = (List::new(), Set::new(), Hash::new());
    let (mut zset, mut stream) = (ZSet::new(), Stream::new());
    for at in 0..elements {
        let text = text(at);
        list.push(End::Tail, [text.as_bytes()], &limits.list);
        set.add(text.as_bytes(), &limits.set);
        hash.set(text.as_bytes(), text.as_bytes(), &limits.hash);
        let _ = zset.add(text.as_bytes(), at as f64 * 1.5, AddRule::default(), &limits.zset);
        let _ = stream.add(IdRequest::Auto, &[b"field", text.as_bytes()], NodeLimits::default(), at as i64);
    }
    vec![
        ("elements of a list", list.into_object()),
        ("members of a set", set.into_object()),
        ("fields of a hash", hash.into_object()),
        ("members of a sorted set", zset.into_object()),
        ("entries of a stream", stream.into_object()),
    ]
}

fn run(name: &str, keys: usize, elements: usize, value: ValueRef<'_>) {
    let encode = EncodeOptions { target: Target::default(), compresses: false };
    let start_s = cpu_s();
    let Ok(file) = write(keys, value, encode) else { return };
    let written_s = cpu_s() - start_s;
    let framed_s = read(&file, false);
    let decoded_s = read(&file, true);
    println!(
        "{name:<28} {:>9.1} {written_s:>8.3} {framed_s:>8.3} {decoded_s:>8.3} {:>8.0}",
        file.len() as f64 / 1e6,
        decoded_s * 1e9 / (keys * elements) as f64
    );
}

fn write(keys: usize, value: ValueRef<'_>, encode: EncodeOptions) -> Result<Vec<u8>, ()> {
    let mut writer = Writer::new(Vec::new(), WriteOptions { encode, has_checksum: true }).map_err(drop)?;
    writer.select_db(0, keys as u64, 0).map_err(drop)?;
    for at in 0..keys {
        let key = format!("key:{at:012}");
        writer.record(key.as_bytes(), KeyInfo::default(), value).map_err(drop)?;
    }
    Ok(writer.finish().map_err(drop)?.0)
}

fn read(file: &[u8], decodes: bool) -> f64 {
    let options = ReadOptions { record_bytes_max: usize::MAX, ..ReadOptions::default() };
    let start_s = cpu_s();
    let mut reader = Reader::new(file, options);
    loop {
        match reader.next() {
            Ok(Event::Records(batch)) => {
                if decodes {
                    for record in batch.records() {
                        let _ = black_box((record.key(), record.decode(&options.limits)));
                    }
                }
                reader.recycle(batch);
            }
            Ok(Event::End(_)) => return cpu_s() - start_s,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Seconds that this process has computed.
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
