//! Finding the pairs of all words, and where they are.

use super::{Allow, Learner};
use crate::bpe::train::TrainError;
use crate::bpe::train::pairs::{Morph, Pair, Pairs, key};
use crate::bpe::train::queue::Queue;
use crate::bpe::train::watch::Watch;
use crate::bpe::train::words::Symbol;

/// What the threshold is divided by when it must fall: falling evenly (by a fixed step) took 200 to 770
/// readings of the words, falling by 4 takes two or three.
const FALL: i64 = 4;
/// Cells of the sketch that tells rare pairs from others before any are counted exactly.
const SKETCH: usize = 1 << 18;
/// Ids up to which pairs are counted without a sketch: their table stays in the cache anyway.
const FEW_IDS: usize = 512;

impl<S: Symbol> Learner<S> {
    /// Lowers the threshold and reads the words again; false if it is as low as it may be.
    pub(super) fn lower(&mut self, allow: &impl Allow, watch: &mut Watch<'_>) -> Result<bool, TrainError> {
        if self.threshold <= self.floor {
            return Ok(false);
        }
        self.threshold = (self.threshold / FALL).max(self.floor);
        self.scan(allow, watch)?;
        Ok(true)
    }

    /// Finds all pairs that occur at least `threshold` times, and where.
    pub(super) fn scan(&mut self, allow: &impl Allow, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        self.done.resize(self.ids, 0);
        let done = &mut self.done;
        self.words
            .compact(|symbol, count| done[symbol.id() as usize] += count);
        self.arena = Vec::new();
        self.queue = Queue::new(self.scorer.is_some());
        let found = self.count_pairs(watch)?;
        if self.threshold == 0 {
            let counts = found.list.iter().map(|pair| pair.count);
            self.commonest = counts.max().unwrap_or(0);
            self.threshold = (self.commonest / self.first).max(self.floor);
        }
        self.pairs.clear();
        let mut start = 0;
        for (index, pair) in found.list.iter().enumerate() {
            let (left, right) = pair.ids();
            if pair.count >= self.threshold && allow.allow(left, right) {
                // `start` moves on as the places are filled in, and is set back after that.
                self.pairs.insert(Pair { start, ..*pair });
                self.pairs.morph.extend(found.morph.get(index));
                start += pair.len;
            }
        }
        drop(found);
        self.arena = vec![0; start as usize];
        self.live = start as usize;
        let (pairs, arena) = (&mut self.pairs, &mut self.arena);
        self.words.for_each(watch, |word, _, symbols| {
            for pair in symbols.windows(2) {
                if let Some(index) = pairs.find(key(pair[0].id(), pair[1].id())) {
                    let pair = &mut pairs.list[index];
                    arena[pair.start as usize] = word as u32;
                    pair.start += 1;
                }
            }
        })?;
        for index in 0..self.pairs.list.len() {
            let pair = &mut self.pairs.list[index];
            pair.start -= pair.len;
            self.enqueue(index);
        }
        Ok(())
    }

    /// All pairs that the sketch does not tell to be below the threshold, counted exactly.
    fn count_pairs(&self, watch: &mut Watch<'_>) -> Result<Pairs, TrainError> {
        let cell = |pair: u64| (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 46) as usize & (SKETCH - 1);
        let mut sketch = Vec::new();
        if self.ids > FEW_IDS && self.threshold > 1 {
            sketch = vec![0i64; SKETCH];
            self.words.for_each(watch, |_, count, symbols| {
                for pair in symbols.windows(2) {
                    sketch[cell(key(pair[0].id(), pair[1].id()))] += count;
                }
            })?;
        }
        let mut pairs = Pairs::default();
        let morph = self.scorer.is_some();
        self.words.for_each(watch, |_, count, symbols| {
            for (at, pair) in symbols.windows(2).enumerate() {
                let pair_key = key(pair[0].id(), pair[1].id());
                if !sketch.is_empty() && sketch[cell(pair_key)] < self.threshold {
                    continue;
                }
                let index = pairs.find_or_insert(pair_key);
                pairs.list[index].count += count;
                pairs.list[index].len += 1;
                if morph {
                    if index == pairs.morph.len() {
                        pairs.morph.push(Morph::default());
                    }
                    let ends = symbols.get(at + 2).is_none_or(|next| next.boundary());
                    pairs.morph[index]
                        .types
                        .see(pair[1].boundary(), pair[0].boundary() && ends);
                }
            }
        })?;
        Ok(pairs)
    }
}
