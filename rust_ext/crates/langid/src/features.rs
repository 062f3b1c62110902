//! Features of a word: hashes of its letter n-grams and of the whole word.

/// Longest n-gram, in letters; the two ends of a word count as a letter each.
pub const LONGEST: usize = 5;

const START: u32 = 0x811C_9DC5;
const STEP: u32 = 0x9E37_79B1;
const WHOLE: u32 = 0x5BD1_E995;
pub const EDGE: u32 = 0x20;

#[inline]
fn step(hash: u32, letter: u32) -> u32 {
    (hash ^ letter).wrapping_mul(STEP).rotate_left(13)
}

/// Mixes the hash and keeps 0 for "no feature".
#[inline]
fn finish(hash: u32) -> u32 {
    let mut h = hash ^ (hash >> 15);
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^= h >> 12;
    h.max(1)
}

/// The feature of an n-gram; the edge of a word is the letter `EDGE`.
pub fn gram(letters: &[u32]) -> u32 {
    finish(letters.iter().fold(START, |hash, &letter| step(hash, letter)))
}

/// Calls `feature` with the hash of every n-gram of 1 to `LONGEST` letters of the word between its two ends
/// (no n-gram is an end alone), and of the whole word where it is longer than that.
#[inline]
pub fn features(word: &[u32], mut feature: impl FnMut(u32)) {
    let length = word.len() + 2;
    let at = |i: usize| {
        if i == 0 || i == length - 1 {
            EDGE
        } else {
            word[i - 1]
        }
    };
    for first in 0..length - 1 {
        let mut hash = START;
        for last in first..length.min(first + LONGEST) {
            hash = step(hash, at(last));
            if last > 0 {
                feature(finish(hash));
            }
        }
    }
    if length > LONGEST {
        let hash = word.iter().fold(START, |hash, &c| step(hash, c));
        feature(finish(hash ^ WHOLE));
    }
}
