//! Lines and paragraphs, cut the ways the published filters cut them.

use super::chars::is_space;

/// Number of characters (code points) of UTF-8 bytes.
#[inline]
pub fn char_count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| (b as i8) >= -0x40).count()
}

/// Python's `str.splitlines()`: ends at \n, \r, \r\n, \v, \f, U+001C-U+001E, U+0085, U+2028, U+2029, which
/// are not part of the line; no empty line after the last end.
pub fn python_lines(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let mut at = start;
        while at < bytes.len() {
            let width = match bytes[at] {
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
                0x0A..=0x0D | 0x1C..=0x1E => 1,
                0xC2 if bytes.get(at + 1) == Some(&0x85) => 2,
                0xE2 if bytes.get(at + 1) == Some(&0x80)
                    && matches!(bytes.get(at + 2), Some(0xA8 | 0xA9)) =>
                {
                    3
                }
                _ => 0,
            };
            if width > 0 {
                let line = &text[start..at];
                start = at + width;
                return Some(line);
            }
            at += 1;
        }
        let line = &text[start..];
        start = bytes.len();
        Some(line)
    })
}

/// `re.split("\n{least,}", text)`: pieces between runs of at least `least` newlines; shorter runs stay inside.
pub fn newline_runs(text: &str, least: usize) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let first = start?;
        let mut from = first;
        while let Some(found) = memchr::memchr(b'\n', &bytes[from..]) {
            let at = from + found;
            let run = bytes[at..].iter().take_while(|&&b| b == b'\n').count();
            if run >= least {
                start = Some(at + run);
                return Some(&text[first..at]);
            }
            from = at + run;
        }
        start = None;
        Some(&text[first..])
    })
}

/// Python's `str.strip()`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        let text = "а\r\nб\u{2028}\u{85}в\rг\u{1D}\n";
        assert_eq!(
            python_lines(text).collect::<Vec<_>>(),
            ["а", "б", "", "в", "г", ""]
        );
        assert_eq!(python_lines("").count(), 0);
    }

    #[test]
    fn runs_of_newlines_separate() {
        assert_eq!(
            newline_runs("\nа\n\n\nб\nв", 1).collect::<Vec<_>>(),
            ["", "а", "б", "в"]
        );
        assert_eq!(newline_runs("а\n\n\nб\nв", 2).collect::<Vec<_>>(), ["а", "б\nв"]);
        assert_eq!(newline_runs("", 2).collect::<Vec<_>>(), [""]);
    }
}
