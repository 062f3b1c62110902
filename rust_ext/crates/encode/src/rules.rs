//! Which neighbours merge, in the forms in which merging looks it up.

use std::collections::HashMap;

use super::letters::Letters;
use super::merge::Merges;
use super::pairs::{NONE, Pairs};

/// Which neighbours merge.
pub struct Rules {
    byte: [u32; 256],
    /// By left * 256 + right: what two bytes merge into; the first step of every pretoken, without hashing.
    bytes: Vec<u32>,
    pub pairs: Pairs,
    /// The pairs that can meet in Cyrillic words, apart: they fit the processor's second cache, which all do not.
    pub cyrillic: Pairs,
    pub letters: Letters,
    lengths: Vec<u32>,
}

impl Rules {
    pub fn new(tokens: &[&[u8]], merges: &[(u32, u32, u32)]) -> Self {
        let mut byte = [0; 256];
        for (rank, token) in (0u32..).zip(&tokens[..256]) {
            byte[token[0] as usize] = rank;
        }
        let mut bytes = vec![NONE; 1 << 16];
        for &(left, right, result) in merges {
            if left < 256 && right < 256 {
                let (left, right) = (tokens[left as usize][0], tokens[right as usize][0]);
                bytes[(left as usize) << 8 | right as usize] = result;
            }
        }
        let cyrillic: Vec<_> = merges
            .iter()
            .copied()
            .filter(|&(_, _, result)| is_of_cyrillic(tokens[result as usize]))
            .collect();
        Self {
            byte,
            bytes,
            pairs: Pairs::new(merges),
            cyrillic: Pairs::new(&cyrillic),
            letters: Letters::new(tokens, merges),
            lengths: tokens.iter().map(|token| token.len() as u32).collect(),
        }
    }

    #[cfg(test)]
    pub fn of_concatenation(tokens: &[&[u8]]) -> Self {
        Self::new(tokens, &every_split(tokens))
    }

    #[cfg(test)]
    pub fn of_pairs(tokens: &[&[u8]], merges: &[(u32, u32)]) -> Self {
        let merges: Vec<_> = merges
            .iter()
            .zip(256..)
            .map(|(&(left, right), result)| (left, right, result))
            .collect();
        Self::new(tokens, &merges)
    }
}

impl Merges for Rules {
    #[inline(always)]
    fn byte(&self, byte: u8) -> u32 {
        self.byte[byte as usize]
    }

    #[inline(always)]
    fn bytes(&self, left: u8, right: u8) -> u32 {
        self.bytes[(left as usize) << 8 | right as usize]
    }

    #[inline(always)]
    fn tokens(&self, left: u32, right: u32) -> u32 {
        self.pairs.get(left, right)
    }

    #[inline(always)]
    fn length(&self, token: u32) -> usize {
        self.lengths[token as usize] as usize
    }
}

/// True for the bytes of letters U+0400..U+047F, which one ASCII byte may precede, and all parts of such.
pub fn is_of_cyrillic(bytes: &[u8]) -> bool {
    let rest = match bytes {
        [first, rest @ ..] if *first < 0x80 => rest,
        all => all,
    };
    rest.iter().all(|byte| matches!(byte, 0x80..=0xbf | 0xd0 | 0xd1))
}

/// Every way to write a token as two tokens: what tiktoken merges.
pub fn every_split(tokens: &[&[u8]]) -> Vec<(u32, u32, u32)> {
    let ranks: HashMap<&[u8], u32> = tokens.iter().copied().zip(0u32..).collect();
    let mut merges = Vec::with_capacity(tokens.len() * 2);
    for (result, token) in (0u32..).zip(tokens).skip(256) {
        for cut in 1..token.len() {
            if let (Some(&left), Some(&right)) = (ranks.get(&token[..cut]), ranks.get(&token[cut..])) {
                merges.push((left, right, result));
            }
        }
    }
    merges
}
