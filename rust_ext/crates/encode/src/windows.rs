//! Merging long pretokens in windows: linear time, and little memory beside the tokens.
//!
//! Tokens are what merging a text ends with if, and only if, each two neighbours are what merging those two
//! alone ends with. For merging always takes the lowest rank, then the leftmost place; as long as nothing has
//! merged across the two ends of a pair of tokens, the merges inside the pair come in the order in which they
//! would come if it stood alone; so the first merge across a boundary, in the whole text, would also be made
//! in the pair alone. (Nothing is supposed of the order of ranks: Llama 3's tokens made of later ones are no
//! exception.)
//!
//! So a window of the text is merged by itself; the tokens of its first three quarters, which what follows
//! hardly ever changes, are kept; and the next window begins where they end. Whether the two fit is asked of
//! the two tokens that meet there. Where they do not, tokens are given back, and the window grows: in the end
//! it would be the whole text. What is given back is less than what the larger window brings, so the time is
//! linear as long as windows stay below a fixed size, and never more than n log n.

use super::merge::{Merges, SHORT, merge_block, merge_short};

/// Bytes of the first window: what the small array takes.
const WINDOW: usize = SHORT;
/// The part of a window that is kept, in quarters.
const KEPT: usize = 3;
/// Tokens that `count` holds to give back, a million bytes at least; a text that asks for more is counted again,
/// holding all.
const HELD: usize = 1 << 20;
/// Windows after which a smaller size is tried: a text mostly asks for one size.
const CALM: usize = 16;
/// Pairs of tokens remembered to fit: all of them, where a text repeats itself.
const KNOWN: usize = 256;
/// Positions in a window are 32 bits.
const LARGEST: usize = u32::MAX as usize - 1;

/// The tokens of `piece`, which is not empty, written over `out`.
pub fn merge(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
    out.clear();
    if piece.len() <= SHORT {
        merge_short(piece, merges, out);
    } else {
        append(piece, merges, out);
    }
}

/// Appends the tokens of `piece`, which is not empty, to `out`.
pub fn append(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
    let mut run = Run::new(piece, merges, WINDOW, usize::MAX);
    std::mem::swap(&mut run.tokens, out);
    run.base = run.tokens.len();
    run.all();
    std::mem::swap(&mut run.tokens, out);
}

/// How many tokens `piece` has, in memory that does not grow with it.
pub fn count(piece: &[u8], merges: &impl Merges) -> u64 {
    count_holding(piece, merges, WINDOW, HELD)
}

fn count_holding(piece: &[u8], merges: &impl Merges, window: usize, held: usize) -> u64 {
    let mut run = Run::new(piece, merges, window, held);
    if !run.all() {
        // More was to be given back than was held.
        run = Run::new(piece, merges, window, usize::MAX);
        run.all();
    }
    run.forgotten + run.tokens.len() as u64
}

struct Run<'a, M> {
    piece: &'a [u8],
    merges: &'a M,
    first: usize,
    /// What is found lies behind the first `base` tokens.
    tokens: Vec<u32>,
    base: usize,
    held: usize,
    forgotten: u64,
    window: Vec<u32>,
    pair: Vec<u32>,
    known: Vec<(u32, u32)>,
}

impl<'a, M: Merges> Run<'a, M> {
    fn new(piece: &'a [u8], merges: &'a M, first: usize, held: usize) -> Self {
        Self {
            piece,
            merges,
            first,
            tokens: Vec::new(),
            base: 0,
            held,
            forgotten: 0,
            window: Vec::new(),
            pair: Vec::new(),
            known: vec![(u32::MAX, u32::MAX); KNOWN],
        }
    }

    /// Finds all tokens; false if it would have to give back what it has forgotten.
    fn all(&mut self) -> bool {
        let (mut at, mut size) = (0, self.first);
        let mut calm = 0;
        loop {
            let end = self.piece.len().min(at + size);
            let mut window = std::mem::take(&mut self.window);
            plain(&self.piece[at..end], self.merges, &mut window);
            self.window = window;
            if !self.fits(at) && size < LARGEST {
                match self.give_back(size / 4) {
                    Some(bytes) => at -= bytes,
                    None => return false,
                }
                (size, calm) = ((size * 2).min(LARGEST), 0);
                continue;
            }
            if end == self.piece.len() {
                self.tokens.extend_from_slice(&self.window);
                return true;
            }
            let (kept, bytes) = self.kept(size / 4 * KEPT);
            if kept == 0 && size < LARGEST {
                (size, calm) = ((size * 2).min(LARGEST), 0);
                continue;
            }
            self.tokens.extend_from_slice(&self.window[..kept]);
            at += bytes;
            calm += 1;
            if calm == CALM {
                (size, calm) = ((size / 2).max(self.first), 0);
            }
            if self.tokens.len() / 2 > self.held {
                self.tokens.drain(..self.held);
                self.forgotten += self.held as u64;
            }
        }
    }

    /// Whether the window's first token can stand behind the last one found, at byte `at`.
    fn fits(&mut self, at: usize) -> bool {
        if self.tokens.len() == self.base {
            return true;
        }
        let (Some(&left), Some(&right)) = (self.tokens.last(), self.window.first()) else {
            return true;
        };
        let place = (left.wrapping_mul(0x9e37_79b9) ^ right) as usize % KNOWN;
        if self.known[place] == (left, right) {
            return true;
        }
        let both = at - self.merges.length(left)..at + self.merges.length(right);
        let mut pair = std::mem::take(&mut self.pair);
        plain(&self.piece[both], self.merges, &mut pair);
        let fits = pair == [left, right];
        self.pair = pair;
        if fits {
            self.known[place] = (left, right);
        }
        fits
    }

    /// Takes back tokens of at least `least` bytes, or all; returns their bytes, or `None` where some that
    /// would be needed are forgotten.
    fn give_back(&mut self, least: usize) -> Option<usize> {
        let mut bytes = 0;
        while bytes < least.max(1) && self.tokens.len() > self.base {
            bytes += self.tokens.pop().map_or(0, |token| self.merges.length(token));
        }
        (self.forgotten == 0 || self.tokens.len() > self.base).then_some(bytes)
    }

    /// How many of the window's tokens end within its first `limit` bytes, and where.
    fn kept(&self, limit: usize) -> (usize, usize) {
        let (mut kept, mut bytes) = (0, 0);
        for &token in &self.window {
            let end = bytes + self.merges.length(token);
            if end > limit {
                break;
            }
            (kept, bytes) = (kept + 1, end);
        }
        (kept, bytes)
    }
}

/// Merges a text in one go, over `out`.
fn plain(piece: &[u8], merges: &impl Merges, out: &mut Vec<u32>) {
    out.clear();
    if piece.len() <= SHORT {
        merge_short(piece, merges, out);
    } else {
        merge_block(piece, merges, out);
    }
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
