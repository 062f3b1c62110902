//! What can go wrong.

use std::fmt;

/// Why a pattern or a text was refused; the message says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitError {
    /// The pattern is no regular expression that fancy-regex takes.
    Pattern(String),
    /// The pattern matched nothing at this byte, so that text would be lost.
    Loses { at: usize, excerpt: String },
    /// Matching at this byte took more steps than fancy-regex allows.
    TooHard { at: usize },
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(why) => write!(f, "the split pattern does not compile: {why}"),
            Self::Loses { at, excerpt } => write!(
                f,
                "the split pattern loses text: nothing matches at byte {at}, before {excerpt:?}; \
                 add an alternative that does, such as |\\s+|."
            ),
            Self::TooHard { at } => write!(
                f,
                "the split pattern took too many steps at byte {at}; make it possessive (++, *+) or use a named one"
            ),
        }
    }
}

impl std::error::Error for SplitError {}
