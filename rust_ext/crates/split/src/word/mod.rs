//! The hand-written splitter of seven patterns, which differ in a few switches and in their character tables.
//!
//! `piece` tries the kinds of piece that make up most of Russian and English text on a block of bytes (`fast`)
//! and leaves the rest to `slow`, a direct reading of the regular expression with a class lookup for each
//! character. Both give the same result; `slow` alone decides what that is. Every character is looked at a
//! bounded number of times, so time is linear in the text.

mod fast;
mod slow;

use std::ops::{ControlFlow, Range};

use super::key::{Key, WINDOW};
use super::unicode::{LETTER, MARK, NUMBER, SPACE, Tables};

/// Cuts a word before a capital that follows a small letter, keeps marks in words, and takes `/` into the
/// line ends after punctuation.
const CASED: u8 = 1;
/// Knows the English contractions.
const CONTRACTIONS: u8 = 2;
/// Takes up to three numbers together.
const TRIPLES: u8 = 4;
/// White space up to the end of the text is one piece.
const END: u8 = 8;
/// Cuts numbers off first, then Chinese characters and kana, and knows punctuation from other characters: DeepSeek.
const THRICE: u8 = 16;

pub const LLAMA3: u8 = CONTRACTIONS | TRIPLES;
pub const QWEN2: u8 = CONTRACTIONS;
pub const O200K: u8 = CASED | CONTRACTIONS | TRIPLES;
pub const TEKKEN: u8 = CASED;
pub const CL100K: u8 = CONTRACTIONS | TRIPLES | END;
pub const DEEPSEEK3: u8 = TRIPLES | THRICE;

const fn has(pattern: u8, switch: u8) -> bool {
    pattern & switch != 0
}

/// Calls `visit` with the key and the range of every piece, until it breaks off.
#[inline(always)]
pub fn run<const P: u8>(
    tables: &Tables,
    text: &str,
    visit: &mut impl FnMut(Key, Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let text = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        let (end, key) = piece::<P>(tables, text, at);
        visit(key, at..end)?;
        at = end;
    }
    ControlFlow::Continue(())
}

/// The end and the key of the piece that starts at `at`, which lies in the text.
#[inline(always)]
fn piece<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> (usize, Key) {
    if let Some(window) = text.get(at..).and_then(|rest| rest.first_chunk::<WINDOW>())
        && let Some((len, key)) = fast::piece::<P>(tables, text, at, window)
    {
        return (at + len, key);
    }
    let end = slow::piece::<P>(tables, text, at);
    (end, Key::of(&text[at..end]))
}

/// True for the bits of what may stand in a run of punctuation: `[^\s\p{L}\p{N}]`.
#[inline(always)]
fn is_mark<const P: u8>(flags: u8) -> bool {
    if has(P, THRICE) {
        flags & MARK != 0
    } else {
        flags & (SPACE | LETTER | NUMBER) == 0
    }
}
