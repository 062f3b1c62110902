//! What the words of a short line are worth: words of the lexicon and of the document itself cost less than their
//! letters would, short words that neither has cost more.

use std::collections::HashSet;

use super::mistakes::Mistake;
use bukvar_letters::words::{Known, Lexicon, digest};
use bukvar_letters::{self as letters, BETWEEN_WORDS, Letters};

/// Letters of an abbreviation follow each other as they come: 1 of 33 is 3.5 nats, and a capital after a capital 0.8.
const ABBREVIATED: i64 = 45;
/// To be an abbreviation costs a word this (odds of 20 to one), but a tag, of which every second one is.
const AN_ABBREVIATION: i64 = 30;
const LONGEST_ABBREVIATION: usize = 5;
/// A capital after a small letter, as in #НашФутбол: 11.8 nats for the case alone in fiction, which has no tags.
const JOINED: i64 = 120;

/// A word of a document comes again in every second place (0.7 nats), as one of the document's different words.
const COMES_AGAIN: i64 = 7;
/// A word that has the beginning of one of the document (Сиэтл, Сиэтле) costs three nats more: odds of 20 to one.
const SAME_STEM: i64 = 30;
/// Letters that such a beginning has at least, and at most leaves out.
const SHORTEST_STEM: usize = 4;
const LONGEST_ENDING: usize = 2;
/// Words of fewer letters are in every document.
const SHORTEST_WORD: usize = 2;
/// No word of few documents is likelier than one in 50.
const LIKELIEST: i64 = 40;
/// A text that was cut by size begins inside a word (odds of 20 to one), with any letter: 1 of 33 is 3.5 nats.
const BEGINS_INSIDE: i64 = 30 + 35;
/// An abbreviation in small letters (odds of 50 to one), but in a domain, where every second one is so written.
const SMALL_ABBREVIATION: i64 = 40;
const IN_DOMAIN: i64 = 7;
/// Its letters in another mixture of cases.
const MIXED_ABBREVIATION: i64 = 60;
/// Words written as one (#МатчТВ): each but the first costs three nats more.
const ONE_MORE_WORD: i64 = 30;
/// Of words of three letters every third misreading is one too (ъМБ: Зла).
const LONG_WORD: usize = 5;
const LONGEST_COMPOUND: usize = 24;

/// The words of the lines of a document that are clear.
#[derive(Debug, Default)]
pub struct Vocabulary {
    exact: HashSet<Box<[char]>>,
    stems: HashSet<Box<[char]>>,
    cost: i64,
}

impl Vocabulary {
    /// Learns the words of lines.
    pub fn of<'a>(lines: impl Iterator<Item = (&'a str, Option<&'a Mistake>)>) -> Self {
        let mut found = Self::default();
        for (line, mistake) in lines {
            let text = Text::of(line, mistake);
            for (start, end) in text.words() {
                let word = &text.chars[start..end];
                if word.len() >= SHORTEST_WORD {
                    found.exact.insert(word.into());
                    found.stems.extend(stems(word).map(Box::from));
                }
            }
        }
        let different = (found.exact.len().max(1) as f64).ln() * 10.0;
        found.cost = (different as i64 + COMES_AGAIN).max(LIKELIEST);
        found
    }

    fn cost_of(&self, word: &[char]) -> Option<i64> {
        if word.len() < SHORTEST_WORD || self.exact.is_empty() {
            None
        } else if self.exact.contains(word) {
            Some(self.cost)
        } else if stems(word).any(|stem| self.stems.contains(stem)) {
            Some(self.cost + SAME_STEM)
        } else {
            None
        }
    }
}

/// The word without up to two letters at its end.
fn stems(word: &[char]) -> impl Iterator<Item = &[char]> {
    let shortest = SHORTEST_STEM.max(word.len().saturating_sub(LONGEST_ENDING));
    (shortest..=word.len()).map(|length| &word[..length])
}

/// A line as it stands or with a mistake undone.
pub struct Text {
    /// Its characters.
    pub chars: Vec<char>,
    /// Their symbols.
    pub symbols: Vec<u8>,
}

impl Text {
    /// Reads a line.
    pub fn of(line: &str, mistake: Option<&Mistake>) -> Self {
        let model = Letters::get();
        let chars: Vec<char> = line
            .chars()
            .map(|char| mistake.map_or(char, |mistake| mistake.undo(char)))
            .collect();
        let symbols = chars.iter().map(|&char| model.symbol(char)).collect();
        Self { chars, symbols }
    }

    /// True where a Cyrillic letter stands.
    pub fn is_letter(&self, at: Option<usize>) -> bool {
        at.and_then(|at| self.symbols.get(at))
            .is_some_and(|&symbol| letters::is_letter(symbol))
    }

    /// Start and end of each run of Cyrillic letters.
    pub fn words(&self) -> Vec<(usize, usize)> {
        let mut words = Vec::new();
        let mut start = 0;
        for run in self
            .symbols
            .chunk_by(|&a, &b| letters::is_letter(a) == letters::is_letter(b))
        {
            if self.is_letter(Some(start)) {
                words.push((start, start + run.len()));
            }
            start += run.len();
        }
        words
    }

    /// True for a word that # makes a tag.
    pub fn is_tag(&self, start: usize) -> bool {
        start > 0 && self.chars[start - 1] == '#'
    }

    fn is_in_domain(&self, start: usize, end: usize) -> bool {
        (start > 0 && matches!(self.chars[start - 1], '.' | '@' | '#'))
            || (self.chars.get(end) == Some(&'.') && self.is_letter(Some(end + 1)))
    }
}

/// Lower case stands at odd symbols (`letters::FIRST_LETTER`).
pub fn is_capital(symbol: u8) -> bool {
    symbol.is_multiple_of(2)
}

/// By how much the letters of a word cost more than those of an abbreviation, or of words written as one.
pub fn refund(word: &[u8], is_tag: bool, model: Letters) -> i64 {
    let abbreviation = word.len() <= LONGEST_ABBREVIATION && word.iter().all(|&symbol| is_capital(symbol));
    let mut total = if abbreviation && !is_tag {
        -AN_ABBREVIATION
    } else {
        0
    };
    for at in 1..word.len() {
        let first = at.checked_sub(2).map_or(BETWEEN_WORDS, |at| word[at]);
        let (before, after) = (word[at - 1], word[at]);
        let most = match (is_capital(before), is_capital(after)) {
            _ if abbreviation => ABBREVIATED,
            (false, true) => JOINED,
            _ => continue,
        };
        total += (i64::from(model.cost_of_third(first, before, after)) - most).max(0);
    }
    total.max(0)
}

/// True where the lexicon has every word of a line, a long one among them.
pub fn all_known(line: &str, mistake: Option<&Mistake>) -> bool {
    let text = Text::of(line, mistake);
    let words = text.words();
    let long = words.iter().any(|(start, end)| end - start >= LONG_WORD);
    long && words
        .iter()
        .all(|&(start, end)| cost_of_known(&text, start, end).is_some())
}

/// By how much the words of a line cost more or less than their letters.
pub fn correction(text: &Text, is_first_line: bool, vocabulary: &Vocabulary) -> i64 {
    text.words()
        .into_iter()
        .map(|(start, end)| {
            let by_letters = cost_of_letters(text, start, end);
            let unknown = by_letters + Lexicon::get().unknown_cost(end - start);
            let known = [
                cost_of_known(text, start, end),
                vocabulary.cost_of(&text.chars[start..end]),
                cost_of_compound(text, start, end),
                (is_first_line && start == 0)
                    .then(|| cost_of_end(&text.symbols, end))
                    .flatten(),
            ];
            known.into_iter().flatten().fold(unknown, i64::min) - by_letters
        })
        .sum()
}

/// What a word's letters cost, the step into it and out of it among them.
fn cost_of_letters(text: &Text, start: usize, end: usize) -> i64 {
    let model = Letters::get();
    let symbol = |at: Option<usize>| at.and_then(|at| text.symbols.get(at)).copied();
    let mut total = 0;
    for at in start..=end {
        let first = symbol(at.checked_sub(2)).unwrap_or(BETWEEN_WORDS);
        let before = symbol(at.checked_sub(1)).unwrap_or(BETWEEN_WORDS);
        let after = symbol(Some(at)).unwrap_or(BETWEEN_WORDS);
        total += i64::from(model.cost_of_third(first, before, after));
    }
    total - refund(&text.symbols[start..end], text.is_tag(start), model)
}

/// What a word costs of which only the end is there, up to the place `end`.
fn cost_of_end(symbols: &[u8], end: usize) -> Option<i64> {
    if is_capital(symbols[0]) {
        return None;
    }
    let model = Letters::get();
    let mut total = BEGINS_INSIDE;
    for at in 1..=end {
        let after = symbols.get(at).copied().unwrap_or(BETWEEN_WORDS);
        total += i64::from(match at.checked_sub(2) {
            Some(first) => model.cost_of_third(symbols[first], symbols[at - 1], after),
            None => model.cost(symbols[at - 1], after),
        });
    }
    Some(total)
}

/// What a word costs that the lexicon has.
fn cost_of_known(text: &Text, start: usize, end: usize) -> Option<i64> {
    let known = Lexicon::get().find(digest(text.chars[start..end].iter().copied()))?;
    let in_domain = text.is_in_domain(start, end);
    Some(i64::from(known.cost) + cost_of_case(known, &text.symbols[start..end], in_domain))
}

fn cost_of_case(known: Known, word: &[u8], in_domain: bool) -> i64 {
    let capitals = word.iter().filter(|&&symbol| is_capital(symbol)).count();
    if known.abbreviation {
        return match capitals {
            _ if capitals == word.len() => 0,
            0 if in_domain => IN_DOMAIN,
            0 => SMALL_ABBREVIATION,
            _ => MIXED_ABBREVIATION,
        };
    }
    let model = Letters::get();
    let mut before = BETWEEN_WORDS;
    let mut total = 0;
    for &symbol in word {
        total += i64::from(model.case_cost(before, symbol));
        before = symbol;
    }
    total
}

/// What a tag, or a word with a capital inside, costs as words of the lexicon written as one.
fn cost_of_compound(text: &Text, start: usize, end: usize) -> Option<i64> {
    let symbols = &text.symbols[start..end];
    let has_inner_capital = symbols
        .windows(2)
        .any(|pair| !is_capital(pair[0]) && is_capital(pair[1]));
    if symbols.len() > LONGEST_COMPOUND || !(has_inner_capital || text.is_tag(start)) {
        return None;
    }
    // The least cost up to each place.
    let mut least: Vec<Option<i64>> = vec![None; symbols.len() + 1];
    least[0] = Some(0);
    for to in SHORTEST_WORD..=symbols.len() {
        for from in 0..=to - SHORTEST_WORD {
            let Some(before) = least[from] else { continue };
            if let Some(word) = cost_of_known(text, start + from, start + to) {
                let cost = before + word + if from > 0 { ONE_MORE_WORD } else { 0 };
                least[to] = Some(least[to].map_or(cost, |other| other.min(cost)));
            }
        }
    }
    least[symbols.len()]
}
