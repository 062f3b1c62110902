//! Latin look-alikes inside Cyrillic words (кoт with a Latin o) and the reverse (Аpple with a Cyrillic А).
//!
//! A word of both scripts is repaired when one of the two consists of look-alikes and the other has at least one
//! letter that looks like nothing in it: кoт is Cyrillic (т would be `m`), Аpple is Latin (l, p, e but no
//! Cyrillic letter looks like l). Words with letters of their own on both sides (iPhoneом) are what they are, and so
//! are two words that somebody wrote as one (IPадрес, gloriamК, `\\nС`).

use super::about::About;
use super::kinds::{Counts, Kind};
use bukvar_letters::words::{Lexicon, digest};

/// Latin letters and the Cyrillic ones that look like them.
const PAIRS: [(char, char); 28] = [
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('k', 'к'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('T', 'Т'),
    ('X', 'Х'),
    ('Y', 'У'),
    ('ë', 'ё'),
    ('Ë', 'Ё'),
    // Only where the text has the Cyrillic letter (see `About`).
    ('i', 'і'),
    ('I', 'І'),
    ('ï', 'ї'),
    ('Ï', 'Ї'),
    ('j', 'ј'),
    ('J', 'Ј'),
];
/// How many of `PAIRS` hold in every text.
const EVERYWHERE: usize = 22;
/// The pairs from here on need ј in the text, those before і.
const FROM_JE: usize = 26;

impl About {
    fn to_cyrillic(self, char: char) -> Option<char> {
        let at = PAIRS.iter().position(|(latin, _)| *latin == char)?;
        let holds = at < EVERYWHERE || if at < FROM_JE { self.has_i } else { self.has_je };
        holds.then_some(PAIRS[at].1)
    }

    fn to_latin(self, char: char) -> Option<char> {
        PAIRS[..EVERYWHERE - 2]
            .iter()
            .find(|(_, cyrillic)| *cyrillic == char)
            .map(|(latin, _)| *latin)
    }
}

fn is_cyrillic(char: char) -> bool {
    ('\u{400}'..'\u{530}').contains(&char) && char.is_alphabetic()
}

fn is_latin(char: char) -> bool {
    char.is_ascii_alphabetic() || (('\u{c0}'..'\u{250}').contains(&char) && char.is_alphabetic())
}

/// Replaces look-alikes in words of both scripts; `None` where there are none.
pub fn repair(text: &str, about: &About, counts: &mut Counts) -> Option<String> {
    let mut out: Option<String> = None;
    let mut copied = 0;
    for (start, word) in words_of_both_scripts(text) {
        // `\nС` in program text: the first letter belongs to the backslash; ~aдействие in some manuals likewise.
        if text[..start].ends_with(['\\', '~']) {
            continue;
        }
        let beside_latin = || is_beside_latin(text, start, start + word.len());
        let Some(repaired) = repair_word(word, about, beside_latin) else {
            continue;
        };
        counts.add(
            Kind::Homoglyphs,
            word.chars()
                .zip(repaired.chars())
                .filter(|(old, new)| old != new)
                .count(),
        );
        let out = out.get_or_insert_with(|| String::with_capacity(text.len() + 16));
        out.push_str(&text[copied..start]);
        out.push_str(&repaired);
        copied = start + word.len();
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

fn words_of_both_scripts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = chars.next()?;
            let (mut has_cyrillic, mut has_latin) = (is_cyrillic(first), is_latin(first));
            if !has_cyrillic && !has_latin {
                continue;
            }
            let mut end = start + first.len_utf8();
            while let Some(&(at, char)) = chars.peek() {
                let (cyrillic, latin) = (is_cyrillic(char), is_latin(char));
                if !cyrillic && !latin {
                    break;
                }
                (has_cyrillic, has_latin) = (has_cyrillic | cyrillic, has_latin | latin);
                end = at + char.len_utf8();
                chars.next();
            }
            if has_cyrillic && has_latin {
                return Some((start, &text[start..end]));
            }
        }
    })
}

/// True where the word before or after is Latin, and no single letter (Tу-22М3, 3x5).
fn is_beside_latin(text: &str, start: usize, end: usize) -> bool {
    let is_letter = |char: &char| is_latin(*char) || is_cyrillic(*char);
    let mut before = text[..start].chars().rev().skip_while(|char| !is_letter(char));
    let mut after = text[end..].chars().skip_while(|char| !is_letter(char));
    let both_latin = |pair: [Option<char>; 2]| pair.iter().all(|char| char.is_some_and(is_latin));
    both_latin([before.next(), before.next()]) || both_latin([after.next(), after.next()])
}

/// A word of look-alikes only that is no longer than this is what the words beside it are: Тcc, Taк, BС Khimki.
const SHORT_WORD: usize = 3;

fn repair_word(word: &str, about: &About, beside_latin: impl FnOnce() -> bool) -> Option<String> {
    let (mut own_cyrillic, mut own_latin) = (0, 0);
    let (mut cyrillic, mut latin) = (0usize, 0usize);
    for char in word.chars() {
        if is_cyrillic(char) {
            cyrillic += 1;
            own_cyrillic += usize::from(about.to_latin(char).is_none());
        } else {
            latin += 1;
            own_latin += usize::from(about.to_cyrillic(char).is_none());
        }
    }
    let becomes_cyrillic = match (own_cyrillic, own_latin) {
        (0, 0) if cyrillic + latin <= SHORT_WORD => about.mostly_cyrillic && !beside_latin(),
        (0, 0) if about.mostly_cyrillic && cyrillic_word_is_known(word, about) => true,
        (0, 0) if cyrillic == latin => about.mostly_cyrillic,
        (0, 0) => cyrillic > latin,
        (_, 0) => true,
        (0, _) => false,
        _ => return None,
    };
    if (own_cyrillic > 0 || own_latin > 0) && is_compound(word) {
        return None;
    }
    let repaired: String = word
        .chars()
        .map(|char| {
            let other = if becomes_cyrillic && !is_cyrillic(char) {
                about.to_cyrillic(char)
            } else if !becomes_cyrillic && is_cyrillic(char) {
                about.to_latin(char)
            } else {
                None
            };
            other.unwrap_or(char)
        })
        .collect();
    (!becomes_cyrillic || !is_glued(word, &repaired)).then_some(repaired)
}

/// True where the lexicon has the word, its look-alikes taken for Cyrillic (BTOPOЕ).
fn cyrillic_word_is_known(word: &str, about: &About) -> bool {
    let meant = word.chars().map(|char| about.to_cyrillic(char).unwrap_or(char));
    Lexicon::get().find(digest(meant)).is_some()
}

/// Blocks as long as this on both sides of one meeting are two words.
const LONG_BLOCK: usize = 4;
/// A known word of so many letters, with two others of look-alikes joined to it, is a word by itself.
const KNOWN_BLOCK: usize = 3;

/// A Cyrillic word and a Latin one of look-alikes written as one (ВЛЕВОHOME), and no known word as a whole (POCCИЯ).
fn is_glued(word: &str, repaired: &str) -> bool {
    let is_known = |letters: &mut dyn Iterator<Item = char>| Lexicon::get().find(digest(letters)).is_some();
    let letters: Vec<char> = word.chars().collect();
    let cyrillic_first = letters.first().copied().is_some_and(is_cyrillic);
    let meeting = letters
        .iter()
        .position(|&char| is_cyrillic(char) != cyrillic_first)
        .unwrap_or(0);
    let (first, second) = letters.split_at(meeting);
    if second.iter().any(|&char| is_cyrillic(char) == cyrillic_first) || is_known(&mut repaired.chars()) {
        return false;
    }
    let (cyrillic, latin) = if cyrillic_first {
        (first, second)
    } else {
        (second, first)
    };
    (cyrillic.len() >= LONG_BLOCK && latin.len() >= LONG_BLOCK)
        || (latin.len() >= 2 && cyrillic.len() >= KNOWN_BLOCK && is_known(&mut cyrillic.iter().copied()))
}

/// Two words written as one, a block of letters in each script: IPадрес, DOSе, gloriamК (вящей славе), with a change
/// of case where they meet, and ATTACHИмя, XИнтервал, where a capital begins the second.
fn is_compound(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let meetings: Vec<usize> = (1..letters.len())
        .filter(|&at| is_cyrillic(letters[at]) != is_cyrillic(letters[at - 1]))
        .collect();
    match meetings[..] {
        [at] => {
            let (upper_before, upper) = (letters[at - 1].is_uppercase(), letters[at].is_uppercase());
            let small_after = letters.get(at + 1).is_some_and(|letter| letter.is_lowercase());
            if upper_before == upper {
                upper && small_after
            } else {
                at >= 2
            }
        }
        _ => false,
    }
}
