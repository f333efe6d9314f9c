//! A directory that one process at a time may use.

use std::fmt;

/// The exclusive use of a directory, among those who ask for it. It ends with this value, at the latest with the process.
pub struct DirLock(#[expect(dead_code, reason = "it is held, not used")] Box<dyn Send + Sync>);

impl DirLock {
    /// The lock that lasts as long as what is handed over.
    pub(super) fn held_by(holder: impl Send + Sync + 'static) -> DirLock {
        DirLock(Box::new(holder))
    }
}

impl fmt::Debug for DirLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirLock")
    }
}
