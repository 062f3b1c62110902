//! Pairs by score, the best first.
//!
//! Scores mostly fall between the time a pair is put in and the time its turn comes, and most pairs' turn never
//! comes. So pairs lie unsorted in buckets of close scores, and only the bucket whose turn it is is a heap (with
//! what came in above it since): to put a pair in costs a write, and what has gone stale is sorted once, not
//! sifted through a heap of all.

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
    /// All candidates of the buckets from `turn` on; these buckets are empty.
    heap: BinaryHeap<Candidate>,
    turn: usize,
    /// Scores are the bits of f64, not counts.
    penalised: bool,
}

impl Queue {
    /// An empty queue of scores of one kind (`score`).
    pub fn new(penalised: bool) -> Self {
        Self {
            buckets: vec![Vec::new(); BUCKETS],
            heap: BinaryHeap::new(),
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
            self.heap.push(candidate);
        } else {
            self.buckets[bucket].push(candidate);
        }
    }

    /// The best candidate.
    pub fn peek(&mut self) -> Option<Candidate> {
        while self.heap.is_empty() {
            self.turn = self.turn.checked_sub(1)?;
            self.heap = std::mem::take(&mut self.buckets[self.turn]).into();
        }
        self.heap.peek().copied()
    }

    /// Takes out what `peek` showed.
    pub fn pop(&mut self) {
        self.heap.pop();
    }
}
