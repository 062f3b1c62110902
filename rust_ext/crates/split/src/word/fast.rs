//! Common kinds of piece, recognised in a block of bytes: words of Cyrillic and of ASCII letters, punctuation, digits,
//! line ends, indents. `None` leaves a piece to `slow`.

use super::switches::{CASED, CONTRACTIONS, THRICE, TRIPLES, has, is_mark};
use crate::key::{Key, MAX_LETTERS, MAX_RAW, WINDOW};
use crate::lanes;
use crate::unicode::{LETTER, LOWER, MARK, SPACE, Tables, UPPER};

/// The length and the key of the piece at `at`, if it is of a common kind.
#[inline(always)]
pub(super) fn piece<const P: u8>(
    tables: &Tables,
    text: &[u8],
    at: usize,
    window: &[u8; WINDOW],
) -> Option<(usize, Key)> {
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
