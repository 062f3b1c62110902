//! The state of learning over one set of words: which pairs there are, where, and which is best.
//!
//! Only pairs that occur at least `threshold` times are held. A pair's count can only fall after the merge
//! that made its newer part, so a pair that is not held cannot become better than the threshold allows; when
//! the best one held is no better than that, `lower` divides the threshold and reads the words again. The
//! result is the same for any thresholds.
//!
//! The words are in parts, one a thread (`part`, `pool`). A merge walks the words that hold the pair, joins it in
//! place, and sums up what the neighbours lose and gain in arrays indexed by token id: the table of pairs
//! (`ranks`) is touched once a neighbour, not once an occurrence, and by one thread. Sums do not depend on the
//! parts, and so nothing does.

use super::TrainError;
use super::allow::Allow;
use super::pairs::key;
use super::prefetch::prefetch;
use super::progress::Progress;
use super::score::Scorer;
use super::words::{Symbol, Words};

mod merge;
mod part;
mod pool;
mod ranks;
mod scan;

use merge::Settling;
use part::{Merge, Part};
use pool::Pool;
use ranks::Ranks;

/// Merges ahead for which a pair, its list of words, and the first words themselves are asked for.
const NEXT_PAIR: usize = 6;
const NEXT_PLACES: usize = 4;
const NEXT_WORDS: usize = 1;

/// The best pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    pub left: u32,
    pub right: u32,
    pub count: i64,
    index: u32,
}

pub struct Learner<S> {
    /// The part of the calling thread.
    own: Part<S>,
    /// The other parts.
    pool: Pool<S>,
    ranks: Ranks,
    settling: Settling,
    /// The count of the pair that was the commonest when the words were first read.
    commonest: i64,
    first: i64,
    ids: usize,
}

impl<S: Symbol> Learner<S> {
    /// `words` in parts, one a thread, at least one; `ids` token ids are in use; pairs rarer than `floor` are never
    /// merged; the first threshold is the count of the commonest pair over `first`.
    pub fn new(words: Vec<Words<S>>, ids: usize, floor: i64, first: i64, scorer: Option<Scorer>) -> Self {
        let mut parts = words.into_iter().map(Part::new);
        Self {
            own: parts.next().unwrap_or_default(),
            pool: Pool::new(parts.collect()),
            ranks: Ranks::new(floor, scorer),
            settling: Settling::default(),
            commonest: 0,
            first,
            ids,
        }
    }

    /// True while the penalty is in force.
    pub fn penalised(&self) -> bool {
        self.ranks.scorer.is_some()
    }

    /// Ends the penalty.
    pub fn release(&mut self) {
        self.ranks.release();
    }

    /// The best pair, out of the queue: merge it or `forbid` it. `None` when no pair is left.
    pub fn best(
        &mut self,
        allow: &impl Allow,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Best>, TrainError> {
        loop {
            let Some(top) = self.ranks.peek() else {
                if self.lower(allow, progress)? {
                    continue;
                }
                return Ok(None);
            };
            let Ranks { threshold, floor, .. } = self.ranks;
            if threshold > floor && top.score <= self.ranks.most_below_threshold() {
                self.lower(allow, progress)?;
            } else {
                self.ranks.queue.pop();
                self.prefetch_next();
                return Ok(Some(Best {
                    left: top.left,
                    right: top.right,
                    count: self.ranks.pairs.list[top.index as usize].count,
                    index: top.index,
                }));
            }
        }
    }

    /// Asks for the memory of the pairs whose turn is next.
    fn prefetch_next(&self) {
        if let Some(next) = self.ranks.queue.ahead(NEXT_PAIR) {
            prefetch(&self.ranks.pairs.list, next.index as usize);
        }
        self.prefetch_in(&self.own);
        // Of rare pairs the caller does the others' parts as well.
        self.pool.each_at_hand(|other| self.prefetch_in(other));
    }

    /// Asks for the places of the next pairs in a part, and for their words.
    fn prefetch_in(&self, part: &Part<S>) {
        let queue = &self.ranks.queue;
        if let Some(next) = queue.ahead(NEXT_PAIR) {
            part.places.prefetch(next.index as usize);
        }
        if let Some(next) = queue.ahead(NEXT_PLACES) {
            part.prefetch_places(next.index as usize);
        }
        if let Some(next) = queue.ahead(NEXT_WORDS) {
            part.prefetch_words(next.index as usize);
        }
    }

    /// Takes a pair out of the running until the words are read again.
    pub fn forbid(&mut self, best: Best) {
        self.ranks.pairs.list[best.index as usize].count = 0;
    }

    /// Joins `left` and `right` to `new`, the next id, everywhere; returns how many times that was.
    pub fn merge(&mut self, left: u32, right: u32, new: u32, allow: &impl Allow) -> i64 {
        self.ids = new as usize + 1;
        let Some(index) = self.ranks.pairs.find(key(left, right)) else {
            return 0;
        };
        self.ranks.pairs.list[index].count = 0;
        let merge = Merge {
            index: index as u32,
            left,
            right,
            new,
            morph: self.penalised(),
        };
        let Self {
            own,
            pool,
            ranks,
            settling,
            ..
        } = self;
        pool.walk(own, merge);
        let joined = if merge.morph {
            settling.settle::<S, true>(ranks, merge, allow, own, pool)
        } else {
            settling.settle::<S, false>(ranks, merge, allow, own, pool)
        };
        pool.place(own, merge.morph);
        joined
    }

    /// The same over symbols of another width; a lower threshold may follow from `first` (see `new`).
    pub fn widen<T: Symbol>(
        self,
        first: i64,
        allow: &impl Allow,
        progress: &mut Progress<'_>,
    ) -> Result<Learner<T>, TrainError> {
        let Self {
            own,
            pool,
            ranks,
            ids,
            commonest,
            ..
        } = self;
        let Ranks {
            floor,
            threshold,
            scorer,
            pairs,
            ..
        } = ranks;
        drop(pairs);
        let parts = std::iter::once(own).chain(pool.into_parts());
        let parts = super::parallel::map(parts, progress, |part, _, _| Ok(part.widen::<T>(ids)))?;
        let mut wide = Learner::new(Vec::new(), ids, floor, first, scorer);
        wide.set_parts(parts);
        wide.commonest = commonest;
        wide.ranks.threshold = (commonest / first).max(floor).min(threshold);
        wide.start(allow, progress)?;
        Ok(wide)
    }

    fn set_parts(&mut self, parts: Vec<Part<S>>) {
        let mut parts = parts.into_iter();
        self.own = parts.next().unwrap_or_default();
        self.pool = Pool::new(parts.collect());
    }

    /// How often each of `ids` tokens stands in the words now.
    pub fn uses(&mut self, ids: usize, progress: &mut Progress<'_>) -> Result<Vec<i64>, TrainError> {
        let parts = self.pool.each(&mut self.own, progress, |part, _, progress| {
            part.uses(ids, progress)
        })?;
        let mut sums = vec![0; ids];
        for part in parts {
            sums.iter_mut().zip(part).for_each(|(sum, uses)| *sum += uses);
        }
        Ok(sums)
    }

    /// Reads the words for the first time; call once before `best`.
    pub fn start(&mut self, allow: &impl Allow, progress: &mut Progress<'_>) -> Result<(), TrainError> {
        self.scan(allow, progress)?;
        self.pool.start();
        Ok(())
    }

    /// How often a pair occurs, if it is held.
    pub fn count(&self, left: u32, right: u32) -> i64 {
        let pairs = &self.ranks.pairs;
        pairs
            .find(key(left, right))
            .map_or(0, |index| pairs.list[index].count)
    }

    /// Sets what pairs are too rare to be merged.
    pub fn set_floor(&mut self, floor: i64) {
        self.ranks.floor = floor;
    }
}
