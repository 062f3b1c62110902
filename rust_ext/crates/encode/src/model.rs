//! A vocabulary in the form that merging wants it in.

use std::collections::HashMap;

use super::error::EncodeError;
use super::merge::Merges;
use super::pairs::{NONE, RANK_BITS};
use super::rules::{Rules, every_split};
use super::together::{self, Job};
use super::windows;

/// Stands for the two parts of a token that no merge makes.
pub const NO_MERGE: (u32, u32) = (u32::MAX, u32::MAX);

/// Tokens, the pairs that merge, and the ids they get.
pub struct Model {
    tokens: Tokens,
    rules: Rules,
    /// Tokens that merging does not reach from their own bytes; a pretoken that equals one is it. Empty for
    /// an ordered vocabulary.
    whole: HashMap<Box<[u8]>, u32>,
    /// Bytes of the longest of these.
    longest_whole: usize,
    first_id: u32,
}

/// The tokens' bytes, one after another.
struct Tokens {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Tokens {
    fn get(&self, rank: usize) -> Option<&[u8]> {
        let end = *self.ends.get(rank)? as usize;
        let start = if rank == 0 {
            0
        } else {
            self.ends[rank - 1] as usize
        };
        Some(&self.bytes[start..end])
    }
}

fn refused(why: String) -> EncodeError {
    EncodeError::Vocabulary(why)
}

/// The 256 bytes first, each once; every token once and not empty; ranks in 21 bits.
fn check(tokens: &[&[u8]]) -> Result<(), EncodeError> {
    let limit = (1usize << RANK_BITS) - 1;
    if tokens.len() < 256 || tokens.len() > limit {
        return Err(refused(format!(
            "a vocabulary has 256 to {limit} tokens, not {}",
            tokens.len()
        )));
    }
    let mut seen = [false; 256];
    for token in &tokens[..256] {
        match token {
            [byte] if !seen[*byte as usize] => seen[*byte as usize] = true,
            _ => {
                return Err(refused(
                    "the first 256 tokens must be the 256 bytes, each once".to_owned(),
                ));
            }
        }
    }
    match tokens.iter().position(|token| token.is_empty()) {
        Some(rank) => Err(refused(format!("token {rank} is empty"))),
        None => Ok(()),
    }
}

/// For each token from 256 on, the pair of ranks by which tiktoken's merging arrives at it from its own
/// bytes, or `NO_MERGE` where it arrives at something else.
pub fn derive_merges(tokens: &[&[u8]]) -> Result<Vec<(u32, u32)>, EncodeError> {
    check(tokens)?;
    let rules = Rules::new(tokens, &every_split(tokens));
    let mut out = Vec::new();
    let derived = (0u32..).zip(tokens).skip(256).map(|(rank, token)| {
        windows::merge(token, &Without { rules: &rules, rank }, &mut out);
        match out[..] {
            [left, right] if rules.tokens(left, right) == rank => (left, right),
            _ => NO_MERGE,
        }
    });
    Ok(derived.collect())
}

/// Rules that stop short of one token, so that its two parts are left.
struct Without<'a> {
    rules: &'a Rules,
    rank: u32,
}

impl Without<'_> {
    fn but(&self, result: u32) -> u32 {
        if result == self.rank { NONE } else { result }
    }
}

impl Merges for Without<'_> {
    fn byte(&self, byte: u8) -> u32 {
        self.rules.byte(byte)
    }

    fn bytes(&self, left: u8, right: u8) -> u32 {
        self.but(self.rules.bytes(left, right))
    }

    fn tokens(&self, left: u32, right: u32) -> u32 {
        self.but(self.rules.tokens(left, right))
    }

    fn length(&self, token: u32) -> usize {
        self.rules.length(token)
    }
}

impl Model {
    /// An ordered vocabulary: `merges` holds the pair that makes token 256 + i, out of earlier tokens.
    pub fn ordered(tokens: &[&[u8]], merges: &[(u32, u32)], first_id: u32) -> Result<Self, EncodeError> {
        check(tokens)?;
        if merges.len() != tokens.len() - 256 {
            return Err(refused(format!(
                "{} tokens need {} merges",
                tokens.len(),
                tokens.len() - 256
            )));
        }
        let merges: Vec<_> = merges
            .iter()
            .zip(256u32..)
            .map(|(&(left, right), result)| (left, right, result))
            .collect();
        for &(left, right, result) in &merges {
            let token = tokens[result as usize];
            let made = left < result
                && right < result
                && token.strip_prefix(tokens[left as usize]) == Some(tokens[right as usize]);
            if !made {
                return Err(refused(format!(
                    "merge {left} + {right} does not make token {result} of earlier ones"
                )));
            }
        }
        Self::new(tokens, &merges, HashMap::new(), first_id)
    }

    /// Any vocabulary, merged as tiktoken does it: whatever concatenation is a token.
    pub fn by_concatenation(tokens: &[&[u8]], first_id: u32) -> Result<Self, EncodeError> {
        check(tokens)?;
        let derived = derive_merges(tokens)?;
        let whole = tokens[256..]
            .iter()
            .zip(256u32..)
            .zip(&derived)
            .filter(|&(_, &pair)| pair == NO_MERGE)
            .map(|((&token, rank), _)| (Box::from(token), rank))
            .collect();
        Self::new(tokens, &every_split(tokens), whole, first_id)
    }

    /// The same vocabulary where a pretoken that equals a token is merged like any other (tokenizers without
    /// `ignore_merges`).
    #[must_use]
    pub fn without_whole(mut self) -> Self {
        self.whole.clear();
        self.longest_whole = 0;
        self
    }

    fn new(
        tokens: &[&[u8]],
        merges: &[(u32, u32, u32)],
        whole: HashMap<Box<[u8]>, u32>,
        first_id: u32,
    ) -> Result<Self, EncodeError> {
        let total: usize = tokens.iter().map(|token| token.len()).sum();
        if u32::try_from(total).is_err() {
            return Err(refused(format!("tokens of {total} bytes together are too much")));
        }
        // The cache keeps a count in the top byte of an id.
        if first_id as usize + tokens.len() > 1 << 24 {
            return Err(refused(format!("ids above {} are too much", 1 << 24)));
        }
        let mut all = Tokens {
            bytes: Vec::with_capacity(total),
            ends: Vec::with_capacity(tokens.len()),
        };
        for token in tokens {
            all.bytes.extend_from_slice(token);
            all.ends.push(all.bytes.len() as u32);
        }
        Ok(Self {
            tokens: all,
            rules: Rules::new(tokens, merges),
            longest_whole: whole.keys().map(|token| token.len()).max().unwrap_or(0),
            whole,
            first_id,
        })
    }

    /// How many ordinary tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.ends.len()
    }

    /// Never: a vocabulary holds at least the 256 bytes.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The bytes of an ordinary token.
    pub fn token_of_id(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(id.checked_sub(self.first_id)? as usize)
    }

    /// Writes the ids of one pretoken, which is not empty, over `out`.
    pub fn merge(&self, piece: &[u8], out: &mut Vec<u32>) {
        out.clear();
        if let Some(rank) = self.whole(piece) {
            out.push(rank + self.first_id);
            return;
        }
        windows::merge(piece, &self.rules, out);
        if self.first_id != 0 {
            out.iter_mut().for_each(|id| *id += self.first_id);
        }
    }

    /// Merges pretokens of `text`, none of them empty, and appends their ids to `out`, which is empty.
    pub fn merge_all(&self, text: &[u8], jobs: &mut [Job], out: &mut Vec<u32>) {
        if self.longest_whole > 0 {
            for job in jobs.iter_mut() {
                if let Some(rank) = self.whole(&text[job.start..job.end]) {
                    (job.from, job.count) = (out.len(), 1);
                    out.push(rank);
                }
            }
        }
        together::merge_all(text, &self.rules, jobs, out);
        for job in jobs.iter_mut().filter(|job| job.count == 0) {
            job.from = out.len();
            windows::append(&text[job.start..job.end], &self.rules, out);
            job.count = out.len() - job.from;
        }
        if self.first_id != 0 {
            out.iter_mut().for_each(|id| *id += self.first_id);
        }
    }

    /// Appends the ids of one long pretoken to `out`.
    pub fn append(&self, piece: &[u8], out: &mut Vec<u32>) {
        if let Some(rank) = self.whole(piece) {
            out.push(rank + self.first_id);
            return;
        }
        let before = out.len();
        windows::append(piece, &self.rules, out);
        if self.first_id != 0 {
            out[before..].iter_mut().for_each(|id| *id += self.first_id);
        }
    }

    /// How many ids one long pretoken has.
    pub fn count(&self, piece: &[u8]) -> u64 {
        match self.whole(piece) {
            Some(_) => 1,
            None => windows::count(piece, &self.rules),
        }
    }

    #[inline(always)]
    fn whole(&self, piece: &[u8]) -> Option<u32> {
        if piece.len() > self.longest_whole {
            return None;
        }
        self.whole.get(piece).copied()
    }
}
