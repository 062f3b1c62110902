//! Letters outside tags: entities and UTF-8.

use bukvar_html::{comment_end, entities};
use memchr::{memchr, memmem};

use super::limits::ENOUGH;

/// Letters outside tags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub cyrillic: u32,
    pub latin: u32,
}

/// Whether entities of Cyrillic letters ("&#1088;", "&#x440;", "&rcy;") begin in the first `within` bytes.
pub fn has_entities(body: &[u8], within: usize) -> bool {
    let begins = memchr::memchr_iter(b'&', &body[..body.len().min(within)]);
    begins
        .map(|at| entity(&body[at..]))
        .any(|found| found.is_some_and(|(code, _)| is_cyrillic(code)))
}

/// The longest name of a Cyrillic letter is `jsercy`; all end so.
const LONGEST_NAME: usize = 6;
const ENDING: &[u8] = b"cy";

/// Code point and length of the named entity of a Cyrillic letter at the beginning of `text`.
fn named(text: &[u8]) -> Option<(u32, usize)> {
    let window = &text[1..text.len().min(LONGEST_NAME + 2)];
    let name = &window[..window.iter().position(|&byte| byte == b';')?];
    if !name.ends_with(ENDING) {
        return None;
    }
    Some((u32::from(entities::named(name)?.first), name.len() + 2))
}

/// Digits of an entity that are read.
const MAX_DIGITS: usize = 8;

/// Code point and length of the entity at the beginning of `text`: a numeric one, or a Cyrillic letter's name.
fn entity(text: &[u8]) -> Option<(u32, usize)> {
    if text.get(1) != Some(&b'#') {
        return named(text);
    }
    let hexadecimal = matches!(text.get(2)?, b'x' | b'X');
    let start = if hexadecimal { 3 } else { 2 };
    let digits = &text[start..text.len().min(start + MAX_DIGITS)];
    let (mut code, mut length) = (0u32, start);
    for &digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' | b'A'..=b'F' if hexadecimal => (digit | 0x20) - b'a' + 10,
            _ => break,
        };
        // Eight hexadecimal digits fill the 32 bits.
        code = code * if hexadecimal { 16 } else { 10 } + u32::from(value);
        length += 1;
    }
    let closed = text.get(length) == Some(&b';');
    (length > start).then_some((code, length + usize::from(closed)))
}

fn is_cyrillic(code: u32) -> bool {
    (0x400..0x480).contains(&code)
}

/// Counts letters outside tags up to `ENOUGH` Cyrillic ones: numeric entities and, where `pairs_count`, UTF-8.
pub fn count_utf8(body: &[u8], pairs_count: bool) -> Counts {
    let mut counts = Counts::default();
    outside_tags(body, |text, is_data| {
        if is_data {
            counts.cyrillic += count_data(text, pairs_count);
            return counts.cyrillic < ENOUGH;
        }
        match plain_letters(text) {
            Some(latin) => counts.latin += latin,
            None => count_run(text, pairs_count, &mut counts),
        }
        counts.cyrillic < ENOUGH
    });
    counts
}

/// Whether Cyrillic letters as JSON escapes them (`\u0440`) begin in the first `within` bytes.
pub fn has_escapes(body: &[u8], within: usize) -> bool {
    let reach = body.len().min(within + ESCAPE.len() - 1);
    memmem::find_iter(&body[..reach], ESCAPE).any(|at| is_escape(&body[at..]))
}

const ESCAPE: &[u8] = b"\\u04";

fn is_escape(text: &[u8]) -> bool {
    text.starts_with(ESCAPE)
        && matches!(text.get(4), Some(b'0'..=b'7'))
        && text.get(5).is_some_and(u8::is_ascii_hexdigit)
}

/// Cyrillic letters of JSON: UTF-8 and escapes. Latin letters are its keys, and say nothing of the language.
fn count_data(text: &[u8], pairs_count: bool) -> u32 {
    let (mut at, mut cyrillic) = (0, 0);
    while let Some(found) = memchr::memchr3(0xd0, 0xd1, b'\\', &text[at..]) {
        at += found;
        if text[at] == b'\\' {
            let escaped = is_escape(&text[at..]);
            cyrillic += u32::from(escaped);
            at += if escaped { 6 } else { 1 };
        } else {
            let pair = text.get(at + 1).is_some_and(|b| b & 0xc0 == 0x80);
            cyrillic += u32::from(pair && pairs_count);
            at += 1 + usize::from(pair);
        }
    }
    cyrillic
}

fn count_run(text: &[u8], pairs_count: bool, counts: &mut Counts) {
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        if byte.is_ascii_alphabetic() {
            counts.latin += 1;
        } else if byte & 0xfe == 0xd0 && text.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
            counts.cyrillic += u32::from(pairs_count);
            at += 1;
        } else if byte == b'&'
            && let Some((code, length)) = entity(&text[at - 1..])
        {
            counts.cyrillic += u32::from(is_cyrillic(code));
            at += length - 1;
        }
    }
}

/// ASCII letters of a run without entities and bytes above ASCII; None for other runs. In vector lanes.
fn plain_letters(text: &[u8]) -> Option<u32> {
    let odd = text
        .iter()
        .fold(0, |odd, &byte| odd | byte | if byte == b'&' { 0x80 } else { 0 });
    (odd < 0x80).then(|| ascii_letters(text))
}

/// ASCII letters among bytes, in vector lanes.
pub fn ascii_letters(text: &[u8]) -> u32 {
    // 255 ones are what a lane of eight bits holds.
    let blocks = text.chunks(255);
    let sum = |block: &[u8]| {
        block
            .iter()
            .map(|b| u8::from(b.is_ascii_alphabetic()))
            .sum::<u8>()
    };
    blocks.map(|block| u32::from(sum(block))).sum()
}

/// Bytes that begin a character above ASCII in UTF-8.
pub fn lead_bytes(text: &[u8]) -> u32 {
    let blocks = text.chunks(255);
    let sum = |block: &[u8]| block.iter().map(|&b| u8::from(b >= 0xc0)).sum::<u8>();
    blocks.map(|block| u32::from(sum(block))).sum()
}

/// Calls `text` with each run of bytes outside tags, comments, scripts and styles, until it returns false; and, with
/// true, with what stands in scripts that hold a page's text as data (JSON-LD, Next.js). What never closes is a tag
/// only.
pub fn outside_tags(body: &[u8], text: impl FnMut(&[u8], bool) -> bool) {
    runs_outside_tags(body, false, text);
}

/// The same of the beginning of a page: what does not close in it may close behind it, and ends it.
pub fn outside_tags_of_beginning(body: &[u8], mut text: impl FnMut(&[u8]) -> bool) {
    runs_outside_tags(body, true, |run, is_data| is_data || text(run));
}

#[inline(always)]
fn runs_outside_tags(body: &[u8], is_cut: bool, mut text: impl FnMut(&[u8], bool) -> bool) {
    let mut rest = body;
    // Closings that were looked for in vain are not looked for again: that would be quadratic.
    let mut unclosed = [false; 3];
    while !rest.is_empty() {
        let run = tag_start(rest).unwrap_or(rest.len());
        if run > 0 && !text(&rest[..run], false) {
            return;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return;
        }
        let skipped = hidden(rest).filter(|&kind| !unclosed[kind]).and_then(|kind| {
            let length = hidden_length(rest, kind);
            unclosed[kind] = length.is_none();
            length
                .or(is_cut.then_some(rest.len()))
                .map(|length| (kind, length))
        });
        if let Some((1, length)) = skipped
            && let Some(data) = data_of(&rest[..length])
            && !text(data, true)
        {
            return;
        }
        let skipped = skipped.map(|(_, length)| length);
        let length = skipped.unwrap_or_else(|| find(b'>', rest).map_or(rest.len(), |at| at + 1));
        rest = &rest[length..];
    }
}

/// What stands in a script, where its tag says that it is data that main text is read from.
fn data_of(script: &[u8]) -> Option<&[u8]> {
    let end = find(b'>', script)?;
    let tag = &script[..end];
    let is_data = memmem::find(tag, b"__NEXT_DATA__").is_some()
        || tag.windows(7).any(|part| part.eq_ignore_ascii_case(b"ld+json"));
    (is_data && end + 1 < script.len()).then(|| &script[end + 1..])
}

/// Where the next tag begins: "<" before a letter, "/", "!" or "?".
fn tag_start(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + find(b'<', &text[from..])?;
        let next = text.get(at + 1)?;
        if next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?') {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Words of eight bytes looked at before memchr is called: tags and the text between them are mostly shorter
/// than what its call costs.
const NEAR: usize = 4;

/// Position of the first `byte`.
#[inline]
fn find(byte: u8, text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let mut at = 0;
    for word in text.chunks_exact(8).take(NEAR) {
        let word = u64::from_le_bytes([
            word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7],
        ]);
        // The lowest set bit marks the first byte that is zero after the xor.
        let differing = word ^ (ONES * u64::from(byte));
        let zeros = differing.wrapping_sub(ONES) & !differing & (ONES << 7);
        if zeros != 0 {
            return Some(at + (zeros.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr(byte, &text[at..]).map(|found| at + found)
}

/// Comment (0), script (1) or style (2), where one begins here.
fn hidden(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'!' => rest.starts_with(b"<!--").then_some(0),
        b's' | b'S' if begins(rest, b"<script") => Some(1),
        b's' | b'S' if begins(rest, b"<style") => Some(2),
        _ => None,
    }
}

fn begins(text: &[u8], with: &[u8]) -> bool {
    text.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// Length of the comment (0), script (1) or style (2) at the beginning of `rest`, up to its closing.
fn hidden_length(rest: &[u8], kind: usize) -> Option<usize> {
    if kind == 0 {
        return comment_end(rest, b"<!--".len());
    }
    let close: &[u8] = if kind == 1 { b"</script" } else { b"</style" };
    memmem::find_iter(rest, b"</").find(|&at| begins(&rest[at..], close))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_byte_is_found_wherever_it_is(text in proptest::collection::vec(0u8..4, 0..80), byte in 0u8..5) {
            prop_assert_eq!(find(byte, &text), text.iter().position(|&b| b == byte));
        }

        #[test]
        fn ascii_letters_are_counted_in_lanes_as_one_by_one(text in proptest::collection::vec(any::<u8>(), 0..900)) {
            let slowly = text.iter().filter(|b| b.is_ascii_alphabetic()).count() as u32;
            prop_assert_eq!(ascii_letters(&text), slowly);
        }
    }

    #[test]
    fn entities_are_read_up_to_eight_digits() {
        assert_eq!(entity(b"&#1088;x"), Some((1088, 7)));
        assert_eq!(entity(b"&#x440 "), Some((0x440, 6)));
        assert_eq!(entity(b"&#Xffffffff1"), Some((u32::MAX, 11)));
        assert_eq!(entity(b"&#999999999;"), Some((99_999_999, 10)));
        assert_eq!(entity(b"&rcy;x"), Some((1088, 5)));
        assert_eq!(entity(b"&HARDcy;"), Some((0x42A, 8)));
        for none in [
            b"&#;".as_slice(),
            b"&rcy",
            b"&xcy;",
            b"&legacy;",
            b"&#x;",
            b"&",
            b"&amp;",
            b"&#",
        ] {
            assert_eq!(entity(none), None);
        }
    }
}
