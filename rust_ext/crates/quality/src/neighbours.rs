//! The table of neighbours: how much oftener two word classes stand side by side than by chance.

use std::collections::HashMap;

use bukvar_text::words::tokens;

use super::lexicon::Lexicon;
use super::limits::NEIGHBOURS;
use super::words::Words;

/// What a pair of classes that the table does not know counts, in sixteenths.
const UNSEEN: i64 = -32;
/// What each byte of the table counts: looked up, since a branch on it is seldom foretold.
pub const SCORES: [i64; 256] = {
    let mut scores = [UNSEEN; 256];
    let mut value = 1;
    while value < 256 {
        scores[value] = value as i64 - 128;
        value += 1;
    }
    scores
};

/// Counts of classes and of neighbouring pairs, from which a table is made.
pub struct NeighbourCounts {
    words: Words,
    classes: HashMap<u64, u64>,
    pairs: HashMap<(u64, u64), u64>,
}

impl NeighbourCounts {
    /// Counts of no text yet.
    pub fn new(lexicon: Lexicon) -> Self {
        Self {
            words: Words::new(lexicon, None),
            classes: HashMap::new(),
            pairs: HashMap::new(),
        }
    }

    /// Counts the neighbours in each line of a text.
    pub fn add(&mut self, text: &str) {
        for line in word_classes(&mut self.words, text) {
            for &class in &line {
                *self.classes.entry(class).or_default() += 1;
            }
            for pair in line.windows(2) {
                *self.pairs.entry((pair[0], pair[1])).or_default() += 1;
            }
        }
    }

    /// One byte a slot: 0 where no pair was met `least` times; else, from 1 to 255,
    /// 128 + 16 log(pairs met / pairs expected by chance).
    pub fn table(&self, least: u64) -> Vec<u8> {
        let all: u64 = self.pairs.values().sum();
        let mut met = vec![0_u64; NEIGHBOURS];
        let mut expected = vec![0_f64; NEIGHBOURS];
        let mut pairs: Vec<_> = self.pairs.iter().filter(|&(_, &count)| count >= least).collect();
        pairs.sort_unstable(); // sums of floats in one order
        for (&(first, second), &count) in pairs {
            let slot = neighbour_slot(first, second);
            met[slot] += count;
            expected[slot] += self.classes[&first] as f64 * self.classes[&second] as f64 / all as f64;
        }
        let byte = |(&met, &expected): (&u64, &f64)| {
            let value = 128.0 + (16.0 * (met as f64 / expected).ln()).round();
            if met == 0 {
                0
            } else {
                value.clamp(1.0, 255.0) as u8
            }
        };
        met.iter().zip(&expected).map(byte).collect()
    }
}

/// The slot of two neighbouring classes.
#[inline]
pub fn neighbour_slot(first: u64, second: u64) -> usize {
    let mixed = first.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ second;
    (mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 46) as usize
}

/// The classes of the tokens of each line of `text`: what the table of neighbours is fitted to.
fn word_classes(words: &mut Words, text: &str) -> Vec<Vec<u64>> {
    words.start_text();
    text.split('\n')
        .map(|line| {
            tokens(line)
                .map(|token| {
                    let id = words.id(line, &token);
                    words.info(id).class
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_are_met_more_than_by_chance_stand_above_128() {
        let mut counts = NeighbourCounts::new(Lexicon::read("и в не", "").expect("lists"));
        counts.add(&"в доме и в саду. ".repeat(50));
        let table = counts.table(2);
        assert_eq!(table.len(), NEIGHBOURS);
        let mut words = Words::new(Lexicon::read("и в не", "").expect("lists"), None);
        let classes = &word_classes(&mut words, "в доме не")[0];
        assert!(table[neighbour_slot(classes[0], classes[1])] > 128);
        assert_eq!(table[neighbour_slot(classes[1], classes[2])], 0);
    }
}
