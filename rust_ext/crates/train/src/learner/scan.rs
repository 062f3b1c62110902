//! Finding the pairs of all words, and where they are.

use super::Learner;
use super::part::Part;
use crate::TrainError;
use crate::allow::Allow;
use crate::pairs::{Morph, Pairs, key};
use crate::parallel;
use crate::places::Places;
use crate::progress::Progress;
use crate::queue::Queue;
use crate::words::Symbol;

/// What the threshold is divided by when it must fall: falling evenly (by a fixed step) took 200 to 770
/// readings of the words, falling by 4 takes two or three.
const FALL: i64 = 4;
/// Cells of the sketch by which rare pairs are left out before any are counted exactly.
const SKETCH: usize = 1 << 18;
/// Ids up to which pairs are counted without a sketch: their table stays in the cache anyway.
const FEW_IDS: usize = 512;

/// The cell of a pair in the sketch.
#[inline(always)]
fn cell(pair: u64) -> usize {
    (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 46) as usize & (SKETCH - 1)
}

/// The pairs of a part, and how many places each has there.
struct Found {
    pairs: Pairs,
    lens: Vec<u32>,
}

impl<S: Symbol> Learner<S> {
    /// Lowers the threshold and reads the words again; false if it is as low as it may be.
    pub(super) fn lower(
        &mut self,
        allow: &impl Allow,
        progress: &mut Progress<'_>,
    ) -> Result<bool, TrainError> {
        let ranks = &mut self.ranks;
        if ranks.threshold <= ranks.floor {
            return Ok(false);
        }
        ranks.threshold = (ranks.threshold / FALL).max(ranks.floor);
        self.scan(allow, progress)?;
        Ok(true)
    }

    /// Finds all pairs that occur at least `threshold` times, and where.
    pub(super) fn scan(&mut self, allow: &impl Allow, progress: &mut Progress<'_>) -> Result<(), TrainError> {
        let ids = self.ids;
        self.ranks.queue = Queue::new(self.ranks.scorer.is_some());
        self.pool.each(&mut self.own, progress, |part, _, _| {
            part.compact(ids);
            Ok(())
        })?;
        let held = self.ranks.pairs.list.len();
        self.ranks.pairs.clear();
        let found = self.find_pairs(held, progress)?;
        let threshold = self.ranks.threshold;
        let all = sum(&found, threshold, progress)?;
        if threshold == 0 {
            let counts = all.iter().flat_map(|pairs| &pairs.list).map(|pair| pair.count);
            self.commonest = counts.max().unwrap_or(0);
            self.ranks.threshold = (self.commonest / self.first).max(self.ranks.floor);
        }
        let pairs = &mut self.ranks.pairs;
        *pairs = Pairs::with_room(all.iter().map(|some| some.list.len()).sum());
        for some in &all {
            for (index, pair) in some.list.iter().enumerate() {
                let (left, right) = pair.ids();
                if pair.count >= self.ranks.threshold && allow.allow(left, right) {
                    pairs.insert(*pair);
                    pairs.morph.extend(some.morph.get(index));
                }
            }
        }
        drop(all);
        let pairs = &*pairs;
        self.pool
            .each(&mut self.own, progress, |part, number, progress| {
                part.find_places(pairs, &found[number], progress)
            })?;
        for index in 0..self.ranks.pairs.list.len() {
            self.ranks.enqueue(index);
        }
        Ok(())
    }

    /// All pairs that the sketch does not rule out as below the threshold, counted exactly, by part.
    fn find_pairs(&mut self, held: usize, progress: &mut Progress<'_>) -> Result<Vec<Found>, TrainError> {
        let threshold = self.ranks.threshold;
        let mut sketch = Vec::new();
        if self.ids > FEW_IDS && threshold > 1 {
            let sketches = self
                .pool
                .each(&mut self.own, progress, |part, _, progress| part.sketch(progress))?;
            for part in sketches {
                if sketch.is_empty() {
                    sketch = part;
                } else {
                    sketch.iter_mut().zip(part).for_each(|(sum, more)| *sum += more);
                }
            }
        }
        let morph = self.penalised();
        let may = |pair: u64| sketch.is_empty() || sketch[cell(pair)] >= threshold;
        self.pool.each(&mut self.own, progress, |part, _, progress| {
            if morph {
                part.find_pairs::<true>(may, held, progress)
            } else {
                part.find_pairs::<false>(may, held, progress)
            }
        })
    }
}

/// The pairs of all parts together that occur at least `threshold` times, by the parts of their keys, each summed up
/// on a thread of its own.
fn sum(parts: &[Found], threshold: i64, progress: &mut Progress<'_>) -> Result<Vec<Pairs>, TrainError> {
    let threads = parts.len();
    parallel::map(0..threads, progress, |thread, _, progress| {
        let mine = |pair: u64| threads == 1 || cell(pair) * threads / SKETCH == thread;
        let most = parts.iter().map(|part| part.pairs.list.len()).max();
        let mut all = Pairs::with_room(most.unwrap_or(0) / threads * 3 / 2);
        for part in parts {
            progress.check()?;
            let pairs = part.pairs.list.iter().enumerate();
            for (place, pair) in pairs.filter(|(_, pair)| mine(pair.key)) {
                let index = all.find_or_insert(pair.key);
                all.list[index].count += pair.count;
                if let Some(more) = part.pairs.morph.get(place) {
                    if index == all.morph.len() {
                        all.morph.push(Morph::default());
                    }
                    all.morph[index].types.add(more.types);
                }
            }
        }
        all.keep(threshold);
        Ok(all)
    })
}

impl<S: Symbol> Part<S> {
    fn sketch(&self, progress: &mut Progress<'_>) -> Result<Vec<i64>, TrainError> {
        let mut sketch = vec![0i64; SKETCH];
        self.words.for_each(progress, |_, count, symbols| {
            for pair in symbols.windows(2) {
                sketch[cell(key(pair[0].id(), pair[1].id()))] += count;
            }
        })?;
        Ok(sketch)
    }

    fn find_pairs<const MORPH: bool>(
        &self,
        may: impl Fn(u64) -> bool,
        held: usize,
        progress: &mut Progress<'_>,
    ) -> Result<Found, TrainError> {
        // Mostly some more than were held before.
        let mut found = Found {
            pairs: Pairs::with_room(2 * held),
            lens: Vec::with_capacity(2 * held),
        };
        let Found { pairs, lens } = &mut found;
        self.words.for_each(progress, |_, count, symbols| {
            for (at, pair) in symbols.windows(2).enumerate() {
                let pair_key = key(pair[0].id(), pair[1].id());
                if !may(pair_key) {
                    continue;
                }
                let index = pairs.find_or_insert(pair_key);
                if index == lens.len() {
                    lens.push(0);
                    if MORPH {
                        pairs.morph.push(Morph::default());
                    }
                }
                pairs.list[index].count += count;
                lens[index] += 1;
                if MORPH {
                    let ends = symbols.get(at + 2).is_none_or(|next| next.boundary());
                    let types = &mut pairs.morph[index].types;
                    types.see(pair[1].boundary(), pair[0].boundary() && ends);
                }
            }
        })?;
        Ok(found)
    }

    fn find_places(
        &mut self,
        pairs: &Pairs,
        found: &Found,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let mut lens = vec![0; pairs.list.len()];
        for (pair, &len) in found.pairs.list.iter().zip(&found.lens) {
            if let Some(index) = pairs.find(pair.key) {
                lens[index] = len;
            }
        }
        self.places = Places::default();
        let mut places = Places::with_lens(&lens);
        self.words.for_each(progress, |word, _, symbols| {
            for pair in symbols.windows(2) {
                if let Some(index) = pairs.find(key(pair[0].id(), pair[1].id())) {
                    places.fill(index, word as u32);
                }
            }
        })?;
        self.places = places;
        Ok(())
    }
}
