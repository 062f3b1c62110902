//! Where a Russian word is cut into morphemes: a logistic model over hashed letter n-grams beside each gap,
//! in integers, so that every machine cuts alike. `tokenizer/morphemes.py` has the oracle.
//!
//! **Model file** (little-endian): `BUKVMRP1`; u32 bits, i32 bias, u32 length of the affixes; the affixes in
//! UTF-8 (lines of a type and affixes, as `tokenizer/assets/affixes_ru.txt`); then 2^bits weights of one byte
//! (i8). A gap is cut if bias and the weights of its features add up to more than 0.
//!
//! **Features** of the gap before letter i, first: the a letters before it and the b letters after it, for a or b
//! alone up to `LONGEST` and both up to `CROSSED`. Word ends count as a letter, so that an n-gram can
//! distinguish prefix from root and ending from suffix;
//! n-grams that would reach beyond them are left out. A feature's place is the top `bits` bits of
//! (left(a) + right(b)) * `SPREAD`, where left and right are rolling 64-bit hashes. Then those of the rules:
//! what `affixes` and `Shape::features` say of the gap, each a small number, hashed likewise.

use std::collections::HashSet;
use std::io;
use std::path::Path;

mod affixes;
mod codes;

use affixes::Affixes;
pub use codes::MAX_LETTERS;
use codes::{SPREAD, code};

use bukvar_train::TrainError;
use bukvar_train::counts::{Piece, Reader};

const MAGIC: &[u8; 8] = b"BUKVMRP1";
/// Most letters on one side of the gap that a feature sees alone, and together with the other side: longer ones
/// were met too seldom in the lemmas cut by hand to help.
const LONGEST: usize = 7;
const CROSSED: usize = 4;
/// Seeds and multipliers of the hashes: the fractional parts of the golden ratio and of square roots.
const LEFT: u64 = 0x6a09_e667_f3bc_c909;
const RIGHT: u64 = 0xbb67_ae85_84ca_a73b;
const ROLL_LEFT: u64 = 0x9e37_79b9_7f4a_7c15;
const ROLL_RIGHT: u64 = 0xc2b2_ae3d_27d4_eb4f;

/// Why a model cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct BadModel;

/// Cuts words; holds one byte a weight.
pub struct Segmenter {
    bias: i32,
    shift: u32,
    weights: Box<[i8]>,
    affixes: Affixes,
    whole: HashSet<Box<str>>,
}

impl Segmenter {
    /// Reads a model; words in `whole` are never cut.
    pub fn new(model: &[u8], whole: impl IntoIterator<Item = impl Into<Box<str>>>) -> Result<Self, BadModel> {
        let rest = model.strip_prefix(MAGIC).ok_or(BadModel)?;
        let (bits, rest) = rest.split_first_chunk::<4>().ok_or(BadModel)?;
        let (bias, rest) = rest.split_first_chunk::<4>().ok_or(BadModel)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(BadModel)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (affixes, weights) = rest.split_at_checked(length).ok_or(BadModel)?;
        let affixes = std::str::from_utf8(affixes).map_err(|_| BadModel)?;
        let bits = u32::from_le_bytes(*bits);
        if !(1..=28).contains(&bits) || weights.len() != 1 << bits {
            return Err(BadModel);
        }
        Ok(Self {
            bias: i32::from_le_bytes(*bias),
            shift: 64 - bits,
            weights: weights.iter().map(|&byte| byte.cast_signed()).collect(),
            affixes: Affixes::parse(affixes),
            whole: whole.into_iter().map(Into::into).collect(),
        })
    }

    /// Sets `cuts` to the letters, counted from 1, before which a word in small letters is cut. Words that
    /// hold anything but Russian letters, and those never to cut, have none.
    pub fn segment(&self, word: &str, cuts: &mut Vec<u16>) {
        cuts.clear();
        // Word ends and letters; index i + 1 is letter i.
        let mut codes = [0_u64; MAX_LETTERS + 2];
        let mut letters = 0;
        for letter in word.chars() {
            match code(letter) {
                Some(code) if letters < MAX_LETTERS => codes[letters + 1] = code,
                _ => return,
            }
            letters += 1;
        }
        if letters < 2 || self.whole.contains(word) {
            return;
        }
        let codes = &codes[..letters + 2];
        let shape = self.affixes.shape(&codes[1..=letters]);
        for gap in 1..letters {
            let rules = shape.features(gap, codes[gap], codes[gap + 1]);
            let ruled: i32 = rules.into_iter().map(|value| self.ruled(value)).sum();
            if ruled + self.score(codes, gap + 1) > 0 {
                cuts.push(gap as u16); // at most MAX_LETTERS
            }
        }
    }

    /// The score of the gap before `codes[at]`.
    fn score(&self, codes: &[u64], at: usize) -> i32 {
        let mut left = [LEFT; LONGEST + 1];
        let mut right = [RIGHT; LONGEST + 1];
        let lefts = at.min(LONGEST);
        let rights = (codes.len() - at).min(LONGEST);
        for n in 1..=lefts {
            left[n] = (left[n - 1] ^ codes[at - n]).wrapping_mul(ROLL_LEFT);
        }
        for n in 1..=rights {
            right[n] = (right[n - 1] ^ codes[at + n - 1]).wrapping_mul(ROLL_RIGHT);
        }
        let mut sum = self.bias;
        for &before in &left[1..=lefts] {
            sum += self.weight(before, RIGHT);
        }
        for &after in &right[1..=rights] {
            sum += self.weight(LEFT, after);
        }
        for &before in &left[1..=lefts.min(CROSSED)] {
            for &after in &right[1..=rights.min(CROSSED)] {
                sum += self.weight(before, after);
            }
        }
        sum
    }

    /// The weight of a feature of the rules.
    fn ruled(&self, value: u64) -> i32 {
        self.weight(value.wrapping_add(1).wrapping_mul(ROLL_RIGHT), LEFT)
    }

    fn weight(&self, left: u64, right: u64) -> i32 {
        let place = left.wrapping_add(right).wrapping_mul(SPREAD) >> self.shift;
        // `shift` leaves `bits` bits, and there are 2^bits weights: the index is always inside.
        self.weights[place as usize].into()
    }
}

/// The first run of letters of a pretoken, in small letters, as `bpe::train::boundaries` looks it up.
fn word(piece: &[u8], word: &mut String) {
    word.clear();
    let text = String::from_utf8_lossy(piece);
    let letters = text
        .chars()
        .skip_while(|letter| !letter.is_alphabetic())
        .take_while(|letter| letter.is_alphabetic());
    for letter in letters {
        let mut small = letter.to_lowercase();
        if small.len() == 1 {
            word.extend(small.next());
        } else {
            word.push(letter);
        }
    }
}

/// Writes `word<TAB>morph|morph|...` for the words of a counts file that are cut, sorted by their bytes; returns
/// how many were looked at and how many are cut. `out` appears when it is whole.
pub fn segment_counts(
    segmenter: &Segmenter,
    counts: &Path,
    out: &Path,
) -> Result<(usize, usize), TrainError> {
    let mut reader = Reader::open(counts)?;
    let mut words: HashSet<Box<str>> = HashSet::new();
    let mut current = String::new();
    while let Some((piece, _)) = reader.read()? {
        let mut short = [0; 32];
        let bytes = match &piece {
            Piece::Short(key) => {
                let length = key.decode(&mut short);
                &short[..length]
            }
            Piece::Long(long) => long,
        };
        word(bytes, &mut current);
        if !current.is_empty() && !words.contains(current.as_str()) {
            words.insert(current.as_str().into());
        }
    }
    let mut sorted: Vec<Box<str>> = words.into_iter().collect();
    sorted.sort_unstable();
    let mut lines = String::new();
    let mut cuts = Vec::new();
    let mut cut_words = 0;
    for word in &sorted {
        segmenter.segment(word, &mut cuts);
        if !cuts.is_empty() {
            cut_words += 1;
            push_line(word, &cuts, &mut lines);
        }
    }
    publish(out, lines.as_bytes()).map_err(|error| TrainError::File {
        path: out.to_path_buf(),
        why: error.to_string(),
    })?;
    Ok((sorted.len(), cut_words))
}

/// Adds the line of a word that is cut.
pub fn push_line(word: &str, cuts: &[u16], lines: &mut String) {
    lines.push_str(word);
    lines.push('\t');
    let mut next = cuts.iter().copied().peekable();
    for (at, letter) in word.chars().enumerate() {
        if next.next_if(|&cut| usize::from(cut) == at).is_some() {
            lines.push('|');
        }
        lines.push(letter);
    }
    lines.push('\n');
}

fn publish(out: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = out.as_os_str().to_owned();
    aside.push(".part");
    std::fs::write(&aside, bytes)?;
    std::fs::rename(&aside, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model that cuts before every "ка".
    fn cuts_before_ka() -> Vec<u8> {
        let mut weights = vec![0_u8; 1 << 12];
        let mut right = RIGHT;
        for code in [11, 1] {
            right = (right ^ code).wrapping_mul(ROLL_RIGHT);
        }
        weights[(LEFT.wrapping_add(right).wrapping_mul(SPREAD) >> 52) as usize] = 9;
        let mut model = MAGIC.to_vec();
        model.extend(12_u32.to_le_bytes());
        model.extend((-5_i32).to_le_bytes());
        model.extend(0_u32.to_le_bytes());
        model.extend(weights);
        model
    }

    fn cut(word: &str) -> Vec<u16> {
        let segmenter = Segmenter::new(&cuts_before_ka(), ["рука"]).expect("a model");
        let mut cuts = vec![7];
        segmenter.segment(word, &mut cuts);
        cuts
    }

    #[test]
    fn cuts_where_the_weights_say() {
        assert_eq!(cut("сказка"), [1, 4]);
        assert!(cut("кот").is_empty());
    }

    #[test]
    fn words_never_to_cut_mixed_words_and_endless_words_stay_whole() {
        for word in ["рука", "сkазка", "сказ-ка", "", "я", "Сказка", &"ка".repeat(30)]
        {
            assert!(cut(word).is_empty(), "{word}");
        }
        assert!(cut("ка").is_empty());
    }

    #[test]
    fn a_model_of_the_wrong_length_is_refused() {
        let model = cuts_before_ka();
        for end in [0, 7, 9, 15, model.len() - 1] {
            let read = Segmenter::new(&model[..end], [""; 0]);
            assert_eq!(read.err(), Some(BadModel));
        }
    }

    #[test]
    fn a_line_shows_the_morphs() {
        let mut lines = String::new();
        push_line("сказка", &[1, 4], &mut lines);
        assert_eq!(lines, "сказка\tс|каз|ка\n");
    }
}
