//! Cuts text into pretokens: the pieces inside which byte-level BPE merges.
//!
//! Seven patterns are written out by hand (`word`), each equal to its regular expression on every input; any
//! other pattern runs on `fancy-regex` (`generic`). Text is whole documents: the end of the text changes what
//! `\s+(?!\S)` matches, so a document is cut into pretokens before anything cuts it into blocks.
//!
//! A pretoken comes with a `Key`: its bytes, packed into 16 (`key`). 99.5% of the pretokens of Russian
//! running text fit, so that tables of pretokens need neither an arena nor a comparison through a pointer.
//!
//! What made it fast, in order of effect: the lead bytes D0 and D1 belong to letters only, so the length of
//! a Cyrillic word is the number of trailing ones of a mask (`lanes`); the key is a by-product of that mask;
//! the commonest neighbours (a space, a comma, a line end) leave without decoding a character.

mod error;
mod generic;
pub mod key;
pub mod lanes;
pub mod patterns;
mod unicode;
mod word;

pub use error::SplitError;
pub use key::Key;

use std::ops::{ControlFlow, Range};

/// A compiled split pattern.
pub struct Splitter {
    kind: Kind,
    tables: &'static unicode::Tables,
}

enum Kind {
    Llama3,
    Qwen2,
    O200k,
    Tekken,
    Qwen35,
    Cl100k,
    Deepseek3,
    Generic(Box<generic::Generic>),
}

impl Splitter {
    /// Compiles a pattern, given by name (`patterns::NAMED`) or as a regular expression.
    pub fn new(pattern: &str) -> Result<Self, SplitError> {
        let kind = match patterns::resolve(pattern) {
            patterns::LLAMA3 => Kind::Llama3,
            patterns::QWEN2 => Kind::Qwen2,
            patterns::O200K => Kind::O200k,
            patterns::TEKKEN => Kind::Tekken,
            patterns::QWEN35 => Kind::Qwen35,
            patterns::CL100K => Kind::Cl100k,
            patterns::DEEPSEEK3 => Kind::Deepseek3,
            other => Kind::Generic(Box::new(generic::Generic::new(other)?)),
        };
        let tables = match kind {
            Kind::Qwen35 => unicode::marked(),
            Kind::Deepseek3 => unicode::deepseek(),
            _ => unicode::tables(),
        };
        Ok(Self { kind, tables })
    }

    /// True for the patterns written out by hand, whose time is linear and which cannot fail.
    pub fn is_by_hand(&self) -> bool {
        !matches!(self.kind, Kind::Generic(_))
    }

    /// Calls `visit` with the key and byte range of each pretoken of `text`, in order. The ranges follow
    /// one another without gaps and cover the text.
    #[inline(always)]
    pub fn for_each(&self, text: &str, mut visit: impl FnMut(Key, Range<usize>)) -> Result<(), SplitError> {
        self.for_each_until(text, |key, range| {
            visit(key, range);
            ControlFlow::Continue(())
        })
    }

    /// The same until `visit` breaks off.
    pub fn for_each_until(
        &self,
        text: &str,
        mut visit: impl FnMut(Key, Range<usize>) -> ControlFlow<()>,
    ) -> Result<(), SplitError> {
        let _ = match &self.kind {
            Kind::Llama3 => word::run::<{ word::LLAMA3 }>(self.tables, text, &mut visit),
            Kind::Qwen2 => word::run::<{ word::QWEN2 }>(self.tables, text, &mut visit),
            Kind::O200k => word::run::<{ word::O200K }>(self.tables, text, &mut visit),
            Kind::Tekken => word::run::<{ word::TEKKEN }>(self.tables, text, &mut visit),
            // With a table of its own.
            Kind::Qwen35 => word::run::<{ word::QWEN2 }>(self.tables, text, &mut visit),
            Kind::Cl100k => word::run::<{ word::CL100K }>(self.tables, text, &mut visit),
            Kind::Deepseek3 => word::run::<{ word::DEEPSEEK3 }>(self.tables, text, &mut visit),
            Kind::Generic(regex) => return regex.for_each(text, &mut visit),
        };
        Ok(())
    }

    /// The byte offsets at which the pretokens of `text` end.
    pub fn ends(&self, text: &str) -> Result<Vec<usize>, SplitError> {
        let mut ends = Vec::new();
        self.for_each(text, |_, range| ends.push(range.end))?;
        Ok(ends)
    }

    /// The last byte offset in `text` (0 if there is none) at which a long document may be cut without
    /// changing its pretokens, whatever follows: between a character that is not white space and a space.
    /// No pretoken of the hand-written patterns reaches over such a place, and no look-ahead sees it.
    pub fn last_safe_cut(text: &[u8]) -> usize {
        // U+0400..U+047F, whose lead bytes are D0 and D1, are letters all.
        let solid = |at: usize| match text[at] {
            0x21..=0x7e => true,
            0x80.. => at > 0 && matches!(text[at - 1], 0xd0 | 0xd1),
            _ => false,
        };
        memchr::memrchr_iter(b' ', text)
            .find(|&at| at > 0 && solid(at - 1))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
