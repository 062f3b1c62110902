//! Merging a pair wherever it is, and what the pairs around it lose and gain.

use super::{AHEAD, Allow, Learner};
use crate::bpe::train::pairs::{Morph, Pair, key};
use crate::bpe::train::score::Types;
use crate::bpe::train::walk::{Side, join};
use crate::bpe::train::words::Symbol;

/// Places of no pair that the arena may hold beside an eighth of those it needs: closing the gaps costs little
/// against 4 bytes a place.
const SLACK: usize = 1 << 20;

impl<S: Symbol> Learner<S> {
    pub(super) fn merge_at<const MORPH: bool>(&mut self, index: usize, new: u32, allow: &impl Allow) -> i64 {
        let pair = self.pairs.list[index];
        let (left, right) = pair.ids();
        self.pairs.list[index].count = 0;
        self.pairs.list[index].len = 0;
        self.live -= pair.len as usize;
        self.left.reach(self.ids);
        self.right.reach(self.ids);
        let places = &self.arena[pair.start as usize..(pair.start + pair.len) as usize];
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
