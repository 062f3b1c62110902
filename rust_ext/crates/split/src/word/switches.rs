//! What the patterns differ in.

use super::super::unicode::{LETTER, MARK, NUMBER, SPACE};

/// Cuts a word before a capital that follows a small letter, keeps marks in words, and takes `/` into the
/// line ends after punctuation.
pub(super) const CASED: u8 = 1;
/// Knows the English contractions.
pub(super) const CONTRACTIONS: u8 = 2;
/// Takes up to three numbers together.
pub(super) const TRIPLES: u8 = 4;
/// White space up to the end of the text is one piece.
pub(super) const END: u8 = 8;
/// Cuts numbers off first, then Chinese characters and kana, and knows punctuation from other characters: DeepSeek.
pub(super) const THRICE: u8 = 16;

pub const LLAMA3: u8 = CONTRACTIONS | TRIPLES;
pub const QWEN2: u8 = CONTRACTIONS;
pub const O200K: u8 = CASED | CONTRACTIONS | TRIPLES;
pub const TEKKEN: u8 = CASED;
pub const CL100K: u8 = CONTRACTIONS | TRIPLES | END;
pub const DEEPSEEK3: u8 = TRIPLES | THRICE;

pub(super) const fn has(pattern: u8, switch: u8) -> bool {
    pattern & switch != 0
}

/// True for the bits of what may stand in a run of punctuation: `[^\s\p{L}\p{N}]`.
#[inline(always)]
pub(super) fn is_mark<const P: u8>(flags: u8) -> bool {
    if has(P, THRICE) {
        flags & MARK != 0
    } else {
        flags & (SPACE | LETTER | NUMBER) == 0
    }
}
