//! windows-1251 that was read as MacCyrillic, and the reverse: нат€гивали, Ќакануне; открытиЯ, Ќакануне.
//!
//! The two charsets agree on the small letters from а to ю, so most of a line reads well as it stands. What betrays it
//! is the rest: signs and letters of other languages inside words, each of which is a Russian letter in the other
//! charset. The oracle is `tests/oracles/repair_mac.py`.

use std::sync::LazyLock;

use bukvar_letters::{Letters, is_letter};
use encoding_rs::{WINDOWS_1251, X_MAC_CYRILLIC};

use super::mistakes::{Mistake, read};
use super::readers::Reader;

/// What the lines must gain together, in tenths of a nat: odds of e^20 to one, as of one line of other mistakes.
const PROOF: i64 = 200;
/// The most that such a line may cost a character: a little more than clean text.
const READS_AS_TEXT: i64 = 36;
/// Letters restored beside others, at least.
const RESTORED: usize = 3;
/// What a line must gain to count as proof: odds of seven to one. Once the mistake is proven, a line may lose as much.
const BETTER: i64 = 20;
/// Of ten letters restored so many stand beside others.
const BESIDE: usize = 6;

static MISTAKES: LazyLock<[Mistake; 2]> = LazyLock::new(|| {
    [
        Mistake::new(Reader::Mac, WINDOWS_1251),
        Mistake::new(Reader::Cp1251, X_MAC_CYRILLIC),
    ]
});

/// What a mistake, undone, restores in a document.
#[derive(Default)]
struct Restored {
    gain: i64,
    letters: usize,
    /// Characters that become something else than a letter.
    signs: usize,
    /// Letters restored beside a letter that stays, and between two.
    beside: usize,
    between: usize,
    /// The first character undone, and whether there is another one.
    first: char,
    several: bool,
}

impl Restored {
    fn is_proof(&self) -> bool {
        self.gain >= PROOF
            && self.letters >= RESTORED
            && self.signs <= self.letters
            && self.beside * 10 >= self.letters * BESIDE
            // "млн€" may stand on a page many times, "нат€гивали" does not.
            && self.between >= if self.several { 1 } else { 2 }
    }

    fn add(&mut self, line: &str, mistake: &Mistake) {
        let model = Letters::get();
        let stays = |char: Option<char>| {
            char.is_some_and(|char| mistake.undo(char) == char && is_letter(model.symbol(char)))
        };
        let chars: Vec<char> = line.chars().collect();
        for (at, &char) in chars.iter().enumerate() {
            let meant = mistake.undo(char);
            if meant == char {
                continue;
            }
            if !is_letter(model.symbol(meant)) {
                self.signs += 1;
                continue;
            }
            let before = stays(at.checked_sub(1).map(|at| chars[at]));
            let after = stays(chars.get(at + 1).copied());
            self.letters += 1;
            self.beside += usize::from(before || after);
            self.between += usize::from(before && after);
            if self.letters == 1 {
                self.first = char;
            }
            self.several |= char != self.first;
        }
    }
}

/// What a line gains with a mistake undone, in tenths of a nat; nothing is gained where nothing changes.
fn gain(line: &str, mistake: &Mistake) -> i64 {
    if line.chars().all(|char| mistake.undo(char) == char) {
        return -BETTER;
    }
    read(line, None).cost - read(line, Some(mistake)).cost
}

/// Undoes the mistake in the lines that do not read worse without it; `None` where it is not proven.
pub fn undo_layer(text: &str) -> Option<(String, usize)> {
    // Every word that is betrayed has a character beside a small letter that the line's Russian has no use for.
    if !is_suspect(text) {
        return None;
    }
    let mut best: Option<(i64, &Mistake)> = None;
    for mistake in &*MISTAKES {
        let mut restored = Restored::default();
        for line in text.split('\n') {
            let gained = gain(line, mistake);
            if gained >= BETTER && read(line, Some(mistake)).mean_is_below(READS_AS_TEXT) {
                restored.gain += gained;
                restored.add(line, mistake);
            }
        }
        if restored.is_proof() && best.is_none_or(|(most, _)| restored.gain > most) {
            best = Some((restored.gain, mistake));
        }
    }
    let (_, mistake) = best?;
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if gain(line, mistake) <= -BETTER {
            out.push_str(line);
            continue;
        }
        for char in line.chars() {
            let meant = mistake.undo(char);
            count += usize::from(meant != char);
            out.push(meant);
        }
    }
    Some((out, count))
}

/// True where a sign or a capital stands inside a word of small letters, as я and the capitals of one charset do in
/// the other.
fn is_suspect(text: &str) -> bool {
    if !text.as_bytes().chunks(1 << 12).any(has_trace) {
        return false;
    }
    let is_small = |char: char| ('а'..='ю').contains(&char);
    let (mut before, mut found) = (' ', 0);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let is_odd = matches!(char, '€' | 'Я' | '\u{402}'..='\u{40f}' | '\u{452}'..='\u{45f}' | 'ƒ' | '≈' | '∆' | '√' | '¬');
        found += usize::from(is_odd && (is_small(before) || is_small(after)));
        if found >= RESTORED {
            return true;
        }
        before = char;
    }
    false
}

/// True where bytes may be of €, of Ђ to Џ or of ђ to џ: in vector lanes, since most text has none. (Of what a block
/// cuts in two the next pair tells.)
fn has_trace(block: &[u8]) -> bool {
    let is = |condition: bool| u8::from(condition);
    let pairs = block.iter().zip(&block[1..]);
    pairs.fold(0, |any, (&a, &b)| {
        let other = (is(a == 0xD0) & is(b.wrapping_sub(0x82) <= 0x0D))
            | (is(a == 0xD1) & is(b.wrapping_sub(0x92) <= 0x0D));
        any | other | (is(a == 0xE2) & is(b == 0x82))
    }) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_are_undone_and_clean_text_is_none() {
        let text = "Накануне открытия площадь мыли до блеска, натягивали полотняные навесы.\nЯрмарка!";
        let (bytes, _, _) = WINDOWS_1251.encode(text);
        let (as_mac, _) = X_MAC_CYRILLIC.decode_without_bom_handling(&bytes);
        assert!(as_mac.contains("Ќакануне открыти€"));
        assert_eq!(undo_layer(&as_mac).map(|(text, _)| text).as_deref(), Some(text));
        let (bytes, _, _) = X_MAC_CYRILLIC.encode(text);
        let (as_1251, _) = WINDOWS_1251.decode_without_bom_handling(&bytes);
        assert_eq!(undo_layer(&as_1251).map(|(text, _)| text).as_deref(), Some(text));
        for clean in [
            text,
            "Цена 10€, скидка 5€, доставка 3€, всего 12 млн€, 13 млн€, 14 млн€, 15 млн€.",
            "Сè што може да се направи денес, ќе се направи. Џабе ѕвони, ќерко, ќебето.",
            "Цӏыху Хуэфащэхэм Теухуа Дунейпсо Джэпсал. Цӏыхур Хуэфащэ Тхылъым Дунейпсо",
            "Барлық адамдар тумысынан азат және қадір-қасиеті тең.",
        ] {
            assert_eq!(undo_layer(clean), None, "{clean}");
        }
    }
}
