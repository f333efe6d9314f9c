//! An open file, read and written at positions.
//!
//! Positions rather than a cursor: who writes a log knows where the next byte belongs, and writing it again to the same place
//! after a failure does no harm. That is why nothing here appends.
//!
//! A failed sync poisons the handle: every later sync of it fails too. The system may have forgotten the pages that it could
//! not write, and would say that all is well the second time. Who wants to go on opens the file again and
//! writes once more what is not known to be durable.

use std::io;

/// An open file.
pub trait DiskFile: Send {
    /// Reads up to `into.len()` bytes at `offset`; 0 only at the end of the file.
    ///
    /// # Errors
    /// Those of the system.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes some of `bytes` at `offset`, and says how many.
    ///
    /// # Errors
    /// Those of the system; then some of the bytes may be there.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Makes everything written so far durable, and the length.
    ///
    /// # Errors
    /// Those of the system, and once there was one, always.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Cuts the file off.
    ///
    /// # Errors
    /// Those of the system.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Its length in bytes.
    ///
    /// # Errors
    /// Those of the system.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes.
    ///
    /// # Errors
    /// Those of the system.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Writes all of `bytes` at `offset`.
///
/// # Errors
/// The first error, `WriteZero` for a write that does nothing; then some of the bytes may be there.
pub fn write_all_at(file: &mut dyn DiskFile, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(offset, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                bytes = bytes.get(written..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads until `into` is full or the file ends; how many bytes that were.
///
/// # Errors
/// The first error.
pub fn read_full_at(file: &dyn DiskFile, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(offset + done as u64, rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Fills `into`.
///
/// # Errors
/// The first error, `UnexpectedEof` where the file ends too early.
pub fn read_exact_at(file: &dyn DiskFile, offset: u64, into: &mut [u8]) -> io::Result<()> {
    let read = read_full_at(file, offset, into)?;
    if read == into.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
