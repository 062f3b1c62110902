//! What stands between two groups of a chain.

use crate::chars::{digit, is_ignorable, is_letter, lower, sep, separator};

/// Separating characters between two groups at most.
const MOST_SEPARATORS: usize = 8;

/// Dots one after the other that count as one.
const MOST_DOTS: usize = 3;

/// What stands between two groups: classes of `chars::sep`, whether a plus of the next number is among them, and
/// the byte where the next group begins.
pub struct Between {
    pub mask: u16,
    pub plus: bool,
    pub end: usize,
}

/// Separators from `start`; `end == start` where what follows ends the chain.
pub fn separators(text: &str, start: usize) -> Between {
    // Most groups are parted by one character.
    if let [byte, next, ..] = text.as_bytes()[start..]
        && byte.is_ascii()
        && next.is_ascii_digit()
        && let Some(mask) = separator(char::from(byte))
    {
        return Between {
            mask,
            plus: false,
            end: start + 1,
        };
    }
    let mut mask = 0;
    let mut count = 0;
    let (mut lines, mut dots, mut run) = (0, 0, 1);
    let mut at = start;
    let mut previous = ' ';
    let stop = Between {
        mask: 0,
        plus: false,
        end: start,
    };
    while let Some(c) = text[at..].chars().next() {
        if is_ignorable(c) {
            at += c.len_utf8();
            continue;
        }
        let next = at + c.len_utf8();
        if let Some(class) = separator(c) {
            if class == sep::LINE {
                lines += usize::from(!(c == '\n' && previous == '\r'));
            } else {
                count += 1;
            }
            // «8...916...» has one separator between two groups, not three.
            run = if class == sep::DOT && previous == c {
                run + 1
            } else {
                1
            };
            dots += usize::from(class == sep::DOT && (run == 1 || run > MOST_DOTS));
            if count > MOST_SEPARATORS || lines > 1 || dots > 1 {
                return stop;
            }
            mask |= class;
            previous = c;
            at = next;
        } else if let Some(end) = number_word(text, at) {
            mask |= sep::NUMBER;
            at = end;
            count += 1;
        } else {
            break;
        }
    }
    let goes_on = text[at..]
        .chars()
        .next()
        .is_some_and(|c| digit(c).is_some() || is_letter(c));
    if !goes_on || at == start {
        return stop;
    }
    Between {
        mask,
        plus: mask & sep::PLUS != 0 && mask != sep::PLUS,
        end: at,
    }
}

/// The end of «номер», «серия», «N» or «no» at `at`, a word of its own.
fn number_word(text: &str, at: usize) -> Option<usize> {
    const WORDS: [&str; 6] = ["номер", "серия", "серии", "n", "no", "ном"];
    let first = text[at..].chars().next()?;
    if !matches!(first, 'н' | 'Н' | 'с' | 'С' | 'n' | 'N') {
        return None;
    }
    let mut small = [0; 24];
    let mut length = 0;
    let mut end = at;
    for c in text[at..].chars().take(6) {
        if !is_letter(c) {
            break;
        }
        length += lower(c).encode_utf8(&mut small[length..]).len();
        end += c.len_utf8();
    }
    let small = std::str::from_utf8(&small[..length]).ok()?;
    // «номер:», «ном.»: the mark belongs to the word.
    let marked = matches!(text.as_bytes().get(end), Some(b'.' | b':'));
    WORDS.contains(&small).then_some(end + usize::from(marked))
}
