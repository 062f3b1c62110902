//! Whether a pair of tokens may be merged.

/// A rule that forbids merges.
pub trait Allow {
    /// True if `left` and `right`, ids of tokens, may be merged.
    fn allow(&self, left: u32, right: u32) -> bool;
}

/// Forbids nothing: the merges of the vocabulary to begin with are done whatever they make.
pub struct Everything;

impl Allow for Everything {
    fn allow(&self, _: u32, _: u32) -> bool {
        true
    }
}
