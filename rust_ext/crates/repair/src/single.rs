//! Text in one single-byte charset that was read in another: Ïðèâåò, оПХБЕР, ЏаЁўҐв.
//!
//! Nothing in its shape gives it away, so the letter model decides, line by line: a line is broken when the
//! characters as they stand are no Cyrillic text and one of the mistakes, undone, makes them such.

use std::sync::LazyLock;

use encoding_rs::{Encoding, IBM866, KOI8_R, KOI8_U, WINDOWS_1251};

use super::context::follow;
use super::is_plain;
use super::readers::{Reader, TABULATED, tables, upper_half};
use super::words::all_known;
use bukvar_letters::{self as letters, BETWEEN_WORDS, Letters};

/// One mistake, as the way back: character by character.
pub struct Mistake {
    back: Vec<u16>,
    read_as: Reader,
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
        Self { back, read_as }
    }

    fn then(&self, other: &Self) -> Self {
        Self {
            back: self
                .back
                .iter()
                .map(|&code| other.back[usize::from(code)])
                .collect(),
            read_as: self.read_as,
        }
    }

    /// True where the mistake can't have made this character: the charset in which it read has none such.
    pub fn is_foreign(&self, char: char) -> bool {
        !char.is_ascii() && tables().byte(self.read_as, char) == 0
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
pub struct Reading {
    /// -log probability, tenths of a nat.
    pub cost: i64,
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
/// Mistakes that are followed through a document; two at once are rare already.
pub const MOST_MISTAKES: usize = 4;
/// Two accented Latin letters in a row, as Ïð in Ïðèâåò: about as unlikely as the dearer pairs of letters. (The
/// model knows characters that are not Cyrillic only from text that had runs of them, and finds them cheap.)
const ACCENTED_PAIR: i64 = 60;
/// The third in a row and each one after it: créée has three, and hardly a word has more.
const ACCENTED_RUN: i64 = 80;
/// What a box-drawing or control character costs on top, for the same reason.
const ARTEFACT: i64 = 80;

/// An accented Latin letter, or × or ÷ among them.
pub fn is_accented(char: char) -> bool {
    ('\u{c0}'..='\u{ff}').contains(&char)
}

/// Characters of cp866 and KOI8 that text has no use for, and controls.
pub fn is_artefact(char: char) -> bool {
    matches!(char, '\u{80}'..='\u{9f}' | '\u{2219}'..='\u{2265}' | '\u{2320}'..='\u{2321}' | '\u{2500}'..='\u{25ff}')
}

/// Reads a line as it stands, or with a mistake undone.
pub fn read(line: &str, mistake: Option<&Mistake>) -> Reading {
    let model = Letters::get();
    let mut reading = Reading::default();
    let (mut first, mut before, mut char_before) = (BETWEEN_WORDS, BETWEEN_WORDS, ' ');
    let mut accented = 0;
    for raw in line.chars().chain(['\n']) {
        let char = mistake.map_or(raw, |mistake| mistake.undo(raw));
        let symbol = model.symbol(char);
        if !(char.is_ascii() && char_before.is_ascii()) {
            reading.pairs += 1;
            reading.cost += if is_accented(char) && is_accented(char_before) {
                accented += 1;
                if accented > 1 { ACCENTED_RUN } else { ACCENTED_PAIR }
            } else {
                accented = 0;
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
