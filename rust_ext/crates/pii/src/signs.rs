//! Car plates and addresses of the internet: both begin at a digit.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::chars::{back, digit, is_ignorable, is_letter, is_space, last_word, lower};
use crate::checks::region;
use crate::kinds::{Found, Kind};
use crate::labels::label;
use crate::scan::labels;

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

/// A cursor over the characters from a byte on.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// Spaces or hyphens were passed.
    parted: bool,
}

impl Walk<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, ok: impl Fn(char) -> bool) -> Option<char> {
        let c = self.peek().filter(|&c| ok(c))?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Passes what stands between the parts of a plate.
    fn gap(&mut self) {
        while self.take(is_ignorable).is_some() {}
        for _ in 0..MOST_GAPS {
            if self.take(is_gap).is_none() {
                break;
            }
            self.parted = true;
            while self.take(is_ignorable).is_some() {}
        }
    }
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

/// What stands between the parts of a plate.
fn is_gap(c: char) -> bool {
    is_space(c) || matches!(c, '-' | '_' | '.')
}

/// Such characters between two parts at most.
const MOST_GAPS: usize = 2;

/// О for 0.
fn is_zero(c: char) -> bool {
    matches!(c, 'О' | 'O')
}

fn goes_on(c: char) -> bool {
    c.is_ascii_digit() || is_letter(c) || c == '_'
}

/// The address whose first digits are bytes `at..end`; `None` where it is none.
pub fn address(text: &str, at: usize, end: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    if may_be_v4(bytes, end)
        && let Some(found) = v4(text, at)
    {
        return Some(found);
    }
    // A group has four digits at most, so a colon of an address of version 6 is near.
    let near = &bytes[at.saturating_sub(4)..bytes.len().min(at + 5)];
    near.contains(&b':').then(|| v6(text, at)).flatten()
}

/// Whether after the digits that end at `end` something stands that a dot can begin with.
fn may_be_v4(bytes: &[u8], end: usize) -> bool {
    match bytes.get(end) {
        Some(b'.') => bytes
            .get(end + 1)
            .is_some_and(|b| b.is_ascii_digit() || !b.is_ascii()),
        Some(b'[' | b'(') => bytes.get(end + 1) == Some(&b'.'),
        Some(b' ') => bytes.get(end + 1) == Some(&b'.'),
        Some(byte) => !byte.is_ascii(),
        None => false,
    }
}

/// One dot between two numbers: «.», «[.]», «(.)», « . ».
fn dot(walk: &mut Walk<'_>) -> Option<()> {
    while walk.take(is_ignorable).is_some() {}
    let open = walk.take(|c| matches!(c, '[' | '(' | ' '));
    walk.take(|c| c == '.')?;
    match open {
        Some('[') => walk.take(|c| c == ']').map(|_| ()),
        Some('(') => walk.take(|c| c == ')').map(|_| ()),
        Some(_) => walk.take(|c| c == ' ').map(|_| ()),
        None => Some(()),
    }?;
    if open == Some(' ') {
        walk.parted = true;
    }
    while walk.take(is_ignorable).is_some() {}
    Some(())
}

fn v4(text: &str, at: usize) -> Option<Found> {
    let before = text[..at].chars().next_back();
    if before.is_some_and(|c| c.is_ascii_digit() || is_letter(c) || matches!(c, '.' | ',' | '_' | '-')) {
        return None;
    }
    let mut walk = Walk {
        text,
        at,
        parted: false,
    };
    let mut parts = [0u8; 4];
    for (n, part) in parts.iter_mut().enumerate() {
        if n > 0 {
            dot(&mut walk)?;
        }
        let mut value = 0u16;
        let mut count = 0;
        loop {
            while walk.peek().is_some_and(is_ignorable) && count > 0 && next_digit(&walk) {
                walk.take(is_ignorable);
            }
            let Some(c) = walk.take(|c| c.is_ascii_digit()) else {
                break;
            };
            value = value * 10 + u16::from(digit(c)?);
            count += 1;
            if count > 3 {
                return None;
            }
        }
        if count == 0 || (count > 1 && value < 10) {
            return None;
        }
        *part = u8::try_from(value).ok()?;
    }
    let mut rest = text[walk.at..].chars();
    match rest.next() {
        Some('.') if rest.next().is_some_and(|c| c.is_ascii_digit()) => return None,
        Some(c) if c.is_ascii_digit() || is_letter(c) || c == '_' => return None,
        _ => {}
    }
    // A heading: 12.2.1.1. Как вести себя
    let begins_line = before.is_none_or(|c| c == '\n');
    if begins_line && parts.iter().all(|&p| p < 32) && text[walk.at..].starts_with(". ") {
        return None;
    }
    let l = labels(text, at);
    let close = l.any(label::ADDRESS) && !l.is_nearest(label::VERSION);
    let product = l.is_nearest(label::PRODUCT) && l.distance <= 3;
    let version = l.is_nearest(label::VERSION) && l.distance <= 20;
    let other = l.is_nearest(label::OTHER) && l.distance <= 12;
    let versioned = version || product || other;
    let numbering = parts.iter().all(|&p| p < 32) || versioned || section_word(text, at);
    if !public(Ipv4Addr::from(parts)) || ((numbering || walk.parted) && !close) {
        return None;
    }
    Some(Found {
        start: at,
        end: walk.at,
        kind: Kind::Ip,
        rank: 68,
    })
}

fn next_digit(walk: &Walk<'_>) -> bool {
    walk.text[walk.at..]
        .chars()
        .find(|&c| !is_ignorable(c))
        .is_some_and(|c| c.is_ascii_digit())
}

/// A word that numbers of sections and standards follow stands right before byte `at`.
fn section_word(text: &str, at: usize) -> bool {
    const WORDS: [&str; 14] = [
        "п",
        "пункт",
        "пункта",
        "пункте",
        "раздел",
        "раздела",
        "глава",
        "рис",
        "табл",
        "ст",
        "гост",
        "пп",
        "v",
        "подпункт",
    ];
    let before = text[back(text, at, 12)..at].trim_end_matches(|c: char| is_space(c) || c == '.');
    WORDS.contains(&last_word(before).as_str())
}

/// Not of a local network, this machine, a mask, a group, documentation or a public name server: such an
/// address says nothing of a person.
fn public(ip: Ipv4Addr) -> bool {
    const KNOWN: [[u8; 4]; 8] = [
        [8, 8, 8, 8],
        [8, 8, 4, 4],
        [1, 1, 1, 1],
        [1, 0, 0, 1],
        [9, 9, 9, 9],
        [77, 88, 8, 8],
        [77, 88, 8, 1],
        [1, 2, 3, 4],
    ];
    let [a, _, c, d] = ip.octets();
    let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast();
    !special
        && !ip.is_documentation()
        && !KNOWN.contains(&ip.octets())
        && (1..240).contains(&a)
        && (c, d) != (0, 0)
}

/// Eight groups, or fewer around «::»; a time of day or a hardware address is none.
fn v6(text: &str, at: usize) -> Option<Found> {
    let hex = |c: char| c.is_ascii_hexdigit() || c == ':';
    let mut start = at;
    for (n, c) in text[..at].char_indices().rev().take(46) {
        if !hex(c) {
            if is_letter(c) || digit(c).is_some() || c == '_' {
                return None;
            }
            break;
        }
        start = n;
    }
    let mut end = at;
    for (n, c) in text[at..].char_indices().take(46) {
        if !hex(c) {
            if is_letter(c) || digit(c).is_some() || c == '_' {
                return None;
            }
            break;
        }
        end = at + n + c.len_utf8();
    }
    let whole = text[start..end].trim_end_matches(':');
    if whole.len() < 8 || whole.matches(':').count() < 3 {
        return None;
    }
    let address: Ipv6Addr = whole.parse().ok()?;
    let local = address.is_loopback() || address.is_multicast() || address.segments()[0] & 0xfe00 == 0xfc00;
    let segments = address.segments();
    let linked = segments[0] & 0xffc0 == 0xfe80 || segments[..2] == [0x2001, 0xdb8];
    (!local && !linked && address.segments()[0] != 0).then_some(Found {
        start,
        end: start + whole.len(),
        kind: Kind::Ip,
        rank: 68,
    })
}
