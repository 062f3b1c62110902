//! The hand-written splitter of four patterns, which differ in three switches.
//!
//! `piece` tries the two kinds of word that make up most of Russian and English text on a block of bytes
//! and leaves the rest to `slow`, a direct reading of the regular expression with a class lookup for each
//! character. Both give the same result; `slow` alone decides what that is. Every character is looked at a
//! bounded number of times, so time is linear in the text.

use std::ops::{ControlFlow, Range};

use super::key::{Key, MAX_LETTERS, MAX_RAW, WINDOW};
use super::lanes;
use super::unicode::{
    KANA_LETTER, KANA_MARK, KANA_OR_HAN, LETTER, LOWER, MARK, NEWLINE, NUMBER, SPACE, Tables, UPPER,
};

/// Cuts a word before a capital that follows a small letter, keeps marks in words, and takes `/` into the
/// line ends after punctuation.
const CASED: u8 = 1;
/// Knows the English contractions.
const CONTRACTIONS: u8 = 2;
/// Takes up to three numbers together.
const TRIPLES: u8 = 4;
/// White space up to the end of the text is one piece.
const END: u8 = 8;
/// Cuts numbers off first, then Chinese characters and kana, and knows punctuation from other characters: DeepSeek.
const THRICE: u8 = 16;

pub const LLAMA3: u8 = CONTRACTIONS | TRIPLES;
pub const QWEN2: u8 = CONTRACTIONS;
pub const O200K: u8 = CASED | CONTRACTIONS | TRIPLES;
pub const TEKKEN: u8 = CASED;
pub const CL100K: u8 = CONTRACTIONS | TRIPLES | END;
pub const DEEPSEEK3: u8 = TRIPLES | THRICE;

const fn has(pattern: u8, switch: u8) -> bool {
    pattern & switch != 0
}

/// Calls `visit` with the key and the range of every piece, until it breaks off.
#[inline(always)]
pub fn run<const P: u8>(
    tables: &Tables,
    text: &str,
    visit: &mut impl FnMut(Key, Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let text = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        let (end, key) = piece::<P>(tables, text, at);
        visit(key, at..end)?;
        at = end;
    }
    ControlFlow::Continue(())
}

/// The end and the key of the piece that starts at `at`, which lies in the text.
#[inline(always)]
fn piece<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> (usize, Key) {
    if let Some(window) = text.get(at..).and_then(|rest| rest.first_chunk::<WINDOW>())
        && let Some((len, key)) = fast::<P>(tables, text, at, window)
    {
        return (at + len, key);
    }
    let end = slow::<P>(tables, text, at);
    (end, Key::of(&text[at..end]))
}

/// The length and the key of the piece at `at`, if it is of a common kind.
#[inline(always)]
fn fast<const P: u8>(tables: &Tables, text: &[u8], at: usize, window: &[u8; WINDOW]) -> Option<(usize, Key)> {
    let len = match window[0] {
        0xd0 | 0xd1 => return cyrillic::<P, 0>(tables, text, at, window),
        b'a'..=b'z' | b'A'..=b'Z' => return ascii::<P, 0>(tables, text, at, window),
        b'0'..=b'9' => digits::<P>(window)?,
        b'\n' => line_ends(tables, window)?,
        b'\r' => return None,
        0x80.. => match mark_length(window, 0) {
            0 => marks::<P>(tables, window, 0)?,
            _ if has(P, THRICE) => marks::<P>(tables, window, 0)?,
            2 if is_lead(window[2]) => return cyrillic::<P, 2>(tables, text, at, window),
            3 if is_lead(window[3]) => return cyrillic::<P, 3>(tables, text, at, window),
            len if window[len].is_ascii_alphabetic() => return None,
            _ => marks::<P>(tables, window, 0)?,
        },
        first => match window[1] {
            0xd0 | 0xd1 if has(P, THRICE) && tables.ascii(first) & MARK != 0 => 1,
            0xd0 | 0xd1 => return cyrillic::<P, 1>(tables, text, at, window),
            b'a'..=b'z' | b'A'..=b'Z' if first != b'\'' || has(P, THRICE) => {
                return ascii::<P, 1>(tables, text, at, window);
            }
            b'a'..=b'z' | b'A'..=b'Z' => return None,
            b' ' if tables.ascii(first) & SPACE == 0 => 1,
            next if first == b' ' => match next {
                b' ' => indent::<P>(tables, window)?,
                b'0'..=b'9' => 1,
                _ => marks::<P>(tables, window, 1)?,
            },
            _ => marks::<P>(tables, window, 0)?,
        },
    };
    Some((len, Key::of_raw(window.first_chunk()?, len as u32)))
}

/// True for the first byte of letters U+0400..U+047F, and of nothing else.
#[inline(always)]
fn is_lead(byte: u8) -> bool {
    byte & 0xfe == 0xd0
}

/// The length of « or », or of a dash, quotation mark, bullet or ellipsis (U+2010..U+2027); of anything else, 0.
#[inline(always)]
fn mark_length(window: &[u8; WINDOW], at: usize) -> usize {
    match window[at..at + 3] {
        [0xc2, 0xab | 0xbb, _] => 2,
        [0xe2, 0x80, 0x90..=0xa7] => 3,
        _ => 0,
    }
}

/// True where something other than white space is known to begin.
#[inline(always)]
fn is_solid(tables: &Tables, window: &[u8; WINDOW], at: usize) -> bool {
    match window[at] {
        byte @ ..0x80 => tables.ascii(byte) & SPACE == 0,
        byte => is_lead(byte) || mark_length(window, at) > 0,
    }
}

/// The length of a run of spaces, less the one that belongs to the text behind it: ` *` of `\s+(?!\S)`.
#[inline(always)]
fn indent<const P: u8>(tables: &Tables, window: &[u8; WINDOW]) -> Option<usize> {
    let spaces = window[..MAX_RAW].iter().take_while(|&&byte| byte == b' ').count();
    if has(P, THRICE) && window[spaces].is_ascii_digit() {
        return Some(spaces);
    }
    is_solid(tables, window, spaces).then_some(spaces - 1)
}

/// The length of line ends that open a line, if that is indented by spaces at most: `\n+` of `\s*[\r\n]+`.
#[inline(always)]
fn line_ends(tables: &Tables, window: &[u8; WINDOW]) -> Option<usize> {
    let run = |start: usize, of: u8| {
        start
            + window[start..2 * MAX_RAW]
                .iter()
                .take_while(|&&byte| byte == of)
                .count()
    };
    let end = run(1, b'\n');
    (end <= MAX_RAW && is_solid(tables, window, run(end, b' '))).then_some(end)
}

/// The length of punctuation, before which `start` (0 or 1) spaces stand, and of line ends behind it:
/// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`.
#[inline(always)]
fn marks<const P: u8>(tables: &Tables, window: &[u8; WINDOW], start: usize) -> Option<usize> {
    let mut end = start;
    while end <= MAX_RAW {
        match window[end] {
            byte @ ..0x80 if is_mark::<P>(tables.ascii(byte)) => end += 1,
            // Neither a mark nor anything that ends a run of them for sure.
            byte @ ..0x80 if has(P, THRICE) && tables.ascii(byte) == 0 => return None,
            ..0x80 => break,
            byte if is_lead(byte) => break,
            _ => match mark_length(window, end) {
                0 => return None,
                len => end += len,
            },
        }
    }
    if end == start {
        return None;
    }
    while end <= MAX_RAW && (matches!(window[end], b'\r' | b'\n') || (has(P, CASED) && window[end] == b'/')) {
        end += 1;
    }
    (end <= MAX_RAW).then_some(end)
}

/// True for the bits of what may stand in a run of punctuation: `[^\s\p{L}\p{N}]`.
#[inline(always)]
fn is_mark<const P: u8>(flags: u8) -> bool {
    if has(P, THRICE) {
        flags & MARK != 0
    } else {
        flags & (SPACE | LETTER | NUMBER) == 0
    }
}

#[inline(always)]
fn digits<const P: u8>(window: &[u8; WINDOW]) -> Option<usize> {
    if !has(P, TRIPLES) {
        return Some(1);
    }
    let len = 1 + window[1..3]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (len == 3 || window[len] < 0x80 || is_lead(window[len])).then_some(len)
}

/// A word of letters U+0400..U+047F after nothing (`PREFIX` is 0), an ASCII character (1), or a mark of 2 or 3 bytes.
#[inline(always)]
fn cyrillic<const P: u8, const PREFIX: usize>(
    tables: &Tables,
    text: &[u8],
    at: usize,
    window: &[u8; WINDOW],
) -> Option<(usize, Key)> {
    let run = lanes::cyrillic(window[PREFIX..].first_chunk()?);
    let upper = if has(P, CASED) { run.upper() } else { 0 };
    let letters = word_length::<P>(run.letters, upper);
    let len = PREFIX + 2 * letters as usize;
    if letters >= 16 || (letters == run.letters.trailing_ones() && !ends_word::<P>(tables, text, at + len)) {
        return None;
    }
    let key = if letters <= MAX_LETTERS {
        Key::of_prefixed::<PREFIX>(run.codes, letters, window)
    } else {
        Key::LONG
    };
    Some((len, key))
}

/// A word of ASCII letters after `PREFIX` (0 or 1) ASCII characters.
#[inline(always)]
fn ascii<const P: u8, const PREFIX: usize>(
    tables: &Tables,
    text: &[u8],
    at: usize,
    window: &[u8; WINDOW],
) -> Option<(usize, Key)> {
    let block = window[PREFIX..].first_chunk()?;
    let run = lanes::ascii_letters(block);
    let upper = if has(P, CASED) {
        lanes::ascii_upper(block)
    } else {
        0
    };
    let letters = word_length::<P>(run, upper);
    let len = PREFIX + letters as usize;
    if len > MAX_RAW || (letters == run.trailing_ones() && !ends_word::<P>(tables, text, at + len)) {
        return None;
    }
    Some((len, Key::of_raw(window.first_chunk()?, len as u32)))
}

/// How many of the leading letters (bits of `run`) make a word: all, or those before the first capital that
/// follows a small letter.
#[inline(always)]
fn word_length<const P: u8>(run: u32, upper: u32) -> u32 {
    let letters = run.trailing_ones();
    if !has(P, CASED) {
        return letters;
    }
    let after_lower = (run & !upper) << 1;
    letters.min((after_lower & upper).trailing_zeros())
}

/// True if the character at `at`, before which letters stand, cannot belong to their word.
#[inline(always)]
fn ends_word<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> bool {
    let within = if has(P, CASED) {
        LETTER | UPPER | LOWER
    } else {
        LETTER
    };
    match text.get(at) {
        Some(b'\'') if has(P, CASED) && has(P, CONTRACTIONS) => false,
        Some(&byte) if byte < 0x80 => tables.ascii(byte) & within == 0,
        _ => tables.at(text, at).0 & within == 0,
    }
}

/// The end of the piece that starts at `at`, read off the regular expression.
fn slow<const P: u8>(tables: &Tables, text: &[u8], at: usize) -> usize {
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
