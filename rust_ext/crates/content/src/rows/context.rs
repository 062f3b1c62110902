//! What a block's row says of its surroundings, computed once a page.

use super::super::analysis::{Analysis, LONG_WORDS, container};
use super::super::sums::Sums;
use super::super::tags;
use super::super::topic::Topic;
use super::super::tree::{Block, Page};
use super::super::words::{CUES, STOP, Words};
use crate::forest::key;
use crate::scale::{log2p, share};

/// What the neighbours see of a block.
pub(super) const SEEN: [&str; 4] = ["words", "links", "ends", "tag"];
/// Values of one container.
pub(super) const OF_NODE: usize = 13;

/// Cue kinds of the heading under which a block stands.
pub(super) const SECTION: [&str; 6] = ["comment", "related", "subscribe", "author", "tags", "more"];
/// A heading's cues count up to this many words.
pub(super) const SECTION_WORDS: u32 = 8;

pub(super) const NODE_NAMES: [&str; OF_NODE] = [
    "words",
    "links",
    "page_share",
    "blocks",
    "words_per_block",
    "long",
    "score",
    "stop",
    "marks",
    "links_per_block",
    "headings",
    "text_blocks",
    "digits",
];

pub(super) fn node_keys(s: &Sums, score: f32, found: &Analysis) -> [i16; OF_NODE] {
    let all = &found.sums[0];
    [
        log2p(s.words),
        share(s.link_bytes, s.bytes),
        share(s.words, all.words),
        log2p(s.blocks),
        share(s.words, s.blocks),
        share(s.long_words, s.words),
        share(score, found.best_score),
        share(s.stop, s.words),
        share(s.commas + s.ends, s.words),
        share(s.links, s.blocks),
        share(s.headings, s.blocks),
        share(s.text_blocks, s.blocks),
        share(s.digits, s.letters + s.digits),
    ]
    .map(key)
}

/// What a block's neighbours see of it: words, share of link text, sentence ends, tag.
pub(super) fn seen_keys(page: &Page, words: &[Words]) -> Vec<[i16; SEEN.len()]> {
    let of_block = |(b, w): (&Block, &Words)| {
        let links = share(b.link_bytes as f32, (b.end - b.start) as f32);
        let tag = f32::from(page.nodes[b.node as usize].tag);
        [w.words as f32, links, w.ends as f32, tag].map(key)
    };
    page.blocks.iter().zip(words).map(of_block).collect()
}

/// Sums kept over the blocks before, by what they are of.
pub(super) mod sum {
    pub const WORDS: usize = 0;
    pub const BYTES: usize = 1;
    pub const LINK_BYTES: usize = 2;
    /// Words in long blocks.
    pub const LONG_WORDS: usize = 3;
    pub const SENTENCE_ENDS: usize = 4;
    /// Words of conversation.
    pub const PERSON: usize = 5;
    pub const TOPICAL: usize = 6;
    /// Topical words that are in the lead, too.
    pub const LEAD: usize = 7;
    pub const STAMPS: usize = 8;
}
pub(super) const CUMULATIVE: usize = sum::STAMPS + 1;

pub(super) fn cumulative(
    page: &Page,
    words: &[Words],
    topic: &Topic,
    stamps: &[bool],
) -> Vec<[f32; CUMULATIVE]> {
    let person = CUES.iter().position(|(cue, _)| *cue == "person").unwrap_or(STOP);
    let mut all = Vec::with_capacity(words.len() + 1);
    let mut sums = [0f32; CUMULATIVE];
    all.push(sums);
    for (at, (block, w)) in page.blocks.iter().zip(words).enumerate() {
        let long = if w.words >= LONG_WORDS { w.words } else { 0 };
        for (of, value) in [
            (sum::WORDS, w.words),
            (sum::BYTES, block.end - block.start),
            (sum::LINK_BYTES, block.link_bytes),
            (sum::LONG_WORDS, long),
            (sum::SENTENCE_ENDS, w.ends),
            (sum::PERSON, u32::from(w.cues[person])),
            (sum::TOPICAL, w.topical),
            (sum::LEAD, topic.lead[at]),
            (sum::STAMPS, u32::from(stamps[at])),
        ] {
            sums[of] += value as f32;
        }
        all.push(sums);
    }
    all
}

/// For each block, in the order given, how many blocks ago each mark was last seen; `u32::MAX` for never.
pub(super) fn distances<'a, const N: usize>(marks: impl Iterator<Item = &'a [bool; N]>) -> Vec<[u32; N]> {
    let mut ago = [u32::MAX; N];
    marks
        .map(|hits| {
            ago.iter_mut()
                .filter(|ago| **ago != u32::MAX)
                .for_each(|ago| *ago += 1);
            let here = ago;
            for (ago, &hit) in ago.iter_mut().zip(hits) {
                if hit {
                    *ago = 0;
                }
            }
            here
        })
        .collect()
}

/// Words of a line that says when something was written.
const STAMP_WORDS: u32 = 14;

/// Whether a short block is a date or a time of day: the head of a comment, a post, an item of news.
pub(super) fn is_stamp(page: &Page, words: &Words, block: usize) -> bool {
    if words.digits == 0 || words.words > STAMP_WORDS {
        return false;
    }
    let date = CUES.iter().position(|(cue, _)| *cue == "date").unwrap_or(STOP);
    let digit = |b: &u8| b.is_ascii_digit();
    words.cues[date] > 0
        || page.block_text(block).as_bytes().windows(4).any(|w| {
            digit(&w[0]) && matches!(w[1], b':' | b'.' | b'/' | b'-') && digit(&w[2]) && digit(&w[3])
        })
}

/// For each block a bit for each of [`SECTION`] that the nearest heading above it has.
pub(super) fn sections(page: &Page, words: &[Words]) -> Vec<u8> {
    let kinds = SECTION.map(|name| CUES.iter().position(|(cue, _)| *cue == name).unwrap_or(STOP));
    let mut bits = 0u8;
    let of_block = |(block, w): (&Block, &Words)| {
        let here = bits;
        if tags::heading(page.nodes[block.node as usize].tag) > 0 {
            bits = 0;
            if w.words <= SECTION_WORDS {
                bits = kinds
                    .iter()
                    .enumerate()
                    .map(|(slot, &kind)| u8::from(w.cues[kind] > 0) << slot)
                    .sum();
            }
        }
        here
    };
    page.blocks.iter().zip(words).map(of_block).collect()
}

/// How many blocks in a row, before and after, share the block's container and tag.
pub(super) fn runs(page: &Page) -> Vec<(u32, u32)> {
    let key = |b: usize| {
        let node = page.blocks[b].node;
        (container(&page.nodes, node), page.nodes[node as usize].tag)
    };
    let count = page.blocks.len();
    let mut runs = vec![(0u32, 0u32); count];
    for at in 1..count {
        runs[at].0 = if key(at) == key(at - 1) {
            (runs[at - 1].0 + 1).min(50)
        } else {
            0
        };
    }
    for at in (1..count).rev() {
        runs[at - 1].1 = if key(at) == key(at - 1) {
            (runs[at].1 + 1).min(50)
        } else {
            0
        };
    }
    runs
}

/// Whether a short block names a sum of money.
pub(super) fn has_price(page: &Page, words: &Words, block: usize) -> bool {
    if words.digits == 0 || words.words > 12 {
        return false;
    }
    let text = page.block_text(block);
    text.bytes().any(|b| b == b'$')
        || ["€", "£", "¥", "₽", "руб", "грн"]
            .iter()
            .any(|sign| text.contains(sign))
}
