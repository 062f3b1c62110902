//! Signals of quality that know what they look at: words, marks, shapes of lines, repetition, topics and the order
//! of word classes, in one pass over the tokens of a text.
//!
//! A text is read by lines (cut at `\n`) and each line by the tokens of `text::words`; the first [`READ`] bytes are
//! read. What is known of a word from its letters alone is kept in a cache that compares whole words. Sums are of
//! whole numbers and each signal is one division, so that the readable definition, tests/oracles/quality.py, agrees
//! to the last bit. Time and memory are linear in what is read.

mod facts;
mod known;
pub mod lexicon;
mod limits;
mod lines;
mod measure;
mod model;
mod names;
mod neighbours;
mod repeats;
mod sums;
mod words;

pub use known::Known;
pub use lexicon::{Lexicon, TOPICS};
pub use limits::{KNOWN, NEIGHBOURS, READ};
pub use measure::QualityMaker;
pub use model::QualityModel;
pub use names::{COUNT, names};
pub use neighbours::NeighbourCounts;
