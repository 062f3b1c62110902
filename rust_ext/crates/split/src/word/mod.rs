//! The hand-written splitter of seven patterns, which differ in a few switches and in their character tables.
//!
//! `piece` tries the kinds of piece that make up most of Russian and English text on a block of bytes (`fast`)
//! and leaves the rest to `slow`, a direct reading of the regular expression with a class lookup for each
//! character. Both give the same result; `slow` alone decides what that is. Every character is looked at a
//! bounded number of times, so time is linear in the text.

mod fast;
mod slow;
mod switches;

use std::ops::{ControlFlow, Range};

use super::key::{Key, WINDOW};
use super::unicode::Tables;

pub use switches::{CL100K, DEEPSEEK3, LLAMA3, O200K, QWEN2, TEKKEN};

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
