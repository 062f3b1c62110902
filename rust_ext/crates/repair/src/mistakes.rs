//! The ways in which one single-byte charset is read in another, and how a line reads with one of them undone.

use std::sync::LazyLock;

use encoding_rs::{Encoding, IBM866, KOI8_R, KOI8_U, WINDOWS_1251};

use super::readers::{Reader, TABULATED, tables, upper_half};
use bukvar_letters::{self as letters, BETWEEN_WORDS, Letters};

/// One mistake, as the way back: character by character.
pub struct Mistake {
    back: Vec<u16>,
    read_as: Reader,
}

impl Mistake {
    pub fn new(read_as: Reader, written_in: &'static Encoding) -> Self {
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

pub struct Mistakes {
    pub once: Vec<Mistake>,
    pub twice: Vec<Mistake>,
}

pub static MISTAKES: LazyLock<Mistakes> = LazyLock::new(|| {
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
    pub pairs: i64,
    pub letters: i64,
    pub inside_words: i64,
    /// Of the letters, those that the line itself does not show.
    pub changed: i64,
}

impl Reading {
    pub fn mean_is_below(self, tenths: i64) -> bool {
        self.cost <= tenths * self.pairs
    }

    /// Words of letters, most of them restored: accents or soft hyphens in a clean line are neither.
    pub fn is_restored(self) -> bool {
        self.inside_words * 2 >= self.letters
            && self.letters * 10 >= self.pairs * 6
            && self.changed * 10 >= self.letters * 6
    }
}

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
            // A letter that only repeats the one before it is no evidence: frames and rulers are made of such.
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
