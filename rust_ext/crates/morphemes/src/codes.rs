//! Letters as numbers.

/// Multiplier of the hashes of features: the fractional part of a square root.
pub const SPREAD: u64 = 0xd6e8_feb8_6659_fd93;
/// Longer words are no words of Russian and stay whole: the longest in use have fewer letters.
pub const MAX_LETTERS: usize = 48;

/// A letter's code: а..я are 1..32, ё is 33; None for anything else. Word ends are 0.
pub fn code(letter: char) -> Option<u64> {
    match letter {
        'а'..='я' => Some(u64::from(letter as u32 - 'а' as u32) + 1),
        'ё' => Some(33),
        _ => None,
    }
}
