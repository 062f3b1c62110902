//! The language of a text, of each of its lines, and the lines that are in another one.
//!
//! A text is read word by word (`words`): a word is folded to small letters, look-alikes of another script are
//! put right, and its script chooses the section of the model that scores it. A section is a linear softmax
//! over hashed letter n-grams of one to five letters, word ends included, and whole words (`features`). Scores
//! of words add up, so those of frequent words are kept (`score::Cache`), and each line's scores come free with
//! the text's. Scripts that write one language, or that nobody asks about, are identified by their letters alone.
//!
//! `fit` learns a section from labelled texts with the same reader of words. tests/oracles/langid.py in Python
//! is the readable form of words, features and scores.

pub mod document;
pub mod features;
pub mod fit;
pub mod letters;
pub mod model;
mod pass;
mod proof;
mod reading;
pub mod score;
pub mod section;
mod unit;
pub mod words;

#[cfg(test)]
mod tests;

pub use document::{Reader, Reading};
pub use model::{Model, ModelError};
