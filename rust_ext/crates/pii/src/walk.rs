//! A walk over the characters of a plate or an address of the internet.

use crate::chars::{is_ignorable, is_space};

/// A cursor over the characters from a byte on.
pub struct Walk<'a> {
    pub text: &'a str,
    pub at: usize,
    /// Spaces or hyphens were passed.
    pub parted: bool,
}

impl Walk<'_> {
    pub fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub fn take(&mut self, ok: impl Fn(char) -> bool) -> Option<char> {
        let c = self.peek().filter(|&c| ok(c))?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Passes what stands between the parts of a plate.
    pub fn gap(&mut self) {
        while self.take(is_ignorable).is_some() {}
        for _ in 0..MOST_GAPS {
            if self.take(is_gap).is_none() {
                break;
            }
            self.parted = true;
            while self.take(is_ignorable).is_some() {}
        }
    }
}

/// What stands between the parts of a plate.
pub fn is_gap(c: char) -> bool {
    is_space(c) || matches!(c, '-' | '_' | '.')
}

/// Such characters between two parts at most.
pub const MOST_GAPS: usize = 2;
