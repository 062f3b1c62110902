//! Letters: which script each is of, and the letter as the model reads it.

use std::sync::LazyLock;

/// Scripts that are distinguished. The first two have a section of the model each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Script {
    Cyrillic,
    Latin,
    Greek,
    Armenian,
    Hebrew,
    Arabic,
    Devanagari,
    Georgian,
    Thai,
    Hangul,
    Kana,
    Han,
    Other,
}

pub const SCRIPTS: usize = 13;

/// What a text in a script without a section is called: the language where the script writes one.
pub const SCRIPT_TAGS: [&str; SCRIPTS] = [
    "und-Cyrl", "und-Latn", "el", "hy", "he", "und-Arab", "und-Deva", "ka", "th", "ko", "ja", "zh", "und",
];

/// Classes of characters that are no letters; every smaller one is the number of a script.
pub const NOT: u8 = 0xFF;
pub const MARK: u8 = 0xFE;
pub const APOSTROPHE: u8 = 0xFD;
const TABLE: usize = 0x530;

/// Flags of Cyrillic letters in `Tables::cyrillic`, above the letter as it is read.
pub const SMALL: u32 = 1 << 16;
/// Outside the Russian alphabet, or ъ.
pub const ODD: u32 = 1 << 17;

/// Cyrillic letters of two bytes are looked up by the low bits of both: U+0400 to U+04FF.
const CYRILLIC_BYTES: std::ops::RangeInclusive<u8> = 0xD0..=0xD3;

pub struct Tables {
    class: [u8; TABLE],
    fold: [u16; TABLE],
    /// Of U+0400 to U+04FF: the letter as it is read with its flags, 0 for what is no letter.
    cyrillic: [u32; 0x100],
}

impl Tables {
    /// The Cyrillic letter of two bytes that `text` begins with, as it is read, with its flags.
    #[inline]
    pub fn cyrillic(&self, text: &[u8]) -> Option<u32> {
        let &[first, second, ..] = text else { return None };
        let place = usize::from(first & 3) << 6 | usize::from(second & 0x3F);
        let found = self.cyrillic[place];
        (CYRILLIC_BYTES.contains(&first) && found != 0).then_some(found)
    }
}

pub static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables {
        class: [NOT; TABLE],
        fold: [0; TABLE],
        cyrillic: [0; 0x100],
    };
    for code in 0..TABLE as u32 {
        let Some(c) = char::from_u32(code) else { continue };
        tables.class[code as usize] = class_of(c);
        tables.fold[code as usize] = fold(c) as u16;
        if tables.class[code as usize] == Script::Cyrillic as u8 && code < 0x500 {
            let letter = fold(c);
            let small = if letter == code { SMALL } else { 0 };
            let odd = if is_russian(letter) && letter != 'ъ' as u32 {
                0
            } else {
                ODD
            };
            tables.cyrillic[code as usize - 0x400] = letter | small | odd;
        }
    }
    tables
});

fn class_of(c: char) -> u8 {
    match c as u32 {
        0x27 | 0x2019 | 0x2BC => return APOSTROPHE,
        0x300..=0x36F | 0x483..=0x489 | 0xAD | 0x2DE0..=0x2DFF | 0xA66F..=0xA67D | 0x200B..=0x200D => {
            return MARK;
        }
        _ => {}
    }
    if !c.is_alphabetic() {
        return NOT;
    }
    let script = match c as u32 {
        0x41..=0x24F | 0x250..=0x2AF | 0x1E00..=0x1EFF | 0xFF21..=0xFF5A => Script::Latin,
        0x370..=0x3FF | 0x1F00..=0x1FFF => Script::Greek,
        0x400..=0x52F | 0x1C80..=0x1C8F | 0xA640..=0xA69F => Script::Cyrillic,
        0x531..=0x58F => Script::Armenian,
        0x590..=0x5FF | 0xFB1D..=0xFB4F => Script::Hebrew,
        0x600..=0x6FF | 0x750..=0x77F | 0x8A0..=0x8FF | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Script::Arabic,
        0x900..=0x97F => Script::Devanagari,
        0x10A0..=0x10FF | 0x1C90..=0x1CBF | 0x2D00..=0x2D2F => Script::Georgian,
        0xE00..=0xE7F => Script::Thai,
        0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7FF => Script::Hangul,
        0x3040..=0x30FF | 0x31F0..=0x31FF => Script::Kana,
        0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => Script::Han,
        _ => Script::Other,
    };
    script as u8
}

/// Whether a letter, as it is read, is of the Russian alphabet: а to я, and ё.
#[inline]
pub fn is_russian(letter: u32) -> bool {
    matches!(letter, 0x430..=0x44F | 0x451)
}

/// A letter as the model reads it: small, one letter for one. The palochka has a small form of its own.
fn fold(c: char) -> u32 {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one as u32,
        _ => c as u32,
    }
}

/// A Latin letter in a Cyrillic word -> the Cyrillic one that it stands for. Chuvash and Ossetian are commonly
/// written with ă ĕ ç æ, Caucasian languages with I or l for the palochka.
pub fn cyrillic_of(latin: u32) -> u32 {
    let Some(c) = char::from_u32(latin) else {
        return latin;
    };
    (match c {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'һ',
        'i' => 'і',
        'ï' => 'ї',
        'j' => 'ј',
        'k' => 'к',
        'l' => 'ӏ',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        's' => 'ѕ',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        'ö' => 'ӧ',
        'ä' => 'ӓ',
        'ÿ' | 'ü' => 'ӱ',
        'ë' => 'ё',
        'ç' => 'ҫ',
        'ă' => 'ӑ',
        'ĕ' => 'ӗ',
        'æ' => 'ӕ',
        'ə' => 'ә',
        'ѐ' => 'е',
        other => other,
    }) as u32
}

/// A Cyrillic letter in a Latin word -> the Latin one that it looks like.
pub fn latin_of(cyrillic: u32) -> u32 {
    let Some(c) = char::from_u32(cyrillic) else {
        return cyrillic;
    };
    (match c {
        'а' => 'a',
        'в' => 'b',
        'с' => 'c',
        'е' => 'e',
        'һ' => 'h',
        'і' | 'ӏ' => 'i',
        'ј' => 'j',
        'к' => 'k',
        'м' => 'm',
        'о' => 'o',
        'р' => 'p',
        'ѕ' => 's',
        'т' => 't',
        'х' => 'x',
        'у' => 'y',
        'ӕ' => 'æ',
        'ә' => 'ə',
        other => other,
    }) as u32
}

/// A letter and the mark that follows it, where they are one letter of an alphabet.
pub fn composed(letter: u32, mark: char) -> Option<u32> {
    let c = match (char::from_u32(letter)?, mark) {
        ('и', '\u{306}') => 'й',
        ('у', '\u{306}') => 'ў',
        ('а', '\u{306}') => 'ӑ',
        ('е', '\u{306}') => 'ӗ',
        ('е', '\u{308}') => 'ё',
        ('і', '\u{308}') => 'ї',
        ('о', '\u{308}') => 'ӧ',
        ('у', '\u{308}') => 'ӱ',
        ('а', '\u{308}') => 'ӓ',
        ('ы', '\u{308}') => 'ӹ',
        ('и', '\u{304}') => 'ӣ',
        ('у', '\u{304}') => 'ӯ',
        ('г', '\u{301}') => 'ѓ',
        ('к', '\u{301}') => 'ќ',
        _ => return None,
    };
    Some(c as u32)
}

/// The class of a character and, where it is a letter, the letter that it is read as.
#[inline]
pub fn look(tables: &Tables, c: char) -> (u8, u32) {
    match tables.class.get(c as usize) {
        Some(&class) => (class, u32::from(tables.fold[c as usize])),
        None => (class_of(c), fold(c)),
    }
}

/// The script of a class below `APOSTROPHE`.
pub fn script_of(class: u8) -> Script {
    const ALL: [Script; SCRIPTS] = [
        Script::Cyrillic,
        Script::Latin,
        Script::Greek,
        Script::Armenian,
        Script::Hebrew,
        Script::Arabic,
        Script::Devanagari,
        Script::Georgian,
        Script::Thai,
        Script::Hangul,
        Script::Kana,
        Script::Han,
        Script::Other,
    ];
    ALL[usize::from(class).min(SCRIPTS - 1)]
}
