//! The text with its finds masked.

use std::fmt::Write;

use blake2b_simd::Params;

use crate::chars::{digit, is_ignorable, lower};
use crate::finder::{Finder, Scratch};
use crate::kinds::{Found, Kind};

/// What stands instead of a find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// «<ТЕЛЕФОН>».
    Type,
    /// An asterisk for every character.
    Stars,
    /// «<ТЕЛЕФОН_1f0c…>»: twelve digits of a keyed hash of the value, equal for equal values.
    Pseudonym(Vec<u8>),
}

/// A finder and how finds are written.
pub struct Mask {
    pub finder: Finder,
    pub style: Style,
}

/// A masked text, and of each find what it is and where its mask stands, in characters of the masked text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    pub text: String,
    pub spans: Vec<(usize, usize, Kind)>,
}

impl Mask {
    /// `None` where nothing is found: the text stays as it is.
    pub fn mask(&self, text: &str, scratch: &mut Scratch) -> Option<Masked> {
        let found = self.finder.find(text, scratch);
        if found.is_empty() {
            return None;
        }
        let mut masked = Masked {
            text: String::with_capacity(text.len()),
            spans: Vec::with_capacity(found.len()),
        };
        let (mut done, mut chars) = (0, 0);
        for find in found {
            let kept = &text[done..find.start];
            masked.text.push_str(kept);
            chars += kept.chars().count();
            let start = chars;
            let from = masked.text.len();
            self.write(&text[find.start..find.end], find, &mut masked.text);
            chars += masked.text[from..].chars().count();
            masked.spans.push((start, chars, find.kind));
            done = find.end;
        }
        masked.text.push_str(&text[done..]);
        Some(masked)
    }

    fn write(&self, value: &str, find: Found, out: &mut String) {
        match &self.style {
            Style::Type => {
                // Writing to a String can't fail.
                let _ = write!(out, "<{}>", find.kind.placeholder());
            }
            Style::Stars => out.extend(value.chars().map(|c| if c == '\n' { '\n' } else { '*' })),
            Style::Pseudonym(key) => {
                let _ = write!(
                    out,
                    "<{}_{}>",
                    find.kind.placeholder(),
                    pseudonym(key, find.kind, value)
                );
            }
        }
    }
}

/// Letters of a keyed BLAKE2b hash of the value as it is compared: of a number its digits, else small letters
/// without spaces. Letters, not digits: a pseudonym is no number to whoever looks for numbers next.
fn pseudonym(key: &[u8], kind: Kind, value: &str) -> String {
    let number = !matches!(
        kind,
        Kind::Email
            | Kind::Ip
            | Kind::Cookie
            | Kind::Token
            | Kind::PrivateKey
            | Kind::Password
            | Kind::Handle
            | Kind::Address
            | Kind::AddressHouse
            | Kind::BirthDate
            | Kind::Plate
    );
    let plain: String = if number && value.chars().any(|c| digit(c).is_some()) {
        let digits: String = value
            .chars()
            .filter_map(digit)
            .map(|d| char::from(b'0' + d))
            .collect();
        match kind {
            // +7 and 8 before the ten digits of a Russian number are one number.
            Kind::Phone | Kind::PhoneOffice if digits.len() == 11 => digits[1..].to_owned(),
            _ => digits,
        }
    } else {
        value
            .chars()
            .filter(|&c| !is_ignorable(c) && !c.is_whitespace())
            .map(lower)
            .collect()
    };
    let hash = Params::new()
        .hash_length(8)
        .key(key)
        .to_state()
        .update(kind.name().as_bytes())
        .update(b"\0")
        .update(plain.as_bytes())
        .finalize();
    hash.as_bytes()
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .take(12)
        .map(|n| char::from(b'a' + n))
        .collect()
}
