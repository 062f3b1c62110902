//! Learning a byte-level BPE vocabulary: documents -> counts of pretokens -> merges.
//!
//! Counting (`count`) and learning (`learn`) meet in a counts file (`counts`), so that shards are counted by
//! tasks of their own and added up. Merges depend on the counts alone: not on threads, the order of documents,
//! or how counts were split. Ties go to the pair with the smaller left id, then the smaller right one; the 256
//! bytes have the ids that GPT-2 and tokenizers give them. Counts are 64-bit.

mod allow;
pub mod boundaries;
pub mod constraints;
pub mod count;
pub mod counts;
pub mod extend;
mod groups;
pub mod learn;
mod learner;
mod load;
mod pairs;
mod parallel;
pub mod parameters;
mod places;
mod prefetch;
pub mod progress;
mod queue;
pub mod score;
pub mod table;
mod walk;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use bukvar_split::SplitError;

/// Why there is no vocabulary; each message is one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainError {
    Split(SplitError),
    Utf8 { at: usize },
    Offsets,
    File { path: PathBuf, why: String },
    Patterns(PathBuf),
    Empty,
    TooFew { possible: usize, wanted: usize },
    TooFewToAdd { possible: usize, wanted: usize },
    Boundaries { line: usize, text: String },
    Merge { index: usize },
    Thread,
    Stopped,
}

impl TrainError {
    fn file(path: &Path, error: &std::io::Error) -> Self {
        let why = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "is damaged: it ends too early".to_owned(),
            _ => error.to_string(),
        };
        Self::File {
            path: path.to_owned(),
            why,
        }
    }

    /// For bytes that are no UTF-8.
    pub fn utf8(document: &[u8]) -> Self {
        Self::Utf8 {
            at: std::str::from_utf8(document)
                .err()
                .map_or(0, |error| error.valid_up_to()),
        }
    }
}

impl From<SplitError> for TrainError {
    fn from(error: SplitError) -> Self {
        Self::Split(error)
    }
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split(error) => error.fmt(f),
            Self::Utf8 { at } => write!(
                f,
                "a document is not UTF-8 from its byte {at} on; decode it first"
            ),
            Self::Offsets => write!(f, "the offsets of documents must rise and end within the data"),
            Self::File { path, why } => write!(f, "{}: {why}", path.display()),
            Self::Patterns(path) => {
                write!(
                    f,
                    "{}: counted with another split pattern than the first file; count it again",
                    path.display()
                )
            }
            Self::Empty => write!(f, "the corpus is empty: no pretokens were counted"),
            Self::TooFew { possible, wanted } => write!(
                f,
                "the corpus is too small for this vocabulary: {possible} merges were possible, {wanted} are needed; \
                 take a vocabulary of at most {} ordinary tokens, or more text",
                possible + 256
            ),
            Self::TooFewToAdd { possible, wanted } => write!(
                f,
                "the input is too small: {possible} tokens could be added, {wanted} are wanted; add fewer, or give more text"
            ),
            Self::Boundaries { line, text } => {
                write!(
                    f,
                    "boundaries, line {line}: not `word<TAB>morph|morph|...` with morphs that make up the word: {text:?}"
                )
            }
            Self::Merge { index } => write!(
                f,
                "merge {index} of the vocabulary to begin with is not made of earlier tokens, or makes one again"
            ),
            Self::Thread => write!(f, "a counting thread ended before its time"),
            Self::Stopped => write!(f, "stopped"),
        }
    }
}

impl std::error::Error for TrainError {}

#[cfg(test)]
mod tests;
