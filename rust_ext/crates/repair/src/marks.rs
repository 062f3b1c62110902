//! Characters that are not seen: controls, zero-width characters, soft hyphens, stress marks, and letters in pieces.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::about::About;
use super::kinds::{Counts, Kind, Options};

/// Characters of common text that composing never changes, recognised faster than by the tables of Unicode.
fn is_composed(char: char) -> bool {
    matches!(char, '\0'..='\u{2ff}' | '\u{400}'..='\u{482}' | '\u{48a}'..='\u{52f}' | '\u{2002}'..='\u{2125}')
}

/// What becomes of one character.
enum Fate {
    Keep,
    Drop(Kind),
    Replace(Kind, char),
}

/// Applies every wanted repair of this file; `None` where nothing changes.
pub fn repair(text: &str, about: &About, options: &Options, counts: &mut Counts) -> Option<String> {
    let swept = sweep(text, about, options, counts);
    let current = swept.as_deref().unwrap_or(text);
    if !options.wants(Kind::Nfc)
        || current.chars().all(is_composed)
        || is_nfc_quick(current.chars()) == IsNormalized::Yes
    {
        return swept;
    }
    let composed: String = current.nfc().collect();
    if composed == current {
        return swept;
    }
    let shorter = current.chars().count().saturating_sub(composed.chars().count());
    counts.add(Kind::Nfc, shorter.max(1));
    Some(composed)
}

fn sweep(text: &str, about: &About, options: &Options, counts: &mut Counts) -> Option<String> {
    let mut out: Option<String> = None;
    let (mut before, mut base) = (' ', ' ');
    for (at, char) in text.char_indices() {
        let fate = match fate(
            char,
            before,
            base,
            about.right_to_left,
            &text[at + char.len_utf8()..],
        ) {
            Fate::Drop(kind) | Fate::Replace(kind, _) if !options.wants(kind) => Fate::Keep,
            wanted => wanted,
        };
        before = char;
        if !('\u{300}'..'\u{370}').contains(&char) {
            base = char;
        }
        match fate {
            Fate::Keep => {
                if let Some(out) = &mut out {
                    out.push(char);
                }
            }
            Fate::Drop(kind) => {
                counts.add(kind, 1);
                out.get_or_insert_with(|| text[..at].to_owned());
            }
            Fate::Replace(kind, by) => {
                counts.add(kind, 1);
                out.get_or_insert_with(|| text[..at].to_owned()).push(by);
            }
        }
    }
    out
}

fn fate(char: char, before: char, base: char, is_rtl: bool, rest: &str) -> Fate {
    match char {
        '\n' | '\t' | ' '..='~' => Fate::Keep,
        '\r' if rest.starts_with('\n') => Fate::Drop(Kind::Controls),
        '\r' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => Fate::Replace(Kind::Controls, '\n'),
        '\u{80}'..='\u{9f}' => c1(char),
        '\0'..='\u{1f}' | '\u{7f}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => {
            Fate::Drop(Kind::Controls)
        }
        '\u{ad}' => Fate::Drop(Kind::SoftHyphens),
        '\u{301}' if is_cyrillic_vowel(base) => Fate::Drop(Kind::Stress),
        '\u{feff}' | '\u{2060}' | '\u{180e}' => Fate::Drop(Kind::ZeroWidth),
        // Scripts without spaces mark word ends with it.
        '\u{200b}' if !is_unspaced(before) => Fate::Drop(Kind::ZeroWidth),
        // Joiners mean something in Arabic and Indic scripts and in emoji, nothing between the letters of Europe.
        '\u{200c}' | '\u{200d}' if before < '\u{590}' => Fate::Drop(Kind::ZeroWidth),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}'
            if !is_rtl =>
        {
            Fate::Drop(Kind::ZeroWidth)
        }
        _ => Fate::Keep,
    }
}

/// Windows-1251 and windows-1252 agree on quotes, dashes, bullet and ellipsis, and pages read as Latin-1 have them
/// here; what else stands in this range is noise.
fn c1(char: char) -> Fate {
    let meant = match char {
        '\u{84}' => '„',
        '\u{85}' => '…',
        '\u{91}' => '‘',
        '\u{92}' => '’',
        '\u{93}' => '“',
        '\u{94}' => '”',
        '\u{95}' => '•',
        '\u{96}' => '–',
        '\u{97}' => '—',
        '\u{99}' => '™',
        _ => return Fate::Drop(Kind::Controls),
    };
    Fate::Replace(Kind::Controls, meant)
}

fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}')
}

/// The vowels of Russian (old spelling too), Ukrainian and Belarusian. Acute accents on consonants are letters of
/// Macedonian (ќ, ѓ), on Latin letters of many languages.
fn is_cyrillic_vowel(char: char) -> bool {
    "аеёиоуыэюяіїєѣѵАЕЁИОУЫЭЮЯІЇЄѢѴ".contains(char)
}
