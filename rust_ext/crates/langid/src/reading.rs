//! What a document turned out to be.

/// Names of `Reading::counts`, in order.
pub const COUNTS: [&str; 10] = [
    "letters",
    "cyrillic",
    "latin",
    "russian",
    "dotted_i",
    "prereform",
    "hard_sign_inside",
    "hard_sign_final",
    "words",
    "mixed_words",
];

/// A line, or a part of a long one: its bytes, its letters and the number of its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub start: usize,
    pub end: usize,
    pub letters: u32,
    /// Number of the label among the model's; none where the unit has no letter.
    pub label: Option<usize>,
}

/// What a document is.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Counts, named by `COUNTS`.
    pub counts: [u64; 10],
    /// Numbers of labels and their probabilities, the likeliest first, of the script that decides.
    pub ranked: Vec<(usize, f32)>,
    pub units: Vec<Unit>,
    /// Numbers of labels and their shares of the letters, by units, the largest first.
    pub shares: Vec<(usize, f32)>,
}
