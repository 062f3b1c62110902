//! Which two neighbouring tokens merge, and into what.

/// Ids and ranks fit 21 bits, so that a pair and its result fit one word: at most 2,097,151 tokens.
pub const RANK_BITS: u32 = 21;
/// More than any rank: no merge.
pub const NONE: u32 = u32::MAX;

/// 2^21 bits are 256 KiB: it stays in the second-level cache, and at 200,000 pairs sends most pairs that do not
/// merge away without a look into the table of 4 MiB.
const FILTER_BITS: u32 = 21;

/// Fractional part of the golden ratio in 64 bits (Knuth's multiplicative hashing).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// (left, right) -> result; open addressing, linear probing, one word an entry: left, right, result.
pub struct Pairs {
    words: Vec<u64>,
    shift: u32,
    filter: Vec<u64>,
}

impl Pairs {
    pub fn new(merges: &[(u32, u32, u32)]) -> Self {
        let bits = (merges.len().max(8) * 2).next_power_of_two().trailing_zeros();
        let mut pairs = Self {
            words: vec![0; 1 << bits],
            shift: 64 - bits,
            filter: vec![0; 1 << (FILTER_BITS - 6)],
        };
        for &(left, right, result) in merges {
            pairs.insert(left, right, result);
        }
        pairs
    }

    fn insert(&mut self, left: u32, right: u32, result: u32) {
        let pair = Self::pair(left, right);
        let hash = pair.wrapping_mul(GOLDEN);
        let bit = hash >> (64 - FILTER_BITS);
        self.filter[(bit >> 6) as usize] |= 1 << (bit & 63);
        let mut at = (hash >> self.shift) as usize;
        while self.words[at] != 0 && self.words[at] >> RANK_BITS != pair {
            at = (at + 1) & (self.words.len() - 1);
        }
        self.words[at] = pair << RANK_BITS | u64::from(result);
    }

    #[inline(always)]
    fn pair(left: u32, right: u32) -> u64 {
        u64::from(left) << RANK_BITS | u64::from(right)
    }

    /// The token that `left` and `right` merge into, or `NONE`.
    #[inline(always)]
    pub fn get(&self, left: u32, right: u32) -> u32 {
        let pair = Self::pair(left, right);
        let hash = pair.wrapping_mul(GOLDEN);
        let bit = hash >> (64 - FILTER_BITS);
        if self.filter[(bit >> 6) as usize] >> (bit & 63) & 1 == 0 {
            return NONE;
        }
        let mut at = (hash >> self.shift) as usize;
        loop {
            let word = self.words[at];
            // Results are 256 and up, so no entry is 0, and the table is at most half full.
            if word == 0 {
                return NONE;
            }
            if word >> RANK_BITS == pair {
                return (word & ((1 << RANK_BITS) - 1)) as u32;
            }
            at = (at + 1) & (self.words.len() - 1);
        }
    }
}
