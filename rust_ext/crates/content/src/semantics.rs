//! What class names, ids, roles and itemprops say of an element, as a set of bits.
//!
//! A name such as `entry-content__mainText` is cut at punctuation and case changes into words; a word that
//! is not known whole is read as known words run together (`leftcol` = left + col). Sets are remembered by the
//! whole attribute ([`names`]), because pages repeat a few dozen class strings hundreds of times.

use std::sync::LazyLock;

use super::tags::{self, Tag};
use words::{BODIES, NOT_BODY, WORDS};

mod names;
mod words;

pub use names::{Classes, of_name};

macro_rules! bits {
    ($($name:ident)*) => {
        /// Names of the bits, in order.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        bits!(@number 0; $($name)*);
    };
    (@number $n:expr; $name:ident $($rest:ident)*) => {
        #[allow(missing_docs)] // named like what they stand for
        pub const $name: u64 = 1 << $n;
        bits!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

// The order is the model's: append, never insert. The first WORDS come from names, the rest from elements.
bits! {
    COMMENT FOOTER NAV CRUMBS SHARE RELATED SIDEBAR CONTENT ARTICLE POST HEADER META DATE AUTHOR TAGS TITLE
    CAPTION AD PROMO COOKIE MODAL FORM ITEM PRODUCT DESC REVIEW WIDGET MAIN HIDDEN USER PAGER TOOLS TOC QUOTE
    CODE FAQ COLUMN SLIDER WRAP BODY JUNK
    E_NAV E_ASIDE E_HEADER E_FOOTER E_ARTICLE E_MAIN E_SECTION E_FORM E_TABLE E_LIST E_FIGURE E_QUOTE E_FOLD
    E_NOSCRIPT
}

/// How many bits there are.
pub const COUNT: usize = NAMES.len();
const _: () = assert!(COUNT <= 64);

/// Names that stand for anything but the text of the page.
pub const BAD: u64 = COMMENT
    | FOOTER
    | NAV
    | SHARE
    | RELATED
    | SIDEBAR
    | AD
    | PROMO
    | COOKIE
    | MODAL
    | HIDDEN
    | E_NAV
    | E_ASIDE
    | E_FOOTER
    | JUNK;
/// Names that stand for the text.
pub const GOOD: u64 = BODY | CONTENT | ARTICLE | POST | E_ARTICLE | E_MAIN | MAIN;

/// FNV-1a; says where in the table a word lies.
fn hash(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325u64;
    for &byte in bytes {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    h ^ (h >> 29)
}

const SLOTS: usize = 4096; // about eight times the words

/// Words with their bits, by open addressing; an empty word is a free slot.
static TABLE: LazyLock<Vec<(&[u8], u64)>> = LazyLock::new(|| {
    let mut table = vec![(&b""[..], 0u64); SLOTS];
    let mut put = |word: &'static str, bits: u64| {
        let at = slot(&table, word.as_bytes());
        table[at].0 = word.as_bytes();
        table[at].1 |= bits;
    };
    for (bits, words) in WORDS {
        words.split_whitespace().for_each(|word| put(word, *bits));
    }
    BODIES.iter().for_each(|word| put(word, BODY));
    table
});

/// Where a word lies, or would lie.
fn slot(table: &[(&[u8], u64)], word: &[u8]) -> usize {
    let mut at = hash(word) as usize % SLOTS;
    while !table[at].0.is_empty() && table[at].0 != word {
        at = (at + 1) % SLOTS;
    }
    at
}

fn lookup(word: &[u8]) -> u64 {
    TABLE[slot(&TABLE, word)].1
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
    while at + 3 <= word.len() {
        let shortest = if at == 0 { SHORTEST_RUN } else { 3 };
        let longest = LONGEST.min(word.len() - at);
        let Some((len, found)) = (shortest..=longest)
            .rev()
            .map(|len| (len, lookup(&word[at..at + len]) & !BODY))
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
fn name_bits(value: &str) -> u64 {
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

/// The bits an element has by its own name.
pub fn of_tag(tag: Tag) -> u64 {
    match tag {
        tags::NAV | tags::MENU => E_NAV,
        tags::ASIDE => E_ASIDE,
        tags::HEADER => E_HEADER,
        tags::FOOTER => E_FOOTER,
        tags::ARTICLE => E_ARTICLE,
        tags::MAIN => E_MAIN,
        tags::SECTION => E_SECTION,
        tags::FORM | tags::FIELDSET | tags::SEARCH | tags::BUTTON => E_FORM,
        tags::TABLE => E_TABLE,
        tags::UL | tags::OL | tags::DL => E_LIST,
        tags::FIGURE | tags::FIGCAPTION => E_FIGURE,
        tags::BLOCKQUOTE => E_QUOTE,
        tags::DETAILS | tags::DIALOG => E_FOLD,
        tags::NOSCRIPT => E_NOSCRIPT,
        tags::PRE => CODE,
        tags::TIME => DATE,
        _ => 0,
    }
}

/// The bits of a WAI-ARIA role.
pub fn of_role(role: &str) -> u64 {
    match role.trim() {
        "main" => E_MAIN,
        "navigation" | "menu" | "menubar" => E_NAV,
        "banner" => E_HEADER,
        "contentinfo" => E_FOOTER,
        "complementary" => E_ASIDE,
        "search" | "form" => E_FORM,
        "dialog" | "alertdialog" => MODAL,
        "article" => E_ARTICLE,
        "tabpanel" => FAQ,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_punctuation_case_and_known_words() {
        assert_eq!(of_name("leftCol"), COLUMN);
        assert_ne!(of_name("sidebarleft") & SIDEBAR, 0);
        assert_ne!(of_name("entry-content") & BODY, 0);
        assert_ne!(of_name("articleBody") & BODY, 0);
        assert_eq!(of_name("related-article-content") & BODY, 0);
        assert_eq!(of_name("x17 qq"), 0);
    }
}
