//! Looks for the words of `labels` before a number.
//!
//! The automaton reads one byte a character (`fold`): small letters of windows-1251, Latin letters that look like
//! Russian ones as these, any space as a space, any hyphen as a hyphen. So «ИНН» is found whatever alphabet its
//! letters are of.

use std::sync::OnceLock;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;

use crate::chars::{back, is_hyphen, is_ignorable, is_letter, is_space};
use crate::labels::{LABELS, Labels};

/// How far before a number a label is looked for, in characters.
const REACH: usize = 56;
/// What stands for a character that is in no label.
const OTHER: u8 = 1;
/// What stands for any picture of a telephone.
const TELEPHONE: u8 = 0x80;

/// The byte that stands for a character in the automaton.
const fn folded(c: char) -> u8 {
    match c {
        'A' | 'a' => 0xe0,
        'B' => 0xe2,
        'E' | 'e' | 'Ё' | 'ё' => 0xe5,
        'K' => 0xea,
        'M' => 0xec,
        'H' => 0xed,
        'O' | 'o' => 0xee,
        'P' | 'p' => 0xf0,
        'C' | 'c' => 0xf1,
        'T' => 0xf2,
        'Y' | 'y' => 0xf3,
        'X' | 'x' => 0xf5,
        'І' | 'і' => b'i',
        'А'..='Я' => 0xe0 + (c as u32 - 'А' as u32) as u8,
        'а'..='я' => 0xe0 + (c as u32 - 'а' as u32) as u8,
        '\t' | '\n' | '\r' => b' ',
        '\0'..='\x7f' => (c as u8).to_ascii_lowercase(),
        _ => OTHER,
    }
}

/// `folded` of U+0000 to U+007F, then of U+0400 to U+047F.
const FOLDED: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut n = 0;
    while n < 128 {
        table[n] = folded(n as u8 as char);
        if let Some(c) = char::from_u32(0x400 + n as u32) {
            table[128 + n] = folded(c);
        }
        n += 1;
    }
    table
};

fn fold(c: char) -> u8 {
    match c as u32 {
        n @ 0..0x80 => FOLDED[n as usize],
        n @ 0x400..0x480 => FOLDED[(n - 0x400 + 128) as usize],
        _ if is_space(c) => b' ',
        _ if is_hyphen(c) => b'-',
        _ if matches!(c, '☎' | '☏' | '✆' | '📞' | '📱' | '📲') => TELEPHONE,
        _ => OTHER,
    }
}

/// All rows of `LABELS`, in small letters, with a capital and in capitals; and of each pattern its row.
struct Words {
    automaton: DFA,
    rows: Vec<usize>,
    /// Characters of each row.
    lengths: Vec<usize>,
}

fn words() -> Option<&'static Words> {
    static WORDS: OnceLock<Option<Words>> = OnceLock::new();
    WORDS
        .get_or_init(|| {
            let mut patterns: Vec<Vec<u8>> = Vec::new();
            let mut rows = Vec::new();
            for (row, (word, _)) in LABELS.iter().enumerate() {
                let start = patterns.len();
                for written in crate::patterns::cases(word) {
                    let bytes: Vec<u8> = written.chars().map(fold).collect();
                    if !patterns[start..].contains(&bytes) {
                        patterns.push(bytes);
                        rows.push(row);
                    }
                }
            }
            let lengths = LABELS.iter().map(|(word, _)| word.chars().count()).collect();
            let automaton = DFA::builder().prefilter(false).build(&patterns).ok()?;
            Some(Words {
                automaton,
                rows,
                lengths,
            })
        })
        .as_ref()
}

/// A row of `LABELS` that stands in the text, a word's beginning.
struct Hit {
    start: usize,
    end: usize,
    row: usize,
}

/// The labels met so far in a text. Numbers of one line have the same words before them: what was read for one
/// is not read again for the next.
#[derive(Default)]
pub struct Scan {
    hits: Vec<Hit>,
    /// The text is read up to this byte; `state` is the automaton's there.
    at: usize,
    state: StateID,
    begun: bool,
}

impl Scan {
    /// Makes the scan ready for another text.
    pub fn reset(&mut self) {
        self.hits.clear();
        self.begun = false;
    }

    /// Labels in the `REACH` characters before byte `start`; of two that end at one place the later row is
    /// nearest.
    pub fn before(&mut self, text: &str, start: usize) -> Labels {
        let mut found = Labels::default();
        let Some(words) = words() else {
            return found;
        };
        self.read_to(words, text, start);
        // A label joined to its number («тел8916...») counts as if it were abbreviated.
        let joined = last_char(text, start).is_some_and(is_letter);
        let mut nearest: Option<(usize, usize)> = None;
        let mut reach = None;
        let mut take = |hit: &Hit| {
            let near = start - hit.start <= REACH;
            if near || hit.start >= *reach.get_or_insert_with(|| back(text, start, REACH)) {
                found.mask |= LABELS[hit.row].1;
                nearest = nearest.max(Some((hit.end, hit.row)));
            }
        };
        (self.hits.iter().rev())
            .take_while(|hit| start - hit.end <= REACH * 4)
            .for_each(&mut take);
        if joined {
            let state = words.automaton.next_state(Anchored::No, self.state, b'.');
            words.hits_at(state, text, start, 1, |hit| take(&hit));
        }
        if let Some((end, row)) = nearest {
            found.nearest = LABELS[row].1;
            let between = text.get(end..start).unwrap_or_default();
            let dot = usize::from(joined && end <= start);
            found.distance = between.chars().filter(|&c| !is_ignorable(c)).count() + dot;
        }
        found
    }

    fn read_to(&mut self, words: &Words, text: &str, start: usize) {
        if !self.begun || self.at > start || start - self.at > REACH * 4 {
            self.hits.clear();
            self.at = back(text, start, REACH);
            self.state = words.automaton.start_state(Anchored::No).unwrap_or_default();
            self.begun = true;
        }
        let bytes = text.as_bytes();
        let (mut at, mut state) = (self.at, self.state);
        while at < start {
            let byte = bytes[at];
            let folded = if byte.is_ascii() {
                at += 1;
                FOLDED[usize::from(byte)]
            } else if let (0xd0 | 0xd1, Some(&low)) = (byte, bytes.get(at + 1)) {
                at += 2;
                FOLDED[128 + (usize::from(byte & 1) << 6) + usize::from(low & 0x3f)]
            } else {
                let c = text[at..].chars().next().unwrap_or_default();
                at += c.len_utf8();
                if is_ignorable(c) {
                    continue;
                }
                fold(c)
            };
            state = words.automaton.next_state(Anchored::No, state, folded);
            if words.automaton.is_special(state) {
                words.hits_at(state, text, at, 0, |hit| self.hits.push(hit));
            }
        }
        (self.at, self.state) = (at, state);
    }
}

impl Words {
    /// The rows that end at byte `end` in `state`; of those that begin no word, none. `beyond`: characters of the
    /// row that stand after the text's end.
    fn hits_at(&self, state: StateID, text: &str, end: usize, beyond: usize, mut take: impl FnMut(Hit)) {
        if !self.automaton.is_match(state) {
            return;
        }
        for n in 0..self.automaton.match_len(state) {
            let row = self.rows[self.automaton.match_pattern(state, n).as_usize()];
            let start = stepped_back(text, end, self.lengths[row] - beyond);
            if !last_char(text, start).is_some_and(is_letter) {
                let end = end + beyond;
                take(Hit { start, end, row });
            }
        }
    }
}

/// Where `count` characters before `end` begin; characters without width count nothing.
fn stepped_back(text: &str, end: usize, count: usize) -> usize {
    let (mut left, mut start) = (count, end);
    for c in text[..end].chars().rev() {
        if left == 0 {
            break;
        }
        start -= c.len_utf8();
        left -= usize::from(!is_ignorable(c));
    }
    start
}

/// The last character before byte `end` that has a width.
fn last_char(text: &str, end: usize) -> Option<char> {
    text[..end].chars().rev().find(|&c| !is_ignorable(c))
}

/// Labels before byte `start` of a text that no scan goes through.
pub fn labels(text: &str, start: usize) -> Labels {
    Scan::default().before(text, start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_fold_is_the_fold() {
        for c in (0..0x500)
            .filter_map(char::from_u32)
            .filter(|&c| !is_ignorable(c))
        {
            let plain = if is_space(c) { b' ' } else { folded(c) };
            assert_eq!(fold(c), plain, "{c:?}");
        }
    }
}
