//! `server-cpulist`, `bio-cpulist` and their kin: which processors a thread may run on.
//!
//! A list is as for `taskset`: `0,2,3`, `0,2-5`, `0-20:2` (every second one).

use std::io;

/// Processors of a list, in the order given. `None` if it is not one, or names a number beyond `limit`.
fn parse(list: &str, limit: usize) -> Option<Vec<usize>> {
    let mut processors = Vec::new();
    for item in list.split(',') {
        let (range, step) = match item.split_once(':') {
            Some((range, step)) if range.contains('-') => (range, number(step)?),
            Some(_) => return None,
            None => (item, 1),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(range)?, number(range)?),
        };
        if step == 0 || first > last || last >= limit {
            return None;
        }
        processors.extend((first..=last).step_by(step));
    }
    Some(processors)
}

/// Digits only: `parse` would take a sign.
fn number(text: &str) -> Option<usize> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Whether `list` could be one: empty means "leave alone".
pub fn is_valid_list(list: &str) -> bool {
    list.is_empty() || parse(list, rustix::thread::CpuSet::MAX_CPU).is_some()
}

/// Binds the calling thread to the processors of `list`. Empty lists do nothing; bad ones are an error, where Redis
/// ignores them without a word.
pub fn bind_thread(list: &str) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    let Some(processors) = parse(list, rustix::thread::CpuSet::MAX_CPU) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a list of processors"));
    };
    let mut set = rustix::thread::CpuSet::new();
    for processor in processors {
        set.set(processor);
    }
    rustix::thread::sched_setaffinity(None, &set).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let cases: [(&str, Option<&[usize]>); 13] = [
            ("0", Some(&[0])),
            ("0,2,3", Some(&[0, 2, 3])),
            ("0,2-4", Some(&[0, 2, 3, 4])),
            ("1-6:2,8", Some(&[1, 3, 5, 8])),
            ("", None),
            ("0,", None),
            ("a", None),
            ("3-1", None),
            ("0-4:0", None),
            ("4:2", None),
            ("+1", None),
            ("0-64", None),
            ("99999999999999999999", None),
        ];
        for (list, expected) in cases {
            assert_eq!(parse(list, 64).as_deref(), expected, "{list}");
        }
    }

    #[test]
    fn binding_is_visible_to_the_system() {
        std::thread::spawn(|| {
            let allowed = rustix::thread::sched_getaffinity(None).unwrap();
            let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|&c| allowed.is_set(c)).unwrap();
            bind_thread(&first.to_string()).unwrap();
            let now = rustix::thread::sched_getaffinity(None).unwrap();
            assert_eq!((now.count(), now.is_set(first)), (1, true));
        })
        .join()
        .unwrap();
        assert!(bind_thread("x").is_err());
        assert!(bind_thread("").is_ok() && is_valid_list("") && is_valid_list("0-1") && !is_valid_list("-"));
    }
}
