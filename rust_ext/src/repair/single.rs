//! Text in one single-byte charset that was read in another: Ïðèâåò, оПХБЕР, ЏаЁўҐв.
//!
//! Nothing in its shape gives it away, so the letter model decides, line by line: a line is broken when the
//! characters as they stand are no Cyrillic text and one of the mistakes, undone, makes them such.

use std::sync::LazyLock;

use encoding_rs::{Encoding, IBM866, KOI8_R, KOI8_U, WINDOWS_1251};

use super::is_plain;
use super::readers::{Reader, TABULATED, tables, upper_half};
use crate::letters::{self, BETWEEN_WORDS, Letters};

/// One mistake, as the way back: character by character.
pub struct Mistake {
    back: Vec<u16>,
}

impl Mistake {
    fn new(read_as: Reader, written_in: &'static Encoding) -> Self {
        let chars = upper_half(written_in);
        let mut back: Vec<u16> = (0..TABULATED as u16).collect();
        for (code, back) in back.iter_mut().enumerate().skip(0x80) {
            let byte = char::from_u32(code as u32).map_or(0, |char| tables().byte(read_as, char));
            if byte >= 0x80 {
                // Below TABULATED, as all of these charsets' characters are.
                *back = chars[usize::from(byte - 0x80)] as u16;
            }
        }
        Self { back }
    }

    fn then(&self, other: &Self) -> Self {
        Self {
            back: self
                .back
                .iter()
                .map(|&code| other.back[usize::from(code)])
                .collect(),
        }
    }

    /// The character that was meant; characters outside of the charset stay.
    #[inline]
    pub fn undo(&self, char: char) -> char {
        let code = self
            .back
            .get(char as usize)
            .copied()
            .map_or(char as u32, u32::from);
        char::from_u32(code).unwrap_or(char)
    }
}

struct Mistakes {
    once: Vec<Mistake>,
    twice: Vec<Mistake>,
}

static MISTAKES: LazyLock<Mistakes> = LazyLock::new(|| {
    // KOI8 text is taken for KOI8-R where it is read and for KOI8-U where it was written: on the eight bytes on
    // which they differ, prose has letters.
    let once: Vec<Mistake> = [
        (Reader::Latin, WINDOWS_1251),
        (Reader::Latin, KOI8_U),
        (Reader::Latin, IBM866),
        (Reader::Cp1251, KOI8_U),
        (Reader::Koi8, WINDOWS_1251),
        (Reader::Cp1251, IBM866),
        (Reader::Cp866, WINDOWS_1251),
        (Reader::Koi8, IBM866),
        (Reader::Cp866, KOI8_R),
    ]
    .into_iter()
    .map(|(read_as, written_in)| Mistake::new(read_as, written_in))
    .collect();
    let cyrillic = &once[3..];
    let twice = cyrillic
        .iter()
        .flat_map(|last| cyrillic.iter().map(|first| last.then(first)))
        .collect();
    Mistakes { once, twice }
});

/// How a line reads under one hypothesis.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    /// -log probability, tenths of a nat.
    cost: i64,
    pairs: i64,
    letters: i64,
    inside_words: i64,
    /// Of the letters, those that the line itself does not show.
    changed: i64,
}

impl Reading {
    fn mean_is_below(self, tenths: i64) -> bool {
        self.cost <= tenths * self.pairs
    }

    /// Words of letters, most of them restored: accents or soft hyphens in a clean line are neither.
    fn is_restored(self) -> bool {
        self.inside_words * 2 >= self.letters
            && self.letters * 10 >= self.pairs * 6
            && self.changed * 10 >= self.letters * 6
    }
}

/// Tenths of a nat a character below which a line is not looked at. Of clean Russian lines with a dozen letters
/// 99% cost less (median 23); of 18,000 misread ones none did (the cheapest 42, the median 80).
const READS_WELL: i64 = 38;
/// The most that a restored line may cost to be a proof: 99.8% of those clean lines cost less.
const READS_AS_TEXT: i64 = 42;
/// What a line must gain, in tenths of a nat, to prove by itself that it is broken: odds of e^20 to one.
const PROOF: i64 = 200;
/// Letters that such a line has at least.
const PROOF_LETTERS: i64 = 7;
/// A line whose best hypothesis leads by six nats is clear: from such lines it is learnt how often broken and clean
/// lines alternate.
const CLEAR: i64 = 60;
/// Mistakes that are followed through a document; two at once are rare already.
const MOST_MISTAKES: usize = 4;
/// Two accented Latin letters in a row, as Ïð in Ïðèâåò: about as unlikely as the dearer pairs of letters. (The
/// model knows characters that are not Cyrillic only from text that had runs of them, and finds them cheap.)
const ACCENTED_PAIR: i64 = 60;
/// What a box-drawing or control character costs on top, for the same reason.
const ARTEFACT: i64 = 80;

fn is_accented(char: char) -> bool {
    ('\u{c0}'..='\u{ff}').contains(&char)
}

/// Characters of cp866 and KOI8 that text has no use for, and controls.
fn is_artefact(char: char) -> bool {
    matches!(char, '\u{80}'..='\u{9f}' | '\u{2219}'..='\u{2265}' | '\u{2320}'..='\u{2321}' | '\u{2500}'..='\u{25ff}')
}

fn read(line: &str, mistake: Option<&Mistake>) -> Reading {
    let model = Letters::get();
    let mut reading = Reading::default();
    let (mut first, mut before, mut char_before) = (BETWEEN_WORDS, BETWEEN_WORDS, ' ');
    for raw in line.chars().chain(['\n']) {
        let char = mistake.map_or(raw, |mistake| mistake.undo(raw));
        let symbol = model.symbol(char);
        if !(char.is_ascii() && char_before.is_ascii()) {
            reading.pairs += 1;
            reading.cost += if is_accented(char) && is_accented(char_before) {
                ACCENTED_PAIR
            } else {
                i64::from(model.cost_of_third(first, before, symbol))
            };
            reading.cost += if is_artefact(char) { ARTEFACT } else { 0 };
            // A letter that only repeats the one before it tells nothing: frames and rulers are made of such.
            if letters::is_letter(symbol) && char != char_before {
                reading.letters += 1;
                // Of cp866 the no-break space is а: believed, but no evidence.
                reading.changed += i64::from(char != raw && raw != '\u{a0}');
                reading.inside_words += i64::from(letters::is_letter(before));
            }
        }
        (first, before, char_before) = (before, symbol, char);
    }
    reading
}

/// What the line gains, where that proves it broken.
fn proof(as_it_stands: Reading, undone: Reading) -> Option<i64> {
    let gain = as_it_stands.cost - undone.cost;
    let holds = undone.letters >= PROOF_LETTERS
        && undone.is_restored()
        && undone.mean_is_below(READS_AS_TEXT)
        && gain >= PROOF;
    holds.then_some(gain)
}

/// Undoes one mistake (or two on top of each other) in the lines that are broken; `None` where none is.
pub fn undo_layer(text: &str) -> Option<(String, usize)> {
    let suspects: Vec<(&str, Reading)> = text
        .split('\n')
        .filter(|line| !is_plain(line.as_bytes()))
        .map(|line| (line, read(line, None)))
        .filter(|(_, reading)| reading.pairs > PROOF_LETTERS && !reading.mean_is_below(READS_WELL))
        .collect();
    if suspects.is_empty() {
        return None;
    }
    let mistakes = proven(&suspects);
    if mistakes.is_empty() {
        return None;
    }
    let choices = follow(text, &mistakes);
    let mut out = String::with_capacity(text.len());
    let mut restored = 0;
    for (number, (line, choice)) in text.split('\n').zip(choices).enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let Some(mistake) = choice.checked_sub(1).map(|choice| mistakes[choice]) else {
            out.push_str(line);
            continue;
        };
        for char in line.chars() {
            let meant = mistake.undo(char);
            restored += usize::from(meant != char);
            out.push(meant);
        }
    }
    (restored > 0).then_some((out, restored))
}

/// The mistakes of which at least one line is proof, the best proven first: single ones, or else double ones.
fn proven(suspects: &[(&str, Reading)]) -> Vec<&'static Mistake> {
    let once = best_proven(&MISTAKES.once, suspects);
    if !once.is_empty() {
        return once;
    }
    // Thirty-six of them: tried on the few longest lines only.
    let mut longest = suspects.to_vec();
    longest.sort_by_key(|(line, reading)| (std::cmp::Reverse(reading.pairs), line.len()));
    longest.truncate(LINES_TRIED_TWICE);
    best_proven(&MISTAKES.twice, &longest)
}

const LINES_TRIED_TWICE: usize = 3;

fn best_proven(mistakes: &'static [Mistake], lines: &[(&str, Reading)]) -> Vec<&'static Mistake> {
    let mut gains: Vec<(i64, &Mistake)> = mistakes.iter().map(|mistake| (0, mistake)).collect();
    for (line, as_it_stands) in lines {
        // A line proves the mistake that restores it best, and no other.
        let best = (0..mistakes.len())
            .filter_map(|at| Some((proof(*as_it_stands, read(line, Some(&mistakes[at])))?, at)))
            .max_by_key(|&(gain, at)| (gain, std::cmp::Reverse(at)));
        if let Some((gain, at)) = best {
            gains[at].0 += gain;
        }
    }
    // Stable: equals keep the order of the list.
    gains.sort_by_key(|(gain, _)| std::cmp::Reverse(*gain));
    gains
        .into_iter()
        .filter(|(gain, _)| *gain > 0)
        .take(MOST_MISTAKES)
        .map(|(_, mistake)| mistake)
        .collect()
}

type Costs = [i64; MOST_MISTAKES + 1];

/// For each line 0 (clean) or the number of its mistake, counted from 1: the likeliest sequence of them, where
/// changing from line to line costs what it costs in the lines that are clear.
fn follow(text: &str, mistakes: &[&Mistake]) -> Vec<usize> {
    let states = mistakes.len() + 1;
    let lines: Vec<Costs> = text.split('\n').map(|line| costs_of(line, mistakes)).collect();
    let (stay, change) = costs_of_change(&lines, states);
    let mut total = Costs::default();
    let mut from: Vec<[u8; MOST_MISTAKES + 1]> = Vec::with_capacity(lines.len());
    for line in &lines {
        let (mut next, mut origins) = (Costs::default(), [0; MOST_MISTAKES + 1]);
        for state in 0..states {
            // Ties go to the same state, then to the lower one.
            let step = |origin: usize| total[origin] + if origin == state { stay } else { change };
            let best = (0..states)
                .min_by_key(|&origin| (step(origin), origin != state, origin))
                .unwrap_or(state);
            next[state] = step(best) + line[state];
            origins[state] = best as u8;
        }
        total = next;
        from.push(origins);
    }
    let mut state = (0..states)
        .min_by_key(|&state| (total[state], state))
        .unwrap_or(0);
    let mut choices = vec![0; lines.len()];
    for (choice, origins) in choices.iter_mut().zip(&from).rev() {
        *choice = state;
        state = usize::from(origins[state]);
    }
    choices
}

fn costs_of(line: &str, mistakes: &[&Mistake]) -> Costs {
    let mut costs = Costs::default();
    if !line.is_ascii() {
        costs[0] = read(line, None).cost;
        for (cost, mistake) in costs[1..].iter_mut().zip(mistakes) {
            *cost = read(line, Some(mistake)).cost;
        }
    }
    costs
}

/// -log of the probability that a line is in the state of the one before it, and in a certain other one.
fn costs_of_change(lines: &[Costs], states: usize) -> (i64, i64) {
    let (mut changes, mut steps) = (0.5, 1.0);
    let mut before = None;
    for costs in lines {
        let best = (0..states)
            .min_by_key(|&state| (costs[state], state))
            .unwrap_or(0);
        let lead = (0..states)
            .filter(|&state| state != best)
            .map(|state| costs[state] - costs[best])
            .min();
        if lead.is_some_and(|lead| lead >= CLEAR) {
            if let Some(before) = before {
                steps += 1.0;
                changes += if before == best { 0.0 } else { 1.0 };
            }
            before = Some(best);
        }
    }
    let share: f64 = changes / steps;
    (
        (-10.0 * (1.0 - share).ln()) as i64,
        (-10.0 * (share / (states - 1) as f64).ln()) as i64,
    )
}
