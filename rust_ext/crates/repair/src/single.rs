//! Text in one single-byte charset that was read in another: Ïðèâåò, оПХБЕР, ЏаЁўҐв.
//!
//! Nothing in its shape gives it away, so the letter model decides, line by line: a line is broken when the
//! characters as they stand are no Cyrillic text and one of the mistakes, undone, makes them such.

use super::context::follow;
use super::mistakes::{MISTAKES, MOST_MISTAKES, Mistake, Reading, read};
use super::scan::is_plain;
use super::words::all_known;

/// Tenths of a nat a character below which a line is not looked at: between what clean and misread lines cost, which
/// `bench_repair limits` prints.
const READS_WELL: i64 = 38;
/// The most that a restored line may cost to be a proof (the same command).
const READS_AS_TEXT: i64 = 42;
/// What a line must gain, in tenths of a nat, to prove by itself that it is broken: odds of e^20 to one.
const PROOF: i64 = 200;
/// Letters that such a line has at least.
const PROOF_LETTERS: i64 = 5;
/// The same where the lexicon has every word of it (Класс, whose last letter repeats the one before).
const PROOF_LETTERS_OF_WORDS: i64 = 4;
/// What the line gains with the mistake undone, where that proves it broken.
fn proof(line: &str, as_it_stands: Reading, mistake: &Mistake) -> Option<i64> {
    let undone = read(line, Some(mistake));
    let gain = as_it_stands.cost - undone.cost;
    let holds = gain >= PROOF
        && undone.is_restored()
        && undone.mean_is_below(READS_AS_TEXT)
        && (undone.letters >= PROOF_LETTERS
            || (undone.letters >= PROOF_LETTERS_OF_WORDS && all_known(line, Some(mistake))));
    holds.then_some(gain)
}

/// Undoes one mistake (or two on top of each other) in the lines that are broken; `None` where none is.
pub fn undo_layer(text: &str) -> Option<(String, usize)> {
    undo_where(text, |line| !is_plain(line.as_bytes()))
}

/// The same; only lines that are `odd` can be proof.
pub fn undo_where(text: &str, odd: impl Fn(&str) -> bool) -> Option<(String, usize)> {
    let suspects: Vec<(&str, Reading)> = text
        .split('\n')
        .filter(|line| odd(line))
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
            .filter_map(|at| Some((proof(line, *as_it_stands, &mistakes[at])?, at)))
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
