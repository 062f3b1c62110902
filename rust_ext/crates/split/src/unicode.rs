//! What a split pattern asks of a character, as bits: one byte a character, in a two-stage table filled at
//! first use from the tables of regex-syntax, which are those of fancy-regex, the oracle of the tests.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, HirKind};

/// `\p{L}`
pub const LETTER: u8 = 1;
/// `\p{N}`
pub const NUMBER: u8 = 2;
/// `\s`
pub const SPACE: u8 = 4;
/// `[\r\n]`
pub const NEWLINE: u8 = 8;
/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`: may stand in the capitals of a word
pub const UPPER: u8 = 16;
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`: may stand in the small letters of a word
pub const LOWER: u8 = 32;
/// `[\p{P}\p{S}]`, in the table of DeepSeek alone
pub const MARK: u8 = 64;
/// What DeepSeek's second split cuts off, in its table alone, where it has no bit of the above
pub const KANA_OR_HAN: u8 = 128;
/// Of these, `[\p{L}\p{M}]` and `[\p{P}\p{S}]`
pub const KANA_LETTER: u8 = UPPER;
pub const KANA_MARK: u8 = LOWER;

type Classes = [(u8, &'static str)];

const CLASSES: &Classes = &[
    (LETTER, r"\p{L}"),
    (NUMBER, r"\p{N}"),
    (SPACE, r"\s"),
    (NEWLINE, r"[\r\n]"),
    (UPPER, r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"),
    (LOWER, r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"),
];

/// Qwen 3.5 takes marks for letters. (A mark may come before a word, too, but then it begins the word as well.)
const MARKED: &Classes = &[
    (LETTER, r"[\p{L}\p{M}]"),
    (NUMBER, r"\p{N}"),
    (SPACE, r"\s"),
    (NEWLINE, r"[\r\n]"),
];

const DEEPSEEK: &Classes = &[
    (LETTER, r"[\p{L}\p{M}&&[^一-龥぀-ゟ゠-ヿ]]"),
    (NUMBER, r"\p{N}"),
    (SPACE, r"\s"),
    (NEWLINE, r"[\r\n]"),
    (MARK, r"[\p{P}\p{S}&&[^一-龥぀-ゟ゠-ヿ]]"),
    (KANA_OR_HAN, "[一-龥぀-ゟ゠-ヿ]"),
    (KANA_LETTER, r"[一-龥぀-ゟ゠-ヿ&&[\p{L}\p{M}]]"),
    (KANA_MARK, r"[一-龥぀-ゟ゠-ヿ&&[\p{P}\p{S}]]"),
];

/// Characters in a block of the second stage: small enough that equal blocks are many.
const BLOCK: usize = 128;

/// The two-stage table, and its first 128 entries laid out flat.
pub struct Tables {
    ascii: [u8; 128],
    blocks: Vec<u16>,
    flags: Vec<[u8; BLOCK]>,
}

impl Tables {
    /// The bits of an ASCII byte; of 0x80 and above, none.
    #[inline(always)]
    pub fn ascii(&self, byte: u8) -> u8 {
        if byte < 0x80 { self.ascii[byte as usize] } else { 0 }
    }

    /// The bits of the character that starts at `at` in valid UTF-8, and its length in bytes; at the end of
    /// the text `(0, 0)`.
    #[inline(always)]
    pub fn at(&self, text: &[u8], at: usize) -> (u8, usize) {
        let Some(&lead) = text.get(at) else { return (0, 0) };
        if lead < 0x80 {
            return (self.ascii[lead as usize], 1);
        }
        let rest = |i: usize| u32::from(text.get(at + i).copied().unwrap_or(0) & 0x3f);
        let (point, len) = match lead {
            0..0xe0 => ((u32::from(lead) & 0x1f) << 6 | rest(1), 2),
            0xe0..0xf0 => ((u32::from(lead) & 0x0f) << 12 | rest(1) << 6 | rest(2), 3),
            _ => (
                (u32::from(lead) & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3),
                4,
            ),
        };
        (self.of(point), len)
    }

    /// The bits of a code point; above U+10FFFF, none.
    #[inline(always)]
    pub fn of(&self, point: u32) -> u8 {
        let point = point as usize;
        match self.blocks.get(point / BLOCK) {
            Some(&block) => self.flags[block as usize][point % BLOCK],
            None => 0,
        }
    }

    fn build(classes: &Classes) -> Self {
        let mut flat = vec![0u8; 0x11_0000];
        for &(bit, class) in classes {
            for (first, last) in ranges(class) {
                for flags in &mut flat[first as usize..=last as usize] {
                    *flags |= bit;
                }
            }
        }
        let mut ascii = [0u8; 128];
        ascii.copy_from_slice(&flat[..128]);
        let mut seen = std::collections::HashMap::new();
        let mut blocks = Vec::with_capacity(flat.len() / BLOCK);
        let mut flags = Vec::new();
        for chunk in flat.as_chunks::<BLOCK>().0 {
            let index = *seen.entry(*chunk).or_insert_with(|| {
                flags.push(*chunk);
                (flags.len() - 1) as u16
            });
            blocks.push(index);
        }
        Self { ascii, blocks, flags }
    }
}

/// The tables of this process.
pub fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables::build(CLASSES))
}

/// Those in which marks are letters.
pub fn marked() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables::build(MARKED))
}

/// Those of DeepSeek.
pub fn deepseek() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables::build(DEEPSEEK))
}

fn ranges(class: &str) -> Vec<(char, char)> {
    match regex_syntax::parse(class).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(set))) => {
            set.ranges().iter().map(|r| (r.start(), r.end())).collect()
        }
        other => unreachable!("{class} is a class of characters, not {other:?}"),
    }
}
