//! Words of a text: their script, and their letters as the model reads them.

use crate::letters::{
    APOSTROPHE, MARK, NOT, Script, TABLES, Tables, composed, cyrillic_of, latin_of, look, script_of,
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
    let mut run = EMPTY;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let (class, folded) = look(tables, c);
        if class < APOSTROPHE {
            if run.apostrophe {
                run.push(u32::from(b'\''));
                run.apostrophe = false;
            }
            run.letters += 1;
            if class == Script::Cyrillic as u8 {
                run.cyrillic += 1;
                run.small |= folded == c as u32;
                visitor.letter(folded, Script::Cyrillic);
            } else if class == Script::Latin as u8 {
                run.latin += 1;
                let palochka = c == 'I' && run.small;
                visitor.letter(folded, Script::Latin);
                run.push(if palochka { u32::from(b'l') } else { folded });
                continue;
            } else {
                run.other = script_of(class);
                visitor.letter(folded, run.other);
            }
            run.push(folded);
            continue;
        }
        match class {
            MARK => {
                if let Some(last) = run.length.checked_sub(1).map(|i| &mut run.folded[i])
                    && let Some(one) = composed(*last, c)
                {
                    *last = one;
                }
                continue;
            }
            APOSTROPHE if run.letters > 0 && !run.apostrophe => {
                run.apostrophe = true;
                continue;
            }
            _ if c == '1' && run.cyrillic > 0 && !run.apostrophe => {
                let next = chars.peek().map_or(NOT, |&(_, c)| look(tables, c).0);
                if next == Script::Cyrillic as u8 {
                    run.letters += 1;
                    run.cyrillic += 1;
                    visitor.letter('ӏ' as u32, Script::Cyrillic);
                    run.push('ӏ' as u32);
                    continue;
                }
            }
            _ => {}
        }
        if run.letters > 0 {
            visitor.word(&run.word());
            run = EMPTY;
        }
        match c {
            '\n' => visitor.end(Break::Line, at + 1),
            '.' | '!' | '?' | '…' | '。' => visitor.end(Break::Sentence, at + c.len_utf8()),
            _ => {}
        }
    }
    if run.letters > 0 {
        visitor.word(&run.word());
    }
    visitor.end(Break::Line, text.len());
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
