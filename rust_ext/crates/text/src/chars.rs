//! What a character is, for segmentation: a table for the first blocks (Latin, Greek, Cyrillic), std's
//! Unicode properties for the rest.

use std::sync::LazyLock;

/// White space.
pub const SPACE: u8 = 1;
/// A letter: Unicode Alphabetic, less numbers written with letters (Ⅷ) and combining marks (U+1DD3), as Python's
/// `str.isalpha`.
pub const ALPHA: u8 = 2;
/// Unicode Numeric (Nd, Nl, No).
pub const NUMERIC: u8 = 4;
/// A combining mark that continues a word: stress marks, й written as и + breve, titlo.
pub const MARK: u8 = 8;
/// Joins two parts into one word when it stands alone between them: hyphen, apostrophe, low line, zero-width.
pub const JOINER: u8 = 16;
/// Full stop, comma or colon: joins two ASCII digits (3.14, 1,5, 17:46).
pub const DECIMAL: u8 = 32;
/// ASCII digit.
pub const DIGIT: u8 = 64;

/// Characters that can stand inside a word.
pub const WORD: u8 = ALPHA | NUMERIC | MARK;

/// End of the table: the first code point after Cyrillic (U+0400-U+04FF) and its supplement (U+0500-U+052F).
const TABLE_END: usize = 0x530;

static TABLE: LazyLock<[u8; TABLE_END]> = LazyLock::new(|| {
    let mut table = [0; TABLE_END];
    for (code, class) in table.iter_mut().enumerate() {
        *class = char::from_u32(code as u32).map_or(0, classify);
    }
    table
});

/// A classifier that holds the table, so that a loop does not ask for it at every character.
#[derive(Clone, Copy)]
pub struct Classes(&'static [u8; TABLE_END]);

impl Classes {
    /// The table, read once for a pass.
    pub fn new() -> Self {
        Self(&TABLE)
    }

    /// The classes of a character, as bits.
    #[inline(always)]
    pub fn of(self, c: char) -> u8 {
        match self.0.get(c as usize) {
            Some(&class) => class,
            None => classify(c),
        }
    }
}

impl Default for Classes {
    fn default() -> Self {
        Self::new()
    }
}

fn classify(c: char) -> u8 {
    if is_space(c) {
        return SPACE;
    }
    let mut class = 0;
    if is_mark(c) {
        class |= MARK;
    } else {
        if c.is_alphabetic() && !c.is_numeric() {
            class |= ALPHA;
        }
        if c.is_numeric() {
            class |= NUMERIC;
        }
    }
    if c.is_ascii_digit() {
        class |= DIGIT;
    }
    match c {
        '-' | '\u{2010}' | '\u{2011}' | '\'' | '\u{2019}' | '_' => class |= JOINER,
        '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => class |= JOINER,
        '.' | ',' | ':' => class |= DECIMAL,
        _ => {}
    }
    class
}

/// White space as Python's `str.strip` and `str.isspace` know it: Unicode's, and the separators U+001C-U+001F.
#[inline]
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&c)
}

/// Blocks of combining marks that occur over Latin and Cyrillic letters.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c as u32, 0x300..=0x36F | 0x483..=0x489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Ends a sentence: Unicode's property Sentence_Terminal (PropList.txt, Unicode 16), which is FineWeb's set
/// of terminal punctuation but for some rare scripts. Neither … nor a closing quote is in it.
pub fn ends_sentence(c: char) -> bool {
    match c {
        '.' | '!' | '?' => true,
        _ if (c as u32) < 0x589 => false,
        _ => SENTENCE_TERMINAL
            .binary_search_by(|&(first, last)| {
                let code = c as u32;
                if last < code {
                    std::cmp::Ordering::Less
                } else if first > code {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok(),
    }
}

#[rustfmt::skip]
const SENTENCE_TERMINAL: [(u32, u32); 86] = [
    (0x589, 0x589), (0x61D, 0x61F), (0x6D4, 0x6D4), (0x700, 0x702), (0x7F9, 0x7F9), (0x837, 0x837), (0x839,
    0x839), (0x83D, 0x83E), (0x964, 0x965), (0x104A, 0x104B), (0x1362, 0x1362), (0x1367, 0x1368), (0x166E,
    0x166E), (0x1735, 0x1736), (0x17D4, 0x17D5), (0x1803, 0x1803), (0x1809, 0x1809), (0x1944, 0x1945),
    (0x1AA8, 0x1AAB), (0x1B4E, 0x1B4F), (0x1B5A, 0x1B5B), (0x1B5E, 0x1B5F), (0x1B7D, 0x1B7F), (0x1C3B,
    0x1C3C), (0x1C7E, 0x1C7F), (0x2024, 0x2024), (0x203C, 0x203D), (0x2047, 0x2049), (0x2CF9, 0x2CFB),
    (0x2E2E, 0x2E2E), (0x2E3C, 0x2E3C), (0x2E53, 0x2E54), (0x2E60, 0x2E61), (0x3002, 0x3002), (0xA4FF,
    0xA4FF), (0xA60E, 0xA60F), (0xA6F3, 0xA6F3), (0xA6F7, 0xA6F7), (0xA876, 0xA877), (0xA8CE, 0xA8CF),
    (0xA92F, 0xA92F), (0xA9C8, 0xA9C9), (0xAA5D, 0xAA5F), (0xAAF0, 0xAAF1), (0xABEB, 0xABEB), (0xFE12,
    0xFE12), (0xFE15, 0xFE16), (0xFE52, 0xFE52), (0xFE56, 0xFE57), (0xFF01, 0xFF01), (0xFF0E, 0xFF0E),
    (0xFF1F, 0xFF1F), (0xFF61, 0xFF61), (0x10A56, 0x10A57), (0x10F55, 0x10F59), (0x10F86, 0x10F89),
    (0x11047, 0x11048), (0x110BE, 0x110C1), (0x11141, 0x11143), (0x111C5, 0x111C6), (0x111CD, 0x111CD),
    (0x111DE, 0x111DF), (0x11238, 0x11239), (0x1123B, 0x1123C), (0x112A9, 0x112A9), (0x113D4, 0x113D5),
    (0x1144B, 0x1144C), (0x115C2, 0x115C3), (0x115C9, 0x115D7), (0x11641, 0x11642), (0x1173C, 0x1173E),
    (0x11944, 0x11944), (0x11946, 0x11946), (0x11A42, 0x11A43), (0x11A9B, 0x11A9C), (0x11C41, 0x11C42),
    (0x11EF7, 0x11EF8), (0x11F43, 0x11F44), (0x16A6E, 0x16A6F), (0x16AF5, 0x16AF5), (0x16B37, 0x16B38),
    (0x16B44, 0x16B44), (0x16D6E, 0x16D6F), (0x16E98, 0x16E98), (0x1BC9F, 0x1BC9F), (0x1DA88, 0x1DA88),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_properties() {
        let classes = Classes::new();
        for c in (0..0x3000).filter_map(char::from_u32) {
            assert_eq!(classes.of(c), classify(c), "{c:?}");
        }
    }

    #[test]
    fn sentence_terminals_are_sorted_and_found() {
        assert!(SENTENCE_TERMINAL.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(".!?‼⁇⁈⁉。！？؟".chars().all(ends_sentence));
        assert!(!"…»\"”:;,) а".chars().any(ends_sentence));
    }

    #[test]
    fn a_stress_mark_belongs_to_the_word_and_a_file_separator_is_space() {
        assert_eq!(Classes::new().of('\u{301}'), MARK);
        assert_eq!(Classes::new().of('\u{1C}'), SPACE);
    }
}
