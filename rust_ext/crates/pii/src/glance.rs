//! A look at bytes that tells most short numbers from a part of a longer one, before any chain is made.

/// What a byte means to a chain of digit groups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    /// A separator of one byte, `chars::separator`.
    Separator,
    /// A letter of ASCII that stands for no digit and begins no «N» and «no».
    Letter,
    /// Ends a chain: a mark that is no separator.
    End,
    /// Anything that has to be looked at with care.
    Unsure,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Unsure; 256];
    let mut n = 0;
    while n < 128 {
        table[n] = match n as u8 {
            b'0'..=b'9' => Class::Digit,
            b'.' | b',' | b'/' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'*' | b'_' | b'~' | b'\\'
            | b'+' | b' ' | b'-' => Class::Separator,
            b'O' | b'o' | b'l' | b'I' | b'Z' | b'z' | b'S' | b's' | b'B' | b'g' | b'q' | b'N' | b'n' => {
                Class::Unsure
            }
            b'A'..=b'Z' | b'a'..=b'z' => Class::Letter,
            b'\n' => Class::Separator,
            b'\r' => Class::Unsure,
            _ => Class::End,
        };
        n += 1;
    }
    table
};

/// Where the search goes on if the chain of the digit at `hit` surely has fewer than five digits; `None` where
/// that has to be looked at. Nothing before `floor` belongs to the chain.
pub fn too_short(bytes: &[u8], floor: usize, hit: usize) -> Option<usize> {
    if !begins_alone(bytes, floor, hit) {
        return None;
    }
    let (mut at, mut total) = (hit, 0);
    loop {
        let length = digits(bytes, at);
        total += length;
        if total >= 5 {
            return None;
        }
        let end = at + length;
        let (mut next, mut lines) = (end, 0);
        while next < bytes.len() && CLASSES[usize::from(bytes[next])] == Class::Separator {
            lines += usize::from(bytes[next] == b'\n');
            next += 1;
        }
        if lines > 1 {
            return Some(end);
        }
        let Some(&byte) = bytes.get(next) else {
            return Some(end);
        };
        match CLASSES[usize::from(byte)] {
            Class::Digit => at = next,
            Class::End => return Some(end),
            Class::Letter if next > end => return Some(next),
            Class::Unsure if next > end && begins_word(&bytes[next..]) => return Some(next),
            _ => return None,
        }
    }
}

/// Digits of ASCII from `at` on, five at most.
fn digits(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .take(5)
        .take_while(|b| b.is_ascii_digit())
        .count()
}

/// No letter that may stand for a digit stands right before the digit at `hit`, nor a space or hyphen before it.
fn begins_alone(bytes: &[u8], floor: usize, hit: usize) -> bool {
    if !bytes[hit].is_ascii_digit() {
        return false;
    }
    let mut before = bytes[floor..hit].iter().rev().copied();
    let Some(last) = before.next() else {
        return true;
    };
    match CLASSES[usize::from(last)] {
        Class::End | Class::Letter => return true,
        Class::Separator => {}
        _ => {
            let low = bytes[hit - 1];
            return matches!(before.next(), Some(0xd0 | 0xd1)) && !is_alike(low);
        }
    }
    if !matches!(last, b' ' | b'-') {
        return true;
    }
    // «S 024», «О-24»: a letter for a digit, and what hides it.
    match (before.next(), before.next()) {
        (None, _) => true,
        (Some(low), Some(0xd0 | 0xd1)) => !is_alike(low),
        (Some(byte), _) => byte.is_ascii() && CLASSES[usize::from(byte)] != Class::Unsure,
    }
}

/// The second byte of a Cyrillic letter that stands for a digit: О о І і З з Ч ч б В (of either first byte).
fn is_alike(low: u8) -> bool {
    matches!(
        low,
        0x9e | 0xbe | 0x86 | 0x96 | 0x97 | 0xb7 | 0xa7 | 0x87 | 0xb1 | 0x92
    )
}

/// A Russian word begins here that is no numeral, no «плюс», «номер» or «серия», and no letter for a digit.
fn begins_word(bytes: &[u8]) -> bool {
    let letter = |at: usize| match (bytes.get(at), bytes.get(at + 1)) {
        (Some(0xd0), Some(&low @ 0x90..=0xaf)) => Some(low - 0x90),
        (Some(0xd0), Some(&low @ 0xb0..=0xbf)) => Some(low - 0xb0),
        (Some(0xd1), Some(&low @ 0x80..=0x8f)) => Some(low - 0x80 + 16),
        _ => None,
    };
    // Places in the alphabet without ё: а is 0, я is 31.
    let (Some(first), Some(second)) = (letter(0), letter(2)) else {
        return false;
    };
    const PAIRS: [(u8, &[u8]); 9] = [
        (2, &[14]),         // во
        (4, &[2, 5]),       // дв де
        (13, &[14, 19]),    // но ну
        (14, &[4]),         // од
        (15, &[31, 11]),    // пя пл
        (17, &[5, 14, 18]), // се со ст
        (18, &[16]),        // тр
        (23, &[5]),         // че
        (24, &[5]),         // ше
    ];
    // б, В, З, О, Ч are written for digits, and В and б in one case only.
    let alike = matches!(first, 1 | 2 | 7 | 14 | 23);
    !alike
        && !PAIRS
            .iter()
            .any(|&(a, seconds)| a == first && seconds.contains(&second))
}
