//! The buffer that values are written to: lengths, numbers and texts in the forms of the format.

use ochre_types::listpack::{ForwardPack, Item};
use ochre_types::{lzf, parse_i64};

use super::super::batch::{Access, KeyInfo};
use super::super::format::opcode;
use super::super::version::Version;
use super::parts::ValueParts;
use super::plan::{CannotHold, Target};
use super::value::{ValueRef, ValueWriter};

/// The longest text that may be an integer of 32 bits.
const INT_TEXT_LEN_MAX: usize = 11;
/// Texts up to this length are not worth compressing, and those that save no more than this many bytes are not.
const COMPRESSED_FROM: usize = 21;
const SAVED_BYTES_MIN: usize = 4;

/// How values are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodeOptions {
    /// For which version.
    pub target: Target,
    /// Whether texts are compressed (`rdbcompression`).
    pub compresses: bool,
}

/// Bytes of records, as they come.
#[derive(Debug)]
pub struct Encoder {
    bytes: Vec<u8>,
    /// Room for a listpack, of which the length stands in front.
    listpack: Vec<u8>,
    options: EncodeOptions,
    needed: Version,
}

impl Encoder {
    /// No bytes yet.
    pub fn new(options: EncodeOptions) -> Encoder {
        Encoder { bytes: Vec::new(), listpack: Vec::new(), options, needed: options.target.version() }
    }

    /// What was written and not taken.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written and not taken, for good.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Forgets what was written; the memory stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// How values are written.
    pub fn options(&self) -> EncodeOptions {
        self.options
    }

    /// The version that a file needs to have for what was written so far.
    pub fn needed_version(&self) -> Version {
        self.needed
    }

    /// Takes note that something of this version was written.
    pub(super) fn need(&mut self, version: Version) {
        self.needed = self.needed.max(version);
    }

    /// Writes a key with its value.
    ///
    /// # Errors
    /// When the target version cannot hold the value; nothing is written then.
    pub fn record(&mut self, key: &[u8], info: KeyInfo, value: ValueRef<'_>) -> Result<(), CannotHold> {
        let mut writer = ValueWriter::new(value, self.options.target)?;
        self.begin_record(key, info, &mut writer)?;
        while !writer.write_part(self, usize::MAX) {}
        Ok(())
    }

    /// Writes a key, whose value `parts` then writes: call [`ValueParts::write_part`] until that was all, with nothing else in
    /// between.
    ///
    /// # Errors
    /// When the target version cannot hold the value; nothing is written then.
    pub fn begin_record(
        &mut self,
        key: &[u8],
        info: KeyInfo,
        parts: &mut dyn ValueParts,
    ) -> Result<(), CannotHold> {
        let (code, version) = parts.plan(self.options.target)?;
        self.need(version);
        if let Some(ms) = info.expire_ms {
            self.push_byte(opcode::EXPIRE_MS);
            self.push_raw(&ms.to_le_bytes());
        }
        match info.access {
            None => {}
            Some(Access::Idle(seconds)) => {
                self.push_byte(opcode::IDLE);
                self.push_length(seconds);
            }
            Some(Access::Frequency(counter)) => self.push_raw(&[opcode::FREQ, counter]),
        }
        self.push_byte(code);
        self.push_text(key);
        Ok(())
    }

    #[inline]
    pub(in super::super) fn push_byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[inline]
    pub(in super::super) fn push_raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a length, or any number as one.
    #[inline]
    pub(in super::super) fn push_length(&mut self, length: u64) {
        if length < 1 << 6 {
            self.push_byte(length as u8);
        } else if length < 1 << 14 {
            self.push_raw(&(length as u16 | 0x4000).to_be_bytes());
        } else if let Ok(length) = u32::try_from(length) {
            self.push_byte(0x80);
            self.push_raw(&length.to_be_bytes());
        } else {
            self.push_byte(0x81);
            self.push_raw(&length.to_be_bytes());
        }
    }

    /// Writes a text in its shortest form.
    #[inline]
    pub(in super::super) fn push_text(&mut self, text: &[u8]) {
        if text.len() <= INT_TEXT_LEN_MAX
            && let Some(int) = parse_i64(text).and_then(|int| i32::try_from(int).ok())
        {
            return self.push_int_32(int);
        }
        if self.options.compresses && text.len() >= COMPRESSED_FROM && self.push_compressed(text) {
            return;
        }
        self.push_length(text.len() as u64);
        self.push_raw(text);
    }

    /// Writes the listpack with the elements of a pack, as a text.
    pub(super) fn push_listpack(&mut self, pack: &ForwardPack) {
        let mut listpack = std::mem::take(&mut self.listpack);
        pack.write_listpack(&mut listpack);
        self.push_text(&listpack);
        listpack.clear();
        self.listpack = listpack;
    }

    /// Writes a text compressed, if that is shorter.
    fn push_compressed(&mut self, text: &[u8]) -> bool {
        let Some(compressed) = lzf::compress(text, text.len() - SAVED_BYTES_MIN) else { return false };
        self.push_byte(0xc3);
        self.push_length(compressed.len() as u64);
        self.push_length(text.len() as u64);
        self.push_raw(&compressed);
        true
    }

    fn push_int_32(&mut self, int: i32) {
        if let Ok(int) = i8::try_from(int) {
            self.push_raw(&[0xc0, int as u8]);
        } else if let Ok(int) = i16::try_from(int) {
            self.push_byte(0xc1);
            self.push_raw(&int.to_le_bytes());
        } else {
            self.push_byte(0xc2);
            self.push_raw(&int.to_le_bytes());
        }
    }

    /// Writes the text of an integer.
    pub(in super::super) fn push_int(&mut self, int: i64) {
        match i32::try_from(int) {
            Ok(int) => self.push_int_32(int),
            Err(_) => self.push_text(itoa::Buffer::new().format(int).as_bytes()),
        }
    }

    /// Writes an element.
    #[inline]
    pub(in super::super) fn push_item(&mut self, item: Item<'_>) {
        match item {
            Item::Int(int) => self.push_int(int),
            Item::Bytes(text) => self.push_text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cursor::Cursor;
    use super::*;

    fn encoder(compresses: bool) -> Encoder {
        Encoder::new(EncodeOptions { compresses, ..EncodeOptions::default() })
    }

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        for (length, bytes) in [
            (0, 1),
            (63, 1),
            (64, 2),
            (16383, 2),
            (16384, 5),
            (u64::from(u32::MAX), 5),
            (1 << 32, 9),
            (u64::MAX, 9),
        ] {
            let mut encoder = encoder(false);
            encoder.push_length(length);
            assert_eq!(encoder.bytes().len(), bytes, "{length}");
            assert_eq!(Cursor::new(encoder.bytes()).length(), Ok(length));
        }
    }

    #[test]
    fn texts_come_back() {
        let long = [b"a".repeat(5000), (0..=255).collect()].concat();
        let cases: [(&[u8], usize); 13] = [
            (b"", 1),
            (b"0", 2),
            (b"-128", 2),
            (b"128", 3),
            (b"-32769", 5),
            (b"2147483647", 5),
            (b"2147483648", 11),
            (b"-2147483648", 5),
            (b"007", 4),
            (b"+1", 3),
            (b"aaaaaaaaaaaaaaaaaaaa", 21),
            (b"aaaaaaaaaaaaaaaaaaaaa", 8),
            (&long, 0),
        ];
        for (text, bytes) in cases {
            for compresses in [true, false] {
                let mut encoder = encoder(compresses);
                encoder.push_text(text);
                let read = Cursor::new(encoder.bytes()).text().map(super::super::super::text::Text::into_vec);
                assert_eq!(read.as_deref(), Ok(text));
                if compresses && bytes > 0 {
                    assert_eq!(encoder.bytes().len(), bytes, "{}", text.escape_ascii());
                }
            }
        }
    }
}
