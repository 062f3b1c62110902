//! Classes of characters that numbers are written with.

/// Characters without width, which hide a number from a search: soft hyphen, joiners, the parts of keycap emoji.
pub fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0f}' | '\u{20e3}'
    )
}

/// The value of a decimal digit: ASCII, full width or mathematical.
pub fn digit(c: char) -> Option<u8> {
    match c {
        '0'..='9' => Some(c as u8 - b'0'),
        '\u{ff10}'..='\u{ff19}' => Some((c as u32 - 0xff10) as u8),
        '\u{1d7ce}'..='\u{1d7ff}' => Some(((c as u32 - 0x1d7ce) % 10) as u8),
        _ => None,
    }
}

/// The digit that a letter is written instead of.
pub fn alike(c: char) -> Option<u8> {
    match c {
        'О' | 'о' | 'O' | 'o' => Some(0),
        'l' | 'I' | 'І' | 'і' => Some(1),
        'Z' | 'z' => Some(2),
        'З' | 'з' => Some(3),
        'Ч' | 'ч' => Some(4),
        'S' | 's' => Some(5),
        'б' => Some(6),
        'В' | 'B' => Some(8),
        'g' | 'q' => Some(9),
        _ => None,
    }
}

/// A letter of the Latin, Greek or Cyrillic script.
pub fn is_letter(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}')
        && !matches!(c, '×' | '÷')
}

/// A space within a line.
pub fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

pub fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
}

/// What stands between two groups of a number.
pub mod sep {
    pub const SPACE: u16 = 1;
    pub const HYPHEN: u16 = 2;
    pub const DOT: u16 = 4;
    pub const PAREN: u16 = 8;
    pub const SLASH: u16 = 16;
    pub const COMMA: u16 = 32;
    pub const ODD: u16 = 64;
    pub const LINE: u16 = 128;
    pub const PLUS: u16 = 256;
    /// «№», «номер» or «серия» between the parts of a paper's number.
    pub const NUMBER: u16 = 512;
}

/// The class of one separating character, `None` where it ends a number.
pub fn separator(c: char) -> Option<u16> {
    Some(match c {
        '.' | '．' => sep::DOT,
        ',' => sep::COMMA,
        '/' => sep::SLASH,
        '(' | ')' | '[' | ']' | '{' | '}' | '（' | '）' => sep::PAREN,
        '*' | '_' | '~' | '•' | '·' | '…' | '\\' => sep::ODD,
        '+' | '＋' => sep::PLUS,
        '\n' | '\r' => sep::LINE,
        '№' => sep::NUMBER,
        // A tab stands between columns, never within a number.
        _ if is_space(c) && c != '\t' => sep::SPACE,
        _ if is_hyphen(c) => sep::HYPHEN,
        _ => return None,
    })
}

/// The small letter of a Latin or Cyrillic capital; ё becomes е.
pub fn lower(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        'А'..='Я' => char::from_u32(c as u32 + 32).unwrap_or(c),
        'Ё' | 'ё' => 'е',
        _ => c,
    }
}

/// A byte that begins a character.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The start of the slice of at most `count` characters that ends at byte `end`.
pub fn back(text: &str, end: usize, count: usize) -> usize {
    let bytes = &text.as_bytes()[..end];
    let near = end.saturating_sub(count);
    if bytes[near..].is_ascii() {
        return near;
    }
    let mut left = count;
    for (at, &byte) in bytes.iter().enumerate().rev() {
        if begins(byte) {
            left -= 1;
            if left == 0 {
                return at;
            }
        }
    }
    0
}

/// The word that `text` ends with, in small letters; empty where it ends with something else.
pub fn last_word(text: &str) -> String {
    let letters = text.chars().rev().take_while(|&c| is_letter(c)).map(lower);
    let word: Vec<char> = letters.collect();
    word.into_iter().rev().collect()
}

/// The end of the slice of at most `count` characters that begins at byte `start`.
pub fn ahead(text: &str, start: usize, count: usize) -> usize {
    let bytes = text.as_bytes();
    let near = bytes.len().min(start + count);
    if bytes[start..near].is_ascii() {
        return near;
    }
    let mut left = count;
    for (at, &byte) in bytes.iter().enumerate().skip(start) {
        if begins(byte) {
            if left == 0 {
                return at;
            }
            left -= 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slices_of_characters_are_counted_right(text in "[aя\u{200b}😀]{0,40}", at in 0usize..40, count in 1usize..20) {
            let places: Vec<usize> = text.char_indices().map(|(n, _)| n).chain([text.len()]).collect();
            let at = at.min(places.len() - 1);
            prop_assert_eq!(back(&text, places[at], count), places[at.saturating_sub(count)]);
            prop_assert_eq!(ahead(&text, places[at], count), places[(at + count).min(places.len() - 1)]);
        }
    }
}
