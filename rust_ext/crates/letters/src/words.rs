//! The commonest Russian words, for lines whose letters say too little: «КХЛ» is a word, «лим» is none.
//!
//! `words.txt` is fitted by `scripts/fit/words.py`, which names its sources; `abbreviations.txt` was set down
//! by hand. Words are known by digests of 24 bits, so one word in 800 seems to be there and is not.

use std::sync::LazyLock;

const BITS: u32 = 24;
const FNV_START: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_FACTOR: u64 = 0x0100_0000_01B3;

/// What a word is known as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// -log P(word) in tenths of a nat.
    pub cost: u8,
    /// Text writes it in capitals.
    pub abbreviation: bool,
}

/// -log P of an abbreviation: one word in sixty of news is one, and there are 400.
const ABBREVIATION_COST: u8 = 100;

/// The fitted lexicon.
pub struct Lexicon {
    /// Sorted by digest.
    words: Vec<(u32, Known)>,
    unknown: Vec<u8>,
}

static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::read(include_str!("words.txt"), include_str!("abbreviations.txt")));

/// The digest of a word's letters, in any case, ё as е: FNV-1a, folded to 24 bits.
pub fn digest(word: impl Iterator<Item = char>) -> u32 {
    let mut value = FNV_START;
    for char in word {
        let char = match char {
            'ё' | 'Ё' => 'е',
            'А'..='Я' => char::from_u32(char as u32 + 32).unwrap_or(char),
            _ => char.to_lowercase().next().unwrap_or(char),
        };
        value = (value ^ u64::from(char)).wrapping_mul(FNV_FACTOR);
    }
    let folded = value ^ (value >> BITS) ^ (value >> (2 * BITS));
    (folded & ((1 << BITS) - 1)) as u32
}

impl Lexicon {
    /// The lexicon; the first call unfolds it.
    pub fn get() -> &'static Self {
        &LEXICON
    }

    fn read(tiers: &str, abbreviations: &str) -> Self {
        let not_comment = |line: &&str| !line.starts_with('#');
        let mut lines = tiers.lines().filter(not_comment);
        let unknown = lines.next().unwrap_or_default();
        let unknown = unknown.split(' ').filter_map(|cost| cost.parse().ok()).collect();
        let mut words: Vec<(u32, Known)> = Vec::new();
        for (cost, digests) in lines.filter_map(|line| line.split_once(' ')) {
            let known = Known {
                cost: cost.parse().unwrap_or(u8::MAX),
                abbreviation: false,
            };
            words.extend(read_digests(digests).map(|digest| (digest, known)));
        }
        let shortened = abbreviations
            .lines()
            .filter(not_comment)
            .flat_map(|line| line.split(' '));
        words.extend(shortened.map(|word| {
            let known = Known {
                cost: ABBREVIATION_COST,
                abbreviation: true,
            };
            (digest(word.chars()), known)
        }));
        // Stable: of two entries of one digest the first stays, the commoner of two words. An abbreviation that is no
        // rare word besides (ПО, КАС) stays what it is there.
        words.sort_by_key(|&(digest, _)| digest);
        words.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1.abbreviation |= same && later.1.abbreviation && first.1.cost >= ABBREVIATION_COST;
            same
        });
        Self { words, unknown }
    }

    /// What the lexicon has under a digest.
    pub fn find(&self, digest: u32) -> Option<Known> {
        let at = self
            .words
            .binary_search_by_key(&digest, |&(digest, _)| digest)
            .ok()?;
        Some(self.words[at].1)
    }

    /// What a word of so many letters costs more for not being here, in tenths of a nat.
    pub fn unknown_cost(&self, letters: usize) -> i64 {
        self.unknown.get(letters).copied().map_or(0, i64::from)
    }
}

/// Differences of five bits a character, the lowest first; the sixth bit says that more follow.
fn read_digests(written: &str) -> impl Iterator<Item = u32> {
    let (mut digest, mut rest, mut shift) = (0u32, 0u32, 0);
    written.bytes().filter_map(move |byte| {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            b'-' => 62,
            _ => 63,
        };
        rest |= u32::from(value & 31) << shift;
        shift += 5;
        if value >= 32 {
            return None;
        }
        digest += rest;
        (rest, shift) = (0, 0);
        Some(digest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_and_abbreviations_are_known_in_any_case() {
        let find = |word: &str| Lexicon::get().find(digest(word.chars()));
        for word in ["и", "слово", "Слово", "ещё", "ЕЩЕ"] {
            assert!(find(word).is_some_and(|known| !known.abbreviation), "{word}");
        }
        for word in ["КХЛ", "кхл", "МВД"] {
            assert!(find(word).is_some_and(|known| known.abbreviation), "{word}");
        }
        for word in ["лим", "пток", "ЙЩМ"] {
            assert_eq!(find(word), None, "{word}");
        }
    }

    #[test]
    fn the_lexicon_is_whole() {
        let lexicon = Lexicon::get();
        assert!(lexicon.words.len() > 20_000, "{}", lexicon.words.len());
        assert_eq!(lexicon.unknown.len(), 9);
        assert!(lexicon.words.iter().all(|&(digest, _)| digest < 1 << BITS));
    }
}
