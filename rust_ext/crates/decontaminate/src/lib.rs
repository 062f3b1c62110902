//! Texts of benchmarks found in documents.
//!
//! A benchmark's text of `n` words or more is found by any `n` of its words in a row, a shorter one whole, one
//! of fewer than `min_words` not at all. Words are those of [`bukvar_dedup::text`]: lower case, ё as е, no
//! punctuation.
//!
//! [`Index`] numbers the words of all benchmarks and holds their n-grams in a hash table that compares the
//! words themselves. A document is read once: a word that no benchmark has ends every n-gram, and the others
//! cost one probe for each length that is looked for, so time is linear in the document. The index takes at
//! most 84 bytes for an n-gram of the benchmarks and about 70 for a different word, whatever the documents.

mod cut;
mod find;
mod table;

pub use cut::{cut, span};
pub use find::{Index, LONGEST, Match, Scratch};
