//! UTF-16 and UTF-32.

use memchr::memchr;

use super::limits::HEAD;

/// Bytes of a payload that are read.
const MAX_WIDE: usize = 8 << 20;
/// Stands for every character that is neither ASCII nor Cyrillic: a byte that counts as nothing.
const OTHER: u8 = 0x80;

/// Charset and text of a payload in UTF-16 or UTF-32, known by its byte-order mark or by the zeros and fours
/// that stand in every second byte; at most `MAX_WIDE` bytes of it. The text is UTF-8 of the ASCII and Cyrillic
/// characters, with `OTHER` for each other one.
pub fn wide(body: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let charset = wide_charset(body)?;
    let body = &body[..body.len().min(MAX_WIDE)];
    let text = match charset {
        "utf-16le" => narrow(body, |[a, b]| u32::from(u16::from_le_bytes([a, b]))),
        "utf-16be" => narrow(body, |[a, b]| u32::from(u16::from_be_bytes([a, b]))),
        "utf-32le" => narrow(body, u32::from_le_bytes),
        _ => narrow(body, u32::from_be_bytes),
    };
    Some((charset, text))
}

fn narrow<const WIDTH: usize>(body: &[u8], unit: impl Fn([u8; WIDTH]) -> u32) -> Vec<u8> {
    let (units, _) = body.as_chunks::<WIDTH>();
    // Two bytes are written for each unit, and the second kept for letters of Cyrillic only: no branch.
    let mut text = vec![0; 2 * units.len() + 1];
    let mut end = 0;
    for &bytes in units {
        let code = unit(bytes);
        let cyrillic = code & !0x7f == 0x400;
        let other = if cyrillic {
            0xd0 | (code >> 6 & 1) as u8
        } else {
            OTHER
        };
        text[end] = if code < 0x80 { code as u8 } else { other };
        text[end + 1] = 0x80 | (code & 0x3f) as u8;
        end += 1 + usize::from(cyrillic);
    }
    text.truncate(end);
    text
}

/// UTF-16 or UTF-32 of which byte order a payload is in, if any.
pub fn wide_charset(body: &[u8]) -> Option<&'static str> {
    match body {
        [0xff, 0xfe, 0, 0, ..] => return Some("utf-32le"),
        [0, 0, 0xfe, 0xff, ..] => return Some("utf-32be"),
        [0xff, 0xfe, ..] => return Some("utf-16le"),
        [0xfe, 0xff, ..] => return Some("utf-16be"),
        _ => {}
    }
    let sample = &body[..body.len().min(HEAD)];
    memchr(0, &sample[..sample.len().min(256)])?;
    let mut pages = [0usize; 4];
    let mut zeros = [0usize; 4];
    for (at, &byte) in sample.iter().enumerate() {
        pages[at % 4] += usize::from(byte == 0 || byte == 4);
        zeros[at % 4] += usize::from(byte == 0);
    }
    let quarter = sample.len() / 4;
    let most = |count: usize| count * 10 >= quarter * 8 && quarter > 0;
    match [most(pages[0]), most(pages[1]), most(pages[2]), most(pages[3])] {
        [_, true, true, true] if most(zeros[2]) && most(zeros[3]) => Some("utf-32le"),
        [true, true, true, _] if most(zeros[0]) && most(zeros[1]) => Some("utf-32be"),
        [_, true, _, true] => Some("utf-16le"),
        [true, _, true, _] => Some("utf-16be"),
        _ => None,
    }
}
