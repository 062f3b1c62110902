//! Words of a text: their script, and their letters as the model reads them.

use std::sync::LazyLock;

/// Letters of a word that the model reads; the rest are counted only.
pub const WORD_LETTERS: usize = 24;

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

const NOT: u8 = 0xFF;
const MARK: u8 = 0xFE;
const APOSTROPHE: u8 = 0xFD;
const TABLE: usize = 0x530;

struct Tables {
    class: [u8; TABLE],
    fold: [u16; TABLE],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables {
        class: [NOT; TABLE],
        fold: [0; TABLE],
    };
    for code in 0..TABLE as u32 {
        let Some(c) = char::from_u32(code) else { continue };
        tables.class[code as usize] = class_of(c);
        tables.fold[code as usize] = fold(c) as u16;
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
fn cyrillic_of(latin: u32) -> u32 {
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
fn latin_of(cyrillic: u32) -> u32 {
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
fn composed(letter: u32, mark: char) -> Option<u32> {
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

#[inline]
fn look(tables: &Tables, c: char) -> (u8, u32) {
    match tables.class.get(c as usize) {
        Some(&class) => (class, u32::from(tables.fold[c as usize])),
        None => (class_of(c), fold(c)),
    }
}

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
        if class < NOT - 2 {
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

fn script_of(class: u8) -> Script {
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
