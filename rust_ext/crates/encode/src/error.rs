//! What can go wrong.

use std::fmt;

use bukvar_split::SplitError;

/// Why a vocabulary or a text was refused; the message says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeError {
    /// The vocabulary is none that this encoder can run.
    Vocabulary(String),
    /// The pattern or the text was refused by the splitter.
    Split(SplitError),
    /// An id that is no token's.
    UnknownId(u32),
    /// Half of a pair of surrogates stands alone.
    Surrogate,
    /// Texts given as one buffer and offsets are not slices of UTF-8.
    Offsets(String),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vocabulary(why) => write!(f, "{why}"),
            Self::Split(error) => write!(f, "{error}"),
            Self::UnknownId(id) => write!(f, "{id} is the id of no token"),
            Self::Surrogate => write!(f, "the text holds a surrogate that is no half of a pair"),
            Self::Offsets(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for EncodeError {}

impl From<SplitError> for EncodeError {
    fn from(error: SplitError) -> Self {
        Self::Split(error)
    }
}
