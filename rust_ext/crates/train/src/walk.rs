//! Joining a pair inside one word, and what its neighbours lose and gain by it.

use super::places::Places;
use super::score::Types;
use super::words::{Symbol, Words};

/// What the pairs of one neighbour lose and gain in a merge.
#[derive(Debug, Clone, Copy, Default)]
struct Delta {
    count: i64,
    hits: u32,
    /// Where the next word of the new pair goes in the arena.
    cursor: u32,
}

/// The same, as the table of pairs takes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    pub id: u32,
    pub count: i64,
}

/// Neighbours for which memory is kept from one merge to the next; the first merges of much text have many more.
const FOUND: usize = 1 << 20;

/// The neighbours on one side of a merge.
#[derive(Default)]
pub struct Side {
    /// By token id.
    delta: Vec<Delta>,
    types: Vec<(Types, Types)>,
    touched: Vec<u32>,
    found: Vec<(u32, u32)>,
    /// In the order of `touched`, and what the neighbours' pairs lose and gain in word types.
    pub changes: Vec<Change>,
    pub changed_types: Vec<(Types, Types)>,
    /// The index of the new pair of each neighbour, or `NOWHERE`; in the same order.
    pub gained: Vec<u32>,
}

impl Side {
    /// For a pair whose words are not kept.
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

    /// Writes what was seen to `changes` and `changed_types`.
    pub fn sum_up<const MORPH: bool>(&mut self) {
        let Self { delta, types, .. } = self;
        let change = |&id: &u32| Change {
            id,
            count: delta[id as usize].count,
        };
        self.changes.clear();
        self.changes.extend(self.touched.iter().map(change));
        if MORPH {
            self.changed_types.clear();
            let changed = self.touched.iter().map(|&id| types[id as usize]);
            self.changed_types.extend(changed);
        }
    }

    /// Writes the words of the new pairs, whose indices are in `gained`, to their places, and forgets the merge.
    pub fn place<const MORPH: bool>(&mut self, places: &mut Places) {
        for (&id, &index) in self.touched.iter().zip(&self.gained) {
            let delta = &mut self.delta[id as usize];
            delta.cursor = if index == Self::NOWHERE {
                Self::NOWHERE
            } else {
                places.add(index, delta.hits)
            };
        }
        for &(id, word) in &self.found {
            let cursor = &mut self.delta[id as usize].cursor;
            if *cursor != Self::NOWHERE {
                places.arena[*cursor as usize] = word;
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
    /// The index of the new pair of two new tokens, or `Side::NOWHERE`.
    pub gained_index: u32,
}

impl Joins {
    /// Adds what another part counted, but no words.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.lost.add(other.lost);
        self.gained.add(other.gained);
    }
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
    let start = word as usize + Words::<S>::HEADER;
    let end = start + words.len(word as usize);
    let mut at = words.find(start, end, first, second);
    if at == end {
        return 0;
    }
    let count = words.count(word as usize);
    let mut out = at;
    let mut before = if at == start {
        Before::Nothing
    } else {
        Before::Old(words.data[at - 1])
    };
    while at < end {
        // A pair is at `at`.
        let next = words.find(at + 2, end, first, second);
        let symbols = &mut words.data[..end];
        // True where a morpheme begins at a place, or the word ends there.
        let edge = |symbols: &[S], at: usize| symbols.get(at).is_none_or(|symbol| symbol.boundary());
        let (crosses, inside) = (symbols[at].boundary(), symbols[at + 1].boundary());
        match before {
            Before::Nothing => {}
            Before::Old(previous) => {
                left.see(previous.id(), word, count);
                if MORPH {
                    let end = edge(symbols, at + 2);
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
                    joins.gained.see(crosses, previous && edge(symbols, at + 2));
                }
            }
        }
        symbols[out] = S::new(new, crosses);
        out += 1;
        at += 2;
        if at == next {
            before = Before::Joined(crosses, inside);
            continue;
        }
        let symbol = symbols[at];
        right.see(symbol.id(), word, count);
        if MORPH {
            let end = edge(symbols, at + 1);
            let (lost, gained) = &mut right.types[symbol.id() as usize];
            lost.see(symbol.boundary(), inside && end);
            gained.see(symbol.boundary(), crosses && end);
        }
        while at < next {
            symbols[out] = symbols[at];
            out += 1;
            at += 1;
        }
        before = Before::Old(symbols[out - 1]);
    }
    words.set_len(word as usize, out - start);
    count * (end - out) as i64
}
