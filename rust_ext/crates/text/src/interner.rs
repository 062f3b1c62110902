//! Small ids for byte strings, exactly.

/// Gives byte strings ids 0, 1, 2, ... in order of first appearance, exactly (bytes are compared).
#[derive(Default)]
pub struct Interner {
    slots: Vec<(u32, u32)>,
    generation: u32,
    mask: usize,
    spans: Vec<(usize, usize, u64)>,
}

impl Interner {
    /// Forgets all strings; keeps the memory.
    pub fn start(&mut self) {
        self.spans.clear();
        if self.slots.len() < 1024 || self.generation == u32::MAX {
            self.slots = vec![(0, 0); self.slots.len().max(1024)];
            self.generation = 0;
        }
        self.generation += 1;
        self.mask = 1023;
    }

    /// The id of `text[start..end]`, and whether it is new. `text` must be the same between two starts.
    #[inline]
    pub fn id(&mut self, text: &[u8], start: usize, end: usize) -> (u32, bool) {
        let bytes = &text[start..end];
        let hash = hash_bytes(bytes);
        let mut at = hash as usize & self.mask;
        loop {
            let (generation, id) = self.slots[at];
            if generation != self.generation {
                break;
            }
            let (from, to, known) = self.spans[id as usize];
            if known == hash && &text[from..to] == bytes {
                return (id, false);
            }
            at = (at + 1) & self.mask;
        }
        let id = self.spans.len() as u32;
        self.slots[at] = (self.generation, id);
        self.spans.push((start, end, hash));
        if self.spans.len() * 2 > self.mask {
            self.grow();
        }
        (id, true)
    }

    fn grow(&mut self) {
        let size = (self.mask + 1) * 4;
        if self.slots.len() < size {
            self.slots = vec![(0, 0); size];
            self.generation = 1;
        } else if self.generation == u32::MAX {
            self.slots.fill((0, 0));
            self.generation = 1;
        } else {
            self.generation += 1;
        }
        self.mask = size - 1;
        for (id, &(_, _, hash)) in self.spans.iter().enumerate() {
            let mut at = hash as usize & self.mask;
            while self.slots[at].0 == self.generation {
                at = (at + 1) & self.mask;
            }
            self.slots[at] = (self.generation, id as u32);
        }
    }
}

/// A 64-bit hash by folded multiplication of eight bytes at a time. Places entries only: equality is decided
/// on the bytes.
#[inline]
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = fold(state ^ u64::from_le_bytes(word));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        state = fold(state ^ u64::from_le_bytes(word));
    }
    state ^ (state >> 29)
}

#[inline]
fn fold(value: u64) -> u64 {
    let product = value as u128 * 0xA076_1D64_78BD_642F_u128;
    (product >> 64) as u64 ^ product as u64
}
