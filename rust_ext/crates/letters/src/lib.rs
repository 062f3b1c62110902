//! How Cyrillic text looks, letter after letter: one small model for decode (which charset?) and repair
//! (was this read in the wrong charset?).
//!
//! A character becomes a *symbol*: 0 between words, 1 ASCII letter, 2 any other character, then two symbols
//! (lower, upper) for each Cyrillic letter class. `cost(a, b)` is -log P(b | a) in tenths of a nat, fitted by
//! `scripts/fit/letters.py`, which names its sources in `pairs.txt`.

pub mod words;

use std::sync::LazyLock;

/// Letters with a class of their own; every other Cyrillic letter shares one. The order is `pairs.txt`'s.
const LETTERS: &str = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћђџѓќѕ";
/// What running text sets between words as freely as a space. The same list as `fit_letters.BETWEEN`.
const BETWEEN: &str = "\u{a0}«»—–…“”„‘’№•°§©™";

const LETTER_CLASSES: usize = 48;
const CLASSES: usize = 3 + LETTER_CLASSES;
/// Number of symbols: three that are no Cyrillic letter, and each letter class in lower and upper case.
pub const SYMBOLS: usize = 3 + 2 * LETTER_CLASSES;
/// Between words: space, digits, punctuation.
pub const BETWEEN_WORDS: u8 = 0;
/// A letter of ASCII.
pub const ASCII_LETTER: u8 = 1;
/// Any other character: box drawing, controls, accented Latin letters.
pub const ODD: u8 = 2;
/// Symbols from here on are Cyrillic letters, lower case at odd symbols, upper case at even ones.
pub const FIRST_LETTER: u8 = 3;

struct Model {
    symbols: Vec<u8>,
    costs: Vec<u16>,
    triples: Vec<u8>,
    case_costs: [u8; 9],
    gaps: Vec<(char, [u8; 4])>,
}

/// Symbols are tabulated below this code point; what lies above is `ODD`.
const TABULATED: usize = 0x2200;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let rows = read_rows(include_str!("pairs.txt"));
    let mut case_costs = [0; 9];
    for (cell, cost) in case_costs.iter_mut().zip(rows[CLASSES..].iter().flatten()) {
        *cell = u8::try_from(*cost).unwrap_or(u8::MAX);
    }
    Model {
        symbols: tabulate_symbols(),
        costs: fold(&rows),
        triples: read_triples(include_str!("triples.txt")),
        case_costs,
        gaps: read_gaps(include_str!("gaps.txt")),
    }
});

/// Russian letters and the gap between words: what `triples.txt` is about.
const RUSSIAN: usize = 34;

/// One character a cost: `%` is 0, each next one two tenths of a nat more.
fn read_triples(source: &str) -> Vec<u8> {
    let rows = source.lines().filter(|line| !line.starts_with('#'));
    rows.flat_map(str::bytes).map(|byte| (byte - b'%') * 2).collect()
}

/// The characters between words that are not ASCII, sorted, each with its costs by its neighbours.
fn read_gaps(source: &str) -> Vec<(char, [u8; 4])> {
    let mut gaps: Vec<(char, [u8; 4])> = read_rows(source)
        .iter()
        .filter_map(|row| {
            let char = char::from_u32(u32::from(*row.first()?))?;
            let mut costs = [0; 4];
            for (cell, &cost) in costs.iter_mut().zip(&row[1..]) {
                *cell = u8::try_from(cost).unwrap_or(u8::MAX);
            }
            Some((char, costs))
        })
        .collect();
    gaps.sort_unstable();
    gaps
}

/// A symbol's place in `triples.txt`, if it has one.
#[inline]
fn place(symbol: u8) -> Option<usize> {
    let class = usize::from(symbol.wrapping_sub(FIRST_LETTER)) / 2;
    match symbol {
        BETWEEN_WORDS => Some(0),
        _ if symbol >= FIRST_LETTER && (1..RUSSIAN).contains(&class) => Some(class),
        _ => None,
    }
}

fn case_of(symbol: u8) -> usize {
    if symbol < FIRST_LETTER {
        0
    } else {
        1 + usize::from(symbol - FIRST_LETTER) % 2
    }
}

fn read_rows(source: &str) -> Vec<Vec<u16>> {
    source
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').filter_map(|number| number.parse().ok()).collect())
        .collect()
}

fn letter_symbol(class: usize, upper: bool) -> u8 {
    // At most 3 + 2 * 47 + 1 = 98.
    (usize::from(FIRST_LETTER) + 2 * class + usize::from(upper)) as u8
}

fn tabulate_symbols() -> Vec<u8> {
    let mut table = vec![ODD; TABULATED];
    for (code, symbol) in table.iter_mut().enumerate() {
        let Some(char) = char::from_u32(code as u32) else {
            continue;
        };
        *symbol = if char.is_ascii_alphabetic() {
            ASCII_LETTER
        } else if char.is_ascii() || BETWEEN.contains(char) {
            BETWEEN_WORDS
        } else if ('\u{400}'..'\u{530}').contains(&char) && char.is_alphabetic() {
            letter_symbol(0, char.is_uppercase())
        } else {
            ODD
        };
    }
    for (class, lower) in LETTERS.chars().enumerate() {
        table[lower as usize] = letter_symbol(class + 1, false);
        for upper in lower.to_uppercase() {
            table[upper as usize] = letter_symbol(class + 1, true);
        }
    }
    table
}

/// Folds the class table and the case table of `pairs.txt` into one table over symbols.
fn fold(rows: &[Vec<u16>]) -> Vec<u16> {
    let class_and_case = |symbol: usize| {
        let first = usize::from(FIRST_LETTER);
        if symbol < first {
            (symbol, 0)
        } else {
            (first + (symbol - first) / 2, 1 + (symbol - first) % 2)
        }
    };
    let mut costs = vec![0; SYMBOLS * SYMBOLS];
    for before in 0..SYMBOLS {
        for after in 0..SYMBOLS {
            let ((class, case), (next_class, next_case)) = (class_and_case(before), class_and_case(after));
            let of_case = if next_case == 0 {
                0
            } else {
                rows[CLASSES + case][next_case]
            };
            costs[before * SYMBOLS + after] = rows[class][next_class] + of_case;
        }
    }
    costs
}

/// The model with its tables at hand: take it once, ask it often.
#[derive(Clone, Copy)]
pub struct Letters {
    symbols: &'static [u8],
    costs: &'static [u16],
    triples: &'static [u8],
    case_costs: &'static [u8; 9],
    gaps: &'static [(char, [u8; 4])],
}

impl Letters {
    /// The fitted model; the first call unfolds its tables.
    pub fn get() -> Self {
        let model = &*MODEL;
        Self {
            symbols: &model.symbols,
            costs: &model.costs,
            triples: &model.triples,
            case_costs: &model.case_costs,
            gaps: &model.gaps,
        }
    }

    /// The symbol of a character.
    #[inline]
    pub fn symbol(self, char: char) -> u8 {
        self.symbols.get(char as usize).copied().unwrap_or(ODD)
    }

    /// -log P(after | before) in tenths of a nat.
    #[inline]
    pub fn cost(self, before: u8, after: u8) -> u32 {
        u32::from(self.costs[usize::from(before) * SYMBOLS + usize::from(after)])
    }

    /// -log P(this character | one between words stands here, Cyrillic letters stand before and after it) in tenths of a
    /// nat; 0 for ASCII and for what is not between words.
    #[inline]
    pub fn gap_cost(self, char: char, letter_before: bool, letter_after: bool) -> u32 {
        if char.is_ascii() {
            return 0;
        }
        let place = 2 * usize::from(letter_before) + usize::from(letter_after);
        self.gaps
            .binary_search_by_key(&char, |(char, _)| *char)
            .map_or(0, |at| u32::from(self.gaps[at].1[place]))
    }

    /// The part of `cost` that is of case: -log P(case of after | case of before), 0 where it is no letter.
    #[inline]
    pub fn case_cost(self, before: u8, after: u8) -> u32 {
        if is_letter(after) {
            u32::from(self.case_costs[case_of(before) * 3 + case_of(after)])
        } else {
            0
        }
    }

    /// -log P(after | the two before it) in tenths of a nat, where all three are Russian letters or gaps between
    /// words; else -log P(after | before).
    #[inline]
    pub fn cost_of_third(self, first: u8, before: u8, after: u8) -> u32 {
        let places = (place(first).unwrap_or(0), place(before), place(after));
        let (first, Some(second), Some(third)) = places else {
            return self.cost(before, after);
        };
        if second == 0 && third == 0 {
            return self.cost(before, after);
        }
        // What precedes a gap does not matter, as in the counts.
        let first = if second == 0 { 0 } else { first };
        let of_letters = self.triples[(first * RUSSIAN + second) * RUSSIAN + third];
        let of_case = if third == 0 {
            0
        } else {
            self.case_costs[case_of(before) * 3 + case_of(after)]
        };
        u32::from(of_letters) + u32::from(of_case)
    }
}

/// True for a symbol that stands for a Cyrillic letter.
#[inline]
pub fn is_letter(symbol: u8) -> bool {
    symbol >= FIRST_LETTER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost_of(text: &str) -> u32 {
        let letters = Letters::get();
        let symbols: Vec<u8> = text.chars().map(|char| letters.symbol(char)).collect();
        symbols
            .windows(2)
            .map(|pair| letters.cost(pair[0], pair[1]))
            .sum()
    }

    #[test]
    fn the_model_file_has_one_row_per_class_and_case() {
        let rows: Vec<usize> = include_str!("pairs.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(' ').count())
            .collect();
        assert_eq!(rows, [vec![CLASSES; CLASSES], vec![3; 3]].concat());
    }

    #[test]
    fn a_quote_costs_more_where_it_parts_letters() {
        let letters = Letters::get();
        assert!(letters.gap_cost('«', true, true) > letters.gap_cost('«', false, true));
        assert_eq!(letters.gap_cost(' ', true, true), 0);
        assert_eq!(letters.gap_cost('я', true, true), 0);
    }

    #[test]
    fn russian_costs_less_than_its_misreading() {
        assert!(cost_of(" Привет, мир ") < cost_of(" оПХБЕР, ЛХП "));
        assert!(cost_of(" привет ") < cost_of(" ПРИВЕт "));
    }
}
