//! Joining a pair inside one word, and what its neighbours lose and gain by it.

use super::score::Types;
use super::words::{Symbol, Words};

/// What the pairs of one neighbour lose and gain in a merge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delta {
    pub count: i64,
    pub hits: u32,
    /// Where the next word of the new pair goes in the arena.
    pub cursor: u32,
}

/// Neighbours for which memory is kept from one merge to the next; the first merges of much text have many more.
const FOUND: usize = 1 << 20;

/// The neighbours on one side of a merge, by token id.
#[derive(Default)]
pub struct Side {
    pub delta: Vec<Delta>,
    types: Vec<(Types, Types)>,
    pub touched: Vec<u32>,
    found: Vec<(u32, u32)>,
}

impl Side {
    /// The cursor of a pair whose words are not kept.
    pub const NOWHERE: u32 = u32::MAX;

    /// Makes room for `ids` token ids.
    pub fn reach(&mut self, ids: usize) {
        if self.delta.len() < ids {
            let room = ids.next_power_of_two();
            self.delta.resize(room, Delta::default());
            self.types.resize(room, Default::default());
        }
    }

    #[inline(always)]
    fn see(&mut self, id: u32, word: u32, count: i64) {
        let delta = &mut self.delta[id as usize];
        if delta.hits == 0 {
            self.touched.push(id);
        }
        delta.count += count;
        delta.hits += 1;
        self.found.push((id, word));
    }

    #[inline(always)]
    pub fn lost<const MORPH: bool>(&self, id: u32) -> Types {
        if MORPH {
            self.types[id as usize].0
        } else {
            Types::default()
        }
    }

    #[inline(always)]
    pub fn gained<const MORPH: bool>(&self, id: u32) -> Types {
        if MORPH {
            self.types[id as usize].1
        } else {
            Types::default()
        }
    }

    /// Writes the words of the new pairs to where their cursors point, and forgets the merge.
    pub fn place<const MORPH: bool>(&mut self, arena: &mut [u32]) {
        for &(id, word) in &self.found {
            let cursor = &mut self.delta[id as usize].cursor;
            if *cursor != Self::NOWHERE {
                arena[*cursor as usize] = word;
                *cursor += 1;
            }
        }
        self.found.clear();
        self.found.shrink_to(FOUND);
        for &id in &self.touched {
            self.delta[id as usize] = Delta::default();
            if MORPH {
                self.types[id as usize] = Default::default();
            }
        }
        self.touched.clear();
    }
}

/// Where two joins follow each other.
#[derive(Default)]
pub struct Joins {
    pub count: i64,
    pub lost: Types,
    pub gained: Types,
    pub words: Vec<u32>,
}

/// The symbol before the one looked at: none, one that was there, or one that was just joined.
#[derive(Clone, Copy)]
enum Before<S> {
    Nothing,
    Old(S),
    /// With the boundary bits of its two parts.
    Joined(bool, bool),
}

/// Joins every first, second in the word to new, from the left; returns how many occurrences that are in the
/// corpus.
#[inline(always)]
pub fn join<S: Symbol, const MORPH: bool>(
    words: &mut Words<S>,
    word: u32,
    (first, second, new): (u32, u32, u32),
    (left, right, joins): (&mut Side, &mut Side, &mut Joins),
) -> i64 {
    let count = words.count(word as usize);
    let symbols = words.symbols_mut(word as usize);
    let len = symbols.len();
    let is_pair = |symbols: &[S], at: usize| {
        at + 1 < len && symbols[at].id() == first && symbols[at + 1].id() == second
    };
    let Some(start) = (0..len.saturating_sub(1)).find(|&at| is_pair(symbols, at)) else {
        return 0;
    };
    let (mut at, mut out) = (start, start);
    let mut before = if start == 0 {
        Before::Nothing
    } else {
        Before::Old(symbols[start - 1])
    };
    // True where a morpheme begins at `at`, or the word ends there.
    let edge = |symbols: &[S], at: usize| symbols.get(at).is_none_or(|symbol| symbol.boundary());
    while at < len {
        let symbol = symbols[at];
        if is_pair(symbols, at) {
            let (crosses, inside, end) = (
                symbol.boundary(),
                symbols[at + 1].boundary(),
                edge(symbols, at + 2),
            );
            match before {
                Before::Nothing => {}
                Before::Old(previous) => {
                    left.see(previous.id(), word, count);
                    if MORPH {
                        let (lost, gained) = &mut left.types[previous.id() as usize];
                        lost.see(crosses, previous.boundary() && inside);
                        gained.see(crosses, previous.boundary() && end);
                    }
                }
                Before::Joined(previous, previous_inside) => {
                    joins.count += count;
                    joins.words.push(word);
                    if MORPH {
                        joins.lost.see(crosses, previous_inside && inside);
                        joins.gained.see(crosses, previous && end);
                    }
                }
            }
            symbols[out] = S::new(new, crosses);
            before = Before::Joined(crosses, inside);
            at += 2;
        } else {
            if let Before::Joined(previous, previous_inside) = before {
                right.see(symbol.id(), word, count);
                if MORPH {
                    let (lost, gained) = &mut right.types[symbol.id() as usize];
                    let end = edge(symbols, at + 1);
                    lost.see(symbol.boundary(), previous_inside && end);
                    gained.see(symbol.boundary(), previous && end);
                }
            }
            symbols[out] = symbol;
            before = Before::Old(symbol);
            at += 1;
        }
        out += 1;
    }
    words.set_len(word as usize, out);
    count * (len - out) as i64
}
