//! Units of a document, its lines and parts of long lines: what is summed of one, and what is kept of it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::letters::SCRIPTS;
use crate::proof::Leads;
use crate::score::{KEPT, key};
use crate::section::Section;
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
pub type Seen = HashMap<[u16; KEPT], u32, Seeded>;

/// Makes hashes of words with a seed of the process, so that no text is made of words that collide.
#[derive(Clone)]
pub struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded(self.0)
    }
}

/// Multiplies and folds eight bytes at a time; the standard library's hash showed in profiles.
pub struct Folded(u64);

impl Hasher for Folded {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        for &eight in eights {
            self.write_u64(u64::from_le_bytes(eight));
        }
        for &byte in rest {
            self.write_u64(u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    /// The length, which is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Words of a unit that were put aside.
#[derive(Clone, Default)]
pub struct Aside {
    pub words: Vec<([u32; WORD_LETTERS], usize)>,
    /// There were `ASIDE`: the unit's other words are scored as they come.
    pub full: bool,
}

impl Aside {
    pub fn push(&mut self, word: &[u32]) {
        self.words.push(copy(word));
        self.full = self.words.len() >= ASIDE;
    }
}

/// How far the proof that a unit is Russian has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Proved,
    /// The unit is scored by the whole model.
    Failed,
}

/// The Cyrillic words of a unit while a proof is tried.
pub struct Trial {
    pub state: State,
    pub words: Vec<([u32; WORD_LETTERS], usize)>,
    pub leads: Leads,
}

impl Trial {
    pub fn push(&mut self, word: &[u32]) {
        self.words.push(copy(word));
    }

    /// Ready for the next unit.
    pub fn clear(&mut self) {
        self.state = State::Open;
        self.words.clear();
        self.leads = Leads::default();
    }
}

fn copy(word: &[u32]) -> ([u32; WORD_LETTERS], usize) {
    let mut letters = [0; WORD_LETTERS];
    letters[..word.len()].copy_from_slice(word);
    (letters, word.len())
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
    pub trial: Trial,
    /// Cyrillic letters outside the Russian alphabet, and words that end with ъ.
    pub alien: u32,
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
            trial: Trial {
                state: State::Open,
                words: Vec::new(),
                leads: Leads::default(),
            },
            alien: 0,
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
        if self.best[1].1 == f32::NEG_INFINITY {
            return usize::from(self.best[0].0);
        }
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
