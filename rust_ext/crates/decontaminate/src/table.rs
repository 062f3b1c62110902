//! Two hash tables with open addressing: words to numbers, windows of numbers to items. A slot holds half of
//! the hash to spare most comparisons; what is equal is decided by the keys.

/// A slot that is free.
const FREE: u32 = u32::MAX;

/// Words and their numbers, from 0 in the order in which they came.
#[derive(Default)]
pub struct Vocabulary {
    slots: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    /// Hash, start and length of each word in `bytes`.
    words: Vec<(u64, usize, usize)>,
}

impl Vocabulary {
    /// The number of a word, a new one where it has none.
    pub fn number(&mut self, word: &[u8], hash: u64) -> u32 {
        if let Some(number) = self.find(word, hash) {
            return number;
        }
        if 2 * (self.words.len() + 1) > self.slots.len() {
            self.grow();
        }
        let number = self.words.len() as u32; // there are fewer words than `Grams::append` lets in
        self.words.push((hash, self.bytes.len(), word.len()));
        self.bytes.extend_from_slice(word);
        self.put(hash, number);
        number
    }

    /// The number of a word.
    #[inline]
    pub fn find(&self, word: &[u8], hash: u64) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let (tag, number) = self.slots[at];
            if number == FREE {
                return None;
            }
            if tag == half(hash) {
                let (_, start, length) = self.words[number as usize];
                if &self.bytes[start..start + length] == word {
                    return Some(number);
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn put(&mut self, hash: u64, number: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].1 != FREE {
            at = (at + 1) & mask;
        }
        self.slots[at] = (half(hash), number);
    }

    fn grow(&mut self) {
        self.slots = vec![(0, FREE); (4 * self.words.len()).next_power_of_two().max(64)];
        for number in 0..self.words.len() {
            self.put(self.words[number].0, number as u32);
        }
    }
}

#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    /// Low half of the hash, by which the table grows.
    low: u32,
    /// Where the window stands in `words`.
    at: u32,
    length: u32,
    item: u32,
}

/// Windows of numbered words and the items that they belong to.
#[derive(Default)]
pub struct Grams {
    slots: Vec<Slot>,
    used: usize,
    words: Vec<u32>,
}

impl Grams {
    /// Appends the words of a text; returns where they begin.
    pub fn append(&mut self, words: &[u32]) -> Result<usize, String> {
        let from = self.words.len();
        if from + words.len() >= FREE as usize {
            return Err("the benchmarks have more than 4,294,967,294 words".to_owned());
        }
        self.words.extend_from_slice(words);
        Ok(from)
    }

    /// Adds the window of `length` words at `at`, unless an equal one is there.
    pub fn insert(&mut self, hash: u64, at: usize, length: usize, item: u32) {
        if self.find(hash, &self.words[at..at + length]).is_some() {
            return;
        }
        if 2 * (self.used + 1) > self.slots.len() {
            self.grow();
        }
        self.used += 1;
        self.put(Slot {
            tag: half(hash),
            low: hash as u32,
            at: at as u32, // `append` holds it below 2^32
            length: length as u32,
            item,
        });
    }

    /// The item that a window belongs to.
    #[inline]
    pub fn find(&self, hash: u64, window: &[u32]) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as u32 as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.at == FREE {
                return None;
            }
            let start = slot.at as usize;
            let same = slot.tag == half(hash) && slot.length as usize == window.len();
            if same && &self.words[start..start + window.len()] == window {
                return Some(slot.item);
            }
            at = (at + 1) & mask;
        }
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = slot.low as usize & mask;
        while self.slots[at].at != FREE {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let free = Slot {
            tag: 0,
            low: 0,
            at: FREE,
            length: 0,
            item: 0,
        };
        let size = (4 * self.used).next_power_of_two().max(64);
        let old = std::mem::replace(&mut self.slots, vec![free; size]);
        for slot in old.into_iter().filter(|slot| slot.at != FREE) {
            self.put(slot);
        }
    }
}

#[inline]
fn half(hash: u64) -> u32 {
    (hash >> 32) as u32
}
