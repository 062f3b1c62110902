//! Reading a name: the words that it is made of, and the bits that they set.

use std::sync::LazyLock;

#[allow(clippy::wildcard_imports)] // the bits
use super::bits::*;
use super::words::{BODIES, NOT_BODY, WORDS};

const NO_BYTES: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a; says where in the table a word lies. The sum of a word's start is a step to that of the word.
#[inline]
fn step(sum: u64, byte: u8) -> u64 {
    (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn sum(word: &[u8]) -> u64 {
    word.iter().fold(NO_BYTES, |sum, &byte| step(sum, byte))
}

const SLOTS: usize = 4096; // about eight times the words

/// Words with their bits, by open addressing; an empty word is a free slot.
static TABLE: LazyLock<Vec<(&[u8], u64)>> = LazyLock::new(|| {
    let mut table = vec![(&b""[..], 0u64); SLOTS];
    let mut put = |word: &'static str, bits: u64| {
        let at = slot(&table, word.as_bytes(), sum(word.as_bytes()));
        table[at].0 = word.as_bytes();
        table[at].1 |= bits;
    };
    for (bits, words) in WORDS {
        words.split_whitespace().for_each(|word| put(word, *bits));
    }
    BODIES.iter().for_each(|word| put(word, BODY));
    table
});

/// Where a word lies, or would lie, by its sum.
#[inline]
fn slot(table: &[(&[u8], u64)], word: &[u8], sum: u64) -> usize {
    let mut at = (sum ^ (sum >> 29)) as usize % SLOTS;
    while !table[at].0.is_empty() && table[at].0 != word {
        at = (at + 1) % SLOTS;
    }
    at
}

fn lookup(word: &[u8]) -> u64 {
    TABLE[slot(&TABLE, word, sum(word))].1
}

/// Longest word of the table and shortest that may stand inside a run of words.
const LONGEST: usize = 15;
const SHORTEST_RUN: usize = 4;

/// The bits of one word: known whole, or read from its start as known words run together.
fn word_bits(word: &[u8]) -> u64 {
    if word.len() > 40 {
        return 0;
    }
    let whole = lookup(word);
    if whole != 0 || word.len() < SHORTEST_RUN + 2 {
        return whole;
    }
    let (mut bits, mut at) = (0, 0);
    let table = TABLE.as_slice();
    while at + 3 <= word.len() {
        let shortest = if at == 0 { SHORTEST_RUN } else { 3 };
        let rest = &word[at..word.len().min(at + LONGEST)];
        let mut sums = [NO_BYTES; LONGEST + 1];
        for (len, &byte) in rest.iter().enumerate() {
            sums[len + 1] = step(sums[len], byte);
        }
        let Some((len, found)) = (shortest..=rest.len())
            .rev()
            .map(|len| (len, table[slot(table, &rest[..len], sums[len])].1 & !BODY))
            .find(|(_, found)| *found != 0)
        else {
            break;
        };
        bits |= found;
        at += len;
    }
    bits
}

/// The bits of a class, id or itemprop attribute.
pub fn name_bits(value: &str) -> u64 {
    let mut bits = 0;
    let mut word = [0u8; 48];
    for name in value.split_ascii_whitespace().take(40) {
        let (mut joined, mut of_name) = ([0u8; 48], 0u64);
        let (mut joined_len, mut len) = (0, 0);
        let mut last_lower = false;
        for &byte in name.as_bytes() {
            let letter = byte.is_ascii_alphabetic();
            if !letter || (byte.is_ascii_uppercase() && last_lower) {
                of_name |= word_bits(&word[..len]);
                len = 0;
            }
            last_lower = byte.is_ascii_lowercase();
            if letter {
                let lower = byte.to_ascii_lowercase();
                if len < word.len() {
                    word[len] = lower;
                    len += 1;
                }
                if joined_len < joined.len() {
                    joined[joined_len] = lower;
                    joined_len += 1;
                }
            }
        }
        of_name |= word_bits(&word[..len]);
        of_name |= compound(&joined[..joined_len], of_name);
        bits |= of_name;
    }
    bits
}

fn compound(joined: &[u8], of_name: u64) -> u64 {
    const JUNKY: u64 = SHARE | RELATED | AD | PROMO | COOKIE | NAV | PAGER | MODAL;
    let junk = if of_name & JUNKY != 0 { JUNK } else { 0 };
    if of_name & NOT_BODY != 0 {
        return junk;
    }
    let known = joined.len() <= LONGEST && lookup(joined) & BODY != 0;
    let built = of_name & CONTENT != 0 && of_name & (ARTICLE | POST) != 0;
    if known || built { junk | BODY } else { junk }
}
