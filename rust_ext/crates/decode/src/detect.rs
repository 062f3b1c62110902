//! Which charset are these bytes in? Decided from the bytes alone.

use std::ops::Range;

use encoding_rs::Encoding;

use bukvar_letters::{self as letters, ASCII_LETTER, BETWEEN_WORDS, Letters};

/// The single-byte Cyrillic charsets, commonest in crawls first: the order breaks ties.
pub static CYRILLIC: [&Encoding; 6] = [
    encoding_rs::WINDOWS_1251,
    encoding_rs::KOI8_R,
    encoding_rs::KOI8_U,
    encoding_rs::ISO_8859_5,
    encoding_rs::IBM866,
    encoding_rs::X_MAC_CYRILLIC,
];

/// Bytes 128.. as they are, then two stand-ins for ASCII.
const COLUMNS: usize = 130;
const ASCII_LETTERS: u8 = 128;
const ASCII_OTHERS: u8 = 129;

/// Where KOI8-U has є і ї ґ and their capitals.
const UKRAINIAN: [u8; 8] = [0xA4, 0xA6, 0xA7, 0xAD, 0xB4, 0xB6, 0xB7, 0xBD];

/// Counts of neighbouring bytes of which at least one is not ASCII.
pub struct Pairs {
    counts: Vec<u32>,
}

/// How well the bytes read as Cyrillic in one charset.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The charset.
    pub encoding: &'static Encoding,
    /// -log of the probability of all counted pairs, tenths of a nat.
    pub cost: u64,
    /// Pairs counted.
    pub pairs: u64,
    /// Pairs whose second character is a Cyrillic letter.
    pub letters: u64,
    /// Pairs of two Cyrillic letters.
    pub inside_words: u64,
}

impl Reading {
    /// Tenths of a nat a pair above which bytes are not Cyrillic text: between what Cyrillic pages and pages in
    /// other charsets cost, which `bench_decode limits` prints.
    const DEAREST: u64 = 42;

    /// True when the bytes read as words of Cyrillic letters, and not as stray signs among ASCII letters.
    pub fn is_cyrillic(&self) -> bool {
        self.reads_below(Self::DEAREST)
    }

    /// The same with another limit, in tenths of a nat a pair.
    pub fn reads_below(&self, dearest: u64) -> bool {
        self.letters > 0 && self.inside_words * 2 >= self.letters && self.cost <= dearest * self.pairs
    }
}

impl Pairs {
    /// Counts a page in one pass; runs of ASCII are skipped eight bytes at a time.
    pub fn count(body: &[u8]) -> Self {
        let mut pairs = Self {
            counts: vec![0u32; COLUMNS * COLUMNS],
        };
        pairs.add(body);
        pairs
    }

    /// Counts what lies outside of `runs`, ascending ranges of a page.
    pub fn count_outside(body: &[u8], runs: &[Range<usize>]) -> Self {
        let mut pairs = Self {
            counts: vec![0u32; COLUMNS * COLUMNS],
        };
        let mut at = 0;
        for run in runs {
            pairs.add(&body[at..run.start]);
            at = run.end;
        }
        pairs.add(&body[at..]);
        pairs
    }

    fn add(&mut self, body: &[u8]) {
        let counts = &mut self.counts;
        let mut before = ASCII_OTHERS;
        let mut at = 0;
        while at < body.len() {
            if before >= 128 && at + 9 <= body.len() {
                let mut word = [0; 8];
                word.copy_from_slice(&body[at..at + 8]);
                if u64::from_le_bytes(word) & 0x8080_8080_8080_8080 == 0 {
                    at += 8;
                    before = column(word[7]);
                    continue;
                }
            }
            let now = column(body[at]);
            if before < 128 || now < 128 {
                let cell = &mut counts[usize::from(before) * COLUMNS + usize::from(now)];
                *cell = cell.saturating_add(1);
            }
            before = now;
            at += 1;
        }
    }

    /// Every Cyrillic charset's reading, in the order of `CYRILLIC`.
    pub fn readings(&self) -> [Reading; 6] {
        CYRILLIC.map(|encoding| self.reading(encoding))
    }

    /// True where a page that reads best as MacCyrillic is cp866 in capitals: the two have them in common, but for Ё,
    /// which is MacCyrillic's р, so that ВСЁ would read as ВСр. A page in MacCyrillic has other small letters too.
    pub fn is_cp866_in_capitals(&self) -> bool {
        let mut bytes = [false; 256];
        for (index, _) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            bytes[usize::from(byte_of(index / COLUMNS))] = true;
            bytes[usize::from(byte_of(index % COLUMNS))] = true;
        }
        let other_small = bytes[0xDF..0xF0]
            .iter()
            .chain(&bytes[0xF1..0xFF])
            .any(|&is_there| is_there);
        bytes[0xF0] && !bytes[0xDD] && !other_small
    }

    /// KOI8-U where the bytes on which it differs from KOI8-R stand next to letters: there they are letters of
    /// Ukrainian, and in KOI8-R they would be corners of boxes. `None` where the page has none of them.
    pub fn koi8(&self) -> Option<&'static Encoding> {
        let (mut beside, mut apart) = (0u64, 0u64);
        for (index, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (before, after) = (byte_of(index / COLUMNS), byte_of(index % COLUMNS));
            let touches = |one: u8, other: u8| UKRAINIAN.contains(&one) && is_koi8_letter(other);
            if touches(before, after) || touches(after, before) {
                beside += u64::from(count);
            } else if UKRAINIAN.contains(&before) || UKRAINIAN.contains(&after) {
                apart += u64::from(count);
            }
        }
        // A letter has a letter beside it at least once in its two pairs, but for the word `і` (and).
        match (beside, apart) {
            (0, 0) => None,
            _ if beside * 3 >= apart => Some(encoding_rs::KOI8_U),
            _ => Some(encoding_rs::KOI8_R),
        }
    }

    fn reading(&self, encoding: &'static Encoding) -> Reading {
        let model = Letters::get();
        let symbols = symbols_of(encoding, model);
        let mut reading = Reading {
            encoding,
            cost: 0,
            pairs: 0,
            letters: 0,
            inside_words: 0,
        };
        for (index, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (before, after) = (symbols[index / COLUMNS], symbols[index % COLUMNS]);
            let count = u64::from(count);
            reading.cost += count * u64::from(model.cost(before, after));
            reading.pairs += count;
            if letters::is_letter(after) {
                reading.letters += count;
                reading.inside_words += if letters::is_letter(before) { count } else { 0 };
            }
        }
        reading
    }
}

/// A letter that KOI8-R and KOI8-U share: the Russian alphabet.
fn is_koi8_letter(byte: u8) -> bool {
    byte >= 0xC0 || byte == 0xA3 || byte == 0xB3
}

/// The byte of a column; 0 for the stand-ins for ASCII.
fn byte_of(column: usize) -> u8 {
    if column < 128 { column as u8 | 0x80 } else { 0 }
}

fn column(byte: u8) -> u8 {
    if byte >= 128 {
        byte - 128
    } else if byte.is_ascii_alphabetic() {
        ASCII_LETTERS
    } else {
        ASCII_OTHERS
    }
}

fn symbols_of(encoding: &'static Encoding, model: Letters) -> [u8; COLUMNS] {
    let mut symbols = [0; COLUMNS];
    let bytes: Vec<u8> = (128..=255).collect();
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    for (symbol, char) in symbols.iter_mut().zip(text.chars()) {
        *symbol = model.symbol(char);
    }
    symbols[usize::from(ASCII_LETTERS)] = ASCII_LETTER;
    symbols[usize::from(ASCII_OTHERS)] = BETWEEN_WORDS;
    symbols
}

/// A charset of two or four bytes a character, recognised by its zero bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// UTF-32, little endian.
    Utf32Le,
    /// UTF-32, big endian.
    Utf32Be,
}

/// A page's first bytes are enough to see its unit: 32 kB hold 16 thousand characters.
const WIDE_SAMPLE: usize = 32 * 1024;

/// Finds UTF-16 or UTF-32 without a byte order mark. ASCII, Cyrillic and punctuation have the high bytes 0, 4
/// and 0x20 to 0x22; at least 95% of the units must be such, and half of them 0 or 4, which 8-bit text never has.
pub fn wide(body: &[u8]) -> Option<Wide> {
    let sample = &body[..body.len().min(WIDE_SAMPLE) & !3];
    if sample.len() < 4 || !sample.contains(&0) {
        return two_bytes(body);
    }
    let quads = sample.len() / 4;
    let zeros = |at: usize| {
        sample
            .iter()
            .skip(at)
            .step_by(4)
            .filter(|&&byte| byte == 0)
            .count()
    };
    if (zeros(2) + zeros(3)) * 20 >= quads * 39 && zeros(0) * 20 < quads {
        return Some(Wide::Utf32Le);
    }
    if (zeros(0) + zeros(1)) * 20 >= quads * 39 && zeros(3) * 20 < quads {
        return Some(Wide::Utf32Be);
    }
    two_bytes(body)
}

fn two_bytes(body: &[u8]) -> Option<Wide> {
    let sample = &body[..body.len().min(WIDE_SAMPLE)];
    let units = sample.len() / 2;
    if units < 2 {
        return None;
    }
    for (kind, high_at) in [(Wide::Utf16Le, 1), (Wide::Utf16Be, 0)] {
        let (mut plain, mut sure) = (0, 0);
        for unit in sample.chunks_exact(2) {
            let (high, low) = (unit[high_at], unit[1 - high_at]);
            let is_sure = (high == 0 && low != 0) || (high == 4 && low < 0x60) || (high == 4 && low >= 0x90);
            sure += usize::from(is_sure);
            plain += usize::from(is_sure || (0x20..=0x22).contains(&high));
        }
        if plain * 20 >= units * 19 && sure * 2 >= units {
            return Some(kind);
        }
    }
    None
}
