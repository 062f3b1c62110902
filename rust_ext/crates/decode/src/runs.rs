//! Stretches of UTF-8 inside a page of another charset: comments, scripts and widgets that somebody pasted in.

use std::ops::Range;

/// Sequences without a malformed one between them that text in eight bits rarely has by accident: in cp866, the
/// charset that comes closest, one letter in thirty begins a well-formed sequence.
const MANY: usize = 4;
/// Cyrillic letters in such a row that it never has: two of them are letters of mojibake in every charset (`РџСЂ`), and
/// one may be "С…" of windows-1251.
const LETTERS: usize = 2;
/// Of so many good words one may hold a character that is hardly ever used.
const RARE: usize = 10;

/// What a page's bytes are, read as UTF-8.
#[derive(Debug, Default)]
pub struct Survey {
    /// Well-formed sequences of several bytes.
    pub well_formed: u64,
    /// Malformed ones.
    pub malformed: u64,
    /// Of the well-formed ones, those in stretches that hold `runs`.
    pub cyrillic: u64,
    /// Stretches that are UTF-8 beyond doubt, from the first to the last byte above ASCII.
    pub runs: Vec<Range<usize>>,
    /// Long well-formed stretches of any script, such as a page of UTF-8 is made of.
    pub any_script: Vec<Range<usize>>,
}

impl Survey {
    /// True when well-formed sequences are at least as many as malformed ones. In cp866, the charset in which Russian
    /// text comes closest by accident, they are one to thirty.
    pub fn is_nearly_utf8(&self) -> bool {
        self.well_formed >= self.malformed
    }

    /// What of the page is UTF-8: of a page of another script in UTF-8 every long stretch, else what is so beyond doubt.
    pub fn utf8(&self) -> &[Range<usize>] {
        let is_foreign = self.is_nearly_utf8() && self.cyrillic * 5 < self.well_formed * 4;
        if is_foreign { &self.any_script } else { &self.runs }
    }
}

/// Surveys a page in one pass.
pub fn survey(body: &[u8]) -> Survey {
    let mut found = Survey::default();
    let mut at = 0;
    for chunk in body.utf8_chunks() {
        let valid = chunk.valid();
        if !valid.is_ascii() {
            let sequences = valid.bytes().filter(|&byte| byte >= 0xC0).count();
            found.well_formed += sequences as u64;
            let run = bounds(valid).map(|(begin, end)| at + begin..at + end);
            match &run {
                Some(run) => {
                    found.cyrillic += sequences as u64;
                    found.any_script.push(run.clone());
                }
                None if sequences >= MANY => found.any_script.push(at..at + valid.len()),
                None => {}
            }
            found.runs.extend(run);
        }
        found.malformed += u64::from(!chunk.invalid().is_empty());
        at += valid.len() + chunk.invalid().len();
    }
    found
}

/// What a character says of the bytes that it was read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// They are UTF-8: three bytes that no charset of Cyrillic has beside each other.
    Proof,
    /// A letter: two of them are proof.
    Letter,
    /// It may stand beside such: a space, a sign, an accented letter, a picture.
    Usual,
    /// Text in eight bits, by accident.
    Accident,
}

fn worth(char: char) -> Worth {
    match char {
        '\u{401}'..='\u{45f}' | '\u{490}' | '\u{491}' => Worth::Letter,
        // Dashes, quotes, ellipsis, euro, number sign, trade mark, byte order mark.
        '\u{2010}'..='\u{203a}' | '\u{20ac}' | '\u{2116}' | '\u{2122}' | '\u{feff}' => Worth::Proof,
        '\u{a0}'..='\u{17f}'
        | '\u{2190}'..='\u{21ff}'
        | '\u{25a0}'..='\u{27bf}'
        | '\u{1f300}'..='\u{1faff}' => Worth::Usual,
        _ => Worth::Accident,
    }
}

/// Where the UTF-8 of a well-formed stretch begins and ends: from the first to the last word, of letters or signs
/// above ASCII, that is no accident; `None` where there is none, or where accidents lie between.
fn bounds(valid: &str) -> Option<(usize, usize)> {
    let mut found: Option<(usize, usize)> = None;
    // Where signs begin that are the run's own if a good word follows without a tag between («RT удалось…).
    let mut before: Option<usize> = None;
    let (mut letters, mut proofs, mut good) = (0, 0, 0);
    // Accidents since the first good word, and those among them that lie before the last good word.
    let (mut accidents, mut inside) = (0, 0);
    // No tag since the last good word.
    let mut is_open = false;
    let bytes = valid.as_bytes();
    let mut at = 0;
    for word in valid.split(|char: char| char.is_ascii()) {
        let (mut is_good, mut is_bad, mut is_sign) = (false, false, false);
        for char in word.chars() {
            match worth(char) {
                Worth::Proof => (proofs, is_good) = (proofs + 1, true),
                Worth::Letter => (letters, is_good) = (letters + 1, true),
                Worth::Usual => is_sign |= char != '\u{a0}',
                Worth::Accident => is_bad = true,
            }
        }
        accidents += usize::from(is_bad && found.is_some());
        if is_good && !is_bad {
            good += 1;
            let begin = found.map_or(before.unwrap_or(at), |(begin, _)| begin);
            found = Some((begin, at + word.len()));
            inside = accidents;
            is_open = true;
        } else if is_sign && !is_bad {
            match &mut found {
                Some((_, end)) if is_open => *end = at + word.len(),
                None => before = before.or(Some(at)),
                Some(_) => {}
            }
        }
        at += word.len();
        if matches!(bytes.get(at), Some(b'<' | b'>')) {
            (before, is_open) = (None, false);
        }
        at += 1;
    }
    found.filter(|_| inside * RARE <= good && (proofs > 0 || letters >= LETTERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(body: &[u8]) -> Vec<String> {
        survey(body)
            .runs
            .iter()
            .map(|run| String::from_utf8_lossy(&body[run.clone()]).into_owned())
            .collect()
    }

    #[test]
    fn utf8_is_found_among_other_charsets_and_nothing_else_is() {
        let text = "В\u{a0}Москве (аАбБгГ) так и рас, рад, С… «В» — пёс сад сок №5 ПІ Р» тело ёлка я";
        for encoding in [
            encoding_rs::WINDOWS_1251,
            encoding_rs::KOI8_R,
            encoding_rs::KOI8_U,
            encoding_rs::IBM866,
            encoding_rs::ISO_8859_5,
            encoding_rs::X_MAC_CYRILLIC,
        ] {
            let (bytes, _, _) = encoding.encode(text);
            assert!(runs(&bytes).is_empty(), "{}: {:?}", encoding.name(), runs(&bytes));
            let mixed = [
                &bytes,
                " <!-- Да, мы — не те --> ".as_bytes(),
                &bytes,
                " – ".as_bytes(),
                &bytes,
            ]
            .concat();
            assert_eq!(runs(&mixed), ["Да, мы — не те", "–"], "{}", encoding.name());
        }
    }
}
