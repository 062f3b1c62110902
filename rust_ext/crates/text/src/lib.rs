//! Text kernels on one segmentation: words, quality signals and letter evidence.
//!
//! `words` cuts a text into tokens, `signals` turns one pass over them (and over the lines) into the numbers
//! that filters judge, `letters` counts the letters by which Russian differs from its neighbours. All of it is
//! linear in the size of the text, and a document that is not UTF-8 is the caller's to repair.

pub mod chars;
mod interner;
pub mod letters;
pub mod lines;
pub mod repetition;
pub mod signals;
mod stop_words;
pub mod words;
