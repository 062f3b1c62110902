//! A part of the words, and which pairs are where in it. Merging in one part needs nothing of the others.

use crate::TrainError;
use crate::places::Places;
use crate::prefetch::{AHEAD, prefetch};
use crate::progress::Progress;
use crate::walk::{Joins, Side, join};
use crate::words::{Symbol, Words};

/// A pair to be merged: its index, its ids, and the new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merge {
    pub index: u32,
    pub left: u32,
    pub right: u32,
    pub new: u32,
    /// A penalty is in force.
    pub morph: bool,
}

pub struct Part<S> {
    pub words: Words<S>,
    pub places: Places,
    pub left: Side,
    pub right: Side,
    pub joins: Joins,
    /// Pairs joined by the last merge, by how often their words occur.
    pub joined: i64,
    /// How often each token stands in words that are one token and were let go of.
    pub done: Vec<i64>,
}

impl<S> Default for Part<S> {
    fn default() -> Self {
        Self::new(Words { data: Vec::new() })
    }
}

impl<S> Part<S> {
    pub fn new(words: Words<S>) -> Self {
        Self {
            words,
            places: Places::default(),
            left: Side::default(),
            right: Side::default(),
            joins: Joins::default(),
            joined: 0,
            done: Vec::new(),
        }
    }
}

impl<S: Symbol> Part<S> {
    /// Joins the pair wherever it is, and sums up what its neighbours lose and gain.
    pub fn walk(&mut self, merge: Merge) {
        if merge.morph {
            self.walk_as::<true>(merge);
        } else {
            self.walk_as::<false>(merge);
        }
    }

    fn walk_as<const MORPH: bool>(&mut self, merge: Merge) {
        let Merge { left, right, new, .. } = merge;
        self.left.reach(new as usize + 1);
        self.right.reach(new as usize + 1);
        let places = &self.places.arena[self.places.of(merge.index as usize)];
        for &word in places.iter().take(AHEAD) {
            self.words.prefetch(word as usize);
        }
        let (mut last, mut joined) = (u32::MAX, 0);
        for (at, &word) in places.iter().enumerate() {
            if let Some(&ahead) = places.get(at + AHEAD) {
                self.words.prefetch(ahead as usize);
            }
            if word != last {
                last = word;
                let sides = (&mut self.left, &mut self.right, &mut self.joins);
                joined += join::<S, MORPH>(&mut self.words, word, (left, right, new), sides);
            }
        }
        self.joined = joined;
        self.places.forget(merge.index as usize);
        self.left.sum_up::<MORPH>();
        self.right.sum_up::<MORPH>();
    }

    /// Notes where the new pairs are, when it is known which are held.
    pub fn place(&mut self, morph: bool) {
        if morph {
            self.place_as::<true>();
        } else {
            self.place_as::<false>();
        }
    }

    fn place_as<const MORPH: bool>(&mut self) {
        self.left.place::<MORPH>(&mut self.places);
        self.right.place::<MORPH>(&mut self.places);
        let joins = std::mem::take(&mut self.joins);
        if !joins.words.is_empty() && joins.gained_index != Side::NOWHERE {
            let start = self.places.add(joins.gained_index, joins.words.len() as u32);
            self.places.arena[start as usize..].copy_from_slice(&joins.words);
        }
        self.places.tidy();
    }

    /// Closes the gaps in the words; what pairs were where is void.
    pub fn compact(&mut self, ids: usize) {
        self.places = Places::default();
        self.done.resize(ids, 0);
        let done = &mut self.done;
        self.words
            .compact(|symbol, count| done[symbol.id() as usize] += count);
    }

    /// The same words in symbols of another width.
    pub fn widen<T: Symbol>(self, ids: usize) -> Part<T> {
        let Self {
            words,
            mut done,
            places,
            ..
        } = self;
        drop(places);
        done.resize(ids, 0);
        let words = words.widen(|symbol, count| done[symbol.id() as usize] += count);
        Part {
            done,
            ..Part::new(words)
        }
    }

    /// How often each of `ids` tokens stands in the words now.
    pub fn uses(&self, ids: usize, progress: &mut Progress<'_>) -> Result<Vec<i64>, TrainError> {
        let mut uses = self.done.clone();
        uses.resize(ids, 0);
        self.words.for_each(progress, |_, count, symbols| {
            for symbol in symbols {
                uses[symbol.id() as usize] += count;
            }
        })?;
        Ok(uses)
    }

    /// Asks for the memory of a pair's places.
    pub fn prefetch_places(&self, index: usize) {
        prefetch(&self.places.arena, self.places.of(index).start);
    }

    /// Asks for the memory of a pair's first words.
    pub fn prefetch_words(&self, index: usize) {
        for &word in self.places.arena[self.places.of(index)].iter().take(AHEAD) {
            self.words.prefetch(word as usize);
        }
    }
}
