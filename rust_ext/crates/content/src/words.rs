//! One pass over a block's text: words, letters, punctuation, and the cue words of boilerplate.

use std::sync::LazyLock;

mod cues;

pub use cues::{CUE_COUNT, CUES, STOP};

/// What one block's text is made of; counts of characters unless said otherwise.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Range of the page's word hashes.
    pub first: u32,
    pub last: u32,
    /// Words; two signs of a script written without spaces count as one.
    pub words: u32,
    pub chars: u32,
    pub letters: u32,
    pub upper: u32,
    pub digits: u32,
    pub cyrillic: u32,
    pub commas: u32,
    /// Full stops, question and exclamation marks, ellipses.
    pub ends: u32,
    pub other: u32,
    pub long_words: u32,
    /// Words long enough to show what a text is about.
    pub topical: u32,
    pub numbers: u32,
    pub capitals: u32,
    pub cues: [u8; CUE_COUNT],
    pub starts_upper: bool,
    pub starts_digit: bool,
    pub ends_sentence: bool,
    pub ends_colon: bool,
    /// Hash of the words in order.
    pub hash: u64,
}

const SLOTS: usize = 2048;

/// Cue words by open addressing. Most words of a text find a free slot, so that the words lie apart from the slots.
struct Cues {
    slots: Vec<Cue>,
    words: Vec<&'static str>,
}

/// The hash and the kinds of a cue word; hash 0 is a free slot.
#[derive(Clone, Copy, Default)]
struct Cue {
    key: u32,
    kinds: u32,
}

static NO_CUES: Cues = Cues {
    slots: Vec::new(),
    words: Vec::new(),
};

static TABLE: LazyLock<Cues> = LazyLock::new(|| {
    let mut slots = vec![Cue::default(); SLOTS];
    let mut known = vec![""; SLOTS];
    for (kind, (_, words)) in CUES.iter().enumerate() {
        for word in words.split_whitespace() {
            let mut hashes = Vec::new();
            scan(word, &mut hashes, &NO_CUES);
            let Some(&key) = hashes.first() else { continue };
            let mut at = key as usize % SLOTS;
            while slots[at].key != 0 && known[at] != word {
                at = (at + 1) % SLOTS;
            }
            let kinds = slots[at].kinds | 1 << kind;
            slots[at] = Cue { key, kinds };
            known[at] = word;
        }
    }
    Cues { slots, words: known }
});

/// The kinds of a word of the text, as bits.
#[inline]
fn cues_of(table: &Cues, key: u32, text: &str) -> u32 {
    let Some(slots) = table.slots.first_chunk::<SLOTS>() else {
        return 0;
    };
    let mut at = key as usize % SLOTS;
    while slots[at].key != 0 {
        if slots[at].key == key && same_words(text, table.words[at]) {
            return slots[at].kinds;
        }
        at = (at + 1) % SLOTS;
    }
    0
}

/// Whether two texts are the same words, letter case and all but letters and digits apart.
pub fn same_words(one: &str, other: &str) -> bool {
    if one == other {
        return true; // mostly so
    }
    let letters = |text| Letters {
        text,
        at: 0,
        inside: false,
    };
    letters(one).eq(letters(other))
}

/// Letters and digits of a text in lower case, and a 0 before each word.
struct Letters<'a> {
    text: &'a str,
    at: usize,
    inside: bool,
}

impl Iterator for Letters<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let (code, size) = char_at(bytes, self.at);
            let (class, lower) = classify(code);
            if !matches!(class, LOWER | UPPER | DIGIT | CJK) {
                self.inside = false;
            } else if self.inside {
                self.at += size;
                return Some(lower);
            } else {
                self.inside = true;
                return Some(0);
            }
            self.at += size;
        }
        None
    }
}

const OTHER: u8 = 0;
const LOWER: u8 = 1;
const UPPER: u8 = 2;
const DIGIT: u8 = 3;
const COMMA: u8 = 4;
const END: u8 = 5;
const SPACE: u8 = 6;
const CJK: u8 = 7;

/// Class and lower case of one character.
#[inline]
fn classify(code: u32) -> (u8, u32) {
    match code {
        0..=0x20 => (SPACE, code),
        0x30..=0x39 => (DIGIT, code),
        0x41..=0x5A => (UPPER, code + 32),
        0x61..=0x7A => (LOWER, code),
        0x2C | 0x3B => (COMMA, code),
        0x21 | 0x2E | 0x3F | 0x2026 => (END, code),
        0x410..=0x42F => (UPPER, code + 32),
        0x400..=0x40F => (UPPER, code + 80),
        0x430..=0x45F => (LOWER, code),
        0xC0..=0xDE if code != 0xD7 => (UPPER, code + 32),
        0x391..=0x3A9 => (UPPER, code + 32),
        0..=0xBF | 0xD7 | 0xF7 | 0x2000..=0x206F | 0x2070..=0x2BFF => (OTHER, code),
        0x3001 | 0xFF0C => (COMMA, code),
        0x3002 | 0xFF01 | 0xFF1F | 0x964 => (END, code),
        0x3000..=0x303F | 0xFE30..=0xFE4F | 0xFF00..=0xFF0F | 0xFF1A..=0xFF20 => (OTHER, code),
        0x2E80..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF | 0xE00..=0xE7F => {
            (CJK, code)
        }
        0x1F000..=0x1FFFF => (OTHER, code),
        _ => (LOWER, code),
    }
}

const TABLED: usize = 0x530;

/// [`classify`] of Latin, Greek and Cyrillic characters, looked up.
static CLASSES: LazyLock<Vec<(u8, u16)>> = LazyLock::new(|| {
    (0..TABLED as u32)
        .map(classify)
        .map(|(class, lower)| (class, lower as u16))
        .collect()
});

/// Decodes the character at `at`; the text is valid UTF-8 and `at` a boundary.
#[inline]
fn char_at(bytes: &[u8], at: usize) -> (u32, usize) {
    let tail = |i: usize| u32::from(bytes.get(at + i).copied().unwrap_or(0) & 0x3F);
    let lead = bytes[at];
    match lead {
        0..=0x7F => (u32::from(lead), 1),
        0x80..=0xDF => (u32::from(lead & 0x1F) << 6 | tail(1), 2),
        0xE0..=0xEF => (u32::from(lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3),
        _ => (
            u32::from(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3),
            4,
        ),
    }
}

/// Counts a block's text, its cue words by `table`, and appends the hashes of its words.
fn scan(text: &str, hashes: &mut Vec<u32>, table: &Cues) -> Words {
    let bytes = text.as_bytes();
    let mut w = Words {
        first: hashes.len() as u32,
        ..Words::default()
    };
    let classes = CLASSES.as_slice();
    let (mut at, mut hash, mut length, mut cjk) = (0, 0u64, 0u32, 0u32);
    let mut start = 0;
    let mut last = SPACE;
    let mut last_code = 0;
    while at < bytes.len() {
        let (code, size) = char_at(bytes, at);
        at += size;
        let (class, lower) = match classes.get(code as usize) {
            Some(&(class, lower)) => (class, u32::from(lower)),
            None => classify(code),
        };
        if class == SPACE && length == 0 {
            continue;
        }
        w.chars += 1;
        if matches!(class, LOWER | UPPER | DIGIT | CJK) {
            if length == 0 {
                (hash, start) = (0, at - size);
                w.capitals += u32::from(class == UPPER);
                w.numbers += u32::from(class == DIGIT);
                if w.first == hashes.len() as u32 {
                    w.starts_upper = class == UPPER;
                    w.starts_digit = class == DIGIT;
                }
            }
            length += 1;
            hash = (hash.rotate_left(7) ^ u64::from(lower)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            w.upper += u32::from(class == UPPER);
            w.digits += u32::from(class == DIGIT);
            cjk += u32::from(class == CJK);
            w.cyrillic += u32::from((0x400..0x530).contains(&code));
        } else {
            if length > 0 {
                let key = finish(&mut w, hash, length);
                hashes.push(key);
                w.count_cues(cues_of(table, key, &text[start..at - size]));
                length = 0;
            }
            match class {
                COMMA => w.commas += 1,
                END => w.ends += u32::from(last != END),
                OTHER => w.other += 1,
                _ => {}
            }
        }
        if class != SPACE {
            (last, last_code) = (class, code);
        }
    }
    if length > 0 {
        let key = finish(&mut w, hash, length);
        hashes.push(key);
        w.count_cues(cues_of(table, key, &text[start..]));
    }
    w.letters -= w.digits;
    w.words += cjk / 2;
    w.last = hashes.len() as u32;
    w.ends_sentence = last == END || matches!(last_code, 0x22 | 0xBB | 0x201D) && w.ends > 0;
    w.ends_colon = last_code == 0x3A;
    w
}

/// Letters of a word that shows what a text is about.
const TOPICAL: u32 = 5;

/// Whether the hash is of a word of at least five letters.
#[inline]
pub fn is_topical(key: u32) -> bool {
    key & 2 != 0
}

#[inline]
fn finish(w: &mut Words, hash: u64, length: u32) -> u32 {
    let topical = length >= TOPICAL;
    let key = (hash >> 32) as u32 & !2 | u32::from(topical) << 1 | 1;
    w.topical += u32::from(topical);
    w.words += 1;
    w.letters += length;
    w.long_words += u32::from(length > 6);
    w.hash = (w.hash.rotate_left(11) ^ u64::from(key)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    key
}

impl Words {
    #[inline]
    fn count_cues(&mut self, mut kinds: u32) {
        while kinds != 0 {
            let kind = kinds.trailing_zeros() as usize;
            self.cues[kind] = self.cues[kind].saturating_add(1);
            kinds &= kinds - 1;
        }
    }
}

/// Counts a block's text and appends the hashes of its words, in lower case, to `hashes`.
pub fn count(text: &str, hashes: &mut Vec<u32>) -> Words {
    scan(text, hashes, &TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_letters_and_marks_are_counted() {
        let mut hashes = Vec::new();
        let w = count("Привет, World 2024! Как дела?..", &mut hashes);
        assert_eq!(
            (w.words, w.letters, w.digits, w.upper, w.cyrillic),
            (5, 18, 4, 3, 13)
        );
        assert_eq!(
            (w.commas, w.ends, w.ends_sentence, w.starts_upper),
            (1, 2, true, true)
        );
        assert_eq!(hashes.len(), 5);
    }

    #[test]
    fn letter_case_does_not_change_a_word() {
        let mut hashes = Vec::new();
        count("ЁЖИК ёжик Share SHARE", &mut hashes);
        assert_eq!((hashes[0], hashes[2]), (hashes[1], hashes[3]));
    }

    #[test]
    fn a_word_with_the_hash_of_a_cue_word_is_none() {
        let at = TABLE.words.iter().position(|&word| word == "читайте");
        let cue = TABLE.slots[at.expect("a cue word")];
        assert_eq!(cues_of(&TABLE, cue.key, "Читайте"), cue.kinds);
        assert_eq!(cues_of(&TABLE, cue.key, "считайте"), 0);
    }

    #[test]
    fn words_are_the_same_but_for_case_and_what_stands_between_them() {
        assert!(same_words("Ёжик, в тумане!", "ёжик в Тумане"));
        assert!(!same_words("ёжик в тумане", "ёжик втумане"));
        assert!(!same_words("ёжик", "ёжик в"));
        assert!(same_words("", " — "));
    }

    #[test]
    fn cue_words_are_found() {
        let w = count("Читайте также: комментарии", &mut Vec::new());
        assert_eq!(
            CUES.iter()
                .zip(w.cues)
                .find(|((n, _), _)| *n == "related")
                .map(|x| x.1),
            Some(2)
        );
    }
}
