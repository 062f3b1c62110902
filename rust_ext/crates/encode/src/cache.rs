//! Pretoken -> ids, in bounded memory.
//!
//! Sets of four entries, two cache lines: the first two places keep who came first, which on text is mostly
//! who comes often; the other two are given anew in turn. An entry is the pretoken's key and up to four ids;
//! what has more lies in a ring beside the sets, and pretokens without a key in a map of their own. Neither is
//! ever larger than it was meant to be.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use super::pages;
use bukvar_split::Key;

/// An entry: key, then ids; the top byte of the first id is their count, or `RING`.
#[derive(Clone, Copy)]
struct Entry {
    key: u128,
    ids: [u32; 4],
}

const WAYS: usize = 4;

#[derive(Clone, Copy)]
#[repr(align(128))]
struct Set([Entry; WAYS]);

const EMPTY: Set = Set([Entry { key: 0, ids: [0; 4] }; WAYS]);

/// Bits of an id below the count.
const COUNT_SHIFT: u32 = 24;
const ID_MASK: u32 = (1 << COUNT_SHIFT) - 1;
/// In the place of a count: the ids lie in the ring, at the position in `ids[1]` and `ids[2]`.
const RING: u32 = 0xff;

/// Of the memory, the ring gets an eighth (with o200k, 9% of the pretoken types of 156 MB
/// of Russian have more than four ids, with 5.3 on average)
/// and the map of long pretokens an eighth.
const RING_SHARE: usize = 8;
const LONG_SHARE: usize = 8;
/// Longer pretokens are merged each time, past the cache: a run of more bytes hardly ever comes back.
pub const LONGEST: usize = 256;
/// What a map entry takes beside its bytes and ids, about.
const LONG_OVERHEAD: usize = 96;

pub enum Found<'a> {
    Few([u32; 4], usize),
    Many(&'a [u32]),
    Nothing,
}

pub struct Cache {
    sets: Box<[Set]>,
    mask: usize,
    seeds: (u64, u64),
    /// Which of the two later places is given next; one for all sets, which is as good as one each.
    turn: usize,
    ring: Ring,
    long: HashMap<Box<[u8]>, Box<[u32]>, Seeded>,
    long_bytes: usize,
    long_limit: usize,
}

impl Cache {
    pub fn new(bytes: usize, seed: u64) -> Self {
        let sets = (bytes / size_of::<Set>()).max(1);
        let sets = 1usize << sets.ilog2();
        // Two odd, different words (splitmix64's constants), so that neither factor below is fixed.
        let mix = |n: u64| {
            let z = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let mut places = Vec::with_capacity(sets);
        pages::prefer_large(&mut places);
        places.resize(sets, EMPTY);
        Self {
            sets: places.into_boxed_slice(),
            mask: sets - 1,
            seeds: (mix(1), mix(2)),
            turn: 0,
            ring: Ring::new(bytes / RING_SHARE / size_of::<u32>()),
            long: HashMap::with_hasher(Seeded(mix(3), mix(4))),
            long_bytes: 0,
            long_limit: bytes / LONG_SHARE,
        }
    }

    /// The set in which a key would be.
    #[inline(always)]
    pub fn set_of(&self, key: Key) -> usize {
        let (low, high) = (key.0 as u64, (key.0 >> 64) as u64);
        fold(low ^ self.seeds.0, high ^ self.seeds.1) as usize & self.mask
    }

    #[inline(always)]
    pub fn prefetch(&self, set: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let line = (&raw const self.sets[set]).cast::<i8>();
            // SAFETY: prefetching reads nothing and cannot fault; both lines lie inside the set.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(line);
                _mm_prefetch::<_MM_HINT_T0>(line.add(64));
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = set;
    }

    #[inline(always)]
    pub fn get(&self, set: usize, key: Key) -> Found<'_> {
        let set = &self.sets[set].0;
        let hits = (0..WAYS).fold(0u32, |hits, way| hits | u32::from(set[way].key == key.0) << way);
        // A long pretoken's key is 0, which an empty place has too.
        if hits == 0 || key == Key::LONG {
            return Found::Nothing;
        }
        let mut ids = set[hits.trailing_zeros() as usize & (WAYS - 1)].ids;
        let count = ids[0] >> COUNT_SHIFT;
        if count == RING {
            return self.ring.get(ids).map_or(Found::Nothing, Found::Many);
        }
        ids[0] &= ID_MASK;
        Found::Few(ids, count as usize)
    }

    pub fn put(&mut self, set: usize, key: Key, ids: &[u32]) {
        let ids = match ids {
            [] => return,
            few if few.len() <= 4 => {
                let mut entry = [0; 4];
                entry[..few.len()].copy_from_slice(few);
                entry[0] |= (few.len() as u32) << COUNT_SHIFT;
                entry
            }
            many => match self.ring.put(many) {
                Some(ids) => ids,
                None => return,
            },
        };
        let places = &mut self.sets[set].0;
        let place = places
            .iter()
            .position(|entry| entry.key == 0 || entry.key == key.0)
            .unwrap_or_else(|| {
                self.turn ^= 1;
                2 + self.turn
            });
        places[place] = Entry { key: key.0, ids };
    }

    pub fn get_long(&self, piece: &[u8]) -> Option<&[u32]> {
        self.long.get(piece).map(AsRef::as_ref)
    }

    pub fn put_long(&mut self, piece: &[u8], ids: &[u32]) {
        self.long_bytes += piece.len() + size_of_val(ids) + LONG_OVERHEAD;
        if self.long_bytes > self.long_limit {
            self.long.clear();
            self.long_bytes = 0;
        }
        self.long.insert(piece.into(), ids.into());
    }
}

/// Runs of ids, the oldest of which are written over.
struct Ring {
    ids: Box<[u32]>,
    /// How many ids were ever written, gaps at the end included; position of the next.
    written: u64,
}

impl Ring {
    fn new(capacity: usize) -> Self {
        Self {
            ids: vec![0; capacity].into_boxed_slice(),
            written: 0,
        }
    }

    /// Stores a run and gives the entry that finds it; None for what is longer than the ring.
    fn put(&mut self, run: &[u32]) -> Option<[u32; 4]> {
        let capacity = self.ids.len();
        if run.len() > capacity {
            return None;
        }
        let mut at = (self.written % capacity as u64) as usize;
        if at + run.len() > capacity {
            self.written += (capacity - at) as u64;
            at = 0;
        }
        self.ids[at..at + run.len()].copy_from_slice(run);
        let start = self.written;
        self.written += run.len() as u64;
        Some([
            RING << COUNT_SHIFT,
            start as u32,
            (start >> 32) as u32,
            run.len() as u32,
        ])
    }

    /// The run of an entry, unless it was written over since.
    fn get(&self, entry: [u32; 4]) -> Option<&[u32]> {
        let start = u64::from(entry[1]) | u64::from(entry[2]) << 32;
        let capacity = self.ids.len() as u64;
        if self.written - start > capacity {
            return None;
        }
        let at = (start % capacity) as usize;
        self.ids.get(at..at + entry[3] as usize)
    }
}

/// Seeds the map of long pretokens, which is hashed as the sets are, sixteen bytes after sixteen.
#[derive(Clone, Copy)]
struct Seeded(u64, u64);

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded {
            seeds: *self,
            state: 0,
        }
    }
}

struct Folded {
    seeds: Seeded,
    state: u64,
}

impl Folded {
    #[inline(always)]
    fn add(&mut self, low: u64, high: u64) {
        self.state = fold(low ^ self.seeds.0 ^ self.state, high ^ self.seeds.1);
    }
}

impl Hasher for Folded {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<16>();
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        for block in blocks.iter().chain([&last]) {
            let word = u128::from_le_bytes(*block);
            self.add(word as u64, (word >> 64) as u64);
        }
    }

    /// Of the length, which a slice's hash begins with: so that zeros at the end count.
    #[inline]
    fn write_usize(&mut self, length: usize) {
        self.add(length as u64, 0);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

/// Two words times each other, 128 bits folded into 64.
#[inline(always)]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
