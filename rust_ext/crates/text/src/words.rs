//! Segmentation into tokens, the project's definition of a word.
//!
//! - A *word* is a maximal run of letters, digits and combining marks, with at least one letter or digit; a
//!   single joiner (hyphen, apostrophe, low line, soft hyphen, zero-width character) between two such
//!   characters belongs to it, and so does a full stop, comma or colon between two ASCII digits:
//!   «кто-нибудь», «д'Артаньян», «3.14», «17:46» are one word each.
//! - A *symbol* is a maximal run of one and the same character that is neither white space nor part of a word:
//!   "...", "—", "!!!" are one token each.
//! - White space separates and is no token.
//!
//! FineWeb-2's thresholds were set on spaCy's tokens for Russian, which cut the same at white space and
//! punctuation; docs/filter.md measures how far the two are apart.

use super::chars::{ALPHA, Classes, DECIMAL, DIGIT, JOINER, NUMERIC, SPACE, WORD};

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Byte offsets in the text.
    pub start: usize,
    pub end: usize,
    /// Length in characters (code points).
    pub chars: usize,
    /// Has a letter or a digit: a word, otherwise a symbol.
    pub is_word: bool,
    /// Has a letter.
    pub has_letter: bool,
}

/// The tokens of `text`, in order.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens {
        text,
        position: 0,
        classes: Classes::new(),
    }
}

/// The tokens of a text, in order.
pub struct Tokens<'a> {
    text: &'a str,
    position: usize,
    classes: Classes,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        let mut rest = self.text[self.position..].chars();
        let mut start = self.position;
        loop {
            let c = rest.next()?;
            let class = self.classes.of(c);
            if class & SPACE != 0 {
                start += c.len_utf8();
                continue;
            }
            let token = if class & WORD != 0 {
                self.word(start, c, class, rest)
            } else {
                symbol(start, c, rest)
            };
            self.position = token.end;
            return Some(token);
        }
    }
}

impl Tokens<'_> {
    #[inline]
    fn word(&self, start: usize, first: char, first_class: u8, mut rest: std::str::Chars<'_>) -> Token {
        let mut end = start + first.len_utf8();
        let mut chars = 1;
        let mut seen = first_class;
        let mut last = first_class;
        while let Some(c) = rest.next() {
            let class = self.classes.of(c);
            if class & WORD != 0 {
                end += c.len_utf8();
                chars += 1;
                seen |= class;
                last = class;
                continue;
            }
            let joins = class & JOINER != 0 || (class & DECIMAL != 0 && last & DIGIT != 0);
            let Some(next) = rest.clone().next().filter(|_| joins) else {
                break;
            };
            let next_class = self.classes.of(next);
            let wanted = if class & JOINER != 0 {
                ALPHA | NUMERIC
            } else {
                DIGIT
            };
            if next_class & wanted == 0 {
                break;
            }
            rest.next();
            end += c.len_utf8() + next.len_utf8();
            chars += 2;
            seen |= next_class;
            last = next_class;
        }
        Token {
            start,
            end,
            chars,
            is_word: seen & (ALPHA | NUMERIC) != 0,
            has_letter: seen & ALPHA != 0,
        }
    }
}

fn symbol(start: usize, first: char, rest: std::str::Chars<'_>) -> Token {
    let chars = 1 + rest.take_while(|&c| c == first).count();
    Token {
        start,
        end: start + chars * first.len_utf8(),
        chars,
        is_word: false,
        has_letter: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::chars;
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<&str> {
        tokens(text).map(|t| &text[t.start..t.end]).collect()
    }

    #[test]
    fn words_keep_hyphens_apostrophes_and_decimals() {
        assert_eq!(
            cut("Кто-нибудь, д'Артаньян: 3.14!"),
            ["Кто-нибудь", ",", "д'Артаньян", ":", "3.14", "!"]
        );
    }

    #[test]
    fn a_joiner_at_the_edge_of_a_word_is_a_symbol() {
        assert_eq!(
            cut("-а- что--то 3. 4"),
            ["-", "а", "-", "что", "--", "то", "3", ".", "4"]
        );
    }

    #[test]
    fn runs_of_one_symbol_are_one_token_and_marks_stay_in_the_word() {
        assert_eq!(cut("за\u{301}мок...!!?"), ["за\u{301}мок", "...", "!!", "?"]);
    }

    proptest! {
        #[test]
        fn tokens_cover_all_that_is_not_space(text in "\\PC{0,80}|[а-яa-z0-9 .,'\\-\n!\u{301}]{0,80}") {
            let mut end = 0;
            for token in tokens(&text) {
                prop_assert!(token.start >= end && token.end > token.start);
                prop_assert!(text[end..token.start].chars().all(chars::is_space));
                prop_assert_eq!(text[token.start..token.end].chars().count(), token.chars);
                let is_letter = |c: char| c.is_alphabetic() && !c.is_numeric() && !chars::is_mark(c);
                prop_assert_eq!(text[token.start..token.end].chars().any(is_letter), token.has_letter);
                end = token.end;
            }
            prop_assert!(text[end..].chars().all(chars::is_space));
        }
    }
}
