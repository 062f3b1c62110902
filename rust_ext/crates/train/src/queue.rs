//! Pairs by score, the best first.
//!
//! Scores mostly fall between the time a pair is put in and the time its turn comes, and most pairs' turn never
//! comes. So pairs lie unsorted in buckets of close scores. When a bucket's turn comes, what has gone stale in it
//! is dropped or moved on by whoever knows the scores, and the rest is sorted, beside a heap of what comes in
//! meanwhile: to put a pair in costs a write, and it is known which pairs' turn is next.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A pair with the score it had when it was put in. The order is total: by score, then by the smaller left id,
/// then by the smaller right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub score: i64,
    pub left: u32,
    pub right: u32,
    pub index: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .cmp(&other.score)
            .then_with(|| (other.left, other.right).cmp(&(self.left, self.right)))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Of a score as f64: 128 buckets between a power of two and the next; each count below 128 has its own.
const SHIFT: u32 = 52 - 7;
/// Where 1 lies; lower scores share the first bucket.
const FIRST: u64 = 1023 << 7;
/// Up to 2^63.
const BUCKETS: usize = 64 << 7;

/// The queue.
pub struct Queue {
    buckets: Vec<Vec<Candidate>>,
    /// Of the bucket whose turn it is, the best last.
    sorted: Vec<Candidate>,
    /// What came in since, of that bucket and those above it, which are empty.
    late: BinaryHeap<Candidate>,
    turn: usize,
    /// Scores are the bits of f64, not counts.
    penalised: bool,
}

impl Queue {
    /// An empty queue of scores of one kind (`score`).
    pub fn new(penalised: bool) -> Self {
        Self {
            buckets: vec![Vec::new(); BUCKETS],
            sorted: Vec::new(),
            late: BinaryHeap::new(),
            turn: BUCKETS,
            penalised,
        }
    }

    fn bucket(&self, score: i64) -> usize {
        let bits = if self.penalised {
            score as u64
        } else {
            (score as f64).to_bits()
        };
        ((bits >> SHIFT).saturating_sub(FIRST) as usize).min(BUCKETS - 1)
    }

    pub fn push(&mut self, candidate: Candidate) {
        let bucket = self.bucket(candidate.score);
        if bucket >= self.turn {
            self.late.push(candidate);
        } else {
            self.buckets[bucket].push(candidate);
        }
    }

    /// The best candidate of the bucket whose turn it is; none if there is none left.
    pub fn peek(&self) -> Option<Candidate> {
        self.sorted.last().max(self.late.peek()).copied()
    }

    /// Takes out what `peek` showed.
    pub fn pop(&mut self) {
        if self.sorted.last() < self.late.peek() {
            self.late.pop();
        } else {
            self.sorted.pop();
        }
    }

    /// When `peek` shows none: the candidates of the next bucket, in no order, whose turn it is now. Those whose
    /// scores still hold go to `open`.
    pub fn next(&mut self) -> Option<Vec<Candidate>> {
        loop {
            self.turn = self.turn.checked_sub(1)?;
            if !self.buckets[self.turn].is_empty() {
                return Some(std::mem::take(&mut self.buckets[self.turn]));
            }
        }
    }

    /// Lets candidates of the bucket whose turn it is have their turn.
    pub fn open(&mut self, mut candidates: Vec<Candidate>) {
        candidates.sort_unstable();
        self.sorted = candidates;
    }

    /// The candidate whose turn it probably is after `ahead` others.
    pub fn ahead(&self, ahead: usize) -> Option<&Candidate> {
        self.sorted.get(self.sorted.len().checked_sub(ahead + 1)?)
    }
}
