//! The pairs of adjacent tokens that are frequent enough to matter now: counts, and the words they occur in.

use super::prefetch::prefetch;
use super::score::Types;

/// No pair.
const NONE: u32 = u32::MAX;

/// A pair of token ids in one number, ordered like the pair.
#[inline(always)]
pub fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// One pair.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    pub key: u64,
    pub count: i64,
}

impl Pair {
    pub fn ids(&self) -> (u32, u32) {
        ((self.key >> 32) as u32, self.key as u32)
    }
}

/// What a penalty needs to know of a pair.
#[derive(Debug, Clone, Copy, Default)]
pub struct Morph {
    pub types: Types,
    /// The highest score with which the pair stands in the queue.
    pub queued: i64,
}

/// Pairs of ids below this, the bytes, have a table without hashing: 256 KiB, and all there is at first.
const BYTES: u64 = 256;

/// Pairs by key: an open-addressing table of indices into a list, which grows until it is cleared.
pub struct Pairs {
    bytes: Vec<u32>,
    slots: Vec<u32>,
    pub list: Vec<Pair>,
    /// As long as the list under a penalty, empty without.
    pub morph: Vec<Morph>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            bytes: vec![NONE; (BYTES * BYTES) as usize],
            slots: vec![NONE; 1 << 12],
            list: Vec::new(),
            morph: Vec::new(),
        }
    }
}

impl Pairs {
    /// No pairs, with room for so many.
    pub fn with_room(pairs: usize) -> Self {
        let slots = (2 * pairs).next_power_of_two().max(1 << 12);
        Self {
            slots: vec![NONE; slots],
            list: Vec::with_capacity(pairs),
            ..Self::default()
        }
    }

    /// Lets go of the pairs that occur less often; only the lists are good for anything then.
    pub fn keep(&mut self, threshold: i64) {
        self.slots = Vec::new();
        let mut counts = self.list.iter().map(|pair| pair.count);
        self.morph
            .retain(|_| counts.next().is_some_and(|count| count >= threshold));
        self.list.retain(|pair| pair.count >= threshold);
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    #[inline(always)]
    fn slot(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & (self.slots.len() - 1)
    }

    /// The place of a pair of bytes.
    #[inline(always)]
    fn place_of_bytes(key: u64) -> Option<usize> {
        let (left, right) = (key >> 32, key & 0xffff_ffff);
        (left < BYTES && right < BYTES).then_some((left * BYTES + right) as usize)
    }

    /// Asks for the memory that a look-up of `key` begins with.
    #[inline(always)]
    pub fn prefetch(&self, key: u64) {
        prefetch(&self.slots, self.slot(key));
    }

    /// Asks for the memory that a look-up of `key` ends with, mostly; what `prefetch` asked for must be there.
    #[inline(always)]
    pub fn prefetch_entry(&self, key: u64) {
        prefetch(&self.list, self.slots[self.slot(key)] as usize);
    }

    /// The index of a pair.
    #[inline(always)]
    pub fn find(&self, key: u64) -> Option<usize> {
        if let Some(place) = Self::place_of_bytes(key) {
            let index = self.bytes[place];
            return (index != NONE).then_some(index as usize);
        }
        let mut at = self.slot(key);
        loop {
            let index = self.slots[at];
            if index == NONE {
                return None;
            }
            if self.list[index as usize].key == key {
                return Some(index as usize);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds a pair that is not there and returns its index.
    pub fn insert(&mut self, pair: Pair) -> usize {
        let index = self.list.len();
        self.list.push(pair);
        self.place(pair.key, index as u32);
        if self.list.len() * 2 > self.slots.len() {
            self.slots = vec![NONE; self.slots.len() * 2];
            for index in 0..self.list.len() {
                self.place(self.list[index].key, index as u32);
            }
        }
        index
    }

    /// The index of a pair, added with nothing counted if it is not there.
    pub fn find_or_insert(&mut self, key: u64) -> usize {
        self.find(key)
            .unwrap_or_else(|| self.insert(Pair { key, count: 0 }))
    }

    fn place(&mut self, key: u64, index: u32) {
        if let Some(place) = Self::place_of_bytes(key) {
            self.bytes[place] = index;
            return;
        }
        let mut at = self.slot(key);
        while self.slots[at] != NONE {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = index;
    }
}
