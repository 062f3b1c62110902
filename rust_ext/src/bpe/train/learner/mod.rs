//! The state of learning over one set of words: which pairs there are, where, and which is best.
//!
//! Only pairs that occur at least `threshold` times are held. A pair's count can only fall after the merge
//! that made its newer part, so a pair that is not held cannot become better than the threshold allows; when
//! the best one held is no better than that, `lower` divides the threshold and reads the words again. The
//! result is the same for any thresholds.
//!
//! A merge walks the words that hold the pair, joins it in place, and sums up what the neighbours lose and
//! gain in arrays indexed by token id: the table of pairs is touched once a neighbour, not once an
//! occurrence.

use super::TrainError;
use super::pairs::{Pairs, key};
use super::queue::{Candidate, Queue};
use super::score::Scorer;
use super::table::prefetch;
use super::walk::{Joins, Side};
use super::watch::Watch;
use super::words::{Symbol, Words};

mod merge;
mod scan;

/// Words ahead of the one walked whose memory is asked for.
const AHEAD: usize = 16;
/// Merges ahead for which a pair, its list of words, and the first words themselves are asked for.
const NEXT_PAIR: usize = 6;
const NEXT_PLACES: usize = 4;
const NEXT_WORDS: usize = 1;
/// Whether two tokens may be merged at all.
pub trait Allow {
    fn allow(&self, left: u32, right: u32) -> bool;
}

/// The best pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    pub left: u32,
    pub right: u32,
    pub count: i64,
    index: u32,
}

pub struct Learner<S> {
    words: Words<S>,
    pairs: Pairs,
    /// Words of pairs: each pair's lie together, in the order of the list of pairs.
    arena: Vec<u32>,
    live: usize,
    queue: Queue,
    threshold: i64,
    /// The count of the pair that was the commonest when the words were first read.
    commonest: i64,
    floor: i64,
    first: i64,
    /// Scores are counts without it.
    scorer: Option<Scorer>,
    left: Side,
    right: Side,
    joins: Joins,
    ids: usize,
    done: Vec<i64>,
}

impl<S: Symbol> Learner<S> {
    /// `ids` token ids are in use; pairs rarer than `floor` are never merged; the first threshold is the count
    /// of the commonest pair over `first`.
    pub fn new(words: Words<S>, ids: usize, floor: i64, first: i64, scorer: Option<Scorer>) -> Self {
        Self {
            words,
            pairs: Pairs::default(),
            arena: Vec::new(),
            live: 0,
            queue: Queue::new(scorer.is_some()),
            threshold: 0,
            commonest: 0,
            floor,
            first,
            scorer,
            left: Side::default(),
            right: Side::default(),
            joins: Joins::default(),
            ids,
            done: Vec::new(),
        }
    }

    /// True while the penalty is in force.
    pub fn penalised(&self) -> bool {
        self.scorer.is_some()
    }

    /// Ends the penalty. Scores rise, so the queue is built anew from all pairs held; those that are not
    /// have counts below the threshold still.
    pub fn release(&mut self) {
        self.scorer = None;
        self.queue = Queue::new(false);
        for index in 0..self.pairs.list.len() {
            self.enqueue(index);
        }
    }

    /// The best pair, out of the queue: merge it or `forbid` it. `None` when no pair is left.
    pub fn best(&mut self, allow: &impl Allow, watch: &mut Watch<'_>) -> Result<Option<Best>, TrainError> {
        loop {
            let Some(top) = self.queue.peek() else {
                if self.open_bucket() || self.lower(allow, watch)? {
                    continue;
                }
                return Ok(None);
            };
            let now = self.current(top.index as usize);
            if now != top.score {
                self.queue.pop();
                self.put_again(top, now);
            } else if self.threshold > self.floor && top.score <= self.most_below_threshold() {
                self.lower(allow, watch)?;
            } else {
                self.queue.pop();
                self.prefetch_next();
                return Ok(Some(Best {
                    left: top.left,
                    right: top.right,
                    count: self.pairs.list[top.index as usize].count,
                    index: top.index,
                }));
            }
        }
    }

    /// Gives the next bucket of the queue its turn; false if there is none.
    fn open_bucket(&mut self) -> bool {
        let Some(mut candidates) = self.queue.next() else {
            return false;
        };
        let mut kept = 0;
        for at in 0..candidates.len() {
            if let Some(ahead) = candidates.get(at + AHEAD) {
                prefetch(&self.pairs.list, ahead.index as usize);
            }
            let candidate = candidates[at];
            let now = self.current(candidate.index as usize);
            if now == candidate.score {
                candidates[kept] = candidate;
                kept += 1;
            } else {
                self.put_again(candidate, now);
            }
        }
        candidates.truncate(kept);
        self.queue.open(candidates);
        true
    }

    /// A candidate whose score has changed is out of the queue: puts the pair in again if it fell.
    fn put_again(&mut self, candidate: Candidate, now: i64) {
        let index = candidate.index as usize;
        if now > 0 && now < candidate.score {
            self.put(index, now);
        } else if now == 0 && self.scorer.is_some() {
            // It stands there no more, and must come back when its score rises from 0.
            self.pairs.morph[index].queued = 0;
        }
    }

    /// Asks for the memory of the pairs whose turn is next, and of their places, and of their words.
    fn prefetch_next(&self) {
        if let Some(next) = self.queue.ahead(NEXT_PAIR) {
            prefetch(&self.pairs.list, next.index as usize);
        }
        if let Some(next) = self.queue.ahead(NEXT_PLACES) {
            prefetch(&self.arena, self.pairs.list[next.index as usize].start as usize);
        }
        if let Some(next) = self.queue.ahead(NEXT_WORDS) {
            let pair = self.pairs.list[next.index as usize];
            let places = pair.start as usize..(pair.start + pair.len) as usize;
            for &word in self.arena[places].iter().take(AHEAD) {
                self.words.prefetch(word as usize);
            }
        }
    }

    /// Takes a pair out of the running until the words are read again.
    pub fn forbid(&mut self, best: Best) {
        self.pairs.list[best.index as usize].count = 0;
    }

    /// Joins `left` and `right` to `new`, the next id, everywhere; returns how many times that was.
    pub fn merge(&mut self, left: u32, right: u32, new: u32, allow: &impl Allow) -> i64 {
        self.ids = new as usize + 1;
        let Some(index) = self.pairs.find(key(left, right)) else {
            return 0;
        };
        if self.scorer.is_some() {
            self.merge_at::<true>(index, new, allow)
        } else {
            self.merge_at::<false>(index, new, allow)
        }
    }

    /// The same over symbols of another width; a lower threshold may follow from `first` (see `new`).
    pub fn widen<T: Symbol>(
        self,
        first: i64,
        allow: &impl Allow,
        watch: &mut Watch<'_>,
    ) -> Result<Learner<T>, TrainError> {
        let Self {
            words,
            ids,
            floor,
            scorer,
            mut done,
            commonest,
            threshold,
            ..
        } = self;
        done.resize(ids, 0);
        let words = words.widen(|symbol, count| done[symbol.id() as usize] += count);
        let mut wide = Learner::new(words, ids, floor, first, scorer);
        wide.done = done;
        wide.commonest = commonest;
        wide.threshold = (commonest / first).max(floor).min(threshold);
        wide.scan(allow, watch)?;
        Ok(wide)
    }

    /// How often each of `ids` tokens stands in the words now.
    pub fn uses(&self, ids: usize, watch: &mut Watch<'_>) -> Result<Vec<i64>, TrainError> {
        let mut uses = self.done.clone();
        uses.resize(ids, 0);
        self.words.for_each(watch, |_, count, symbols| {
            for symbol in symbols {
                uses[symbol.id() as usize] += count;
            }
        })?;
        Ok(uses)
    }

    /// Reads the words for the first time; call once before `best`.
    pub fn start(&mut self, allow: &impl Allow, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        self.scan(allow, watch)
    }

    /// How often a pair occurs, if it is held.
    pub fn count(&self, left: u32, right: u32) -> i64 {
        self.pairs
            .find(key(left, right))
            .map_or(0, |index| self.pairs.list[index].count)
    }

    /// Sets what pairs are too rare to be merged.
    pub fn set_floor(&mut self, floor: i64) {
        self.floor = floor;
    }

    /// The score of a pair, 0 if it is too rare.
    fn current(&self, index: usize) -> i64 {
        if self.pairs.list[index].count < self.floor {
            0
        } else {
            self.score(index)
        }
    }

    fn score(&self, index: usize) -> i64 {
        let count = self.pairs.list[index].count;
        match &self.scorer {
            None => count,
            Some(_) if count <= 0 => 0,
            Some(scorer) => scorer.score(count, self.pairs.morph[index].types),
        }
    }

    fn most_below_threshold(&self) -> i64 {
        match &self.scorer {
            None => self.threshold - 1,
            Some(scorer) => scorer.most(self.threshold - 1),
        }
    }

    fn put(&mut self, index: usize, score: i64) {
        let (left, right) = self.pairs.list[index].ids();
        self.queue.push(Candidate {
            score,
            left,
            right,
            index: index as u32,
        });
        if self.scorer.is_some() {
            self.pairs.morph[index].queued = score;
        }
    }

    fn enqueue(&mut self, index: usize) {
        if self.pairs.list[index].count >= self.floor {
            let score = self.score(index);
            if score > 0 {
                self.put(index, score);
            }
        }
    }
}
