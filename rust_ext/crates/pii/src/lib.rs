//! Personal data in Russian text: where it stands, what it is, and the text with it masked.
//!
//! One pass of an automaton finds words and signs (`patterns.txt`), one look at every digit finds numbers:
//! digits that stand together, and groups of them with anything people put between them, are a *chain*
//! (`chain`); each window of a chain that has the length of a number is judged by check digits, the words
//! before it and its groups (`window`, `numbers`, `phone`). Finds that overlap are settled by rank. The cost is linear in the text:
//! a window holds at most 20 digits, context is looked at for a fixed number of characters.

mod address;
mod chain;
pub mod chars;
pub mod checks;
mod directory;
mod finder;
mod glance;
mod kinds;
mod labels;
mod lists;
mod local;
mod mask;
mod numbers;
mod patterns;
mod phone;
mod plate;
mod scan;
mod separators;
mod walk;
mod window;
mod words;

pub use finder::{Finder, Scratch};
pub use kinds::{Found, Kind};
pub use mask::{Mask, Masked, Style};
