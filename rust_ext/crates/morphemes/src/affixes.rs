//! What lists of affixes say of a word's gaps: rules, which the model weighs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::codes::{MAX_LETTERS, SPREAD, code};

/// Letters of the longest affix that is looked for.
const LONGEST: usize = 6;
const PREFIX: u8 = 1;
const SUFFIX: u8 = 2;
const ENDING: u8 = 4;
const POSTFIX: u8 = 8;
/// Marks in `Shape::after`, beside one bit for each length of a suffix.
const AFTER_POSTFIX: u8 = 1 << 6;
const AFTER_ENDING: u8 = 1 << 7;

/// Hashes an affix packed into 36 bits; the keys are our own, so no one can choose them to collide.
#[derive(Default, Clone)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(SPREAD).rotate_left(32);
    }
}

/// Affixes by their letters, six bits each, with the types that they have.
#[derive(Default)]
pub struct Affixes(HashMap<u64, u8, BuildHasherDefault<Spread>>);

/// A word's gaps by the affixes: gap i is before letter i (from 0); 0 and `letters` are its ends.
pub struct Shape {
    letters: usize,
    /// Bit n - 1: a prefix of n letters ends here, and prefixes lead to it from the start.
    before: [u8; MAX_LETTERS + 1],
    /// Bit n - 1: a suffix of n letters begins here, and affixes lead from it to the end; `AFTER_*`.
    after: [u8; MAX_LETTERS + 1],
    /// The last gap that prefixes reach, and the first from which affixes reach the end.
    first: usize,
    last: usize,
}

impl Affixes {
    /// Reads lines of a type and affixes; others, and affixes of more than `LONGEST` letters, say nothing.
    pub fn parse(text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let kind = match words.next() {
                Some("PREF") => PREFIX,
                Some("SUFF") => SUFFIX,
                Some("END") => ENDING,
                Some("POSTFIX") => POSTFIX,
                _ => continue,
            };
            for word in words {
                let codes: Option<Vec<u64>> = word.chars().map(code).collect();
                if let Some(codes) = codes.filter(|codes| codes.len() <= LONGEST) {
                    *all.0.entry(pack(&codes)).or_default() |= kind;
                }
            }
        }
        all
    }

    fn is(&self, codes: &[u64], kind: u8) -> bool {
        (1..=LONGEST).contains(&codes.len())
            && self.0.get(&pack(codes)).is_some_and(|kinds| kinds & kind != 0)
    }

    /// The shape of a word of at most `MAX_LETTERS` letters.
    pub fn shape(&self, codes: &[u64]) -> Shape {
        let letters = codes.len();
        let mut shape = Shape {
            letters,
            before: [0; MAX_LETTERS + 1],
            after: [0; MAX_LETTERS + 1],
            first: 0,
            last: letters,
        };
        for at in 1..letters {
            for length in 1..=at.min(LONGEST) {
                let start = at - length;
                if (start == 0 || shape.before[start] != 0) && self.is(&codes[start..at], PREFIX) {
                    shape.before[at] |= 1 << (length - 1);
                    shape.first = at;
                }
            }
        }
        for at in (1..letters).rev() {
            let rest = &codes[at..];
            if self.is(rest, POSTFIX) {
                shape.after[at] |= AFTER_POSTFIX;
            }
            let bare = rest.len().saturating_sub(2);
            if self.is(rest, ENDING) || (self.is(&rest[bare..], POSTFIX) && self.is(&rest[..bare], ENDING)) {
                shape.after[at] |= AFTER_ENDING;
            }
            for length in 1..=rest.len().min(LONGEST) {
                let end = at + length;
                if (end == letters || shape.after[end] != 0) && self.is(&rest[..length], SUFFIX) {
                    shape.after[at] |= 1 << (length - 1);
                }
            }
            if shape.after[at] != 0 {
                shape.last = at;
            }
        }
        shape
    }
}

impl Shape {
    /// The features of a gap with the letters `left` and `right` of it: each number is a kind of feature in
    /// its top byte, and values below.
    pub fn features(&self, gap: usize, left: u64, right: u64) -> [u64; 8] {
        let (before, after) = (u64::from(self.before[gap]), u64::from(self.after[gap]));
        let near = |from: usize, to: usize, most: usize| {
            // `from` - `to` held to -most..=most, moved to 0..=2 * most.
            (from + most).saturating_sub(to).min(2 * most) as u64
        };
        let (head, tail) = (u64::from(before != 0), u64::from(after != 0));
        let (start, end) = (gap.min(7) as u64, (self.letters - gap).min(7) as u64);
        [
            1 << 56 | head << 24 | tail << 16 | start << 8 | end,
            2 << 56 | after,
            3 << 56 | before << 8 | end.min(5),
            4 << 56 | after << 16 | head << 8 | near(gap, self.last, 3),
            5 << 56 | before << 8 | after,
            6 << 56 | near(gap, self.first, 4) << 8 | near(gap, self.last, 5),
            7 << 56 | after << 8 | left,
            8 << 56 | before << 8 | right,
        ]
    }
}

fn pack(codes: &[u64]) -> u64 {
    codes.iter().fold(0, |packed, code| packed << 6 | code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(word: &str) -> Shape {
        let affixes = Affixes::parse("PREF пере при\nSUFF а ыва ть\nEND а\nPOSTFIX ся\n# PREF к\n");
        let codes: Vec<u64> = word
            .chars()
            .map(|letter| code(letter).expect("a letter"))
            .collect();
        affixes.shape(&codes)
    }

    #[test]
    fn prefixes_lead_from_the_start_and_affixes_to_the_end() {
        let shape = shape("перекрика");
        assert_eq!((shape.first, shape.last), (4, 8));
        assert_eq!(shape.after[8], 1 | AFTER_ENDING);
        assert_eq!(shape.before[4], 1 << 3);
    }

    #[test]
    fn a_postfix_is_no_suffix() {
        let shape = shape("читаться");
        assert_eq!(shape.after[6], AFTER_POSTFIX);
        // The affixes that lead to the end begin with the suffix -а-: чит|а|ть|ся.
        assert_eq!(shape.last, 3);
    }

    #[test]
    fn distances_are_held_to_their_range() {
        let shape = shape(&"к".repeat(MAX_LETTERS));
        for gap in 1..MAX_LETTERS {
            assert!(
                shape
                    .features(gap, 33, 33)
                    .iter()
                    .all(|value| value & 0xff_ffff < 1 << 17 || value >> 56 == 1)
            );
        }
    }
}
