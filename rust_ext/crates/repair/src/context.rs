//! Lines of one document judged together: which of them are broken, once it is known by which mistakes.
//!
//! A short line says little by itself. The lines that are clear say how often broken and clean ones alternate, which
//! mistake is the common one, whether lines begin with capitals, and which words the document uses; the others are
//! judged by that, as the likeliest sequence of states (Viterbi).

use super::mistakes::{MOST_MISTAKES, Mistake, is_accented, is_artefact, read};
use super::words::{Text, Vocabulary, correction, is_capital, refund};
use bukvar_letters::{self as letters, BETWEEN_WORDS, Letters};

/// A line whose best hypothesis leads by six nats is clear: odds of 400 to one.
const CLEAR: i64 = 60;
/// A line whose best hypothesis leads by less is judged by its words too: no word changes more.
const UNSURE: i64 = 250;

/// A character that the mistake can't have made, in tenths of a nat; such stand in a broken line only where somebody
/// joined clean text to it. So they don't outweigh a proof, which is 20 nats.
const FOREIGN: i64 = 60;
const MOST_FOREIGN: i64 = 100;
/// A Cyrillic letter that touches a Latin one, as in TrumpТs: 2.8 nats by the pair, because such words are in manuals.
const TWO_SCRIPTS: i64 = 50;
/// What a box-drawing or control character costs between two letters of ASCII (There▓s) beside what `read` counts.
const ARTEFACT_IN_WORD: i64 = 60;
/// An accented letter in a word that has no letter of ASCII beside it: languages have few such words, and none long.
const ACCENTS_ONLY: i64 = 30;
/// The first such letter that stands alone (ü) in a document whose clear lines have none: odds of 400 to one.
const FIRST_ACCENT: i64 = 60;

const STATES: usize = MOST_MISTAKES + 1;
type Costs = [i64; STATES];

/// For each line 0 (clean) or the number of its mistake, counted from 1.
pub fn follow(text: &str, mistakes: &[&Mistake]) -> Vec<usize> {
    let states = mistakes.len() + 1;
    let mut lines: Vec<(&str, Costs)> = Vec::new();
    // The lines that are not clear at once, with what they cost by their letters.
    let mut unsure: Vec<(usize, Costs)> = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let mut costs = costs_of(line, mistakes);
        if !line.is_ascii() && lead(&costs, states).1 < UNSURE {
            unsure.push((number, costs));
            add_words(line, number, &mut costs, mistakes, &Vocabulary::default());
        }
        lines.push((line, costs));
    }
    let document = Document::learn(&lines, mistakes);
    for (number, by_letters) in unsure {
        let (line, costs) = &mut lines[number];
        *costs = by_letters;
        add_words(line, number, costs, mistakes, &document.words);
        for (state, cost) in costs[..states].iter_mut().enumerate() {
            *cost += document.correction(line, undoing(mistakes, state));
        }
    }
    document.likeliest(&lines)
}

fn add_words(line: &str, number: usize, costs: &mut Costs, mistakes: &[&Mistake], words: &Vocabulary) {
    for (state, cost) in costs[..=mistakes.len()].iter_mut().enumerate() {
        *cost += correction(&Text::of(line, undoing(mistakes, state)), number == 0, words);
    }
}

fn undoing<'a>(mistakes: &[&'a Mistake], state: usize) -> Option<&'a Mistake> {
    state.checked_sub(1).map(|at| mistakes[at])
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
    let text = Text::of(line, mistake);
    let foreign = line
        .chars()
        .filter(|&char| mistake.is_some_and(|mistake| mistake.is_foreign(char)));
    let mut total = (FOREIGN * foreign.count() as i64).min(MOST_FOREIGN);
    let is_ascii_letter = |at: Option<usize>| {
        at.and_then(|at| text.chars.get(at))
            .is_some_and(char::is_ascii_alphabetic)
    };
    let is_accented_at = |at: Option<usize>| {
        at.and_then(|at| text.chars.get(at))
            .is_some_and(|&char| is_accented(char))
    };
    for (at, &char) in text.chars.iter().enumerate() {
        let (before, after) = (at.checked_sub(1), Some(at + 1));
        total += i64::from(model.gap_cost(char, text.is_letter(before), text.is_letter(after)));
        let beside_ascii_letter = is_ascii_letter(before) || is_ascii_letter(after);
        if text.is_letter(Some(at)) && beside_ascii_letter {
            total += TWO_SCRIPTS;
        }
        if is_artefact(char) && is_ascii_letter(before) && is_ascii_letter(after) {
            total += ARTEFACT_IN_WORD;
        }
        if is_accented(char) && !beside_ascii_letter && (is_accented_at(before) || is_accented_at(after)) {
            total += ACCENTS_ONLY;
        }
    }
    for (start, end) in text.words() {
        total -= refund(&text.symbols[start..end], text.is_tag(start), model);
    }
    total
}

/// The best state and its lead.
fn lead(costs: &Costs, states: usize) -> (usize, i64) {
    let best = (0..states)
        .min_by_key(|&state| (costs[state], state))
        .unwrap_or(0);
    let second = (0..states)
        .filter(|&state| state != best)
        .map(|state| costs[state])
        .min();
    (best, second.map_or(0, |second| second - costs[best]))
}

/// The best state, where it leads.
fn clear_state(costs: &Costs, states: usize) -> Option<usize> {
    let (best, lead) = lead(costs, states);
    (lead >= CLEAR).then_some(best)
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
    /// A line that is clearly clean has an accented letter that no letter of ASCII is beside.
    has_accents: bool,
    words: Vocabulary,
}

impl Document {
    fn learn(lines: &[(&str, Costs)], mistakes: &[&Mistake]) -> Self {
        let states = mistakes.len() + 1;
        let (mut changes, mut steps) = (0.5, 1.0);
        let mut seen = [0.5; STATES];
        let mut begins = [1.0; 2];
        let mut clear = Vec::new();
        let mut has_accents = false;
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
            has_accents |= state == 0 && has_lone_accent(line);
            let mistake = undoing(mistakes, state);
            if let Some(symbol) = first_letter(line, mistake) {
                begins[usize::from(is_capital(symbol))] += 1.0;
            }
            clear.push((*line, mistake));
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
            has_accents,
            words: Vocabulary::of(clear.into_iter()),
        }
    }

    /// What the document's habits add to a line's cost.
    fn correction(&self, line: &str, mistake: Option<&Mistake>) -> i64 {
        let of_case = first_letter(line, mistake).map_or(0, |symbol| {
            let by_model = Letters::get().case_cost(BETWEEN_WORDS, symbol);
            self.first_letter[usize::from(is_capital(symbol))] - i64::from(by_model)
        });
        let of_accents = if mistake.is_none() && !self.has_accents && has_lone_accent(line) {
            FIRST_ACCENT
        } else {
            0
        };
        of_case + of_accents
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

/// True where an accented letter has no letter of ASCII beside it.
fn has_lone_accent(line: &str) -> bool {
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let letter = is_accented(char) && char.is_alphabetic();
        if letter && !before.is_ascii_alphabetic() && !after.is_ascii_alphabetic() {
            return true;
        }
        before = char;
    }
    false
}

/// The symbol of the line's first letter, where it is Cyrillic.
fn first_letter(line: &str, mistake: Option<&Mistake>) -> Option<u8> {
    let first = line
        .chars()
        .map(|char| mistake.map_or(char, |mistake| mistake.undo(char)))
        .find(|char| char.is_alphabetic())?;
    let symbol = Letters::get().symbol(first);
    letters::is_letter(symbol).then_some(symbol)
}
