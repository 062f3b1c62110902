//! What occurs again: sets that are emptied for nothing, and an estimate of compression.

/// Slots of a set that has just been emptied: few, so that a short text reads little memory whatever came before.
const FIRST: usize = 1024;

/// A set of 64-bit keys; keys are compared whole, and a slot of another generation is empty.
#[derive(Default)]
pub struct Seen {
    slots: Vec<(u64, u32)>,
    /// Of the slots those that are in use, less one.
    mask: usize,
    generation: u32,
    count: usize,
    moved: Vec<u64>,
}

impl Seen {
    /// Empties the set; keeps the memory.
    pub fn start(&mut self) {
        if self.slots.is_empty() || self.generation > u32::MAX - 64 {
            self.slots = vec![(0, 0); self.slots.len().max(FIRST)];
            self.generation = 0;
        }
        self.generation += 1;
        self.mask = FIRST - 1;
        self.count = 0;
    }

    /// Adds a key; returns whether it was there.
    #[inline]
    pub fn add(&mut self, key: u64) -> bool {
        if self.count * 2 > self.mask {
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
        let product = u128::from(key ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        let mut at = ((product >> 64) as u64 ^ product as u64) as usize & self.mask;
        while self.slots[at].1 == self.generation && self.slots[at].0 != key {
            at = (at + 1) & self.mask;
        }
        at
    }

    fn grow(&mut self) {
        let (slots, generation) = (&self.slots[..=self.mask], self.generation);
        self.moved.clear();
        self.moved.extend(
            slots
                .iter()
                .filter(|slot| slot.1 == generation)
                .map(|slot| slot.0),
        );
        let size = (self.mask + 1) * 4;
        if self.slots.len() < size {
            self.slots.resize(size, (0, 0));
        }
        self.mask = size - 1;
        self.generation += 1;
        for key in std::mem::take(&mut self.moved) {
            let at = self.place(key);
            self.slots[at] = (key, self.generation);
        }
    }
}

/// Numbers of lower-case forms in order of their appearance in a text.
#[derive(Default)]
pub struct Numbers {
    /// Generation, form, number.
    slots: Vec<(u32, u32, u32)>,
    /// Of the slots those that are in use, less one: few in a short text, whatever came before.
    mask: usize,
    generation: u32,
    forms: Vec<u32>,
}

impl Numbers {
    /// Forgets the forms; keeps the memory.
    pub fn start(&mut self) {
        if self.slots.is_empty() || self.generation > u32::MAX - 64 {
            self.slots = vec![(0, 0, 0); self.slots.len().max(FIRST)];
            self.generation = 0;
        }
        self.generation += 1;
        self.mask = FIRST - 1;
        self.forms.clear();
    }

    #[inline]
    /// The number of a form in the text.
    pub fn number(&mut self, form: u32) -> u32 {
        if self.forms.len() * 2 > self.mask {
            self.grow();
        }
        let at = self.place(form);
        if self.slots[at].0 != self.generation {
            self.slots[at] = (self.generation, form, self.forms.len() as u32);
            self.forms.push(form);
        }
        self.slots[at].2
    }

    #[inline]
    fn place(&self, form: u32) -> usize {
        let mut at = (form.wrapping_mul(0x9E37_79B1) >> 7) as usize & self.mask;
        while self.slots[at].0 == self.generation && self.slots[at].1 != form {
            at = (at + 1) & self.mask;
        }
        at
    }

    fn grow(&mut self) {
        let size = (self.mask + 1) * 4;
        if self.slots.len() < size {
            self.slots.resize(size, (0, 0, 0));
        }
        self.mask = size - 1;
        self.generation += 1;
        for number in 0..self.forms.len() {
            let form = self.forms[number];
            let at = self.place(form);
            self.slots[at] = (self.generation, form, number as u32);
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
        assert!((100..9000).all(|key| !seen.add(key)));
        assert!(seen.add(7) && seen.add(8999) && !seen.add(9000));
    }

    #[test]
    fn repeated_bytes_cost_less() {
        let mut compression = Compression::default();
        assert_eq!(compression.bits(b"abc"), 27);
        assert_eq!(compression.bits(b"abcdabcdabcd"), 9 * 4 + 24);
        assert_eq!(compression.bits(b""), 0);
    }
}
