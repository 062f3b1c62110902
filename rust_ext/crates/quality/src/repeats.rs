//! What occurs again: sets that are emptied for nothing, and an estimate of compression.

/// A set of 64-bit keys; keys are compared whole, and a slot of another generation is empty.
#[derive(Default)]
pub struct Seen {
    slots: Vec<(u64, u32)>,
    generation: u32,
    count: usize,
}

impl Seen {
    /// Empties the set; keeps the memory.
    pub fn start(&mut self) {
        if self.slots.is_empty() || self.generation == u32::MAX {
            self.slots = vec![(0, 0); self.slots.len().max(1024)];
            self.generation = 0;
        }
        self.generation += 1;
        self.count = 0;
    }

    /// Adds a key; returns whether it was there.
    #[inline]
    pub fn add(&mut self, key: u64) -> bool {
        if self.count * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.place(key);
        if self.slots[at].1 == self.generation {
            return true;
        }
        self.slots[at] = (key, self.generation);
        self.count += 1;
        false
    }

    #[inline]
    fn place(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let product = u128::from(key ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        let mut at = ((product >> 64) as u64 ^ product as u64) as usize & mask;
        while self.slots[at].1 == self.generation && self.slots[at].0 != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 4;
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for (key, generation) in old {
            if generation == self.generation {
                let at = self.place(key);
                self.slots[at] = (key, generation);
            }
        }
    }
}

/// Slots of the table of the compression estimate.
const HASHES: usize = 1 << 15;

/// Bits of a greedy LZ77 with one entry a hash of four bytes: 9 a literal, 24 a match.
#[derive(Default)]
pub struct Compression {
    table: Vec<u32>,
}

impl Compression {
    pub fn bits(&mut self, data: &[u8]) -> usize {
        self.table.clear();
        self.table.resize(HASHES, u32::MAX);
        let (mut at, mut bits) = (0, 0);
        while let Some(four) = data[at..].first_chunk::<4>() {
            let key = (u32::from_le_bytes(*four).wrapping_mul(2_654_435_761) >> 17) as usize;
            let before = std::mem::replace(&mut self.table[key], at as u32) as usize;
            if before == u32::MAX as usize || data[before..before + 4] != four[..] {
                bits += 9;
                at += 1;
                continue;
            }
            let rest = data[at + 4..].iter().zip(&data[before + 4..]);
            at += 4 + rest.take_while(|(a, b)| a == b).count();
            bits += 24;
        }
        bits + 9 * (data.len() - at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_seen_once_added_and_forgotten_after_start() {
        let mut seen = Seen::default();
        seen.start();
        assert!((0..5000).all(|key| !seen.add(key)));
        assert!((0..5000).all(|key| seen.add(key)));
        seen.start();
        assert!(!seen.add(7));
    }

    #[test]
    fn repeated_bytes_cost_less() {
        let mut compression = Compression::default();
        assert_eq!(compression.bits(b"abc"), 27);
        assert_eq!(compression.bits(b"abcdabcdabcd"), 9 * 4 + 24);
        assert_eq!(compression.bits(b""), 0);
    }
}
