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
use super::pairs::{Morph, Pair, Pairs, key};
use super::queue::{Candidate, Queue};
use super::score::{Scorer, Types};
use super::table::prefetch;
use super::walk::{Joins, Side};
use super::watch::Watch;
use super::words::{Symbol, Words};

/// What the threshold is divided by when it must fall: falling evenly (by a fixed step) took 200 to 770
/// readings of the words, falling by 4 takes two or three.
const FALL: i64 = 4;
/// Cells of the sketch that tells rare pairs from others before any are counted exactly.
const SKETCH: usize = 1 << 18;
/// Ids up to which pairs are counted without a sketch: their table stays in the cache anyway.
const FEW_IDS: usize = 512;
/// Words ahead of the one walked whose memory is asked for.
const AHEAD: usize = 12;
/// Places of no pair that the arena may hold beside an eighth of those it needs: closing the gaps costs little
/// against 4 bytes a place.
const SLACK: usize = 1 << 20;

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
                if self.lower(allow, watch)? {
                    continue;
                }
                return Ok(None);
            };
            let count = self.pairs.list[top.index as usize].count;
            let now = if count < self.floor {
                0
            } else {
                self.score(top.index as usize)
            };
            if now != top.score {
                self.queue.pop();
                if now > 0 && now < top.score {
                    self.put(top.index as usize, now);
                } else if now == 0 && self.scorer.is_some() {
                    // It stands there no more, and must come back when its score rises from 0.
                    self.pairs.morph[top.index as usize].queued = 0;
                }
            } else if self.threshold > self.floor && top.score <= self.most_below_threshold() {
                self.lower(allow, watch)?;
            } else {
                self.queue.pop();
                return Ok(Some(Best {
                    left: top.left,
                    right: top.right,
                    count,
                    index: top.index,
                }));
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

    /// Lowers the threshold and reads the words again; false if it is as low as it may be.
    fn lower(&mut self, allow: &impl Allow, watch: &mut Watch<'_>) -> Result<bool, TrainError> {
        if self.threshold <= self.floor {
            return Ok(false);
        }
        self.threshold = (self.threshold / FALL).max(self.floor);
        self.scan(allow, watch)?;
        Ok(true)
    }

    /// Finds all pairs that occur at least `threshold` times, and where.
    fn scan(&mut self, allow: &impl Allow, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        self.done.resize(self.ids, 0);
        let done = &mut self.done;
        self.words
            .compact(|symbol, count| done[symbol.id() as usize] += count);
        self.arena = Vec::new();
        self.queue = Queue::new(self.scorer.is_some());
        let found = self.count_pairs(watch)?;
        if self.threshold == 0 {
            let commonest = found.list.iter().map(|pair| pair.count).max();
            self.threshold = (commonest.unwrap_or(0) / self.first).max(self.floor);
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

    fn merge_at<const MORPH: bool>(&mut self, index: usize, new: u32, allow: &impl Allow) -> i64 {
        let pair = self.pairs.list[index];
        let (left, right) = pair.ids();
        self.pairs.list[index].count = 0;
        self.pairs.list[index].len = 0;
        self.live -= pair.len as usize;
        self.left.reach(self.ids);
        self.right.reach(self.ids);
        let places = &self.arena[pair.start as usize..(pair.start + pair.len) as usize];
        for &word in places.iter().take(AHEAD) {
            prefetch(&self.words.data, word as usize);
        }
        let (mut last, mut joined) = (u32::MAX, 0);
        for (at, &word) in places.iter().enumerate() {
            if let Some(&ahead) = places.get(at + AHEAD) {
                prefetch(&self.words.data, ahead as usize);
            }
            if word != last {
                last = word;
                let sides = (&mut self.left, &mut self.right, &mut self.joins);
                joined += super::walk::join::<S, MORPH>(&mut self.words, word, (left, right, new), sides);
            }
        }
        self.settle::<MORPH>(pair, new, allow);
        if self.arena.len() > self.live + self.live / 8 + SLACK {
            self.close_gaps();
        }
        joined
    }

    /// Gives the pairs around a merge what they lost and gained.
    fn settle<const MORPH: bool>(&mut self, merged: Pair, new: u32, allow: &impl Allow) {
        let (first, second) = merged.ids();
        let mut side = std::mem::take(&mut self.left);
        for &id in &side.touched {
            self.pairs.prefetch(key(id, first));
        }
        for &id in &side.touched {
            self.pairs.prefetch_entry(key(id, first));
        }
        for place in 0..side.touched.len() {
            let id = side.touched[place];
            let delta = side.delta[id as usize];
            self.lose::<MORPH>(key(id, first), merged.key, delta.count, side.lost::<MORPH>(id));
            let gained = side.gained::<MORPH>(id);
            side.delta[id as usize].cursor =
                self.gain::<MORPH>((id, new), delta.count, delta.hits, gained, allow);
        }
        side.place::<MORPH>(&mut self.arena);
        self.left = side;
        let mut side = std::mem::take(&mut self.right);
        for &id in &side.touched {
            self.pairs.prefetch(key(second, id));
        }
        for &id in &side.touched {
            self.pairs.prefetch_entry(key(second, id));
        }
        for place in 0..side.touched.len() {
            let id = side.touched[place];
            let delta = side.delta[id as usize];
            self.lose::<MORPH>(key(second, id), merged.key, delta.count, side.lost::<MORPH>(id));
            let gained = side.gained::<MORPH>(id);
            side.delta[id as usize].cursor =
                self.gain::<MORPH>((new, id), delta.count, delta.hits, gained, allow);
        }
        side.place::<MORPH>(&mut self.arena);
        self.right = side;
        let joins = std::mem::take(&mut self.joins);
        if !joins.words.is_empty() {
            self.lose::<MORPH>(key(second, first), merged.key, joins.count, joins.lost);
            let hits = joins.words.len() as u32;
            let start = self.gain::<MORPH>((new, new), joins.count, hits, joins.gained, allow);
            if start != Side::NOWHERE {
                self.arena[start as usize..].copy_from_slice(&joins.words);
            }
        }
    }

    #[inline(always)]
    fn lose<const MORPH: bool>(&mut self, pair: u64, merged: u64, count: i64, lost: Types) {
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

    /// Adds a new pair if it is frequent enough and allowed; returns where its words go in the arena.
    #[inline(always)]
    fn gain<const MORPH: bool>(
        &mut self,
        pair: (u32, u32),
        count: i64,
        hits: u32,
        types: Types,
        allow: &impl Allow,
    ) -> u32 {
        if count < self.threshold || !allow.allow(pair.0, pair.1) {
            return Side::NOWHERE;
        }
        let start = self.arena.len() as u32;
        self.arena.resize(self.arena.len() + hits as usize, 0);
        self.live += hits as usize;
        let index = self.pairs.insert(Pair {
            key: key(pair.0, pair.1),
            count,
            start,
            len: hits,
        });
        if MORPH {
            self.pairs.morph.push(Morph { types, queued: 0 });
        }
        self.enqueue(index);
        start
    }

    /// Moves the places of pairs that are left to the front of the arena.
    fn close_gaps(&mut self) {
        let mut to = 0;
        for pair in &mut self.pairs.list {
            let from = pair.start as usize;
            self.arena.copy_within(from..from + pair.len as usize, to);
            pair.start = to as u32;
            to += pair.len as usize;
        }
        self.arena.truncate(to);
        self.arena.shrink_to(to + to / 8 + SLACK);
    }
}
