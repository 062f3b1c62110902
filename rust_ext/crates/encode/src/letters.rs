//! Beginning with letters instead of bytes.
//!
//! The two bytes of a letter that merge first, whatever stands around them, may be merged beforehand. What can come
//! before them is a merge of the first byte with what stands before it, whose result ends in the last byte of that
//! and in this one, or of the second byte with what stands behind it, whose result begins with the two: о and the
//! first byte of the next letter, in vocabularies of Russian. So a letter is whole unless such a token has a lower
//! rank than the letter. (And unless a longer token that holds the letter has: Llama 3 has ranks out of merge
//! order, and that token would come too early.)

use super::pairs::NONE;

/// Letters U+0400..U+047F.
pub const LETTERS: usize = 128;
/// What may stand before a letter: a letter, by its number, or an ASCII byte above them.
const BEFORE: usize = 256;
/// In the place of such a number: nothing stands there, or something else.
pub const BEGIN: usize = BEFORE;
pub const NEITHER: usize = BEFORE + 1;

/// What is known of the letters of a vocabulary.
pub struct Letters {
    /// The token of each letter, or `NONE`, as for those that are never whole.
    tokens: [u32; LETTERS],
    /// The lowest rank of a token that ends in a byte and the first one of a letter. The last row stands for nothing.
    ends: Vec<[u32; 2]>,
    /// The lowest rank of a token that begins with the second byte of a letter and the first one of another. None
    /// begins with the last column.
    begins: [[u32; 3]; 64],
    /// What a whole letter and what stands before it merge into.
    pairs: Vec<[u32; LETTERS]>,
}

/// The number of the letter that two bytes are.
#[inline(always)]
pub fn number([lead, rest]: [u8; 2]) -> usize {
    usize::from((lead & 1) << 6 | rest & 0x3f)
}

/// True for the bytes of letters U+0400..U+047F.
#[inline(always)]
pub fn are_letters(pairs: &[[u8; 2]]) -> bool {
    let strange = |&[lead, rest]: &[u8; 2]| (lead ^ 0xd0) & 0xfe | (rest ^ 0x80) & 0xc0;
    pairs.iter().fold(0, |found, pair| found | strange(pair)) == 0
}

/// The number of a token that may stand before a letter or is one.
fn number_before(token: &[u8]) -> Option<usize> {
    match *token {
        [ascii] if ascii < 0x80 => Some(usize::from(ascii | 0x80)),
        [lead, rest] if are_letters(&[[lead, rest]]) => Some(number([lead, rest])),
        _ => None,
    }
}

impl Letters {
    pub fn new(tokens: &[&[u8]], merges: &[(u32, u32, u32)]) -> Self {
        let mut all = Self {
            tokens: [NONE; LETTERS],
            ends: vec![[NONE; 2]; 257],
            begins: [[NONE; 3]; 64],
            pairs: vec![[NONE; LETTERS]; BEFORE + 1],
        };
        for &(_, _, result) in merges {
            let token = tokens[result as usize];
            if let [before @ .., lead @ (0xd0 | 0xd1)] = token
                && let Some(&before) = before.last()
            {
                let end = &mut all.ends[usize::from(before)][usize::from(lead & 1)];
                *end = result.min(*end);
            }
            if let [rest @ 0x80..0xc0, lead @ (0xd0 | 0xd1), ..] = *token {
                let begin = &mut all.begins[usize::from(rest & 0x3f)][usize::from(lead & 1)];
                *begin = result.min(*begin);
            }
            if let [lead, rest] = *token
                && are_letters(&[[lead, rest]])
            {
                all.tokens[number([lead, rest])] = result;
            }
        }
        for &(left, right, result) in merges {
            for pair in tokens[result as usize].windows(2) {
                let pair = [pair[0], pair[1]];
                if are_letters(&[pair]) && result < all.tokens[number(pair)] {
                    all.tokens[number(pair)] = NONE;
                }
            }
            let before = number_before(tokens[left as usize]);
            if let [lead, rest] = *tokens[right as usize]
                && are_letters(&[[lead, rest]])
                && let Some(before) = before
            {
                all.pairs[before][number([lead, rest])] = result;
            }
        }
        all
    }

    /// The token of a letter, or `NONE` if its bytes may merge with others first: with what ends in the byte
    /// `before` (`BEGIN`: nothing stands there), or with the one behind, which begins with `next`.
    #[inline(always)]
    pub fn whole(&self, before: usize, letter: [u8; 2], next: Option<u8>) -> u32 {
        let token = self.tokens[number(letter)];
        let end = self.ends[before][usize::from(letter[0] & 1)];
        let next = next.map_or(2, |next| usize::from(next & 1));
        let begin = self.begins[usize::from(letter[1] & 0x3f)][next];
        if token < end.min(begin) { token } else { NONE }
    }

    /// What a whole letter and what stands before it merge into: another whole letter, an ASCII byte, or nothing.
    #[inline(always)]
    pub fn joined(&self, before: usize, letter: [u8; 2]) -> u32 {
        self.pairs[before][number(letter)]
    }
}
