//! The allocator's own figures and switches by their names (DEBUG MALLCTL).
//!
//! jemalloc's names also reach what destroys memory that is in use (`arena.0.reset`) or has the allocator call any
//! address (`arena.0.extent_hooks`). So only names are passed on that are harmless whatever is done with them: figures
//! may be read, a few switches also set. Unsafe leaf module.

use std::io;

/// All names below these may be read: figures, and how the allocator was built and started.
const READABLE_BELOW: [&str; 3] = ["stats.", "opt.", "config."];
/// These may be read, too.
const READABLE: [&str; 7] = [
    "arenas.narenas",
    "arenas.nbins",
    "arenas.nhbins",
    "arenas.nlextents",
    "arenas.page",
    "arenas.quantum",
    "arenas.tcache_max",
];
/// These may be read and set.
const SETTABLE: [&str; 5] = [
    "arenas.dirty_decay_ms",
    "arenas.muzzy_decay_ms",
    "background_thread",
    "epoch",
    "max_background_threads",
];
/// These are texts; they may be read.
const TEXTS: [&str; 7] = [
    "config.malloc_conf",
    "opt.dss",
    "opt.metadata_thp",
    "opt.percpu_arena",
    "opt.stats_print_opts",
    "opt.thp",
    "version",
];

// The same on every Unix.
const NOT_PERMITTED: i32 = 1;
const NO_SUCH_NAME: i32 = 2;

/// A number of the allocator, or with `new` its value until then; a text shows as its address.
///
/// # Errors
/// That of the system for a name that is unknown or not passed on, or a value that does not fit.
pub fn tuning_integer(name: &str, new: Option<i64>) -> io::Result<i64> {
    let settable = SETTABLE.contains(&name);
    if !settable && !READABLE.contains(&name) && !READABLE_BELOW.iter().any(|start| name.starts_with(start)) {
        return Err(io::Error::from_raw_os_error(NO_SUCH_NAME));
    }
    if new.is_some() && !settable {
        return Err(io::Error::from_raw_os_error(NOT_PERMITTED));
    }
    ask_integer(name, new)
}

/// A text of the allocator.
///
/// # Errors
/// As of [`tuning_integer`].
pub fn tuning_text(name: &str) -> io::Result<String> {
    if !TEXTS.contains(&name) {
        return Err(io::Error::from_raw_os_error(NO_SUCH_NAME));
    }
    ask_text(name)
}

#[cfg(not(feature = "jemalloc"))]
pub(crate) fn ask_integer(_: &str, _: Option<i64>) -> io::Result<i64> {
    Err(io::Error::from_raw_os_error(NO_SUCH_NAME))
}

#[cfg(not(feature = "jemalloc"))]
fn ask_text(_: &str) -> io::Result<String> {
    Err(io::Error::from_raw_os_error(NO_SUCH_NAME))
}

/// The allocator says that a length is wrong and changes nothing then, so the lengths are tried.
#[cfg(feature = "jemalloc")]
#[allow(unsafe_code)]
pub(crate) fn ask_integer(name: &str, new: Option<i64>) -> io::Result<i64> {
    const INVALID: i32 = 22;
    let name = std::ffi::CString::new(name)?;
    for bytes in [8, 4, 1_usize] {
        let (mut old, mut old_bytes) = ([0_u8; 8], bytes);
        // The low bytes come first in the machine's order only on little-endian machines.
        // A byte is a truth value, which must be 0 or 1.
        let number = new.map_or(0, |new| if bytes == 1 { i64::from(new != 0) } else { new });
        let mut value = number.to_ne_bytes();
        let from = if cfg!(target_endian = "big") { 8 - bytes } else { 0 };
        let (new_ptr, new_bytes) = match new {
            Some(_) => (value[from..].as_mut_ptr(), bytes),
            None => (std::ptr::null_mut(), 0),
        };
        // SAFETY: the name is a C string; both buffers hold at least the bytes that are given with them, and any bytes
        // are a value of them. The names passed on (see above) are numbers that can be read and set at any time.
        let error = unsafe {
            tikv_jemalloc_sys::mallctl(
                name.as_ptr(),
                old.as_mut_ptr().cast(),
                &raw mut old_bytes,
                new_ptr.cast(),
                new_bytes,
            )
        };
        match error {
            0 if bytes == 8 => return Ok(i64::from_ne_bytes(old)),
            0 if bytes == 4 => return Ok(i64::from(u32::from_ne_bytes([old[0], old[1], old[2], old[3]]))),
            0 => return Ok(i64::from(old[0])),
            INVALID => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
    Err(io::Error::from_raw_os_error(INVALID))
}

#[cfg(feature = "jemalloc")]
#[allow(unsafe_code)]
fn ask_text(name: &str) -> io::Result<String> {
    let name = std::ffi::CString::new(name)?;
    let mut text: *const std::ffi::c_char = std::ptr::null();
    let mut bytes = size_of_val(&text);
    // SAFETY: the name is a C string, the buffer holds a pointer. The names passed on (see above) are texts.
    let error = unsafe {
        tikv_jemalloc_sys::mallctl(
            name.as_ptr(),
            (&raw mut text).cast(),
            &raw mut bytes,
            std::ptr::null_mut(),
            0,
        )
    };
    match error {
        0 if text.is_null() => Ok(String::new()),
        // SAFETY: such a text is a C string that lives as long as the process and never changes.
        0 => Ok(unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(all(test, feature = "jemalloc"))]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        let page_bytes = tuning_integer("arenas.page", None).unwrap();
        assert!(page_bytes >= 4096 && page_bytes.count_ones() == 1, "{page_bytes}");
        assert!(tuning_integer("arenas.narenas", None).unwrap() > 0);
        assert_eq!(tuning_integer("opt.abort", None).unwrap(), 0);
        let epoch = tuning_integer("epoch", None).unwrap();
        assert!(tuning_integer("epoch", Some(1)).unwrap() > epoch);
    }

    #[test]
    fn what_is_dangerous_is_not_passed_on() {
        let error = |name, new| tuning_integer(name, new).unwrap_err().raw_os_error();
        for name in ["arena.0.reset", "arena.0.extent_hooks", "arenas.create", "tcache.create", "", "a\0b"] {
            assert_eq!(error(name, None), Some(NO_SUCH_NAME), "{name}");
        }
        assert_eq!(error("opt.abort", Some(1)), Some(NOT_PERMITTED));
        assert!(tuning_integer("stats.\0", None).is_err());
        assert_eq!(tuning_text("arenas.page").unwrap_err().raw_os_error(), Some(NO_SUCH_NAME));
        assert!(tuning_text("version").unwrap().starts_with("5."));
    }
}
