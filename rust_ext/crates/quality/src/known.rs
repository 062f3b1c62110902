//! Words that are known: a Bloom filter of the commonest forms of Russian.

use super::facts::fnv;
use super::limits::KNOWN;

/// Letters of the shortest words in the table.
const SHORTEST: usize = 4;
/// Bits that each word sets.
const PLACES: u32 = 3;

/// A set of words that holds all it was given, and about two of a hundred others.
pub struct Known {
    bits: Vec<u8>,
}

impl Known {
    /// `bits`: [`KNOWN`] bytes, as `scripts/fit/known_words.py` writes them.
    pub fn new(bits: Vec<u8>) -> Result<Self, String> {
        if bits.len() != KNOWN {
            return Err(format!(
                "the table of known words has {} bytes, not {KNOWN}",
                bits.len()
            ));
        }
        Ok(Self { bits })
    }

    /// Whether a word in lower case, ё as е, is known, without the hard sign at its end that old spelling has; shorter
    /// ones than the table holds are.
    pub fn contains(&self, lower: &str) -> bool {
        let word = lower.strip_suffix('ъ').unwrap_or(lower);
        word.chars().count() < SHORTEST || self.holds(word)
    }

    fn holds(&self, word: &str) -> bool {
        let hash = fnv(word.as_bytes().iter());
        let mixed = (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (0..PLACES).all(|place| {
            let at = (mixed >> (21 * place)) as usize % (8 * KNOWN);
            self.bits[at / 8] >> (at % 8) & 1 == 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_knows_nothing_a_full_one_everything_and_another_size_is_refused() {
        let table = |byte: u8| Known::new(vec![byte; KNOWN]).expect("a table");
        assert!(!table(0).contains("дома") && table(255).contains("дома"));
        assert!(Known::new(vec![0; 5]).is_err());
    }

    #[test]
    fn a_hard_sign_at_the_end_does_not_hide_a_word() {
        let mut known = Known::new(vec![0; KNOWN]).expect("a table");
        known.bits = vec![255; KNOWN];
        assert!(known.contains("человекъ"));
        known.bits = vec![0; KNOWN];
        assert!(known.contains("домъ") && !known.contains("человекъ"));
    }
}
