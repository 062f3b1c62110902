//! Matches back to the text: the bytes that a match covers, and the text without the sentences it touches.

use crate::find::Match;
use std::ops::Range;

/// The bytes of `text` from the first to the last word of a match; `spans` are its words' places.
pub fn span(spans: &[(usize, usize)], found: Match) -> Range<usize> {
    spans[found.start as usize].0..spans[found.end as usize - 1].1
}

/// `text` without the sentences that the matches touch. `spans` are the places of its words; `matches` are in
/// the order of their starts.
///
/// A sentence ends at a line's end, or at `.`, `!`, `?` or `…` before white space. The spaces after what is cut
/// go too, and the line's end where nothing of the line is left.
pub fn cut(text: &str, spans: &[(usize, usize)], matches: &[Match]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for &found in matches {
        let range = sentences(text, span(spans, found));
        if range.end <= at {
            continue;
        }
        left.push_str(&text[at..range.start.max(at)]);
        at = range.end;
        let line_is_empty = left.is_empty() || left.ends_with('\n');
        if line_is_empty && text[at..].starts_with('\n') {
            at += 1;
        }
    }
    left.push_str(&text[at..]);
    left
}

fn sentences(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = 0;
    let mut before = text[..range.start].char_indices().rev();
    let mut next = text[range.start..].chars().next().unwrap_or(' ');
    for (at, character) in &mut before {
        if character == '\n' || (ends_sentence(character) && next.is_whitespace()) {
            start = at + character.len_utf8();
            break;
        }
        next = character;
    }
    start += text[start..range.start]
        .find(|c: char| !matches!(c, ' ' | '\t' | '\u{a0}'))
        .unwrap_or(range.start - start);
    let mut end = text.len();
    let mut rest = text[range.end..].char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        if character == '\n' {
            end = range.end + at;
            break;
        }
        let closed = rest.peek().is_none_or(|&(_, after)| after.is_whitespace());
        if ends_sentence(character) && closed {
            end = range.end + at + character.len_utf8();
            break;
        }
    }
    let spaces = text[end..].find(|c: char| !matches!(c, ' ' | '\t' | '\u{a0}' | '\r'));
    start..spaces.map_or(text.len(), |spaces| end + spaces)
}

fn ends_sentence(character: char) -> bool {
    matches!(character, '.' | '!' | '?' | '…')
}

#[cfg(test)]
mod tests {
    use super::*;
    use bukvar_dedup::text::word_spans;
    use proptest::prelude::*;

    fn without(text: &str, words: &[(u32, u32)]) -> String {
        let matches: Vec<Match> = words
            .iter()
            .map(|&(start, end)| Match { start, end, item: 0 })
            .collect();
        cut(text, &word_spans(text), &matches)
    }

    #[test]
    fn the_sentences_that_a_match_touches_go() {
        assert_eq!(without("Один. Два три. Четыре.", &[(2, 3)]), "Один. Четыре.");
        assert_eq!(without("Один.\nДва три\nЧетыре", &[(1, 2)]), "Один.\nЧетыре");
        assert_eq!(without("Один два", &[(0, 1)]), "");
        assert_eq!(without("1. Раз 2.5 два! Три", &[(1, 2)]), "1. Три");
        assert_eq!(without("А б. В г. Д", &[(1, 3)]), "Д");
        assert_eq!(without("А б. В г. Д", &[(0, 1), (1, 2), (4, 5)]), "В г. ");
    }

    proptest! {
        /// What is left are characters of the text in order, and no word of a match is among them.
        #[test]
        fn only_whole_sentences_go(text in "[аб .!\\n]{0,40}", from in 0u32..20, length in 1u32..5) {
            let spans = word_spans(&text);
            let end = from + length;
            if end as usize <= spans.len() {
                let found = Match { start: from, end, item: 0 };
                let left = cut(&text, &spans, &[found]);
                let range = sentences(&text, span(&spans, found));
                prop_assert!(range.start <= spans[from as usize].0 && range.end >= spans[end as usize - 1].1);
                prop_assert!(left.len() + range.len() <= text.len() && left.len() + range.len() + 1 >= text.len());
                prop_assert!(left.starts_with(&text[..range.start]));
                prop_assert!(text[range.end..].ends_with(&left[range.start..]));
            }
        }
    }
}
