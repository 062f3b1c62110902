//! Car plates: they are looked for at their digits.

use crate::chars::{digit, is_ignorable, is_letter, lower};
use crate::checks::region;
use crate::kinds::{Found, Kind};
use crate::labels::label;
use crate::scan::labels;
use crate::walk::{MOST_GAPS, Walk, is_gap};

/// The letters of ГОСТ Р 50577 (those that look alike in both scripts), as Russian capitals.
fn plate_letter(c: char) -> bool {
    matches!(
        c,
        'А' | 'В'
            | 'Е'
            | 'К'
            | 'М'
            | 'Н'
            | 'О'
            | 'Р'
            | 'С'
            | 'Т'
            | 'У'
            | 'Х'
            | 'а'
            | 'в'
            | 'е'
            | 'к'
            | 'м'
            | 'н'
            | 'о'
            | 'р'
            | 'с'
            | 'т'
            | 'у'
            | 'х'
            | 'A'
            | 'B'
            | 'E'
            | 'K'
            | 'M'
            | 'H'
            | 'O'
            | 'P'
            | 'C'
            | 'T'
            | 'Y'
            | 'X'
            | 'a'
            | 'b'
            | 'e'
            | 'k'
            | 'm'
            | 'h'
            | 'o'
            | 'p'
            | 'c'
            | 't'
            | 'y'
            | 'x'
    )
}

fn small(c: char) -> bool {
    c.is_lowercase()
}

/// Whether the `length` digits at byte `at` are three, or О may stand beside them for the others.
pub fn may_be_plate(bytes: &[u8], at: usize, length: usize) -> bool {
    let zero = |part: &[u8]| part.starts_with(b"O") || part.starts_with("О".as_bytes());
    length == 3
        || length < 3
            && (zero(&bytes[at + length..])
                || zero(&bytes[at.saturating_sub(1)..])
                || zero(&bytes[at.saturating_sub(2)..]))
}

/// A plate whose three digits begin at byte `at`, or where О stands for 0 among them the first that is a digit:
/// «А123ВЕ77», «а 123 ве 77», «A123BE 777 RUS», «А_123_ВЕ/77».
pub fn plate(text: &str, at: usize) -> Option<Found> {
    let mut head = text[..at].char_indices().rev().filter(|&(_, c)| !is_ignorable(c));
    let (mut start, mut c) = head.next()?;
    let mut parted = false;
    for _ in 0..MOST_GAPS {
        if is_gap(c) {
            parted = true;
            (start, c) = head.next()?;
        }
    }
    let first = head.next();
    let mut walk = Walk { text, at, parted };
    if let Some((before, letter)) = first.filter(|&(_, l)| is_zero(c) && !parted && plate_letter(l)) {
        walk.at = start;
        (start, c) = (before, letter);
        if head.next().is_some_and(|(_, c)| goes_on(c)) {
            return None;
        }
    } else if !plate_letter(c) || first.is_some_and(|(_, c)| goes_on(c)) {
        return None;
    }
    let mut letters = vec![c];
    let mut digits = Vec::new();
    for _ in 0..3 {
        digits.push(walk.take(|c| c.is_ascii_digit() || is_zero(c))?);
    }
    let real = digits.iter().filter(|c| c.is_ascii_digit()).count();
    walk.gap();
    for _ in 0..2 {
        letters.push(walk.take(plate_letter)?);
    }
    let joined = !walk.parted;
    if walk.peek() == Some('\n') && joined {
        walk.take(|c| c == '\n');
    } else {
        walk.gap();
        if walk.take(|c| matches!(c, '/' | '|' | '(')).is_some() {
            walk.parted = true;
            walk.gap();
        }
    }
    let mut code = Vec::new();
    for n in 0..3 {
        let c = walk.take(|c| c.is_ascii_digit());
        if c.is_none() && n < 2 {
            return None;
        }
        code.extend(c.and_then(digit));
    }
    let (region_end, parted) = (walk.at, walk.parted);
    walk.gap();
    let country = ['r', 'u', 's']
        .iter()
        .all(|&l| walk.take(|c| lower(c) == l).is_some());
    if !country || walk.peek().is_some_and(is_letter) {
        walk.at = region_end;
    }
    let zeros = digits.iter().all(|&c| c == '0' || is_zero(c));
    if zeros || real < 2 || walk.peek().is_some_and(goes_on) {
        return None;
    }
    let known = match code[..] {
        [hundreds, ..] if code.len() == 3 => {
            matches!(hundreds, 1 | 2 | 3 | 4 | 5 | 7 | 9) && region(&code[1..])
        }
        _ => region(&code),
    };
    let lower_case = letters.iter().any(|&c| small(c));
    let russian = letters.iter().all(|&c| !c.is_ascii());
    let said = labels(text, start).mask;
    let numbered = said & (label::PLATE | label::NUMBER) != 0;
    let plain = joined && numbered || !parted && russian && real == 3;
    if !known || (lower_case && said & label::PLATE == 0 && !plain) {
        return None;
    }
    Some(Found {
        start,
        end: walk.at,
        kind: Kind::Plate,
        rank: if numbered { 63 } else { 50 },
    })
}

/// О for 0.
fn is_zero(c: char) -> bool {
    matches!(c, 'О' | 'O')
}

fn goes_on(c: char) -> bool {
    c.is_ascii_digit() || is_letter(c) || c == '_'
}
