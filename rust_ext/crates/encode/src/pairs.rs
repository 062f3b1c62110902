//! Which two neighbouring tokens merge, and into what.

use std::collections::HashMap;
use std::hint::select_unpredictable;

/// Ids and ranks fit 21 bits, so that a pair and its result fit one word: at most 2,097,151 tokens.
pub const RANK_BITS: u32 = 21;
/// More than any rank: no merge.
pub const NONE: u32 = u32::MAX;
/// No token's rank, and part of no pair: what stands before the first token and behind the last.
pub const NO_TOKEN: u32 = (1 << RANK_BITS) - 1;

/// Odd words for multiplicative hashing: the golden ratio's fractional part (Knuth), and a constant of
/// splitmix64. Pairs come from a vocabulary, not from text, so nothing here needs a seed.
const FACTORS: (u64, u64) = (0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9);
/// Pairs moved before a pair is put aside: in a table filled to two fifths a chain of 32 is rare.
const MOVES: usize = 200;
/// No pair: its upper 43 bits are more than any pair's 42.
const EMPTY: u64 = u64::MAX;

/// (left, right) -> result. Each pair lies in one of two places (cuckoo hashing), so that it is found, or found
/// missing, by two loads that wait for nothing and without a branch. One word an entry: left, right, result.
pub struct Pairs {
    words: Vec<u64>,
    shift: u32,
    /// Pairs for which there was no place; nearly always none.
    aside: HashMap<u64, u32>,
}

impl Pairs {
    pub fn new(merges: &[(u32, u32, u32)]) -> Self {
        // At most four ninths full: two places each suffice up to one half.
        let bits = (merges.len().max(8) * 9 / 4).next_power_of_two().trailing_zeros();
        let mut pairs = Self {
            words: vec![EMPTY; 1 << bits],
            shift: 64 - bits,
            aside: HashMap::new(),
        };
        for &(left, right, result) in merges {
            pairs.insert(Self::pair(left, right) << RANK_BITS | u64::from(result));
        }
        pairs
    }

    fn insert(&mut self, mut word: u64) {
        let (first, second) = self.places(word >> RANK_BITS);
        let mut place = first;
        for known in [first, second] {
            if self.words[known] >> RANK_BITS == word >> RANK_BITS {
                self.words[known] = word;
                return;
            }
        }
        for _ in 0..MOVES {
            std::mem::swap(&mut word, &mut self.words[place]);
            if word == EMPTY {
                return;
            }
            let (first, second) = self.places(word >> RANK_BITS);
            place = if place == first { second } else { first };
        }
        self.aside.insert(word >> RANK_BITS, (word as u32) & NO_TOKEN);
    }

    #[inline(always)]
    fn pair(left: u32, right: u32) -> u64 {
        u64::from(left) << RANK_BITS | u64::from(right)
    }

    #[inline(always)]
    fn places(&self, pair: u64) -> (usize, usize) {
        (
            (pair.wrapping_mul(FACTORS.0) >> self.shift) as usize,
            (pair.wrapping_mul(FACTORS.1) >> self.shift) as usize,
        )
    }

    /// The token that `left` and `right` merge into, or `NONE`.
    #[inline(always)]
    pub fn get(&self, left: u32, right: u32) -> u32 {
        let pair = Self::pair(left, right);
        let (first, second) = self.places(pair);
        // SAFETY: there are 2^(64 - shift) words, and the places are 64-bit numbers shifted right by `shift`;
        // the test `pairs_are_found` looks up pairs of every kind.
        let (first, second) = unsafe {
            (
                *self.words.get_unchecked(first),
                *self.words.get_unchecked(second),
            )
        };
        let word = select_unpredictable(first >> RANK_BITS == pair, first, second);
        let result = select_unpredictable(word >> RANK_BITS == pair, (word as u32) & NO_TOKEN, NONE);
        if self.aside.is_empty() {
            result
        } else {
            self.get_aside(pair).unwrap_or(result)
        }
    }

    #[cold]
    #[inline(never)]
    fn get_aside(&self, pair: u64) -> Option<u32> {
        self.aside.get(&pair).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// As a map of the standard library finds them; a pair given twice has the later result.
        #[test]
        fn pairs_are_found(merges in prop::collection::vec((0..40u32, prop_oneof![0..40u32, 2_000_000..NO_TOKEN], 256..NO_TOKEN), 0..300), aside in 0..3usize) {
            let expected: HashMap<_, _> = merges.iter().map(|&(left, right, result)| ((left, right), result)).collect();
            let mut pairs = Pairs::new(&merges);
            // As if there had been no place for some.
            for (&(left, right), &result) in expected.iter().take(aside) {
                let pair = Pairs::pair(left, right);
                pairs.words.iter_mut().filter(|word| **word >> RANK_BITS == pair).for_each(|word| *word = EMPTY);
                pairs.aside.insert(pair, result);
            }
            for left in 0..40 {
                for right in (0..40).chain(merges.iter().map(|merge| merge.1)) {
                    prop_assert_eq!(pairs.get(left, right), expected.get(&(left, right)).copied().unwrap_or(NONE));
                }
            }
            prop_assert_eq!(pairs.get(NO_TOKEN, 3), NONE);
            prop_assert_eq!(pairs.get(0, NO_TOKEN), NONE);
        }
    }

    /// A table of two places a pair, filled to two fifths, has room for all but a handful.
    #[test]
    fn hardly_a_pair_is_put_aside() {
        for count in [10, 1_000, 26_000, 200_000] {
            let merges: Vec<_> = (0..count)
                .map(|n: u32| (n % 1_000, n / 1_000 + n % 7 * 1_000, 256))
                .collect();
            let pairs = Pairs::new(&merges);
            assert!(pairs.aside.len() <= 3, "{} of {count}", pairs.aside.len());
        }
    }
}
