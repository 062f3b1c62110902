//! Words of a text: their script, and their letters as the model reads them.

use crate::letters::{
    APOSTROPHE, MARK, NOT, ODD, SMALL, Script, TABLES, Tables, composed, cyrillic_of, latin_of, look,
    script_of,
};

/// Letters of a word that the model reads; the rest are counted only.
pub const WORD_LETTERS: usize = 24;

/// One word.
pub struct Word<'a> {
    pub script: Script,
    /// Letters, all of them.
    pub letters: u32,
    /// The first `WORD_LETTERS` letters and apostrophes, folded.
    pub folded: &'a [u32],
    /// Cyrillic and Latin letters in one word.
    pub mixed: bool,
}

/// What ends with a piece of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    None,
    /// A full stop, a question or exclamation mark, an ellipsis.
    Sentence,
    Line,
}

/// The word being read.
struct Run {
    folded: [u32; WORD_LETTERS],
    length: usize,
    letters: u32,
    cyrillic: u32,
    latin: u32,
    other: Script,
    apostrophe: bool,
    /// A small Cyrillic letter came before: a capital I is then the palochka.
    small: bool,
}

impl Run {
    fn push(&mut self, letter: u32) {
        if self.length < WORD_LETTERS {
            self.folded[self.length] = letter;
            self.length += 1;
        }
    }

    /// Reads the Cyrillic letters that a word begins with, as many as the model reads; returns how many there are.
    #[inline]
    fn begin(&mut self, tables: &Tables, text: &[u8], visitor: &mut impl Visitor) -> usize {
        let (mut length, mut all) = (0, 0);
        for (place, pair) in self.folded.iter_mut().zip(text.as_chunks::<2>().0) {
            let Some(letter) = tables.cyrillic(pair) else {
                break;
            };
            *place = letter & 0xFFFF;
            all |= letter;
            length += 1;
        }
        if all & ODD == 0 {
            visitor.russian(&self.folded[..length]);
        } else {
            self.folded[..length]
                .iter()
                .for_each(|&letter| visitor.letter(letter, Script::Cyrillic));
        }
        self.length = length;
        self.letters = length as u32;
        self.cyrillic = length as u32;
        self.small = all & SMALL != 0;
        length
    }

    #[inline]
    fn letter(&mut self, c: char, class: u8, folded: u32, visitor: &mut impl Visitor) {
        if self.apostrophe {
            self.push(u32::from(b'\''));
            self.apostrophe = false;
        }
        self.letters += 1;
        let mut read = folded;
        if class == Script::Cyrillic as u8 {
            self.cyrillic += 1;
            self.small |= folded == c as u32;
            visitor.letter(folded, Script::Cyrillic);
        } else if class == Script::Latin as u8 {
            self.latin += 1;
            if c == 'I' && self.small {
                read = u32::from(b'l');
            }
            visitor.letter(folded, Script::Latin);
        } else {
            self.other = script_of(class);
            visitor.letter(folded, self.other);
        }
        self.push(read);
    }

    fn mark(&mut self, mark: char) {
        if let Some(last) = self.length.checked_sub(1).map(|i| &mut self.folded[i])
            && let Some(one) = composed(*last, mark)
        {
            *last = one;
        }
    }

    /// Ready for the next word.
    #[inline]
    fn clear(&mut self) {
        *self = Self {
            folded: self.folded,
            ..EMPTY
        };
    }

    fn word(&mut self) -> Word<'_> {
        let script = match (self.cyrillic, self.latin) {
            (0, 0) => self.other,
            (cyrillic, latin) if cyrillic >= latin => Script::Cyrillic,
            _ => Script::Latin,
        };
        let mixed = self.cyrillic > 0 && self.latin > 0;
        if mixed {
            let map = if script == Script::Cyrillic {
                cyrillic_of
            } else {
                latin_of
            };
            self.folded[..self.length].iter_mut().for_each(|c| *c = map(*c));
        }
        Word {
            script,
            letters: self.letters,
            folded: &self.folded[..self.length],
            mixed,
        }
    }
}

const EMPTY: Run = Run {
    folded: [0; WORD_LETTERS],
    length: 0,
    letters: 0,
    cyrillic: 0,
    latin: 0,
    other: Script::Other,
    apostrophe: false,
    small: false,
};

/// What `read` finds, in the order of the text.
pub trait Visitor {
    /// A letter, folded.
    fn letter(&mut self, letter: u32, script: Script);
    /// The first letters of a word, folded: all of the Russian alphabet, without ъ.
    fn russian(&mut self, letters: &[u32]) {
        letters
            .iter()
            .for_each(|&letter| self.letter(letter, Script::Cyrillic));
    }
    fn word(&mut self, word: &Word<'_>);
    /// The end of a sentence or line, and the position after it in bytes.
    fn end(&mut self, kind: Break, at: usize);
}

/// Reads a text's words, letters and ends of sentences and lines; the text's end is the end of a line.
///
/// A word is a run of letters; marks inside it are dropped or joined to their letter, an apostrophe between two
/// letters belongs to it, and so does a 1 between two Cyrillic letters, which stands for the palochka. Hangul,
/// kana and Han words are runs too.
pub fn read(text: &str, visitor: &mut impl Visitor) {
    let tables: &Tables = &TABLES;
    let bytes = text.as_bytes();
    let mut run = EMPTY;
    let mut at = 0;
    while at < bytes.len() {
        if run.letters == 0 && bytes[at] >= 0x80 {
            at += 2 * run.begin(tables, &bytes[at..], visitor);
        }
        let Some(c) = char_at(text, at) else { break };
        at += c.len_utf8();
        let (class, folded) = look(tables, c);
        if class < APOSTROPHE {
            run.letter(c, class, folded, visitor);
            continue;
        }
        match class {
            MARK => {
                run.mark(c);
                continue;
            }
            APOSTROPHE if run.letters > 0 && !run.apostrophe => {
                run.apostrophe = true;
                continue;
            }
            _ if c == '1' && run.cyrillic > 0 && !run.apostrophe => {
                let next = char_at(text, at).map_or(NOT, |c| look(tables, c).0);
                if next == Script::Cyrillic as u8 {
                    run.letter(c, Script::Cyrillic as u8, 'ӏ' as u32, visitor);
                    continue;
                }
            }
            _ => {}
        }
        if run.letters > 0 {
            visitor.word(&run.word());
            run.clear();
        }
        match c {
            '\n' => visitor.end(Break::Line, at),
            '.' | '!' | '?' | '…' | '。' => visitor.end(Break::Sentence, at),
            _ => {}
        }
    }
    if run.letters > 0 {
        visitor.word(&run.word());
    }
    visitor.end(Break::Line, text.len());
}

#[inline]
fn char_at(text: &str, at: usize) -> Option<char> {
    match text.as_bytes().get(at) {
        Some(&byte) if byte < 0x80 => Some(char::from(byte)),
        _ => text.get(at..)?.chars().next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Found {
        words: Vec<(Script, String)>,
        ends: Vec<(Break, usize)>,
    }

    impl Visitor for Found {
        fn letter(&mut self, _: u32, _: Script) {}
        fn word(&mut self, w: &Word<'_>) {
            let spelled = w.folded.iter().filter_map(|&c| char::from_u32(c)).collect();
            self.words.push((w.script, spelled));
        }
        fn end(&mut self, kind: Break, at: usize) {
            self.ends.push((kind, at));
        }
    }

    fn words(text: &str) -> Vec<(Script, String)> {
        let mut found = Found::default();
        read(text, &mut found);
        found.words
    }

    fn spelled(text: &str) -> Vec<String> {
        words(text).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn words_are_folded_and_marks_join_their_letters() {
        assert_eq!(spelled("МОЙ зама\u{301}к, и\u{306}од"), ["мой", "замак", "йод"]);
        assert_eq!(
            spelled("м’який rock'n'roll 'так'"),
            ["м'який", "rock'n'roll", "так"]
        );
    }

    #[test]
    fn look_alikes_become_the_script_of_most_letters() {
        assert_eq!(words("вăл"), [(Script::Cyrillic, "вӑл".into())]);
        assert_eq!(
            words("гIадан г1адан"),
            [
                (Script::Cyrillic, "гӏадан".into()),
                (Script::Cyrillic, "гӏадан".into()),
            ]
        );
        assert_eq!(words("Iван"), [(Script::Cyrillic, "іван".into())]);
        assert_eq!(words("pаssword"), [(Script::Latin, "password".into())]);
    }

    #[test]
    fn ends_of_sentences_and_lines_are_found() {
        let mut found = Found::default();
        read("Да. Нет\nи", &mut found);
        let line = "Да. Нет\n".len();
        assert_eq!(
            found.ends,
            [
                (Break::Sentence, "Да.".len()),
                (Break::Line, line),
                (Break::Line, line + "и".len()),
            ]
        );
    }
}
