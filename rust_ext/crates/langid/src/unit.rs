//! Units of a document, its lines and parts of long lines: what is summed of one, and what is kept of it.

use std::collections::HashMap;

use crate::letters::SCRIPTS;
use crate::model::Section;
use crate::score::{KEPT, key};
use crate::words::WORD_LETTERS;

/// Best labels of a unit that are remembered until the document's languages are known.
pub const REMEMBERED: usize = 8;

/// Most words of a unit that are put aside.
const ASIDE: usize = 8;

/// A word counts at most so often in the document's own score: «шт.» in each row of a price list says no more than
/// in ten. Lines count all their words. Of a document of more different words than `DIFFERENT`, the others count
/// always.
const COUNTED: u32 = 10;
const DIFFERENT: usize = 1 << 16;

/// How often the words of a document were scored, by the word's letters.
pub type Seen = HashMap<[u16; KEPT], u32>;

/// Words of a unit that were put aside.
#[derive(Clone, Default)]
pub struct Aside {
    pub words: Vec<([u32; WORD_LETTERS], usize)>,
    /// There were `ASIDE`: the unit's other words are scored as they come.
    pub full: bool,
}

impl Aside {
    pub fn push(&mut self, word: &[u32]) {
        let mut letters = [0; WORD_LETTERS];
        letters[..word.len()].copy_from_slice(word);
        self.words.push((letters, word.len()));
        self.full = self.words.len() >= ASIDE;
    }
}

/// Sums of one unit or of the whole document.
pub struct Tally {
    pub sums: Vec<Vec<i32>>,
    /// Words that were scored.
    pub words: Vec<u32>,
    /// Sums and words that the document's own score leaves out.
    pub repeated: Vec<Vec<i32>>,
    pub repeated_words: Vec<u32>,
    pub plain: Vec<bool>,
    pub aside: Vec<Aside>,
    pub letters: [u32; SCRIPTS],
}

impl Tally {
    pub fn new(sections: &[Section]) -> Self {
        Self {
            sums: sections.iter().map(|s| vec![0; s.width]).collect(),
            words: vec![0; sections.len()],
            repeated: sections.iter().map(|s| vec![0; s.width]).collect(),
            repeated_words: vec![0; sections.len()],
            plain: vec![false; sections.len()],
            aside: vec![Aside::default(); sections.len()],
            letters: [0; SCRIPTS],
        }
    }

    /// Letters of all scripts.
    pub fn all_letters(&self) -> u32 {
        self.letters.iter().sum()
    }
}

/// A unit with its best labels, from before the document's languages are known.
pub struct Draft {
    pub start: usize,
    pub end: usize,
    pub letters: u32,
    pub best: [(u16, f32); REMEMBERED],
}

impl Draft {
    /// The best label where each is expected so much, in nats.
    pub fn label(&self, expected: &[f32]) -> usize {
        let value = |&(label, score): &(u16, f32)| score + expected[usize::from(label)];
        let by = |a: &&(u16, f32), b: &&(u16, f32)| value(a).total_cmp(&value(b)).then(b.0.cmp(&a.0));
        usize::from(self.best.iter().max_by(by).map_or(0, |best| best.0))
    }
}

/// Puts an entry at its place among the best, if it has one.
pub fn insert(best: &mut [(u16, f32); REMEMBERED], mut entry: (u16, f32)) {
    if entry.1 <= best[REMEMBERED - 1].1 {
        return;
    }
    for place in best {
        if entry.1 > place.1 {
            std::mem::swap(place, &mut entry);
        }
    }
}

/// Counts a word of the document; true from the one on that counts no more.
pub fn is_repeated(seen: &mut Seen, word: &[u32]) -> bool {
    let Some(key) = key(word) else {
        return false;
    };
    if seen.len() >= DIFFERENT && !seen.contains_key(&key) {
        return false;
    }
    let times = seen.entry(key).or_insert(0);
    *times = times.saturating_add(1);
    *times > COUNTED
}
