//! From a listpack to the form without backlens, and back to the bytes that files and DUMP have.

use super::encoding::{END, backlen_len, encoded_len, write_backlen};
use super::form::{Form, Forward};
use super::pack::{ForwardPack, Listpack, Pack};

/// More elements than the header of a listpack can count, or as many.
const COUNT_UNKNOWN: usize = u16::MAX as usize;

impl ForwardPack {
    /// What a listpack holds; `None` if that is too long. O(n).
    pub fn from_listpack(listpack: &Listpack) -> Option<ForwardPack> {
        let mut bytes = Vec::with_capacity(listpack.bytes().min(Forward::LEN_MAX));
        bytes.extend_from_slice(Forward::EMPTY);
        let mut count = 0;
        for element in elements(listpack) {
            if bytes.len() + element.len() > Forward::LEN_MAX {
                return None;
            }
            bytes.extend_from_slice(element);
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

    /// Bytes of the listpack with the same elements. O(n).
    pub fn listpack_bytes(&self) -> usize {
        let backlens: usize = elements(self).map(|element| backlen_len(element.len())).sum();
        self.bytes() - Self::EMPTY_BYTES + Listpack::EMPTY_BYTES + backlens
    }

    /// Appends the listpack with the same elements: the bytes are those that Redis would have. O(n).
    pub fn write_listpack(&self, out: &mut Vec<u8>) {
        let len = self.listpack_bytes();
        out.reserve(len);
        out.extend_from_slice(&(len as u32).to_le_bytes());
        out.extend_from_slice(&(self.len().min(COUNT_UNKNOWN) as u16).to_le_bytes());
        for element in elements(self) {
            out.extend_from_slice(element);
            let mut backlen = [0; 5];
            let backlen = &mut backlen[..backlen_len(element.len())];
            write_backlen(backlen, element.len());
            out.extend_from_slice(backlen);
        }
        out.push(END);
    }
}

/// The elements as they are encoded, without their backlens.
fn elements<F: Form>(pack: &Pack<F>) -> impl Iterator<Item = &[u8]> {
    let (bytes, mut at) = (&pack.raw()[..pack.end()], F::HEADER_LEN);
    std::iter::from_fn(move || {
        let len = encoded_len(bytes, at);
        let element = bytes.get(at..at + len).filter(|element| !element.is_empty())?;
        at += len + if F::HAS_BACKLENS { backlen_len(len) } else { 0 };
        Some(element)
    })
}
