//! Every piece, read off the regular expression with a class lookup for each character.

use super::switches::{CASED, CONTRACTIONS, END, THRICE, TRIPLES, has, is_mark};
use crate::unicode::{
    KANA_LETTER, KANA_MARK, KANA_OR_HAN, LETTER, LOWER, MARK, NEWLINE, NUMBER, SPACE, Tables, UPPER,
};

/// The end of the piece that starts at `at`, read off the regular expression.
pub(super) fn piece<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> usize {
    let (flags, len) = tables.at(text, at);
    if has(P, THRICE) && flags & KANA_OR_HAN != 0 {
        return kana_or_han(tables, text, at);
    }
    let word = if has(P, CASED) {
        cased_word::<P>
    } else if has(P, THRICE) {
        ascii_or_word
    } else {
        plain_word::<P>
    };
    if let Some(end) = word(tables, text, at) {
        return end;
    }
    if flags & NUMBER != 0 {
        return numbers::<P>(tables, text, at + len);
    }
    let start = at + usize::from(text[at] == b' ');
    let end = run_of(tables, text, start, is_mark::<P>);
    if end > start {
        let more = |byte: &&u8| matches!(byte, b'\r' | b'\n') || (has(P, CASED) && **byte == b'/');
        return end + text[end..].iter().take_while(more).count();
    }
    if has(P, THRICE) && flags & SPACE == 0 {
        return others(tables, text, at);
    }
    spaces::<P>(tables, text, at)
}

/// The end of the longest run of characters whose bits pass `test`.
#[inline(always)]
fn run_of(tables: &Tables, text: &[u8], mut at: usize, test: impl Fn(u8) -> bool) -> usize {
    loop {
        let (flags, len) = tables.at(text, at);
        if len == 0 || !test(flags) {
            return at;
        }
        at += len;
    }
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+`
fn plain_word<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> Option<usize> {
    let (flags, len) = tables.at(text, at);
    if has(P, CONTRACTIONS)
        && let end = contraction(text, at)
        && end > at
    {
        return Some(end);
    }
    let start = if flags & (LETTER | NUMBER | NEWLINE) == 0 {
        at + len
    } else {
        at
    };
    let end = run_of(tables, text, start, |flags| flags & LETTER != 0);
    (end > start).then_some(end)
}

/// `[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`, in what is left of a text
/// without numbers, Chinese characters and kana.
fn ascii_or_word(tables: &Tables, text: &[u8], at: usize) -> Option<usize> {
    let (flags, len) = tables.at(text, at);
    if text[at].is_ascii_punctuation() {
        let letters = text[at + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic());
        return Some(at + 1 + letters.count()).filter(|&end| end > at + 1);
    }
    let start = if flags & (LETTER | MARK | NUMBER | NEWLINE) == 0 {
        at + len
    } else {
        at
    };
    let end = run_of(tables, text, start, |flags| flags & LETTER != 0);
    (end > start).then_some(end)
}

/// The same in a run of Chinese characters and kana, whose characters in no class of the third split are unassigned.
fn kana_or_han(tables: &Tables, text: &[u8], at: usize) -> usize {
    let (flags, len) = tables.at(text, at);
    let letters = |at| run_of(tables, text, at, |flags| flags & KANA_LETTER != 0);
    if flags & KANA_MARK != 0 {
        return run_of(tables, text, at, |flags| flags & KANA_MARK != 0);
    }
    if flags & KANA_LETTER != 0 {
        return letters(at);
    }
    let mut end = at + len;
    if letters(end) > end {
        return letters(end);
    }
    loop {
        let (flags, len) = tables.at(text, end);
        if flags != KANA_OR_HAN || letters(end + len) > end + len {
            return end;
        }
        end += len;
    }
}

/// The end of characters that are in no class, which the third split of DeepSeek does not match: up to one that
/// begins a word.
fn others(tables: &Tables, text: &[u8], mut at: usize) -> usize {
    loop {
        let (flags, len) = tables.at(text, at);
        if flags != 0 || len == 0 || tables.at(text, at + len).0 & LETTER != 0 {
            return at;
        }
        at += len;
    }
}

/// `P?U*W+(?i:'s|...)?|P?U+W*(?i:'s|...)?` with P = `[^\r\n\p{L}\p{N}]`, U = `UPPER`, W = `LOWER`. Marks are
/// in all three, so each alternative is tried with the prefix and, that failing, without.
fn cased_word<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> Option<usize> {
    let (flags, len) = tables.at(text, at);
    let after = (flags & (LETTER | NUMBER | NEWLINE) == 0).then_some(at + len);
    let with_lower = |start| with_lower(tables, text, start);
    let capitals = |start| {
        let end = run_of(tables, text, start, |flags| flags & UPPER != 0);
        (end > start).then_some(end)
    };
    let end = after
        .and_then(with_lower)
        .or_else(|| with_lower(at))
        .or_else(|| after.and_then(capitals))
        .or_else(|| capitals(at))?;
    Some(if has(P, CONTRACTIONS) {
        contraction(text, end)
    } else {
        end
    })
}

/// `U*W+`: the capitals give characters back, one by one, until one of them may stand in W.
fn with_lower(tables: &Tables, text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut given_back = None;
    loop {
        let (flags, len) = tables.at(text, at);
        if len == 0 || flags & UPPER == 0 {
            break;
        }
        at += len;
        if flags & LOWER != 0 {
            given_back = Some(at);
        }
    }
    let end = run_of(tables, text, at, |flags| flags & LOWER != 0);
    if end > at { Some(end) } else { given_back }
}

/// The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)?` at `at`. Without regard to case, s is ſ (U+017F) too.
fn contraction(text: &[u8], at: usize) -> usize {
    let len = match text.get(at..).unwrap_or_default() {
        [b'\'', b's' | b'S' | b't' | b'T' | b'm' | b'M' | b'd' | b'D', ..] => 2,
        [b'\'', b'r' | b'R' | b'v' | b'V', b'e' | b'E', ..] => 3,
        [b'\'', b'l' | b'L', b'l' | b'L', ..] => 3,
        [b'\'', 0xc5, 0xbf, ..] => 3,
        _ => 0,
    };
    at + len
}

/// `\p{N}{1,3}` or `\p{N}`, the first number of which ends at `at`.
fn numbers<const P: u8>(tables: &Tables, text: &[u8], mut at: usize) -> usize {
    let more = if has(P, TRIPLES) { 2 } else { 0 };
    for _ in 0..more {
        let (flags, len) = tables.at(text, at);
        if flags & NUMBER == 0 {
            break;
        }
        at += len;
    }
    at
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end in the run of white space; else the run, less its last
/// character if text follows. With `END`, `\s++$` comes first; with `THRICE` text ends before a number, a Chinese
/// character or kana.
fn spaces<const P: u8>(tables: &Tables, text: &[u8], start: usize) -> usize {
    let (mut at, mut line_end, mut last) = (start, None, start);
    loop {
        let (flags, len) = tables.at(text, at);
        if flags & SPACE == 0 {
            break;
        }
        last = at;
        at += len;
        if flags & NEWLINE != 0 {
            line_end = Some(at);
        }
    }
    let ends = at == text.len() || (has(P, THRICE) && tables.at(text, at).0 & (NUMBER | KANA_OR_HAN) != 0);
    match line_end {
        _ if has(P, END) && at == text.len() => at,
        Some(end) => end,
        None if ends || last == start => at,
        None => last,
    }
}
