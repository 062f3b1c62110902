//! Repetition inside a document (Gopher, Rae et al. 2021, table A1): duplicated lines and n-grams, exactly.
//!
//! Words get small integer ids once. An n-gram is the pair (id of its first n-1 words, id of its last word):
//! 64 bits, compared as such, so there are no hash collisions to excuse. And an n-gram that occurs once
//! can't begin a longer one that occurs twice: each n looks only at the positions that survived n-1. In
//! running prose a tenth of the positions reach n = 5, which makes six passes cost less than one.
//!
//! One difference from datatrove: it compares duplicated n-grams as words glued together without a
//! separator, here they are compared word by word («в место» is not «вместо»).

pub use super::interner::Interner;

/// N-grams are counted over the first this many tokens, which bounds the memory for one hostile document
/// (about 200 MB); FineWeb-2 drops documents over 100,000 words, so the cut is far outside what is kept.
pub const MAX_TOKENS: usize = 1 << 22;

/// One slot of an open-addressed table; a slot of another generation is empty, so clearing is free.
#[derive(Clone, Copy, Default)]
struct Slot {
    key: u64,
    generation: u32,
    count: u32,
}

/// Counts of 64-bit keys; a key is named by its slot.
#[derive(Default)]
struct Counter {
    slots: Vec<Slot>,
    generation: u32,
    mask: usize,
}

impl Counter {
    /// Empties the table and makes room for `keys` keys at load 1/2 or less.
    fn start(&mut self, keys: usize) {
        let size = (keys * 2).next_power_of_two().max(16);
        if self.slots.len() < size {
            self.slots = vec![Slot::default(); size];
            self.generation = 0;
        }
        if self.generation == u32::MAX {
            self.slots.fill(Slot::default());
            self.generation = 0;
        }
        self.generation += 1;
        self.mask = size - 1;
    }

    #[inline]
    fn add(&mut self, key: u64) -> u32 {
        // Multiply and fold: the product's high half depends on every bit of the key.
        let product = (key ^ 0x9E37_79B9_7F4A_7C15) as u128 * 0xD6E8_FEB8_6659_FD93_u128;
        let mut at = ((product >> 64) as u64 ^ product as u64) as usize & self.mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.generation != self.generation {
                *slot = Slot {
                    key,
                    generation: self.generation,
                    count: 1,
                };
                return at as u32;
            }
            if slot.key == key {
                slot.count += 1;
                return at as u32;
            }
            at = (at + 1) & self.mask;
        }
    }
}

/// Duplicates in a sequence of strings: every occurrence after the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    pub total: usize,
    pub duplicates: usize,
    /// Characters of the duplicates.
    pub chars: usize,
}

/// Counts duplicates among pieces of `text`.
pub fn duplicates<'a>(
    interner: &mut Interner,
    text: &'a str,
    pieces: impl Iterator<Item = &'a str>,
) -> Duplicates {
    interner.start();
    let mut found = Duplicates::default();
    let base = text.as_ptr() as usize;
    for piece in pieces {
        // A piece is a slice of `text`, so its address is an offset into it.
        let start = piece.as_ptr() as usize - base;
        found.total += 1;
        if !interner.id(text.as_bytes(), start, start + piece.len()).1 {
            found.duplicates += 1;
            found.chars += super::lines::char_count(piece.as_bytes());
        }
    }
    found
}

/// A token as the n-gram passes need it: its id and its length in characters.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub id: u32,
    pub chars: u32,
}

/// Characters in repeated n-grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NGrams {
    /// n = 2, 3, 4: length of the most frequent n-gram, words joined by single spaces, times its count; of
    /// equally frequent ones, the first in the text. 0 when there are fewer than n words.
    pub top: [u64; 3],
    /// n = 5 .. 10: characters (without separators) of n-grams that occurred before, scanning from the left
    /// and going on after a repeated one.
    pub duplicated: [u64; 6],
}

/// Scratch memory, reused from document to document.
#[derive(Default)]
pub struct NGramCounter {
    counter: Counter,
    /// Positions whose (n-1)-gram occurs at least twice, with that n-gram's slot.
    candidates: Vec<(u32, u32)>,
    slots: Vec<u32>,
    seen: Vec<bool>,
}

impl NGramCounter {
    /// All n-gram figures of a document of at most `MAX_TOKENS` words.
    pub fn measure(&mut self, words: &[Word]) -> NGrams {
        let mut result = NGrams::default();
        self.candidates.clear();
        self.candidates
            .extend(words.iter().enumerate().map(|(at, word)| (at as u32, word.id)));
        for n in 2..=10 {
            if words.len() < n {
                break;
            }
            self.count(words, n);
            if n <= 4 {
                result.top[n - 2] = self.top(words, n);
            } else {
                result.duplicated[n - 5] = self.repeated(words, n);
            }
            self.narrow();
            if self.candidates.is_empty() && n >= 4 {
                break;
            }
        }
        result
    }

    /// Counts the n-grams at the candidate positions.
    fn count(&mut self, words: &[Word], n: usize) {
        let last = words.len() - n;
        // Positions ascend: those too near the end are the last.
        while self.candidates.last().is_some_and(|&(at, _)| at as usize > last) {
            self.candidates.pop();
        }
        self.counter.start(self.candidates.len());
        self.slots.clear();
        for &(at, prefix) in &self.candidates {
            let key = (u64::from(prefix) << 32) | u64::from(words[at as usize + n - 1].id);
            self.slots.push(self.counter.add(key));
        }
    }

    fn top(&self, words: &[Word], n: usize) -> u64 {
        let mut best = (1, 0);
        for (&(at, _), &slot) in self.candidates.iter().zip(&self.slots) {
            let count = self.counter.slots[slot as usize].count;
            // Positions ascend, so a strict comparison keeps the first of equals; position 0 stands for
            // "all n-grams occur once".
            if count > best.0 {
                best = (count, at as usize);
            }
        }
        (length(words, best.1, n) + n as u64 - 1) * u64::from(best.0)
    }

    fn repeated(&mut self, words: &[Word], n: usize) -> u64 {
        self.seen.clear();
        self.seen.resize(self.counter.mask + 1, false);
        let (mut chars, mut next) = (0, 0);
        for (&(at, _), &slot) in self.candidates.iter().zip(&self.slots) {
            if (at as usize) < next {
                continue;
            }
            let seen = &mut self.seen[slot as usize];
            if *seen {
                chars += length(words, at as usize, n);
                next = at as usize + n;
            }
            *seen = true;
        }
        chars
    }

    /// Keeps the candidates whose n-gram occurs at least twice.
    fn narrow(&mut self) {
        let mut kept = 0;
        for index in 0..self.candidates.len() {
            let slot = self.slots[index];
            if self.counter.slots[slot as usize].count > 1 {
                self.candidates[kept] = (self.candidates[index].0, slot);
                kept += 1;
            }
        }
        self.candidates.truncate(kept);
    }
}

fn length(words: &[Word], at: usize, n: usize) -> u64 {
    words[at..at + n].iter().map(|word| u64::from(word.chars)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    fn slow(words: &[&str]) -> NGrams {
        let mut result = NGrams::default();
        for n in 2..=4 {
            let mut counts: HashMap<&[&str], (u64, usize)> = HashMap::new();
            for (at, gram) in words.windows(n).enumerate() {
                counts.entry(gram).or_insert((0, at)).0 += 1;
            }
            if let Some((gram, (count, _))) = counts
                .iter()
                .max_by_key(|(_, (count, first))| (*count, usize::MAX - *first))
            {
                result.top[n - 2] = gram.join(" ").chars().count() as u64 * count;
            }
        }
        for n in 5..=10 {
            let (mut at, mut seen) = (0, HashSet::new());
            while at + n <= words.len() {
                if !seen.insert(&words[at..at + n]) {
                    result.duplicated[n - 5] += words[at..at + n].concat().chars().count() as u64;
                    at += n;
                } else {
                    at += 1;
                }
            }
        }
        result
    }

    fn fast(counter: &mut NGramCounter, words: &[&str]) -> NGrams {
        let mut interner = Interner::default();
        interner.start();
        let text = words.concat();
        let mut start = 0;
        let list: Vec<Word> = words
            .iter()
            .map(|word| {
                let (id, _) = interner.id(text.as_bytes(), start, start + word.len());
                start += word.len();
                Word {
                    id,
                    chars: word.chars().count() as u32,
                }
            })
            .collect();
        counter.measure(&list)
    }

    proptest! {
        #[test]
        fn n_grams_agree_with_the_plain_count(
            documents in prop::collection::vec(prop::collection::vec(prop::sample::select(
                vec!["а", "бы", "вот", "это", "-", "дом"]), 0..120), 1..4),
        ) {
            let mut counter = NGramCounter::default();
            for words in &documents {
                prop_assert_eq!(fast(&mut counter, words), slow(words));
            }
        }

        #[test]
        fn repeated_passages_agree_with_the_plain_count(
            pieces in prop::collection::vec((0usize..6, 1usize..14), 0..20),
        ) {
            // Passages cut from one running sequence, so that long n-grams do repeat.
            let source: Vec<String> = (0..20).map(|i| format!("слово{i}")).collect();
            let words: Vec<&str> =
                pieces.iter().flat_map(|&(from, len)| source[from..(from + len)].iter().map(String::as_str)).collect();
            prop_assert_eq!(fast(&mut NGramCounter::default(), &words), slow(&words));
        }

        #[test]
        fn interned_ids_are_equal_exactly_for_equal_strings(words in prop::collection::vec("[аб]{0,3}|[a-z]{0,5}", 0..900)) {
            let text = words.concat();
            let (mut interner, mut known, mut start) = (Interner::default(), HashMap::new(), 0);
            interner.start();
            for word in &words {
                let next = known.len() as u32;
                let expected = *known.entry(word.as_str()).or_insert(next);
                prop_assert_eq!(interner.id(text.as_bytes(), start, start + word.len()).0, expected);
                start += word.len();
            }
        }
    }
}
