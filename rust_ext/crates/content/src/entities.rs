//! Character references in the values that a page states.

pub use bukvar_html::entities::decode;
use bukvar_html::entities::{unescape, unescape_attribute};

/// `text` with its references decoded, invisible characters dropped and runs of white space made one space, trimmed:
/// the text of a title.
pub fn clean(text: &str) -> String {
    tidy(&unescape(text))
}

/// The same for the value of an attribute.
pub fn clean_attribute(text: &str) -> String {
    tidy(&unescape_attribute(text))
}

/// Runs of white space made one space, what nobody sees dropped.
pub fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for char in text.chars() {
        if is_invisible(char) {
            continue;
        }
        // Controls above ASCII are what misreadings leave, which repair undoes.
        if char.is_ascii_control() || (char.is_whitespace() && char != '\u{85}') {
            space = true;
            continue;
        }
        if space && !out.is_empty() {
            out.push(' ');
        }
        space = false;
        out.push(char);
    }
    out
}

/// Soft hyphen, zero-width space, byte order mark, word joiner.
#[inline]
pub fn is_invisible(char: char) -> bool {
    matches!(char, '\u{AD}' | '\u{200B}' | '\u{FEFF}' | '\u{2060}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_lose_what_nobody_sees() {
        assert_eq!(
            clean(" Осен&shy;няя\n яр\u{ad}марка\u{200b} &mdash; 2 "),
            "Осенняя ярмарка — 2"
        );
        assert_eq!(clean_attribute("/?a=1&copy=2&amp;b"), "/?a=1&copy=2&b");
    }
}
