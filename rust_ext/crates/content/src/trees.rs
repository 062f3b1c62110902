//! Trees of questions about the values of a row.

/// Codes of children from here on are leaves.
pub const LEAF: usize = 128;

/// A question about one value.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    pub threshold: f32,
    pub feature: u16,
    /// Left, where the value is at most the threshold, and right: a later split, or 128 + a leaf.
    pub children: [u8; 2],
}

/// A tree as it stands in the file.
#[derive(Clone, Debug)]
pub struct Tree {
    pub splits: Vec<Split>,
    pub leaves: Vec<f32>,
}

impl Tree {
    /// The value of the leaf to which a row leads.
    pub fn leaf(&self, row: &[f32]) -> f32 {
        let mut at = if self.splits.is_empty() { LEAF } else { 0 };
        while at < LEAF {
            let split = &self.splits[at];
            let right = row[usize::from(split.feature)] > split.threshold;
            at = usize::from(split.children[usize::from(right)]);
        }
        self.leaves[at - LEAF]
    }
}
