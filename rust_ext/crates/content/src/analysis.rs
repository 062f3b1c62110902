//! Everything about a page that its blocks share: sums of each node, readability scores, distances to named
//! ancestors, signatures, landmarks. One pass down the tree, one up; all linear.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::landmarks::{Bloom, Landmark, first_heading, longest_block, main_body, title_block};
use super::semantics::{self as sem, COUNT as SEM};
use super::sums::Sums;
use super::tags;
use super::tree::{NONE, Node, Page};
use super::words::{STOP, Words, count, same_words};

/// A block of this many words and little link text counts as running text (boilerpipe's long block).
pub const LONG_WORDS: u32 = 15;
const LONG_LINKS: f32 = 0.35;
/// A block of fewer words gives its containers no readability score (readability asks for 25 characters).
const SCORED_WORDS: u32 = 5;
/// Distance that stands for "no such ancestor".
pub const FAR: u8 = 40;

/// Distances kept of a node: to each bit, to any of [`sem::BAD`], to any of [`sem::GOOD`].
pub const NEAR: usize = SEM + 2;

/// Hashes that are hashes already.
#[derive(Default)]
pub struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A map that is only looked up, never walked, so no order can leak.
pub type Lookup<K, V> = HashMap<K, V, BuildHasherDefault<Ready>>;

/// The words of a block as a key: their hash says where to look, the words themselves whether they are the same.
pub struct Said<'a> {
    hash: u64,
    text: &'a str,
}

impl<'a> Said<'a> {
    /// What a block of the page says.
    pub fn of(page: &'a Page, words: &[Words], block: usize) -> Self {
        Said {
            hash: words[block].hash,
            text: page.block_text(block),
        }
    }
}

impl Hash for Said<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Said<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && same_words(self.text, other.text)
    }
}

impl Eq for Said<'_> {}

/// Blocks that share a signature.
#[derive(Clone, Copy, Default)]
pub struct Alike {
    pub blocks: f32,
    pub words: f32,
    pub bytes: f32,
    pub link_bytes: f32,
    pub long_words: f32,
}

/// What [`analyse`] finds; the vectors are by block or by node.
pub struct Analysis {
    pub words: Vec<Words>,
    pub hashes: Vec<u32>,
    pub sums: Vec<Sums>,
    pub scores: Vec<f32>,
    pub best_score: f32,
    /// The nearest ancestor that holds more blocks than the node.
    pub wider: Vec<u32>,
    /// Levels up to the nearest ancestor with each bit, the node itself being 0.
    pub near: Vec<[u8; NEAR]>,
    pub class_alike: Vec<Alike>,
    pub class_of: Vec<u32>,
    pub path_alike: Vec<Alike>,
    pub path_of: Vec<u32>,
    /// How many blocks say just this, and whether an earlier one does.
    pub copies: Vec<(u16, bool)>,
    pub title: Landmark,
    pub h1: Landmark,
    pub longest: Landmark,
    pub best: Landmark,
    pub body: Landmark,
    pub title_bits: Bloom,
    pub description_bits: Bloom,
}

/// Analyses a parsed page; `title` and `description` are what the page states.
pub fn analyse(page: &Page, title: &str, description: &str) -> Analysis {
    let mut hashes = Vec::with_capacity(page.text.len() / 6);
    let words: Vec<Words> = (0..page.blocks.len())
        .map(|b| count(page.block_text(b), &mut hashes))
        .collect();
    let sums = sum_up(page, &words);
    let (scores, best_node, best_score) = score(page, &words, &sums);
    let (class_of, class_alike) = alike(page, &words, class_signatures(&page.nodes));
    let (path_of, path_alike) = alike(page, &words, path_signatures(&page.nodes));
    let title_bits = Bloom::of(title);
    let body_node = main_body(page, &sums);
    let landmark = |block: u32| Landmark::at_block(page, block);
    Analysis {
        copies: copies(page, &words),
        title: landmark(title_block(page, &words, &hashes, &title_bits)),
        h1: landmark(first_heading(page, &words)),
        longest: landmark(longest_block(page, &words)),
        best: Landmark::at_node(page, best_node),
        body: Landmark::at_node(page, body_node),
        wider: wider(&page.nodes),
        near: nearest(&page.nodes),
        description_bits: Bloom::of(description),
        words,
        hashes,
        sums,
        scores,
        best_score,
        class_alike,
        class_of,
        path_alike,
        path_of,
        title_bits,
    }
}

fn sum_up(page: &Page, words: &[Words]) -> Vec<Sums> {
    let mut sums: Vec<Sums> = page
        .nodes
        .iter()
        .map(|n| Sums {
            images: f32::from(n.images),
            inputs: f32::from(n.inputs),
            ..Sums::default()
        })
        .collect();
    for (block, w) in page.blocks.iter().zip(words) {
        let (bytes, link_bytes) = ((block.end - block.start) as f32, block.link_bytes as f32);
        let long = w.words >= LONG_WORDS && link_bytes < LONG_LINKS * bytes;
        sums[block.node as usize].add(&Sums {
            words: w.words as f32,
            bytes,
            link_bytes,
            blocks: 1.0,
            long_words: if long { w.words as f32 } else { 0.0 },
            commas: w.commas as f32,
            ends: w.ends as f32,
            stop: f32::from(w.cues[STOP]),
            links: f32::from(block.links),
            digits: w.digits as f32,
            letters: w.letters as f32,
            headings: f32::from(tags::heading(page.nodes[block.node as usize].tag).min(1)),
            bold: block.bold_bytes as f32,
            text_blocks: f32::from(u8::from(long)),
            ..Sums::default()
        });
    }
    for at in (1..page.nodes.len()).rev() {
        let child = sums[at];
        sums[page.nodes[at].parent as usize].add(&child);
    }
    sums
}

/// Readability's scores: text gives points to its container, half to the next, a third to the one after;
/// points are then cut by the share of link text.
fn score(page: &Page, words: &[Words], sums: &[Sums]) -> (Vec<f32>, u32, f32) {
    let mut scores = vec![0f32; page.nodes.len()];
    for (block, w) in page.blocks.iter().zip(words) {
        if w.words < SCORED_WORDS || block.link_bytes * 2 > block.end - block.start {
            continue;
        }
        let points = 1.0 + w.commas as f32 + (w.chars as f32 / 100.0).min(3.0);
        let mut node = container(&page.nodes, block.node);
        for share in [1.0, 0.5, 0.33] {
            scores[node as usize] += points * share;
            if node == 0 {
                break;
            }
            node = page.nodes[node as usize].parent;
        }
    }
    let (mut best, mut most) = (0, 0f32);
    for (at, score) in scores.iter_mut().enumerate() {
        *score *= 1.0 - sums[at].link_bytes / sums[at].bytes.max(1.0);
        if *score > most {
            (best, most) = (at as u32, *score);
        }
    }
    (scores, best, most)
}

/// The node, or its parent where the node is a paragraph, heading, item or cell.
pub fn container(nodes: &[Node], node: u32) -> u32 {
    match nodes[node as usize].tag {
        tags::P | tags::LI | tags::DT | tags::DD | tags::PRE | tags::BLOCKQUOTE | tags::H1..=tags::H6 => {
            nodes[node as usize].parent
        }
        _ => node,
    }
}

fn wider(nodes: &[Node]) -> Vec<u32> {
    let mut wider = vec![0u32; nodes.len()];
    for at in 1..nodes.len() {
        let parent = nodes[at].parent as usize;
        let more = nodes[parent].last - nodes[parent].first > nodes[at].last - nodes[at].first;
        wider[at] = if more { parent as u32 } else { wider[parent] };
    }
    wider
}

fn nearest(nodes: &[Node]) -> Vec<[u8; NEAR]> {
    let mut near = vec![[FAR; NEAR]; nodes.len()];
    for at in 0..nodes.len() {
        let mut own = near[nodes[at].parent as usize];
        if at > 0 {
            own.iter_mut().for_each(|d| *d = (*d + 1).min(FAR));
        }
        let mut bits = nodes[at].sem;
        for (slot, set) in [(SEM, sem::BAD), (SEM + 1, sem::GOOD)] {
            if bits & set != 0 {
                own[slot] = 0;
            }
        }
        while bits != 0 {
            own[bits.trailing_zeros() as usize] = 0;
            bits &= bits - 1;
        }
        near[at] = own;
    }
    near
}

fn class_signatures(nodes: &[Node]) -> Vec<u64> {
    nodes
        .iter()
        .map(|n| u64::from(n.sig) << 32 | u64::from(nodes[n.parent as usize].sig))
        .collect()
}

/// Tags of the node and its three nearest ancestors.
fn path_signatures(nodes: &[Node]) -> Vec<u64> {
    let mut paths = vec![0u64; nodes.len()];
    for at in 1..nodes.len() {
        paths[at] = (paths[nodes[at].parent as usize] << 8 | u64::from(nodes[at].tag)) & 0xFFFF_FFFF;
    }
    paths
}

fn alike(page: &Page, words: &[Words], signatures: Vec<u64>) -> (Vec<u32>, Vec<Alike>) {
    let mut groups: Lookup<u64, u32> = Lookup::default();
    let mut all: Vec<Alike> = Vec::new();
    let mut of_node = vec![NONE; page.nodes.len()];
    for (block, w) in page.blocks.iter().zip(words) {
        let node = block.node as usize;
        if of_node[node] == NONE {
            let next = groups.len() as u32;
            of_node[node] = *groups.entry(signatures[node]).or_insert(next);
            all.resize(groups.len(), Alike::default());
        }
        let group = &mut all[of_node[node] as usize];
        group.blocks += 1.0;
        group.words += w.words as f32;
        group.bytes += (block.end - block.start) as f32;
        group.link_bytes += block.link_bytes as f32;
        group.long_words += if w.words >= LONG_WORDS {
            w.words as f32
        } else {
            0.0
        };
    }
    (of_node, all)
}

fn copies(page: &Page, words: &[Words]) -> Vec<(u16, bool)> {
    let mut seen: Lookup<Said, u32> = Lookup::default();
    let mut times: Vec<u16> = Vec::new();
    // Each block's place in `times`, so that texts are compared once.
    let places: Vec<(usize, bool)> = (0..words.len())
        .map(|block| {
            let next = times.len() as u32;
            let place = *seen.entry(Said::of(page, words, block)).or_insert(next) as usize;
            if place == times.len() {
                times.push(0);
            }
            times[place] = times[place].saturating_add(1);
            (place, times[place] > 1)
        })
        .collect();
    places
        .into_iter()
        .map(|(place, again)| (times[place], again))
        .collect()
}
