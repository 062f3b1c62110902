//! A cheap proof that a unit of a Russian document is Russian.
//!
//! Most units of a Russian document are plainly Russian, by evidence much smaller than the whole model: letters
//! of the Russian alphabet alone, and the model's own weights of n-grams of up to three letters. For each three
//! letters of that alphabet a row holds how far Russian is before its nearest neighbours; so a word costs a row a
//! letter, of a few thousand rows that are met at all, and no hash. What is not proved is scored by the whole
//! model: the proof never says that a unit is anything else. It is tried only in documents that have shown by the
//! whole model to be Russian. Rows are made of the model's weights when it is loaded.

use crate::features::{EDGE, gram};
use crate::section::Section;

/// What is proved.
const LABEL: &str = "ru";

/// Letters of the alphabet (а to я, ё) and the edge of a word, which is 0.
const CODES: usize = 34;

/// Words of a unit that are looked at before it is given up.
pub const TRIED: usize = 12;

/// By how much the sums of n words, with the biases times the root of n, have to lead (`Section::sums_for`). It
/// is the same for each n: evidence of a unit in another language drifts away from Russian, and so passes it as
/// rarely after ten words as after two.
const PROVED: f32 = 3.5;

/// Labels that Russian has to be told from, the nearest first: those that led it most often in lines of Russian
/// alphabet alone. The others are farther from Russian than one of these is, or have letters of their own: with all
/// of them as rivals 3 of 8,790 lines in 34 languages were proved Russian, with these 4. Russian in old spelling is
/// told by its letters and by ъ at the end of words.
const RIVALS: [&str; COLUMNS] = [
    "orv", "bg", "uk", "mk", "be", "sr", "cu", "mhr", "mdf", "tg", "koi", "udm", "rsk", "uz-Cyrl", "os", "tt",
];
const COLUMNS: usize = 16;

/// By how much Russian leads each of `RIVALS`, in weights divided by `STEP`.
pub type Leads = [i16; COLUMNS];

/// Rows hold leads divided by this and rounded, a byte each: four rows a line of the processor's cache.
const STEP: i16 = 4;

/// Weights of three letters and what they have to amount to.
pub struct Proof {
    pub label: usize,
    /// A row for each three codes: the leads from the n-grams that end with the last of them.
    rows: Vec<[i8; COLUMNS]>,
    /// For each number of words, what the leads have to reach.
    needed: [Leads; TRIED + 1],
}

impl Proof {
    /// None where the section has no such label.
    pub fn new(section: &Section) -> Option<Self> {
        let find = |wanted: &str| section.labels.iter().position(|name| name == wanted);
        let label = find(LABEL)?;
        let rivals = RIVALS.map(find);
        let mut rows = vec![[0; COLUMNS]; CODES * CODES * CODES];
        for (number, row) in rows.iter_mut().enumerate() {
            let mut leads = Leads::default();
            let codes = [number / (CODES * CODES), number / CODES % CODES, number % CODES];
            for known in ending(codes).filter_map(|feature| section.find(feature)) {
                let weights = section.weights(known);
                for (lead, rival) in leads.iter_mut().zip(rivals) {
                    *lead += rival.map_or(0, |rival| i16::from(weights[label]) - i16::from(weights[rival]));
                }
            }
            *row = leads.map(|lead| (f32::from(lead) / f32::from(STEP)).round() as i8);
        }
        let mut needed = [[i16::MIN; COLUMNS]; TRIED + 1];
        for (words, needed) in needed.iter_mut().enumerate().skip(1) {
            for (needed, rival) in needed.iter_mut().zip(rivals) {
                let sums = |rival| section.sums_for(label, rival, words as u32, PROVED);
                *needed = rival.map_or(i16::MIN, |rival| (sums(rival) / f32::from(STEP)).ceil() as i16);
            }
        }
        Some(Self { label, rows, needed })
    }

    /// Adds the leads of a word to `sums`; false where it has a letter that Russian has not, or ends with ъ, and so
    /// proves nothing.
    pub fn add(&self, word: &[u32], sums: &mut Leads) -> bool {
        if word.last() == Some(&0x44A) {
            return false;
        }
        let (mut leads, mut first, mut second) = (*sums, 0, 0);
        for &letter in word {
            let Some(third) = code(letter) else { return false };
            self.join([first, second, third], &mut leads);
            (first, second) = (second, third);
        }
        self.join([first, second, 0], &mut leads);
        *sums = leads;
        true
    }

    #[inline(always)]
    fn join(&self, [first, second, third]: [usize; 3], sums: &mut Leads) {
        let row = &self.rows[(first * CODES + second) * CODES + third];
        for (sum, lead) in sums.iter_mut().zip(row) {
            *sum = sum.saturating_add(i16::from(*lead));
        }
    }

    /// Whether the leads of so many words are a proof.
    pub fn holds(&self, sums: &Leads, words: usize) -> bool {
        sums.iter()
            .zip(&self.needed[words])
            .all(|(sum, needed)| sum >= needed)
    }
}

/// The letters by their codes from 1 on, frequent ones first, so that rows which are met lie together.
const LETTERS: [char; CODES - 1] = [
    'о', 'е', 'а', 'и', 'н', 'т', 'с', 'р', 'в', 'л', 'к', 'м', 'д', 'п', 'у', 'я', 'ы', 'ь', 'г', 'з', 'б',
    'ч', 'й', 'х', 'ж', 'ш', 'ю', 'ц', 'щ', 'э', 'ф', 'ъ', 'ё',
];

/// The codes of U+0430 to U+0451, 0 for those that are not Russian.
const CODE_OF: [u8; 0x22] = {
    let mut codes = [0; 0x22];
    let mut at = 0;
    while at < LETTERS.len() {
        codes[LETTERS[at] as usize - 0x430] = at as u8 + 1;
        at += 1;
    }
    codes
};

#[inline]
fn code(letter: u32) -> Option<usize> {
    let &code = CODE_OF.get(letter.wrapping_sub(0x430) as usize)?;
    (code > 0).then_some(usize::from(code))
}

/// Features of the n-grams of up to three letters that end with the last of the codes. An edge comes first or
/// last in a word, two edges stand before the first letter.
fn ending(codes: [usize; 3]) -> impl Iterator<Item = u32> {
    let letters = codes.map(letter);
    let possible = [
        codes[2] != 0,
        codes[1] != 0 || codes[2] != 0 && codes[0] == 0,
        codes[1] != 0,
    ];
    (0..3)
        .filter(move |&n| possible[n])
        .map(move |n| gram(&letters[2 - n..]))
}

fn letter(code: usize) -> u32 {
    code.checked_sub(1).map_or(EDGE, |at| LETTERS[at] as u32)
}
