//! The index of n-grams and the search in a document.

use crate::table::{Grams, Vocabulary};
use bukvar_dedup::text::Normalised;

/// Largest `n`.
pub const LONGEST: usize = 64;
/// Number of a word that no benchmark has.
const UNKNOWN: u32 = u32::MAX;
/// Odd multiplier of the polynomial hash of a window: 2^64 / golden ratio.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Words `start..end` of a document that it shares with a text of `item`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    pub start: u32,
    pub end: u32,
    pub item: u32,
}

/// Buffers that are used again from document to document.
#[derive(Default)]
pub struct Scratch {
    normalised: Normalised,
    words: Vec<u32>,
    prefixes: Vec<u64>,
    windows: Vec<(u32, u32, u32)>,
}

/// The n-grams of all benchmarks.
pub struct Index {
    vocabulary: Vocabulary,
    grams: Grams,
    /// Lengths of windows that are looked for, ascending, each with the power of [`BASE`] that it takes.
    lengths: Vec<(usize, u64)>,
    /// Words of each text, in the order in which they came.
    sizes: Vec<u32>,
}

impl Index {
    /// Reads the texts of the benchmarks, each with the number of its item. An n-gram that several items have
    /// belongs to the first.
    ///
    /// Fails where `n` or `min_words` is out of range, or the texts have 2^32 - 1 words or more.
    pub fn new<'a>(
        texts: impl Iterator<Item = (u32, &'a str)>,
        n: usize,
        min_words: usize,
    ) -> Result<Self, String> {
        if !(2..=LONGEST).contains(&n) || !(1..=n).contains(&min_words) {
            return Err(format!("n is 2 to {LONGEST}, min_words 1 to n"));
        }
        let mut index = Self {
            vocabulary: Vocabulary::default(),
            grams: Grams::default(),
            lengths: Vec::new(),
            sizes: Vec::new(),
        };
        let mut scratch = Scratch::default();
        let mut used = [false; LONGEST + 1];
        for (item, text) in texts {
            scratch.normalised.read(text);
            scratch.words.clear();
            for (word, hash) in scratch.normalised.words().zip(scratch.normalised.word_hashes()) {
                scratch.words.push(index.vocabulary.number(word, hash));
            }
            let words = &scratch.words;
            index.sizes.push(u32::try_from(words.len()).unwrap_or(u32::MAX));
            if words.len() < min_words {
                continue;
            }
            let length = n.min(words.len());
            used[length] = true;
            let from = index.grams.append(words)?;
            prefix_hashes(words, &mut scratch.prefixes);
            let power = power(length);
            for start in 0..=words.len() - length {
                let hash = window_hash(&scratch.prefixes, start, length, power);
                index.grams.insert(hash, from + start, length, item);
            }
        }
        index.lengths = (1..=n)
            .filter(|&l| used[l])
            .map(|length| (length, power(length)))
            .collect();
        Ok(index)
    }

    /// Number of words of each text given to [`Index::new`].
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// What a document shares with the benchmarks: of each item the windows that overlap or touch as one match,
    /// in the order of their starts. Empty for most documents.
    pub fn find(&self, text: &str, scratch: &mut Scratch) -> Vec<Match> {
        let Some(&(shortest, _)) = self.lengths.first() else {
            return Vec::new();
        };
        scratch.normalised.read(text);
        scratch.words.clear();
        scratch.windows.clear();
        let numbered = scratch.normalised.words().zip(scratch.normalised.word_hashes());
        let numbers = numbered.map(|(word, hash)| self.vocabulary.find(word, hash).unwrap_or(UNKNOWN));
        scratch.words.extend(numbers);
        let mut at = 0;
        for run in scratch.words.split(|&word| word == UNKNOWN) {
            if run.len() >= shortest {
                self.find_in_run(run, at, &mut scratch.prefixes, &mut scratch.windows);
            }
            at += run.len() + 1;
        }
        merge(&mut scratch.windows)
    }

    /// Adds (item, start, end) of every window of a run of known words that begins at word `at`.
    fn find_in_run(
        &self,
        run: &[u32],
        at: usize,
        prefixes: &mut Vec<u64>,
        windows: &mut Vec<(u32, u32, u32)>,
    ) {
        prefix_hashes(run, prefixes);
        for &(length, power) in &self.lengths {
            for (start, window) in run.windows(length).enumerate() {
                let hash = window_hash(prefixes, start, length, power);
                if let Some(item) = self.grams.find(hash, window) {
                    let first = (at + start) as u32; // a document of 2^32 words passes every limit of size
                    windows.push((item, first, first + length as u32));
                }
            }
        }
    }
}

fn merge(windows: &mut [(u32, u32, u32)]) -> Vec<Match> {
    windows.sort_unstable();
    let mut found: Vec<Match> = Vec::new();
    for &(item, start, end) in windows.iter() {
        match found.last_mut() {
            Some(last) if last.item == item && start <= last.end => last.end = last.end.max(end),
            _ => found.push(Match { start, end, item }),
        }
    }
    found.sort_unstable();
    found
}

fn prefix_hashes(words: &[u32], prefixes: &mut Vec<u64>) {
    prefixes.clear();
    prefixes.push(0);
    let mut hash = 0u64;
    for &word in words {
        hash = hash.wrapping_mul(BASE).wrapping_add(spread(u64::from(word) + 1));
        prefixes.push(hash);
    }
}

fn power(length: usize) -> u64 {
    (0..length).fold(1, |power: u64, _| power.wrapping_mul(BASE))
}

/// Hash of `length` words from `start`: the difference of two prefixes, mixed.
#[inline]
fn window_hash(prefixes: &[u64], start: usize, length: usize, power: u64) -> u64 {
    let sum = prefixes[start + length].wrapping_sub(prefixes[start].wrapping_mul(power));
    spread(sum ^ (length as u64))
}

/// The finaliser of SplitMix64.
#[inline]
fn spread(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(benchmark: &[&str], n: usize, min_words: usize, text: &str) -> Vec<(u32, u32, u32)> {
        let index = Index::new((0..).zip(benchmark.iter().copied()), n, min_words).unwrap();
        let matches = index.find(text, &mut Scratch::default());
        matches.iter().map(|m| (m.start, m.end, m.item)).collect()
    }

    #[test]
    fn overlapping_windows_are_one_match() {
        let text = "так: Ёж шёл по лесу, и лес молчал долго; вот";
        assert_eq!(found(&["еж шел по лесу и лес молчал"], 3, 3, text), [(1, 8, 0)]);
    }

    #[test]
    fn a_short_text_is_found_whole_only_and_a_shorter_one_not_at_all() {
        let benchmark = ["один два три четыре", "пять шесть"];
        assert_eq!(
            found(&benchmark, 5, 3, "ноль один два три четыре пять шесть"),
            [(1, 5, 0)]
        );
        assert_eq!(found(&benchmark, 5, 3, "один два три пять шесть"), []);
    }

    #[test]
    fn an_unknown_word_ends_every_window() {
        assert_eq!(found(&["а б в г д е"], 3, 3, "а б х в г х д е"), []);
        assert_eq!(
            found(&["а б в г д е"], 3, 3, "а б в х г д е"),
            [(0, 3, 0), (4, 7, 0)]
        );
    }

    #[test]
    fn windows_of_the_same_hash_are_distinguished_by_their_words() {
        let mut grams = Grams::default();
        grams.append(&[1, 2, 3, 4]).unwrap();
        grams.insert(7, 0, 2, 10);
        grams.insert(7, 2, 2, 11);
        assert_eq!(grams.find(7, &[1, 2]), Some(10));
        assert_eq!(grams.find(7, &[3, 4]), Some(11));
        assert_eq!(grams.find(7, &[2, 3]), None);
        let mut words = Vocabulary::default();
        assert_eq!((words.number(b"a", 7), words.number(b"b", 7)), (0, 1));
        assert_eq!((words.find(b"b", 7), words.find(b"c", 7)), (Some(1), None));
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for (n, min_words) in [(1, 1), (65, 8), (13, 0), (13, 14)] {
            assert!(Index::new([].into_iter(), n, min_words).is_err());
        }
        let nothing = Index::new([].into_iter(), 13, 8).unwrap();
        assert!(nothing.find("любой текст", &mut Scratch::default()).is_empty());
    }

    /// Every window of every text, compared word by word.
    fn slow(texts: &[String], n: usize, min_words: usize, text: &str) -> Vec<(u32, u32, u32)> {
        let split = |text: &str| {
            text.split(' ')
                .map(str::to_owned)
                .filter(|w| !w.is_empty())
                .collect::<Vec<_>>()
        };
        let words = split(text);
        let benchmark: Vec<Vec<String>> = texts.iter().map(|t| split(t)).collect();
        let mut covered = vec![vec![]; texts.len()];
        for length in 1..=n {
            for start in 0..(words.len() + 1).saturating_sub(length) {
                let window = &words[start..start + length];
                let owner = benchmark.iter().position(|b| {
                    b.len() >= min_words && n.min(b.len()) == length && b.windows(length).any(|w| w == window)
                });
                if let Some(item) = owner {
                    covered[item].push((start as u32, (start + length) as u32, item as u32));
                }
            }
        }
        let mut out: Vec<(u32, u32, u32)> = vec![];
        for windows in &mut covered {
            windows.sort_unstable();
            let mut merged: Vec<(u32, u32, u32)> = vec![];
            for &(start, end, item) in windows.iter() {
                match merged.last_mut() {
                    Some(last) if start <= last.1 => last.1 = last.1.max(end),
                    _ => merged.push((start, end, item)),
                }
            }
            out.extend(merged);
        }
        out.sort_unstable();
        out
    }

    proptest! {
        #[test]
        fn finds_what_a_slow_search_finds(
            texts in prop::collection::vec("([abc] ){0,9}", 0..5),
            text in "([abcd] ){0,30}",
            n in 2usize..6,
            less in 0usize..3,
        ) {
            let min_words = n.saturating_sub(less).max(1);
            let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(found(&borrowed, n, min_words, &text), slow(&texts, n, min_words, &text));
        }
    }
}
