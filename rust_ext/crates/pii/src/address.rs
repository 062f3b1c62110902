//! Addresses of the internet, of version 4 and 6: they are looked for at their digits.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::chars::{back, digit, is_ignorable, is_letter, is_space, last_word};
use crate::kinds::{Found, Kind};
use crate::labels::label;
use crate::scan::labels;
use crate::walk::Walk;

/// The address whose first digits are bytes `at..end`; `None` where it is none. `colon`: whether a colon is among
/// the four bytes before `at` and the five from it on.
pub fn address(text: &str, at: usize, end: usize, colon: bool) -> Option<Found> {
    let found = may_be_v4(text.as_bytes(), end).then(|| v4(text, at)).flatten();
    // A group of version 6 has four digits at most.
    found.or_else(|| colon.then(|| v6(text, at)).flatten())
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

/// Not of a local network, a whole network (it ends in 0), this machine, a mask, a group, documentation or a public name server: such an
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
    let [a, _, _, d] = ip.octets();
    let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast();
    !special && !ip.is_documentation() && !KNOWN.contains(&ip.octets()) && (1..240).contains(&a) && d != 0
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
