//! Landmarks of a page: title, first heading, longest block, best-scored node, the body by its name.

use super::semantics as sem;
use super::sums::Sums;
use super::tags;
use super::tree::{NONE, Page};
use super::words::{Words, count};

/// A node of interest, and for every node of the page the deepest ancestor it shares with it.
pub struct Landmark {
    pub node: u32,
    /// A block of it, or [`NONE`].
    pub block: u32,
    /// Lowest common ancestor by node; empty where the page has no such landmark.
    pub shared: Vec<u32>,
}

/// A set of word hashes that may say yes by mistake: 4,096 bits for some twenty words.
pub struct Bloom {
    bits: [u64; 64],
    pub words: u32,
}

impl Default for Bloom {
    fn default() -> Self {
        Bloom {
            bits: [0; 64],
            words: 0,
        }
    }
}

impl Bloom {
    /// The words of a text.
    pub fn of(text: &str) -> Self {
        let mut hashes = Vec::new();
        count(text, &mut hashes);
        let mut bloom = Bloom::default();
        hashes.into_iter().for_each(|key| bloom.add(key));
        bloom
    }

    /// Adds a word.
    pub fn add(&mut self, key: u32) {
        self.bits[(key >> 6) as usize % 64] |= 1 << ((key >> 20) & 63);
        self.words += 1;
    }

    /// Whether the word may be in it.
    #[inline]
    pub fn has(&self, key: u32) -> bool {
        self.bits[(key >> 6) as usize % 64] >> ((key >> 20) & 63) & 1 == 1
    }

    /// How many of the words may be in the set.
    pub fn hits(&self, keys: &[u32]) -> u32 {
        keys.iter().map(|&key| u32::from(self.has(key))).sum()
    }
}

/// The first block that repeats the stated title best (at least .6 of F1 on words), or NONE.
pub fn title_block(page: &Page, words: &[Words], hashes: &[u32], title: &Bloom) -> u32 {
    let (mut best, mut most) = (NONE, 0.6f32);
    for (at, w) in words.iter().enumerate() {
        if w.words == 0 || w.words > 4 * title.words + 8 || title.words == 0 {
            continue;
        }
        let hits = title.hits(&hashes[w.first as usize..w.last as usize]) as f32;
        // The stated title often carries the site's name: recall weighs half.
        let (p, r) = (
            hits / w.words as f32,
            hits.min(title.words as f32) / title.words as f32,
        );
        let heading = tags::heading(page.nodes[page.blocks[at].node as usize].tag);
        let bonus = match heading {
            1 => 0.3,
            2 => 0.15,
            _ => 0.0,
        };
        let mark = if hits >= 1.0 && p > 0.7 {
            p * (0.5 + 0.5 * r) + bonus
        } else {
            0.0
        };
        if mark > most {
            (best, most) = (at as u32, mark);
        }
    }
    best
}

/// The first `h1` with words, or [`NONE`].
pub fn first_heading(page: &Page, words: &[Words]) -> u32 {
    let of = |level: u8| {
        page.blocks
            .iter()
            .zip(words)
            .position(|(b, w)| w.words > 0 && tags::heading(page.nodes[b.node as usize].tag) == level)
    };
    of(1).map_or(NONE, |at| at as u32)
}

/// The block with the most words that is not mostly links, or [`NONE`].
pub fn longest_block(page: &Page, words: &[Words]) -> u32 {
    let (mut best, mut most) = (NONE, 0);
    for (at, (block, w)) in page.blocks.iter().zip(words).enumerate() {
        if w.words > most && block.link_bytes * 2 < block.end - block.start {
            (best, most) = (at as u32, w.words);
        }
    }
    best
}

/// The node that by its names is the body: a compound such as entry-content, else article, else main; of
/// several the one with the most words in running text.
pub fn main_body(page: &Page, sums: &[Sums]) -> u32 {
    const OUT: u64 = sem::COMMENT | sem::RELATED | sem::SIDEBAR | sem::JUNK;
    let (mut best, mut most) = (NONE, 0.0);
    for (at, node) in page.nodes.iter().enumerate().skip(1) {
        let rank = match node.sem {
            bits if bits & OUT != 0 => continue,
            bits if bits & sem::BODY != 0 => 4.0,
            bits if bits & sem::E_ARTICLE != 0 => 2.0,
            bits if bits & sem::E_MAIN != 0 => 1.0,
            _ => continue,
        };
        let mark = rank * (sums[at].long_words + 0.01 * sums[at].words);
        if mark > most {
            (best, most) = (at as u32, mark);
        }
    }
    best
}

impl Landmark {
    /// A landmark at a block.
    pub fn at_block(page: &Page, block: u32) -> Self {
        if block == NONE {
            return Landmark {
                node: NONE,
                block,
                shared: Vec::new(),
            };
        }
        Landmark {
            block,
            ..Landmark::at_node(page, page.blocks[block as usize].node)
        }
    }

    /// A landmark at a node.
    pub fn at_node(page: &Page, node: u32) -> Self {
        if node == NONE {
            return Landmark {
                node,
                block: NONE,
                shared: Vec::new(),
            };
        }
        let mut on_path = vec![false; page.nodes.len()];
        let mut up = node;
        while up != 0 {
            on_path[up as usize] = true;
            up = page.nodes[up as usize].parent;
        }
        on_path[0] = true;
        let mut shared = vec![0u32; page.nodes.len()];
        for at in 1..page.nodes.len() {
            shared[at] = if on_path[at] {
                at as u32
            } else {
                shared[page.nodes[at].parent as usize]
            };
        }
        Landmark {
            node,
            block: NONE,
            shared,
        }
    }
}
