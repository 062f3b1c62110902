//! Character references of HTML: `&nbsp;`, `&copy2`, `&#1072;`, `&#x430;`. One table for whatever reads them.
//!
//! [`decode`] does what HTML's tokenizer does with text, [`decode_attribute`] what it does with the value of an
//! attribute; [`named`] looks up a bare name. Python's `html.unescape` is the oracle (tests/properties).

use std::sync::LazyLock;

/// A named reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// Without `&` and `;`.
    pub name: &'static str,
    /// The first character that it stands for.
    pub first: char,
    /// The second one, `\0` where there is none.
    pub second: char,
    /// HTML reads it without its semicolon too.
    pub legacy: bool,
    /// HTML 4.01 has it (or it is `apos`).
    pub html4: bool,
}

/// A reference read from the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    chars: [char; 2],
    count: u8,
    /// Bytes read, `&` included.
    pub length: usize,
}

impl Reference {
    fn of(char: char, length: usize) -> Self {
        Self {
            chars: [char, '\0'],
            count: 1,
            length,
        }
    }

    fn named(name: &Name, length: usize) -> Self {
        Self {
            chars: [name.first, name.second],
            count: 1 + u8::from(name.second != '\0'),
            length,
        }
    }

    /// The characters that it stands for: one, two, or none for a code that is no character of text.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<> {
        let (chars, count) = (self.chars, usize::from(self.count));
        chars.into_iter().take(count)
    }
}

/// Longest name, in bytes.
pub const LONGEST: usize = 31;
/// Longest name that needs no semicolon.
const LONGEST_LEGACY: usize = 6;

/// The names, sorted, and where those of each first letter begin: A to Z, then a to z, then the end.
struct Names {
    all: Vec<Name>,
    begins: [u16; 53],
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let all: Vec<Name> = include_str!("names.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(read_name)
        .collect();
    let mut begins = [all.len() as u16; 53];
    for (at, name) in all.iter().enumerate().rev() {
        begins[slot(name.name.as_bytes()[0])] = at as u16;
    }
    // A letter without names begins where the next one does.
    for letter in (0..52).rev() {
        begins[letter] = begins[letter].min(begins[letter + 1]);
    }
    Names { all, begins }
});

fn read_name(line: &'static str) -> Option<Name> {
    let mut fields = line.split(' ');
    let (name, codes, flags) = (fields.next()?, fields.next()?, fields.next().unwrap_or(""));
    let mut chars = codes
        .split('+')
        .filter_map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
    Some(Name {
        name,
        first: chars.next()?,
        second: chars.next().unwrap_or('\0'),
        legacy: flags.contains('L'),
        html4: flags.contains('4'),
    })
}

fn slot(byte: u8) -> usize {
    match byte {
        b'A'..=b'Z' => usize::from(byte - b'A'),
        b'a'..=b'z' => 26 + usize::from(byte - b'a'),
        _ => 52,
    }
}

/// All names, sorted.
pub fn all() -> &'static [Name] {
    &NAMES.all
}

/// The reference of a name, which stands without `&` and `;`.
pub fn named(name: &[u8]) -> Option<&'static Name> {
    let letter = slot(*name.first()?);
    if letter == 52 {
        return None;
    }
    let Names { all, begins } = &*NAMES;
    let names = &all[usize::from(begins[letter])..usize::from(begins[letter + 1])];
    let at = names
        .binary_search_by(|entry| entry.name.as_bytes().cmp(name))
        .ok()?;
    Some(&names[at])
}

/// The reference at the start of `text`, which begins with `&`; `None` where it is only an ampersand. Of names without
/// a semicolon the longest that HTML allows counts: `&copy2` is a sign and a digit.
#[inline]
pub fn decode(text: &[u8]) -> Option<Reference> {
    match text.get(1)? {
        b'#' => numeric(text),
        byte if byte.is_ascii_alphabetic() => by_name(text, false),
        _ => None,
    }
}

/// The same in the value of an attribute, where `?a=1&copy=2` and `&notes` are no references.
pub fn decode_attribute(text: &[u8]) -> Option<Reference> {
    match text.get(1)? {
        b'#' => numeric(text),
        byte if byte.is_ascii_alphabetic() => by_name(text, true),
        _ => None,
    }
}

fn by_name(text: &[u8], in_attribute: bool) -> Option<Reference> {
    let most = text.len().min(LONGEST + 2);
    let end = text[1..most]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric())
        .map_or(most, |at| at + 1);
    if text.get(end) == Some(&b';')
        && let Some(name) = named(&text[1..end])
    {
        return Some(Reference::named(name, end + 1));
    }
    let (stop, name) = (3..=end.min(LONGEST_LEGACY + 1)).rev().find_map(|stop| {
        let name = named(&text[1..stop]).filter(|name| name.legacy)?;
        Some((stop, name))
    })?;
    let goes_on = text
        .get(stop)
        .is_some_and(|byte| *byte == b'=' || byte.is_ascii_alphanumeric());
    (!(in_attribute && goes_on)).then(|| Reference::named(name, stop))
}

/// A numeric reference at the start of `text`, which begins with `&#`.
pub fn numeric(text: &[u8]) -> Option<Reference> {
    let hexadecimal = matches!(text.get(2), Some(b'x' | b'X'));
    let start = if hexadecimal { 3 } else { 2 };
    let radix = if hexadecimal { 16 } else { 10 };
    let (mut end, mut code) = (start, 0u32);
    while let Some(digit) = text.get(end).and_then(|&byte| char::from(byte).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    if end == start {
        return None;
    }
    let length = end + usize::from(text.get(end) == Some(&b';'));
    let mut found = Reference::of(from_code(code), length);
    found.count = u8::from(!is_no_character(code));
    Some(found)
}

/// Controls and noncharacters, which no text has.
fn is_no_character(code: u32) -> bool {
    matches!(code, 0x1..=0x8 | 0xB | 0xE..=0x1F | 0x7F | 0xFDD0..=0xFDEF)
        || (code <= 0x10_FFFF && code & 0xFFFE == 0xFFFE)
}

/// HTML reads the C1 range as windows-1252 and everything that is no character as U+FFFD.
fn from_code(code: u32) -> char {
    const C1: [u16; 32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
        0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122,
        0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    ];
    let code = if (0x80..0xA0).contains(&code) {
        u32::from(C1[code as usize - 0x80])
    } else {
        code
    };
    match code {
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// `text` with its references decoded.
pub fn unescape(text: &str) -> String {
    unescape_by(text, decode)
}

/// The value of an attribute with its references decoded.
pub fn unescape_attribute(text: &str) -> String {
    unescape_by(text, decode_attribute)
}

fn unescape_by(text: &str, decode: impl Fn(&[u8]) -> Option<Reference>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match decode(rest.as_bytes()) {
            Some(found) => {
                out.extend(found.chars());
                rest = &rest[found.length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_bounds_hold() {
        assert!(all().is_sorted_by(|a, b| a.name < b.name));
        let longest = |legacy: bool| {
            all()
                .iter()
                .filter(|name| name.legacy || !legacy)
                .map(|name| name.name.len())
                .max()
        };
        assert_eq!(
            (longest(false), longest(true)),
            (Some(LONGEST), Some(LONGEST_LEGACY))
        );
        assert_eq!(all().len(), 2125);
        assert!(all().iter().all(|name| named(name.name.as_bytes()) == Some(name)));
    }

    #[test]
    fn references_with_and_without_semicolon() {
        let text =
            "&laquo;b&raquo; &amp &copy2 &notit; &#1103; &#x44F; &#150; &bogus; &#0; &#1; & & &acE; &x&";
        assert_eq!(
            unescape(text),
            "«b» & ©2 ¬it; я я – &bogus; \u{FFFD}  & & ∾\u{333} &x&"
        );
        for letter in (b'A'..=b'Z').chain(b'a'..=b'z') {
            assert_eq!(named(&[letter, b'0']), None);
        }
        assert_eq!(unescape("&CounterClockwiseContourIntegral;&"), "∳&");
    }

    #[test]
    fn addresses_in_attributes_keep_their_ampersands() {
        assert_eq!(
            unescape_attribute("?a=1&copy=2&amp;b=&lt&notes"),
            "?a=1&copy=2&b=<&notes"
        );
    }
}
