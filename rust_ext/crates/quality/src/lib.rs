//! Signals of quality that know what they look at: words, marks, shapes of lines, repetition, topics and the order
//! of word classes, in one pass over the tokens of a text.
//!
//! A text is read by lines (cut at `\n`) and each line by the tokens of `text::words`; the first [`READ`] bytes are
//! read. What is known of a word from its letters alone is kept in a cache that compares whole words. Sums are of
//! whole numbers and each signal is one division, so that the readable definition, tests/oracles/quality.py, agrees
//! to the last bit. Time and memory are linear in what is read.

pub mod lexicon;
mod lines;
mod measure;
mod model;
mod names;
mod neighbours;
mod repeats;
mod sums;
mod words;

pub use lexicon::{Lexicon, TOPICS};
pub use measure::QualityMaker;
pub use model::QualityModel;
pub use names::{COUNT, names};
pub use neighbours::NeighbourCounts;

/// Bytes of a text that are read, and of them those whose compression is estimated.
pub const READ: usize = 1 << 20;
const COMPRESSED: usize = 1 << 16;

/// Slots of the table of neighbours: one byte a hashed pair of word classes.
pub const NEIGHBOURS: usize = 1 << 18;
