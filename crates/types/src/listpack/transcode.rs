//! From a listpack to the form without backlens, and back to the bytes that files and DUMP have.

use super::encoding::{END, backlen_len, encoded_len, write_backlen};
use super::form::{Bidirectional, Form, Forward};
use super::pack::{ForwardPack, Listpack, Pack};

/// More elements than the header of a listpack can count, or as many.
const COUNT_UNKNOWN: usize = u16::MAX as usize;
/// Bytes that are copied without a call.
const FEW: usize = 16;

impl ForwardPack {
    /// What a listpack holds; `None` if that is too long. O(n).
    pub fn from_listpack(listpack: &Listpack) -> Option<ForwardPack> {
        let mut bytes = Vec::with_capacity(listpack.bytes().min(Forward::LEN_MAX));
        bytes.extend_from_slice(Forward::EMPTY);
        let mut count = 0;
        for (element, from_here) in elements(listpack) {
            if bytes.len() + element.len() > Forward::LEN_MAX {
                return None;
            }
            append(&mut bytes, element, from_here);
            count += 1;
        }
        Some(Pack::with_count(&bytes, count))
    }

    /// The listpack with the same elements. O(n).
    pub fn to_listpack(&self) -> Listpack {
        let mut bytes = Vec::new();
        self.write_listpack(&mut bytes);
        Pack::copy_of(&bytes)
    }

    /// Appends the listpack with the same elements: the bytes are those that Redis would have. O(n).
    pub fn write_listpack(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(self.bytes() + self.bytes() / 4 + FEW);
        out.extend_from_slice(&Bidirectional::EMPTY[..Bidirectional::HEADER_LEN]);
        let mut count = 0;
        for (element, from_here) in elements(self) {
            append(out, element, from_here);
            match element.len() {
                // A backlen of one byte.
                len @ 0..0x80 => out.push(len as u8),
                len => {
                    let mut backlen = [0; 5];
                    let backlen = &mut backlen[..backlen_len(len)];
                    write_backlen(backlen, len);
                    out.extend_from_slice(backlen);
                }
            }
            count += 1;
        }
        out.push(END);
        let len = (out.len() - start) as u32;
        out[start..start + 4].copy_from_slice(&len.to_le_bytes());
        out[start + 4..start + 6].copy_from_slice(&(count.min(COUNT_UNKNOWN) as u16).to_le_bytes());
    }
}

/// Appends an element, which is the beginning of `from_here`. Most are short: copying so many bytes as are known beforehand, and
/// forgetting those that are too many, takes no call.
#[inline]
fn append(out: &mut Vec<u8>, element: &[u8], from_here: &[u8]) {
    match from_here.first_chunk::<FEW>() {
        Some(chunk) if element.len() <= FEW => {
            let end = out.len() + element.len();
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(element),
    }
}

/// The elements as they are encoded, without their backlens, and all bytes from each of them on.
fn elements<F: Form>(pack: &Pack<F>) -> impl Iterator<Item = (&[u8], &[u8])> {
    let (bytes, mut at) = (&pack.raw()[..pack.end()], F::HEADER_LEN);
    std::iter::from_fn(move || {
        let len = encoded_len(bytes, at);
        let from_here = bytes.get(at..)?;
        let element = from_here.get(..len).filter(|element| !element.is_empty())?;
        at += len + if F::HAS_BACKLENS { backlen_len(len) } else { 0 };
        Some((element, from_here))
    })
}
