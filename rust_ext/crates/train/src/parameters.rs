//! What to learn, and from which counts.

use std::collections::HashSet;
use std::path::Path;

use super::constraints::Constraints;
use super::score::Penalty;
use super::table::CountTable;

/// What to learn.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Ordinary tokens, the 256 bytes included.
    pub tokens: usize,
    /// Pairs that occur less often are never merged (at least 1).
    pub min_pair_count: i64,
    /// Longer pretokens are left out.
    pub max_pretoken_bytes: usize,
    pub penalty: Option<Penalty>,
    pub constraints: Constraints,
    /// Threads that learn, at least one; what is learnt does not depend on them.
    pub threads: usize,
    /// Merges to begin with, as pairs of ids in order.
    pub merges: Vec<(u32, u32)>,
    /// Byte of each of the ids 0..256.
    pub alphabet: [u8; 256],
}

/// Where counts come from.
pub enum Source<'a> {
    /// Tables whose counts are to be added up.
    Tables(&'a [CountTable]),
    /// The same, let go of before learning begins.
    Owned(Vec<CountTable>),
    /// A counts file.
    File(&'a Path),
}

/// A vocabulary that tokens are added to.
pub struct Start<'a> {
    /// Writes the ranks of a pretoken's tokens over a list.
    pub segment: &'a (dyn Fn(&[u8], &mut Vec<u32>) + Sync),
    /// Bytes by rank.
    pub tokens: &'a [&'a [u8]],
    /// Ranks of tokens that merging does not reach from their own bytes.
    pub unreached: &'a [u32],
    /// The bytes of which every new token holds one.
    pub required: [bool; 256],
    /// Tokens that are not to be made.
    pub banned: HashSet<Box<[u8]>>,
}

/// The byte of each id in the order of tokenizers and GPT-2: printable ones first.
pub fn alphabet() -> [u8; 256] {
    let printable = |byte: u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut out = [0; 256];
    let bytes = (0..=255)
        .filter(|&byte| printable(byte))
        .chain((0..=255).filter(|&byte| !printable(byte)));
    out.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    out
}
