//! What the gate says, and when it says that a page stays.

use std::fmt;

use super::declared::declares_russian;
use super::limits::ENOUGH;
use super::text::Counts;

/// Below this many Cyrillic letters there is nothing to identify a language by.
pub const FEW: u32 = 10;
/// Between the two, Cyrillic must be at least this share of the letters, as 1/n, unless the page says that it
/// is Russian.
const SHARE: u32 = 8;

/// What the gate saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub keep: bool,
    /// Cyrillic letters outside tags; counting stops once enough are seen.
    pub cyrillic: u32,
    /// ASCII letters outside tags, among what was counted.
    pub latin: u32,
    /// The reading in which the letters were counted.
    pub charset: &'static str,
    /// Mean cost of a letter pair in the best single-byte reading, in tenths of a nat; 0 where none was tried.
    pub pair_cost: u32,
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "cyrillic={} latin={} charset={} pair_cost={}",
            self.cyrillic, self.latin, self.charset, self.pair_cost
        )
    }
}

/// The verdict on a page whose letters were counted.
pub fn decide(counts: Counts, charset: &'static str, body: &[u8], http_charset: Option<&str>) -> Verdict {
    let Counts { cyrillic, latin } = counts;
    let keep = cyrillic >= ENOUGH
        || cyrillic >= FEW
            && (cyrillic.saturating_mul(SHARE) >= latin || declares_russian(body, http_charset));
    Verdict {
        keep,
        cyrillic,
        latin,
        charset,
        pair_cost: 0,
    }
}
