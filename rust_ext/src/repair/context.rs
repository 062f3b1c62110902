//! Lines of one document judged together: which of them are broken, once it is known by which mistakes.
//!
//! A short line says little by itself. The lines that are clear say how often broken and clean ones alternate, which
//! mistake is the common one, whether lines begin with capitals, and which words the document uses; the others are
//! judged by that, as the likeliest sequence of states (Viterbi).

use std::collections::HashSet;

use super::single::{MOST_MISTAKES, Mistake, read};
use crate::letters::{self, BETWEEN_WORDS, Letters};

/// A line whose best hypothesis leads by six nats is clear: odds of 400 to one.
const CLEAR: i64 = 60;
/// What a word that stands in a clear line of the document is worth, in tenths of a nat: a word of five letters costs
/// 12 nats by its letters, and 8 as one of a thousand words of which half come again. 20 and 40 do as well (measured
/// by `bench_repair damage --half 0`).
const KNOWN_WORD: i64 = 30;
/// Words of fewer letters are in every document.
const SHORTEST_WORD: usize = 2;

/// A character that the mistake can't have made, in tenths of a nat; such stand in a broken line only where somebody
/// joined clean text to it. So they don't outweigh a proof, which is 20 nats.
const FOREIGN: i64 = 60;
const MOST_FOREIGN: i64 = 100;
/// Letters of an abbreviation follow each other as they come: 1 of 33 is 3.5 nats, and a capital after a capital 0.8.
const ABBREVIATED: i64 = 45;
/// To be an abbreviation costs a word this (odds of 20 to one), but a tag, of which every second one is.
const AN_ABBREVIATION: i64 = 30;
const LONGEST_ABBREVIATION: usize = 5;
/// A capital after a small letter, as in #НашФутбол: 11.8 nats for the case alone in fiction, which has no tags.
const JOINED: i64 = 120;

const STATES: usize = MOST_MISTAKES + 1;
type Costs = [i64; STATES];

/// For each line 0 (clean) or the number of its mistake, counted from 1.
pub fn follow(text: &str, mistakes: &[&Mistake]) -> Vec<usize> {
    let mut lines: Vec<(&str, Costs)> = text
        .split('\n')
        .map(|line| (line, costs_of(line, mistakes)))
        .collect();
    let document = Document::learn(&lines, mistakes);
    for (line, costs) in &mut lines {
        if !line.is_ascii() && clear_state(costs, mistakes.len() + 1).is_none() {
            for (state, cost) in costs[..=mistakes.len()].iter_mut().enumerate() {
                *cost += document.correction(line, undoing(mistakes, state));
            }
        }
    }
    document.likeliest(&lines)
}

fn undoing<'a>(mistakes: &[&'a Mistake], state: usize) -> Option<&'a Mistake> {
    state.checked_sub(1).map(|at| mistakes[at])
}

fn meant(mistake: Option<&Mistake>, char: char) -> char {
    mistake.map_or(char, |mistake| mistake.undo(char))
}

fn costs_of(line: &str, mistakes: &[&Mistake]) -> Costs {
    let mut costs = Costs::default();
    if !line.is_ascii() {
        for (state, cost) in costs[..=mistakes.len()].iter_mut().enumerate() {
            let mistake = undoing(mistakes, state);
            *cost = read(line, mistake).cost + costs_beside(line, mistake);
        }
    }
    costs
}

/// What `read` leaves out. Signs between words cost by where they stand (cp866 read as windows-1251 has « inside
/// words), characters that the mistake can't have made cost something, abbreviations and tags (ЦСКА, #НашФутбол)
/// less than their letters would.
fn costs_beside(line: &str, mistake: Option<&Mistake>) -> i64 {
    let model = Letters::get();
    let chars: Vec<char> = line.chars().map(|char| meant(mistake, char)).collect();
    let symbols: Vec<u8> = chars.iter().map(|&char| model.symbol(char)).collect();
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| symbols.get(at))
            .is_some_and(|&symbol| letters::is_letter(symbol))
    };
    let foreign = line
        .chars()
        .filter(|&char| mistake.is_some_and(|mistake| mistake.is_foreign(char)));
    let mut total = (FOREIGN * foreign.count() as i64).min(MOST_FOREIGN);
    for (at, &char) in chars.iter().enumerate() {
        let (before, after) = (is_letter(at.checked_sub(1)), is_letter(Some(at + 1)));
        total += i64::from(model.gap_cost(char, before, after));
    }
    let mut start = 0;
    for word in symbols.chunk_by(|&a, &b| letters::is_letter(a) == letters::is_letter(b)) {
        if is_letter(Some(start)) {
            let is_tag = start > 0 && chars[start - 1] == '#';
            total -= refund(word, is_tag, model);
        }
        start += word.len();
    }
    total
}

/// By how much the letters of a word cost more than those of an abbreviation, or of words written as one.
fn refund(word: &[u8], is_tag: bool, model: Letters) -> i64 {
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

/// The best state, where it leads.
fn clear_state(costs: &Costs, states: usize) -> Option<usize> {
    let best = (0..states).min_by_key(|&state| (costs[state], state))?;
    let second = (0..states)
        .filter(|&state| state != best)
        .map(|state| costs[state])
        .min()?;
    (second - costs[best] >= CLEAR).then_some(best)
}

/// What the clear lines say of the document.
struct Document {
    states: usize,
    /// -log of the probability that a line is in the state of the one before it, tenths of a nat.
    stay: i64,
    /// The same for another state, by both.
    change: [Costs; STATES],
    /// The same for a line that begins with a small letter, and with a capital.
    first_letter: [i64; 2],
    words: HashSet<u64>,
}

impl Document {
    fn learn(lines: &[(&str, Costs)], mistakes: &[&Mistake]) -> Self {
        let states = mistakes.len() + 1;
        let (mut changes, mut steps) = (0.5, 1.0);
        let mut seen = [0.5; STATES];
        let mut begins = [1.0; 2];
        let mut words = HashSet::new();
        let mut before = None;
        for (line, costs) in lines {
            let Some(state) = clear_state(costs, states) else {
                continue;
            };
            seen[state] += 1.0;
            if let Some(before) = before {
                steps += 1.0;
                changes += if before == state { 0.0 } else { 1.0 };
            }
            before = Some(state);
            let mistake = undoing(mistakes, state);
            if let Some(symbol) = first_letter(line, mistake) {
                begins[usize::from(is_capital(symbol))] += 1.0;
            }
            words.extend(words_of(line, mistake));
        }
        let share: f64 = changes / steps;
        let all: f64 = seen[..states].iter().sum();
        let mut change = [Costs::default(); STATES];
        for from in 0..states {
            for to in 0..states {
                change[from][to] = tenths(share * seen[to] / (all - seen[from]));
            }
        }
        Self {
            states,
            stay: tenths(1.0 - share),
            change,
            first_letter: begins.map(|count: f64| tenths(count / (begins[0] + begins[1]))),
            words,
        }
    }

    /// What the document adds to a line's cost.
    fn correction(&self, line: &str, mistake: Option<&Mistake>) -> i64 {
        let of_case = first_letter(line, mistake).map_or(0, |symbol| {
            let by_model = Letters::get().case_cost(BETWEEN_WORDS, symbol);
            self.first_letter[usize::from(is_capital(symbol))] - i64::from(by_model)
        });
        let known = words_of(line, mistake)
            .iter()
            .filter(|word| self.words.contains(word))
            .count();
        of_case - KNOWN_WORD * known as i64
    }

    fn likeliest(&self, lines: &[(&str, Costs)]) -> Vec<usize> {
        let mut total = Costs::default();
        let mut from: Vec<[u8; STATES]> = Vec::with_capacity(lines.len());
        for (_, line) in lines {
            let (mut next, mut origins) = (Costs::default(), [0; STATES]);
            for state in 0..self.states {
                // Ties go to the same state, then to the lower one.
                let step = |origin: usize| {
                    total[origin]
                        + if origin == state {
                            self.stay
                        } else {
                            self.change[origin][state]
                        }
                };
                let best = (0..self.states)
                    .min_by_key(|&origin| (step(origin), origin != state, origin))
                    .unwrap_or(state);
                next[state] = step(best) + line[state];
                origins[state] = best as u8;
            }
            total = next;
            from.push(origins);
        }
        let mut state = (0..self.states)
            .min_by_key(|&state| (total[state], state))
            .unwrap_or(0);
        let mut choices = vec![0; lines.len()];
        for (choice, origins) in choices.iter_mut().zip(&from).rev() {
            *choice = state;
            state = usize::from(origins[state]);
        }
        choices
    }
}

fn tenths(probability: f64) -> i64 {
    (-10.0 * probability.ln()) as i64
}

/// The symbol of the line's first letter, where it is Cyrillic.
fn first_letter(line: &str, mistake: Option<&Mistake>) -> Option<u8> {
    let first = line
        .chars()
        .map(|char| meant(mistake, char))
        .find(|char| char.is_alphabetic())?;
    let symbol = Letters::get().symbol(first);
    letters::is_letter(symbol).then_some(symbol)
}

/// Lower case stands at odd symbols (`letters::FIRST_LETTER`).
fn is_capital(symbol: u8) -> bool {
    symbol.is_multiple_of(2)
}

/// Digests (FNV-1a) of a line's Cyrillic words.
fn words_of(line: &str, mistake: Option<&Mistake>) -> Vec<u64> {
    let model = Letters::get();
    let mut words = Vec::new();
    let (mut digest, mut length) = (FNV_START, 0);
    for char in line.chars().map(|char| meant(mistake, char)).chain([' ']) {
        if letters::is_letter(model.symbol(char)) {
            digest = (digest ^ u64::from(char)).wrapping_mul(FNV_FACTOR);
            length += 1;
        } else {
            if length >= SHORTEST_WORD {
                words.push(digest);
            }
            (digest, length) = (FNV_START, 0);
        }
    }
    words
}

const FNV_START: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_FACTOR: u64 = 0x0100_0000_01B3;
