//! Any other pattern, by fancy-regex.

use std::ops::{ControlFlow, Range};

use fancy_regex::{Regex, RegexBuilder};

use super::error::SplitError;
use super::key::Key;

/// Steps of backtracking allowed for one match: fancy-regex's own default, stated.
const BACKTRACK_LIMIT: usize = 1_000_000;

/// Characters of text shown where a pattern loses it.
const EXCERPT: usize = 20;

pub struct Generic {
    regex: Regex,
}

impl Generic {
    pub fn new(pattern: &str) -> Result<Self, SplitError> {
        if pattern.is_empty() {
            return Err(SplitError::Pattern("it is empty".to_owned()));
        }
        let regex = RegexBuilder::new(pattern)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build();
        let one_line =
            |error: fancy_regex::Error| error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        regex
            .map(|regex| Self { regex })
            .map_err(|error| SplitError::Pattern(one_line(error)))
    }

    pub fn for_each(
        &self,
        text: &str,
        visit: &mut impl FnMut(Key, Range<usize>) -> ControlFlow<()>,
    ) -> Result<(), SplitError> {
        let mut done = 0;
        for found in self.regex.find_iter(text) {
            let found = found.map_err(|_| SplitError::TooHard { at: done })?;
            if found.start() != done {
                return Err(loses(text, done));
            }
            if found.end() > found.start()
                && visit(Key::of(&text.as_bytes()[found.range()]), found.range()).is_break()
            {
                return Ok(());
            }
            done = found.end();
        }
        if done < text.len() {
            Err(loses(text, done))
        } else {
            Ok(())
        }
    }
}

fn loses(text: &str, at: usize) -> SplitError {
    SplitError::Loses {
        at,
        excerpt: text[at..].chars().take(EXCERPT).collect(),
    }
}
