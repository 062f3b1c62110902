//! What a sequence proves of the line it stands in, by what stands beside it.

use super::super::readers::Reader;

/// What a sequence proves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// Nothing: a byte was lost on the way and is inferred, or the character is none that is expected.
    Nothing,
    /// Something, together with others.
    Evidence,
    /// Enough: three characters that stand for a dash or a quote.
    Proof,
}

/// What stands beside a sequence.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub line_before: &'a str,
    pub before: Option<char>,
    pub after: Option<char>,
}

impl Around<'_> {
    /// The last letter or digit among the four characters before it.
    fn letter(self) -> Option<char> {
        let mut near = self.line_before.chars().rev().take(4);
        near.find(|char| char.is_alphanumeric())
    }

    /// Behind a word, a number or a sign, which no capital of its own follows: 5Â, словоВ.
    fn is_behind_word(self) -> bool {
        self.before.is_some_and(|char| {
            is_word_end(char)
                || matches!(
                    char,
                    '.' | ',' | '!' | '?' | ':' | ';' | ')' | '%' | '…' | '»' | '”' | '"'
                )
        })
    }

    /// Behind accented letters `Â` is one of them: windows-1251's В, read as Latin-1.
    fn is_among_accents(self) -> bool {
        self.letter()
            .is_some_and(|char| ('\u{c0}'..='\u{24f}').contains(&char))
    }

    fn is_behind_space(self) -> bool {
        self.before.is_none_or(|char| char.is_whitespace() || char == '(')
    }
}

/// A digit or a small letter.
pub(super) fn is_word_end(char: char) -> bool {
    char.is_ascii_digit() || char.is_lowercase()
}

/// Signs that stand for themselves wherever they are: dashes, quotes, dots, №, €, ™, minus, byte order mark.
fn is_sign(char: char) -> bool {
    matches!(
        char,
        '\u{2010}'..='\u{203a}' | '\u{20ac}' | '\u{2116}' | '\u{2122}' | '\u{2212}' | '\u{feff}'
    )
}

/// What it proves that `shown` stands where `char` could have been. Where the reader's own letters are Cyrillic, CJK
/// and the like prove nothing (they begin with letters like р and т, and `тельно` is two of them), nor do sequences
/// that end in a letter of KOI8 (in `лкінісі` are three) or in the no-break space of l e t t e r s set apart.
pub(super) fn worth(char: char, shown: &str, reader: Reader, around: Around) -> Worth {
    let usual = matches!(char, '\u{80}'..='\u{7ff}' | '\u{2000}'..='\u{27ff}' | '\u{fe0f}' | '\u{feff}' | '\u{1f000}'..);
    let last = shown.chars().next_back();
    let ends_in_letter = reader == Reader::Koi8 && last.is_some_and(char::is_alphabetic);
    let ends_in_space = last == Some('\u{a0}');
    match reader {
        Reader::Latin if is_sign(char) || is_short_latin(char, around) => Worth::Proof,
        Reader::Latin => Worth::Evidence,
        Reader::Cp1251 if is_short_cyrillic(char, around) => Worth::Proof,
        _ if !usual || ends_in_letter || ends_in_space => Worth::Nothing,
        // In cp866 the three bytes of a dash are three letters.
        Reader::Cp1251 | Reader::Koi8 if is_sign(char) => Worth::Proof,
        _ => Worth::Evidence,
    }
}

/// `Â` before a sign of Latin-1: 5Â°, Â©. As a letter of its own it stands between letters, or begins a word.
fn is_short_latin(char: char, around: Around) -> bool {
    match char {
        '\u{a0}'..='\u{bf}' if around.is_among_accents() => false,
        '\u{a0}' => around.is_behind_word() && around.letter().is_some(),
        '\u{a1}'..='\u{bf}' => around.is_behind_word() || around.is_behind_space(),
        _ => false,
    }
}

/// `В` before a sign: 5В°, словоВ», В© 2020. As a word of its own it has a space behind it.
fn is_short_cyrillic(char: char, around: Around) -> bool {
    match char {
        '°' => around.before.is_some_and(|char| char.is_ascii_digit()),
        // «Ангара-А5В» is clean.
        '»' => around.is_behind_word() && !around.before.is_some_and(|char| char.is_ascii_digit()),
        '©' | '®' | '§' | '±' => around.is_behind_space() || around.is_behind_word(),
        _ => false,
    }
}

/// The same where a byte was lost: `5Â 000`, of which the no-break space became a space.
pub(super) fn worth_of_lost(char: char, reader: Reader, around: Around) -> Worth {
    let is_space = char == ' ' && reader == Reader::Latin && is_short_latin('\u{a0}', around);
    if is_space && around.after.is_some() {
        Worth::Proof
    } else {
        Worth::Nothing
    }
}
