//! Finding: the automaton's finds and those of numbers, settled where they overlap.

use std::ops::Range;

use crate::kinds::{Found, Kind};
use crate::patterns::Patterns;
use crate::scan::Scan;
use crate::{address, chain, glance, plate, window};

/// Finds personal data of the kinds that were asked for.
pub struct Finder {
    patterns: Patterns,
    wanted: [bool; Kind::ALL.len()],
}

/// Buffers of `Finder::find`, kept between texts.
#[derive(Default)]
pub struct Scratch {
    chain: Vec<chain::Group>,
    flat: window::Flat,
    numerals: Vec<usize>,
    labels: Scan,
}

impl Finder {
    /// Raises an error where a rule of `patterns.txt` can't be compiled.
    pub fn new(kinds: &[Kind]) -> Result<Self, String> {
        let mut wanted = [false; Kind::ALL.len()];
        for &kind in kinds {
            wanted[kind as usize] = true;
        }
        Ok(Self {
            patterns: Patterns::new(kinds)?,
            wanted,
        })
    }

    /// Finds in order, none overlapping another.
    pub fn find(&self, text: &str, scratch: &mut Scratch) -> Vec<Found> {
        let mut found = Vec::new();
        scratch.numerals.clear();
        scratch.labels.reset();
        scratch.flat.reset();
        self.patterns.find(text, &mut found, &mut scratch.numerals);
        self.find_numbers(text, scratch, &mut found);
        // What is not asked for still takes its place: a telephone does not become a card because telephones stay.
        let mut settled = settle(found);
        settled.retain(|f| self.wanted[f.kind as usize]);
        settled
    }

    fn find_numbers(&self, text: &str, scratch: &mut Scratch, found: &mut Vec<Found>) {
        let bytes = text.as_bytes();
        let mut at = 0;
        let mut numerals = scratch.numerals.iter().copied().peekable();
        let mut plates = 0;
        let mut colons = Colons::default();
        while at < bytes.len() {
            while numerals.peek().is_some_and(|&n| n < at) {
                numerals.next();
            }
            let limit = numerals.peek().copied().unwrap_or(bytes.len());
            let Some(hit) = next_digit(bytes, at, limit) else {
                break;
            };
            if let Some(resume) = glance::too_short(bytes, at, hit) {
                signs_within(text, plates.max(hit)..resume, &mut colons, found);
                plates = resume;
                at = resume;
                continue;
            }
            let start = chain::run_start(text, hit, at);
            let resume = chain::lex(text, start, &mut scratch.chain).max(hit + 1);
            let resume = next_boundary(text, resume);
            if scratch.chain.iter().map(|g| g.digits.len()).sum::<usize>() >= 5 {
                window::judge_chain(
                    text,
                    &scratch.chain,
                    &mut scratch.flat,
                    &mut scratch.labels,
                    found,
                );
            }
            signs_within(text, plates.max(start)..resume, &mut colons, found);
            plates = resume;
            at = resume;
        }
    }
}

/// The first colon of a text from a place on, for places that come in order.
#[derive(Default)]
struct Colons {
    next: usize,
    begun: bool,
}

impl Colons {
    /// Whether a colon is among the bytes `from..to`.
    fn within(&mut self, bytes: &[u8], from: usize, to: usize) -> bool {
        if !self.begun || self.next < from {
            self.next = memchr::memchr(b':', &bytes[from..]).map_or(usize::MAX, |n| from + n);
            self.begun = true;
        }
        self.next < to
    }
}

/// Plates and internet addresses whose digits begin in `range`.
fn signs_within(text: &str, range: Range<usize>, colons: &mut Colons, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let (mut at, to) = (range.start, range.end);
    // A run that begins before the range was looked at there.
    while at > 0 && at < to && bytes[at].is_ascii_digit() && bytes[at - 1].is_ascii_digit() {
        at += 1;
    }
    while at < to {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if plate::may_be_plate(bytes, at, length) {
            found.extend(plate::plate(text, at));
        }
        if length <= 4 {
            let colon = colons.within(bytes, at.saturating_sub(4), at + 5);
            found.extend(address::address(text, at, at + length, colon));
        }
        at += length;
    }
}

/// The first byte in `at..limit` that begins a digit of any script that counts, else `limit` where a numeral
/// begins there.
fn next_digit(bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
    let part = &bytes[at..limit];
    let mut offset = 0;
    loop {
        let rest = &part[offset..];
        let Some(n) = rest.iter().position(|&b| DIGIT_BYTE[usize::from(b)]) else {
            return (limit < bytes.len()).then_some(limit);
        };
        let place = at + offset + n;
        let wide = match bytes[place] {
            b'0'..=b'9' => true,
            0xef => {
                bytes[place..].starts_with(&[0xef, 0xbc])
                    && bytes.get(place + 2).is_some_and(|b| (0x90..=0x99).contains(b))
            }
            _ => {
                bytes[place..].starts_with(&[0xf0, 0x9d, 0x9f])
                    && bytes.get(place + 3).is_some_and(|b| *b >= 0x8e)
            }
        };
        if wide {
            return Some(place);
        }
        offset += n + 1;
    }
}

/// Bytes that a digit's UTF-8 begins with.
const DIGIT_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut n = b'0';
    while n <= b'9' {
        table[n as usize] = true;
        n += 1;
    }
    table[0xef] = true;
    table[0xf0] = true;
    table
};

fn next_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Of overlapping finds the higher rank stays, then the longer, then the earlier, then the kind that comes first.
fn settle(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_unstable_by_key(|f| {
        (
            std::cmp::Reverse(f.rank),
            std::cmp::Reverse(f.end - f.start),
            f.start,
            f.kind,
        )
    });
    let mut taken: std::collections::BTreeMap<usize, Found> = std::collections::BTreeMap::new();
    for find in found {
        let before = taken.range(..find.end).next_back();
        if before.is_none_or(|(_, other)| other.end <= find.start) && find.start < find.end {
            taken.insert(find.start, find);
        }
    }
    taken.into_values().collect()
}
