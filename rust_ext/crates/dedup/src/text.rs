//! Text to what is compared: a normalised text (for the exact hash) and its words (for the shingles).
//!
//! Normalised means: format characters (category Cf: soft hyphens, zero-width spaces, byte order marks)
//! left out; every character lower-cased on its own; и + breve, у + breve and і + diaeresis composed to
//! й, ў and ї; ё (composed or not) folded to е; white space and control characters collapsed to one space,
//! none at the ends. Nothing else is folded: й stays й, ї stays ї, digits and punctuation stay.
//!
//! A word starts at a letter or number (categories L, N) and goes on over letters, numbers and marks (M):
//! without the marks a decomposed й would be the same word as и.

use super::minhash::{PADDING, hash_word};
use std::sync::OnceLock;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Characters below this have two UTF-8 bytes at most and are looked up in a table.
const TABLE: usize = 0x800;
/// Bits of a table entry that hold the lower-cased character; the class lies above them.
const CHAR_BITS: u16 = 0x7ff;
const CLASS_SHIFT: u16 = 11;

const BREVE: char = '\u{306}';
const DIAERESIS: char = '\u{308}';
/// Letters that are composed with a mark after them; ё is е here.
const COMPOSED: [(char, char, char); 4] = [
    ('и', BREVE, 'й'),
    ('у', BREVE, 'ў'),
    ('і', DIAERESIS, 'ї'),
    ('е', DIAERESIS, 'е'),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Other,
    Word,
    Mark,
    Space,
    Skip,
    /// Lower-cases to something outside the table: decided character by character.
    Slow,
}

const CLASSES: [Class; 6] = [
    Class::Other,
    Class::Word,
    Class::Mark,
    Class::Space,
    Class::Skip,
    Class::Slow,
];

fn classify(character: char) -> Class {
    match character.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => Class::Word,
        GeneralCategoryGroup::Mark => Class::Mark,
        GeneralCategoryGroup::Separator => Class::Space,
        GeneralCategoryGroup::Other => match character.general_category() {
            unicode_properties::GeneralCategory::Control => Class::Space,
            unicode_properties::GeneralCategory::Format => Class::Skip,
            _ => Class::Other,
        },
        _ => Class::Other,
    }
}

/// Class and lower case of every character of the table, packed; built once from [`classify`].
fn table() -> &'static [u16; TABLE] {
    static CELL: OnceLock<[u16; TABLE]> = OnceLock::new();
    CELL.get_or_init(|| {
        let mut entries = [0; TABLE];
        for (entry, code) in entries.iter_mut().zip(0u32..) {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            *entry = pack(character);
        }
        entries
    })
}

fn pack(character: char) -> u16 {
    let mut lower = character.to_lowercase();
    let (first, rest) = (lower.next().unwrap_or(character), lower.next());
    let (class, lowered) = if rest.is_some() || first as usize >= TABLE {
        (Class::Slow, character)
    } else {
        (classify(first), fold(first))
    };
    // Below TABLE, so it fits eleven bits.
    ((class as u16) << CLASS_SHIFT) | (lowered as u32 as u16 & CHAR_BITS)
}

fn fold(lowered: char) -> char {
    if lowered == 'ё' { 'е' } else { lowered }
}

/// A normalised text and its words; the buffers are used again from text to text.
#[derive(Default, Debug, Clone)]
pub struct Normalised {
    /// UTF-8 up to `end`, then room. Written by index: no check of capacity a byte, no zeroing a text.
    buffer: Vec<u8>,
    end: usize,
    /// Start and end of each word in `buffer`.
    words: Vec<(usize, usize)>,
    word_start: Option<usize>,
    space_due: bool,
}

impl Normalised {
    /// Normalises `text` into this buffer, whatever it held.
    pub fn read(&mut self, text: &str) {
        // Lower case lengthens by half at most: İ and Ⱥ from two bytes to three; nothing else grows.
        let room = text.len() + text.len() / 2 + 4 + PADDING;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        self.end = 0;
        self.words.clear();
        self.word_start = None;
        self.space_due = false;
        let table = table();
        for character in text.chars() {
            match table.get(character as usize) {
                Some(&entry) => {
                    let class = CLASSES[usize::from(entry >> CLASS_SHIFT)];
                    let code = entry & CHAR_BITS;
                    match class {
                        Class::Word => {
                            if self.word_start.is_none() {
                                self.start_word();
                            }
                            self.append(code);
                        }
                        Class::Space => self.push_space(),
                        Class::Skip => {}
                        Class::Other => {
                            self.end_word();
                            self.flush_space();
                            self.append(code);
                        }
                        Class::Mark | Class::Slow => self.push_slow(character),
                    }
                }
                None => self.push_slow(character),
            }
        }
        self.end_word();
    }

    /// The normalised text, UTF-8.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.end]
    }

    /// The words in order, each UTF-8.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.words.iter().map(|&(start, end)| &self.buffer[start..end])
    }

    /// [`hash_word`] of each word, in order.
    pub fn word_hashes(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.words
            .iter()
            .map(|&(start, end)| hash_word(&self.buffer, start, end))
    }

    #[inline]
    fn start_word(&mut self) {
        self.flush_space();
        self.word_start = Some(self.end);
    }

    #[inline]
    fn end_word(&mut self) {
        if let Some(start) = self.word_start.take() {
            self.words.push((start, self.end));
        }
    }

    #[inline]
    fn push_space(&mut self) {
        self.end_word();
        self.space_due = self.end > 0;
    }

    #[inline]
    fn flush_space(&mut self) {
        if self.space_due {
            self.space_due = false;
            self.append(u16::from(b' '));
        }
    }

    /// Appends a character of the table.
    #[inline]
    fn append(&mut self, code: u16) {
        // Two bytes are written either way: the second is overwritten by what follows an ASCII character.
        let wide = code >= 0x80;
        let first = if wide {
            0xc0 | (code >> 6) as u8
        } else {
            code as u8
        };
        self.buffer[self.end..self.end + 2].copy_from_slice(&[first, 0x80 | (code & 0x3f) as u8]);
        self.end += 1 + usize::from(wide);
    }

    fn append_char(&mut self, character: char) {
        let length = character.encode_utf8(&mut self.buffer[self.end..]).len();
        self.end += length;
    }

    #[cold]
    fn push_slow(&mut self, character: char) {
        for lowered in character.to_lowercase().map(fold) {
            match classify(lowered) {
                Class::Word => {
                    if self.word_start.is_none() {
                        self.start_word();
                    }
                    self.append_char(lowered);
                }
                Class::Space => self.push_space(),
                Class::Skip => {}
                Class::Mark => self.push_mark(lowered),
                Class::Other | Class::Slow => {
                    self.end_word();
                    self.flush_space();
                    self.append_char(lowered);
                }
            }
        }
    }

    fn push_mark(&mut self, mark: char) {
        if self.word_start.is_none() {
            self.flush_space();
        } else {
            for (base, with, result) in COMPOSED {
                if mark == with && self.bytes().ends_with(base.encode_utf8(&mut [0; 4]).as_bytes()) {
                    self.end -= base.len_utf8();
                    self.append_char(result);
                    return;
                }
            }
        }
        self.append_char(mark);
    }
}

/// Where the words of [`Normalised::words`] stand in `text` itself: start and end of each in bytes.
pub fn word_spans(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (at, character) in text.char_indices() {
        let after = at + character.len_utf8();
        for lowered in character.to_lowercase().map(fold) {
            match classify(lowered) {
                Class::Word => open = Some((open.map_or(at, |(start, _)| start), after)),
                Class::Mark => open = open.map(|(start, _)| (start, after)),
                Class::Skip => {}
                Class::Space | Class::Other | Class::Slow => spans.extend(open.take()),
            }
        }
    }
    spans.extend(open);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Each span, normalised by itself, is the word that the whole text has there.
        #[test]
        fn spans_are_where_the_words_are(text in "[ё\u{308}еи\u{306}Жİ\u{ad}a1 .,\n\u{a0}Ⱥᾳ\u{301}\\PC]{0,40}") {
            let words = normalised(&text).1;
            let spans = word_spans(&text);
            prop_assert_eq!(spans.len(), words.len());
            for (&(start, end), word) in spans.iter().zip(&words) {
                prop_assert_eq!(&normalised(&text[start..end]).1, &vec![word.clone()]);
            }
        }
    }

    fn normalised(text: &str) -> (String, Vec<String>) {
        let mut buffer = Normalised::default();
        buffer.read(text);
        let words = buffer
            .words()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        (String::from_utf8_lossy(buffer.bytes()).into_owned(), words)
    }

    #[test]
    fn yo_is_folded_and_nothing_else() {
        let (text, words) = normalised("Ёлка, МОЙ Її ў\u{a0} 42!");
        assert_eq!(text, "елка, мой її ў 42!");
        assert_eq!(words, ["елка", "мой", "її", "ў", "42"]);
    }

    #[test]
    fn decomposed_letters_equal_composed_ones() {
        assert_eq!(
            normalised("и\u{306} у\u{306} і\u{308} е\u{308}"),
            normalised("й ў ї ё")
        );
        assert_ne!(normalised("мои\u{306}").1, normalised("мои").1);
    }

    #[test]
    fn invisible_characters_and_runs_of_white_space_do_not_count() {
        assert_eq!(
            normalised("\u{feff}ма\u{ad}ма \r\n\t мыла "),
            normalised("мама мыла")
        );
    }

    #[test]
    fn a_character_that_lower_cases_to_two_is_kept_whole() {
        assert_eq!(normalised("İx").1, ["i\u{307}x"]);
    }

    #[test]
    fn empty_and_wordless_texts_have_no_words() {
        assert_eq!(normalised(" \u{200b}\n"), (String::new(), vec![]));
        assert_eq!(normalised("?! —"), ("?! —".to_owned(), vec![]));
    }
}
