//! The tokens learnt so far, and the constraints on new ones.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::allow::Allow;

/// Constraints on new tokens; each is an option, off by default. They do not apply to the merges of a vocabulary
/// to begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Constraints {
    /// No token holds letters of two scripts (Latin, Cyrillic, Greek, any other).
    pub one_script: bool,
    /// No token holds a whole character together with a part of another one.
    pub whole_characters: bool,
    /// No token holds letters after a character that is neither a letter, a digit nor a space: `(в`, `«При`.
    pub bare_words: bool,
    /// The most characters in a token that are neither letters nor digits, where one at least is no white
    /// space (0: no limit).
    pub max_punctuation: usize,
    /// The most bytes in a token (0: no limit).
    pub max_token_bytes: usize,
}

/// The tokens so far, by id.
pub struct Tokens {
    pub bytes: Vec<Box<[u8]>>,
    /// Ids by the hash of their bytes: an open-addressing table, at most half full.
    known: Vec<u32>,
    seed: u64,
    constraints: Constraints,
    /// What every new token must hold one byte of; none: anything.
    required: Option<Box<[bool; 256]>>,
    /// By id, whether the token holds such a byte.
    holds: Vec<bool>,
    /// Tokens that are never made.
    banned: HashSet<Box<[u8]>>,
}

/// No id.
const NONE: u32 = u32::MAX;

impl Tokens {
    /// The tokens, each with what it may join.
    pub fn new(bytes: Vec<Box<[u8]>>, constraints: Constraints) -> Self {
        let mut all = Self {
            bytes: Vec::with_capacity(bytes.len()),
            known: vec![NONE; (2 * bytes.len()).next_power_of_two()],
            seed: RandomState::new().hash_one(0),
            constraints,
            required: None,
            holds: Vec::new(),
            banned: HashSet::new(),
        };
        bytes.into_iter().for_each(|bytes| {
            all.insert(bytes);
        });
        all
    }

    /// From now on new tokens hold one of the bytes that `required` names, and are none of `banned`.
    pub fn require(&mut self, required: [bool; 256], banned: HashSet<Box<[u8]>>) {
        let holds = |bytes: &[u8]| bytes.iter().any(|&byte| required[usize::from(byte)]);
        self.holds = self.bytes.iter().map(|bytes| holds(bytes)).collect();
        self.required = Some(Box::new(required));
        self.banned = banned;
    }

    /// The id of the first token of these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        let mut at = self.slot(bytes);
        while self.known[at] != NONE {
            if &*self.bytes[self.known[at] as usize] == bytes {
                return Some(self.known[at]);
            }
            at = (at + 1) & (self.known.len() - 1);
        }
        None
    }

    /// Adds one more id for the bytes of the union of two tokens, which is a token already.
    pub fn add_again(&mut self, left: u32, right: u32) -> u32 {
        let bytes = self.joined(left, right);
        self.push(bytes)
    }

    fn push(&mut self, bytes: Box<[u8]>) -> u32 {
        if let Some(required) = &self.required {
            self.holds
                .push(bytes.iter().any(|&byte| required[usize::from(byte)]));
        }
        self.bytes.push(bytes);
        self.bytes.len() as u32 - 1
    }

    /// The bytes of two tokens, one after the other.
    pub fn joined(&self, left: u32, right: u32) -> Box<[u8]> {
        [&*self.bytes[left as usize], &*self.bytes[right as usize]]
            .concat()
            .into()
    }

    /// Adds the union of two tokens and returns its id; `None` if a token of these bytes exists.
    pub fn add(&mut self, left: u32, right: u32) -> Option<u32> {
        self.insert(self.joined(left, right))
    }

    fn insert(&mut self, bytes: Box<[u8]>) -> Option<u32> {
        let mut at = self.slot(&bytes);
        while self.known[at] != NONE {
            if self.bytes[self.known[at] as usize] == bytes {
                return None;
            }
            at = (at + 1) & (self.known.len() - 1);
        }
        let id = self.push(bytes);
        self.known[at] = id;
        if 2 * self.bytes.len() > self.known.len() {
            self.known = vec![NONE; 2 * self.known.len()];
            for (id, bytes) in (0..).zip(&self.bytes) {
                let mut at = self.slot(bytes);
                while self.known[at] != NONE {
                    at = (at + 1) & (self.known.len() - 1);
                }
                self.known[at] = id;
            }
        }
        Some(id)
    }

    /// Where the bytes belong. A text could at worst make a few tokens that share a place, were the seed known.
    fn slot(&self, bytes: &[u8]) -> usize {
        let mix = |hash: u64, part: u64| {
            let product = u128::from(hash ^ part) * 0x9e37_79b9_7f4a_7c15;
            (product >> 64) as u64 ^ product as u64
        };
        let (parts, rest) = bytes.as_chunks::<8>();
        let hash = parts
            .iter()
            .fold(self.seed, |hash, part| mix(hash, u64::from_le_bytes(*part)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let hash = mix(hash, u64::from_le_bytes(last));
        mix(hash, bytes.len() as u64) as usize & (self.known.len() - 1)
    }
}

impl Allow for Tokens {
    #[inline(always)]
    fn allow(&self, left: u32, right: u32) -> bool {
        if self.required.is_some() && !(self.holds[left as usize] || self.holds[right as usize]) {
            return false;
        }
        if self.constraints == Constraints::default() && self.banned.is_empty() {
            return true;
        }
        let joined = self.joined(left, right);
        self.constraints.allow(&joined) && !self.banned.contains(&joined)
    }
}

/// Writing systems that `one_script` keeps apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Other,
}

impl Script {
    fn of(letter: char) -> Self {
        match u32::from(letter) {
            0..=0x24f | 0x1e00..=0x1eff | 0x2c60..=0x2c7f | 0xa720..=0xa7ff | 0xff21..=0xff5a => Self::Latin,
            0x370..=0x3ff | 0x1f00..=0x1fff => Self::Greek,
            0x400..=0x52f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Self::Cyrillic,
            _ => Self::Other,
        }
    }
}

impl Constraints {
    /// True if a token of these bytes may be made.
    pub fn allow(&self, token: &[u8]) -> bool {
        if self.max_token_bytes > 0 && token.len() > self.max_token_bytes {
            return false;
        }
        let (before, text, after) = characters_of(token);
        if self.whole_characters && !text.is_empty() && (before || after) {
            return false;
        }
        if self.max_punctuation > 0 {
            let punctuation = text.chars().filter(|c| !c.is_alphanumeric());
            let some = punctuation.clone().any(|c| !c.is_whitespace());
            if some && punctuation.count() > self.max_punctuation {
                return false;
            }
        }
        if self.bare_words {
            let start = text.chars().position(|c| !c.is_alphanumeric() && c != ' ');
            if start.is_some_and(|start| text.chars().skip(start).any(char::is_alphabetic)) {
                return false;
            }
        }
        !self.one_script || {
            let mut scripts = text.chars().filter(|c| c.is_alphabetic()).map(Script::of);
            let first = scripts.next();
            scripts.all(|script| Some(script) == first)
        }
    }
}

/// The whole characters of a token cut out of UTF-8, and whether parts of others stand before and after.
fn characters_of(token: &[u8]) -> (bool, &str, bool) {
    let start = token.iter().take_while(|&&byte| byte & 0xc0 == 0x80).count();
    let rest = &token[start..];
    match std::str::from_utf8(rest) {
        Ok(text) => (start > 0, text, false),
        Err(error) => {
            let text = std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
            (start > 0, text, true)
        }
    }
}
