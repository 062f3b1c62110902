//! Words of letters -> where their morphemes begin: an open-addressing table of 16 bytes a word.
//!
//! A letter takes 7 of the 8 bits of its byte in a key, so the eighth says whether a morpheme begins there.

use std::hash::{BuildHasher, RandomState};

use crate::prefetch::prefetch;
use bukvar_split::Key;

/// The eighth bits of the 14 letters of a key.
const EIGHTH: u128 = 0x0000_8080_8080_8080_8080_8080_8080_8080;
/// Free places: two for three that are taken.
const ROOM: (usize, usize) = (5, 3);

pub struct Masks {
    /// 0 is free: a key's last byte never is 0.
    slots: Vec<u128>,
    used: usize,
    seed: u64,
}

/// Bit j of a mask in the eighth bit of byte j of a key.
fn spread(mask: u64) -> u128 {
    let bits = (0..14).filter(|letter| mask >> letter & 1 != 0);
    bits.fold(0, |spread, letter| spread | 0x80 << (8 * letter))
}

/// The mask whose bits stand so.
#[inline(always)]
fn gathered(slot: u128) -> u64 {
    let half = |bytes: u64| (bytes >> 7 & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let bits = slot & EIGHTH;
    half(bits as u64) | half((bits >> 64) as u64) << 8
}

impl Masks {
    /// Room for so many words, and no more.
    pub fn with_room(words: usize) -> Self {
        Self {
            slots: vec![0; words * ROOM.0 / ROOM.1 + 2],
            used: 0,
            seed: RandomState::new().hash_one(0) | 1,
        }
    }

    pub fn words(&self) -> usize {
        self.used
    }

    #[inline(always)]
    fn start(&self, key: Key) -> usize {
        // The upper half of the product says which place of any number of them.
        ((u128::from(key.hash(self.seed)) * self.slots.len() as u128) >> 64) as usize
    }

    #[inline(always)]
    pub fn prefetch(&self, key: Key) {
        prefetch(&self.slots, self.start(key));
    }

    /// Where the word is, or would be.
    #[inline(always)]
    fn place(&self, key: Key) -> usize {
        let mut at = self.start(key);
        while self.slots[at] != 0 && self.slots[at] & !EIGHTH != key.0 {
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
        at
    }

    /// The mask of a word of letters; 0 for a word that is not there.
    #[inline(always)]
    pub fn get(&self, key: Key) -> u64 {
        gathered(self.slots[self.place(key)])
    }

    /// Adds a word of letters, unless it is there or there is no room.
    pub fn add(&mut self, key: Key, mask: u64) {
        let at = self.place(key);
        if self.slots[at] == 0 && self.used + 1 < self.slots.len() {
            self.slots[at] = key.0 | spread(mask);
            self.used += 1;
        }
    }
}
