//! The pairs held, how often they occur in all parts together, and which of them is best.

use crate::allow::Allow;
use crate::pairs::{Morph, Pair, Pairs, key};
use crate::prefetch::{AHEAD, prefetch};
use crate::queue::{Candidate, Queue};
use crate::score::{Scorer, Types};
use crate::walk::Side;

pub struct Ranks {
    pub pairs: Pairs,
    pub queue: Queue,
    /// Rarer pairs are not held.
    pub threshold: i64,
    /// Rarer pairs are never merged.
    pub floor: i64,
    /// Scores are counts without it.
    pub scorer: Option<Scorer>,
}

impl Ranks {
    pub fn new(floor: i64, scorer: Option<Scorer>) -> Self {
        Self {
            pairs: Pairs::default(),
            queue: Queue::new(scorer.is_some()),
            threshold: 0,
            floor,
            scorer,
        }
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

    /// The candidate whose turn it is, if its score holds; one whose score does not is put where it belongs.
    pub fn peek(&mut self) -> Option<Candidate> {
        loop {
            let Some(top) = self.queue.peek() else {
                if !self.open_bucket() {
                    return None;
                }
                continue;
            };
            let now = self.current(top.index as usize);
            if now == top.score {
                return Some(top);
            }
            self.queue.pop();
            self.put_again(top, now);
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

    pub fn most_below_threshold(&self) -> i64 {
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

    pub fn enqueue(&mut self, index: usize) {
        if self.pairs.list[index].count >= self.floor {
            let score = self.score(index);
            if score > 0 {
                self.put(index, score);
            }
        }
    }

    /// A merge of `merged` took occurrences of a pair away.
    #[inline(always)]
    pub fn lose<const MORPH: bool>(&mut self, pair: u64, merged: u64, count: i64, lost: Types) {
        if pair == merged {
            return;
        }
        let Some(index) = self.pairs.find(pair) else {
            return;
        };
        self.pairs.list[index].count -= count;
        if MORPH {
            self.pairs.morph[index].types.take(lost);
            // With fewer crossings the score may rise.
            if lost.partial + lost.whole > 0 && self.pairs.list[index].count >= self.floor {
                let score = self.score(index);
                if score > self.pairs.morph[index].queued {
                    self.put(index, score);
                }
            }
        }
    }

    /// Adds a new pair if it is frequent enough and allowed; returns its index, or `Side::NOWHERE`.
    #[inline(always)]
    pub fn gain<const MORPH: bool>(
        &mut self,
        pair: (u32, u32),
        count: i64,
        types: Types,
        allow: &impl Allow,
    ) -> u32 {
        if count < self.threshold || !allow.allow(pair.0, pair.1) {
            return Side::NOWHERE;
        }
        let index = self.pairs.insert(Pair {
            key: key(pair.0, pair.1),
            count,
        });
        if MORPH {
            self.pairs.morph.push(Morph { types, queued: 0 });
        }
        self.enqueue(index);
        index as u32
    }
}
