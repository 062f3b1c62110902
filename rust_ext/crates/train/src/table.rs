//! Pretoken -> count: an open-addressing table over 16-byte keys, and a map for the few that do not fit one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use bukvar_split::Key;

use super::prefetch::prefetch;

/// Keys gathered before they are looked up, so that the memory each will touch is on its way meanwhile.
const BATCH: usize = 64;
/// Slots at the start.
const FIRST: usize = 1 << 12;

/// A key, in two halves, and its count; a slot whose upper half is 0 is free, since a key's last byte never is 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub low: u64,
    pub high: u64,
    pub count: u64,
}

impl Entry {
    /// An entry of a key.
    pub fn new(key: Key, count: u64) -> Self {
        Self {
            low: key.0 as u64,
            high: (key.0 >> 64) as u64,
            count,
        }
    }

    /// The key.
    pub fn key(&self) -> Key {
        Key(u128::from(self.high) << 64 | u128::from(self.low))
    }
}

/// Counts of pretokens; the order of its entries depends on a random seed, so sort what leaves the process.
pub struct CountTable {
    slots: Vec<Entry>,
    used: usize,
    seed: u64,
    batch: [Key; BATCH],
    waiting: usize,
    long: HashMap<Box<[u8]>, u64>,
    long_bytes: usize,
}

impl Default for CountTable {
    fn default() -> Self {
        Self {
            slots: vec![Entry::default(); FIRST],
            used: 0,
            seed: RandomState::new().hash_one(0) | 1,
            batch: [Key::LONG; BATCH],
            waiting: 0,
            long: HashMap::new(),
            long_bytes: 0,
        }
    }
}

impl CountTable {
    /// An empty table with room for `types` keys.
    pub fn with_room(types: usize) -> Self {
        Self {
            slots: vec![Entry::default(); (types / 3 * 4 + 4).next_power_of_two().max(FIRST)],
            ..Self::default()
        }
    }

    /// Asks for the memory in which a key is looked up.
    #[inline(always)]
    pub fn prefetch(&self, key: Key) {
        prefetch(&self.slots, self.start(key));
    }

    /// Counts one occurrence.
    #[inline(always)]
    pub fn see(&mut self, key: Key, piece: &[u8]) {
        if key == Key::LONG {
            return self.add_long(piece, 1);
        }
        self.batch[self.waiting] = key;
        self.waiting += 1;
        prefetch(&self.slots, self.start(key));
        if self.waiting == BATCH {
            self.flush();
        }
    }

    /// Looks up what waits; call before reading the table.
    pub fn flush(&mut self) {
        let batch = self.batch;
        let waiting = std::mem::take(&mut self.waiting);
        for &key in &batch[..waiting] {
            self.add(key, 1);
        }
    }

    /// Adds to the count of a key other than `Key::LONG`.
    #[inline(always)]
    pub fn add(&mut self, key: Key, count: u64) {
        let (low, high) = (key.0 as u64, (key.0 >> 64) as u64);
        let mask = self.slots.len() - 1;
        let mut at = self.start(key);
        loop {
            let slot = &mut self.slots[at];
            if slot.low == low && slot.high == high {
                slot.count += count;
                return;
            }
            if slot.high == 0 {
                *slot = Entry { low, high, count };
                self.used += 1;
                if self.used * 4 > self.slots.len() * 3 {
                    self.grow();
                }
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// The count of a key other than `Key::LONG`.
    #[inline(always)]
    pub fn get(&self, key: Key) -> Option<u64> {
        let (low, high) = (key.0 as u64, (key.0 >> 64) as u64);
        let mut at = self.start(key);
        loop {
            let slot = &self.slots[at];
            if slot.low == low && slot.high == high {
                return Some(slot.count);
            }
            if slot.high == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds to the count of a pretoken whose key is `Key::LONG`.
    pub fn add_long(&mut self, piece: &[u8], count: u64) {
        if let Some(known) = self.long.get_mut(piece) {
            *known += count;
        } else {
            self.long.insert(piece.into(), count);
            self.long_bytes += piece.len() + size_of::<(Box<[u8]>, u64)>();
        }
    }

    /// Distinct pretokens.
    pub fn types(&self) -> usize {
        self.used + self.long.len()
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.slots.len() * size_of::<Entry>() + self.long_bytes
    }

    /// Empties the table of what has a key, which takes most of its memory.
    pub fn let_go_of_short(&mut self) {
        let long = std::mem::take(&mut self.long);
        *self = Self {
            long_bytes: self.long_bytes,
            long,
            ..Self::default()
        };
    }

    /// The entries that have a key, in no order.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.slots.iter().filter(|slot| slot.high != 0).copied()
    }

    /// The same with whole keys.
    pub fn short(&self) -> impl Iterator<Item = (Key, u64)> {
        self.entries().map(|entry| (entry.key(), entry.count))
    }

    /// The entries that have none, in no order.
    pub fn long(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.long.iter().map(|(piece, &count)| (piece.as_ref(), count))
    }

    /// The counts of all tables in one.
    pub fn joined(tables: Vec<Self>) -> Self {
        let mut tables = tables.into_iter();
        let mut all = tables.next().unwrap_or_default();
        tables.for_each(|table| all.absorb(&table));
        all
    }

    /// Adds all entries of another table.
    pub fn absorb(&mut self, other: &Self) {
        other.short().for_each(|(key, count)| self.add(key, count));
        other
            .long()
            .for_each(|(piece, count)| self.add_long(piece, count));
    }

    #[inline(always)]
    fn start(&self, key: Key) -> usize {
        key.hash(self.seed) as usize & (self.slots.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        let next = vec![Entry::default(); self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, next);
        let mask = self.slots.len() - 1;
        for slot in old.into_iter().filter(|slot| slot.high != 0) {
            let mut at = self.start(slot.key());
            while self.slots[at].high != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}
