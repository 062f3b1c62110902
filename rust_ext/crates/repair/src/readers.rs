//! The charsets by which text gets broken, as tables from the broken character back to its byte.

use std::sync::LazyLock;

use encoding_rs::{Encoding, IBM866, KOI8_R, KOI8_U, WINDOWS_1251, WINDOWS_1252, X_MAC_CYRILLIC};

/// Every character that these charsets have lies below this code point (■ is U+25A0).
pub const TABULATED: usize = 0x2600;

/// A charset in which somebody's bytes were read by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// Latin-1 and windows-1252: their characters never meet in one byte, so that one table undoes both.
    Latin = 0,
    /// windows-1251.
    Cp1251 = 1,
    /// KOI8-R, and the letters of KOI8-U.
    Koi8 = 2,
    /// cp866.
    Cp866 = 3,
    /// MacCyrillic; of single-byte text only.
    Mac = 4,
}

/// The readers of UTF-8, in the order in which ties are broken.
pub const READERS: [Reader; 4] = [Reader::Latin, Reader::Cp1251, Reader::Koi8, Reader::Cp866];

/// From character to byte, and what part of a UTF-8 sequence that byte can be.
pub struct Tables {
    bytes: [Vec<u8>; 5],
    roles: Vec<u8>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::build);

/// The tables, built at the first call.
pub fn tables() -> &'static Tables {
    &TABLES
}

impl Tables {
    fn build() -> Self {
        let [latin, cp1251, koi8, cp866] = READERS.map(byte_table);
        let bytes = [latin, cp1251, koi8, cp866, byte_table(Reader::Mac)];
        let mut roles = vec![0u8; TABULATED];
        for (number, table) in bytes.iter().take(READERS.len()).enumerate() {
            for (role, &byte) in roles.iter_mut().zip(table) {
                *role |= u8::from((0xC2..=0xF4).contains(&byte)) << number;
                *role |= u8::from((0x80..=0xBF).contains(&byte)) << (4 + number);
            }
        }
        Self { bytes, roles }
    }

    /// The byte (128..=255) that `reader` shows as this character; 0 where there is none.
    #[inline]
    pub fn byte(&self, reader: Reader, char: char) -> u8 {
        self.bytes[reader as usize]
            .get(char as usize)
            .copied()
            .unwrap_or(0)
    }

    /// Bit n: in reader n this character is the first byte of a UTF-8 sequence; bit 4 + n: a later byte of one.
    #[inline]
    pub fn roles(&self, char: char) -> u8 {
        self.roles.get(char as usize).copied().unwrap_or(0)
    }
}

/// The characters of the bytes 128..=255. All charsets here have 128 of them.
pub fn upper_half(encoding: &'static Encoding) -> Vec<char> {
    let bytes: Vec<u8> = (0x80..=0xFF).collect();
    encoding.decode_without_bom_handling(&bytes).0.chars().collect()
}

fn byte_table(reader: Reader) -> Vec<u8> {
    let mut table = vec![0; TABULATED];
    let mut add = |chars: &[char]| {
        for (byte, &char) in (0x80..=0xFF).zip(chars) {
            table[char as usize] = byte;
        }
    };
    match reader {
        Reader::Latin => {
            add(&('\u{80}'..='\u{ff}').collect::<Vec<char>>());
            add(&upper_half(WINDOWS_1252));
        }
        Reader::Cp1251 => add(&upper_half(WINDOWS_1251)),
        Reader::Koi8 => {
            add(&upper_half(KOI8_U));
            add(&upper_half(KOI8_R));
        }
        Reader::Cp866 => add(&upper_half(IBM866)),
        Reader::Mac => add(&upper_half(X_MAC_CYRILLIC)),
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_undoes_its_charset() {
        for (reader, encoding) in [
            (Reader::Latin, WINDOWS_1252),
            (Reader::Cp1251, WINDOWS_1251),
            (Reader::Koi8, KOI8_R),
            (Reader::Koi8, KOI8_U),
            (Reader::Cp866, IBM866),
            (Reader::Mac, X_MAC_CYRILLIC),
        ] {
            let chars = upper_half(encoding);
            assert_eq!(chars.len(), 128);
            for (byte, char) in (0x80..=0xFF).zip(chars) {
                assert_eq!(
                    tables().byte(reader, char),
                    byte,
                    "{char:?} in {}",
                    encoding.name()
                );
            }
        }
    }
}
