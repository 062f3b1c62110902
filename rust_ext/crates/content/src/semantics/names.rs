//! Names that were read before: their bits, for a thread, and their numbers, for a page.
//!
//! Both compare the whole string. A hash says only where to look: two strings of one crawl that share a hash
//! (`article_tabs` and `article-tags` did) must not share an answer, or the answer depends on which of them the
//! thread met first.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use super::read::name_bits;

/// Remembered attributes; a site's few hundred class strings fit many times over.
const CACHE: usize = if cfg!(test) { 4 } else { 8192 };
/// Bytes of an attribute that are read. With the places above, 4 MiB a thread at most.
const READ: usize = 512;

thread_local! {
    static SEEN: RefCell<Vec<(String, u64)>> = RefCell::new(vec![(String::new(), 0); CACHE]);
}

/// The bits of a class, id or itemprop attribute, remembered.
pub fn of_name(value: &str) -> u64 {
    let value = clipped(value);
    if value.is_empty() {
        return 0;
    }
    SEEN.with_borrow_mut(|seen| {
        let (name, bits) = &mut seen[folded(0, value.as_bytes()) as usize % CACHE];
        if name != value {
            *bits = name_bits(value);
            name.clear();
            name.push_str(value);
        }
        *bits
    })
}

fn clipped(value: &str) -> &str {
    let mut end = value.len().min(READ);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

/// Eight bytes a step, by folded multiplication.
fn folded(seed: u64, bytes: &[u8]) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, part: u64| {
        let product = u128::from(hash ^ part ^ K) * u128::from(part.rotate_left(32) ^ seed | 1);
        (product >> 64) as u64 ^ product as u64
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let h = chunks.iter().fold(seed ^ bytes.len() as u64, |h, chunk| {
        mix(h, u64::from_le_bytes(*chunk))
    });
    let mut last = [0u8; 8];
    last[..rest.len()].copy_from_slice(rest);
    let h = mix(h, u64::from_le_bytes(last)).wrapping_mul(K);
    h ^ (h >> 32)
}

/// Hashes with a seed of this process, so that no page can be written to fill one place of a map.
#[derive(Clone, Copy)]
pub struct Seeded(u64);

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0u64));

impl Default for Seeded {
    fn default() -> Self {
        Self(*SEED)
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded(self.0)
    }
}

/// The state of [`Seeded`].
pub struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = folded(self.0, bytes);
    }

    // A string ends with this; its length is hashed already.
    fn write_u8(&mut self, _: u8) {}
}

/// The class attributes of a page, numbered from 1 in the order of their first use; 0 is no class.
#[derive(Default)]
pub struct Classes<'a>(HashMap<&'a str, (u32, u64), Seeded>);

impl<'a> Classes<'a> {
    /// The number of a class attribute, equal for equal strings only, and its bits.
    pub fn number(&mut self, value: &'a str) -> (u32, u64) {
        if value.is_empty() {
            return (0, 0);
        }
        let next = self.0.len() as u32 + 1;
        *self.0.entry(value).or_insert_with(|| (next, of_name(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs that shared all 64 bits, or the ones that place an entry, of the hash used before.
    const ALIKE: [&str; 6] = [
        "article_tabs",
        "article-tags",
        "sidebar left",
        "share",
        "entry-content",
        "meta author",
    ];

    #[test]
    fn a_name_means_the_same_whatever_was_read_before_it() {
        // Four places for six names: each order overwrites other entries.
        for first in ALIKE {
            for second in ALIKE {
                of_name(first);
                assert_eq!(of_name(second), name_bits(second), "{second} after {first}");
            }
        }
    }

    #[test]
    fn a_class_has_a_number_of_its_own() {
        let mut classes = Classes::default();
        for (number, name) in (1..).zip(ALIKE) {
            assert_eq!(classes.number(name), (number, name_bits(name)));
        }
        assert_eq!(classes.number("share").0, 4);
        assert_eq!(classes.number(""), (0, 0));
    }

    #[test]
    fn a_long_name_is_cut_before_a_character_that_it_would_split() {
        let long = format!("comments {}", "я".repeat(600));
        assert_eq!(clipped(&long).len(), READ - 1);
        assert_eq!(of_name(&long), name_bits("comments"));
    }
}
