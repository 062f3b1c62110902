//! What a block's row says of its surroundings, computed once a page.

use super::super::analysis::{Analysis, LONG_WORDS, Sums, container};
use super::super::tags;
use super::super::tree::{Block, Page};
use super::super::words::{CUES, STOP, Words};
use super::{OF_NODE, SECTION, SECTION_WORDS, log2p, share};

pub(super) fn node_values(s: &Sums, score: f32, found: &Analysis) -> [f32; OF_NODE] {
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
}

pub(super) fn cumulative(page: &Page, words: &[Words]) -> Vec<[f32; 5]> {
    let mut all = Vec::with_capacity(words.len() + 1);
    let mut sum = [0f32; 5];
    all.push(sum);
    for (block, w) in page.blocks.iter().zip(words) {
        sum[0] += w.words as f32;
        sum[1] += (block.end - block.start) as f32;
        sum[2] += block.link_bytes as f32;
        sum[3] += if w.words >= LONG_WORDS {
            w.words as f32
        } else {
            0.0
        };
        sum[4] += w.ends as f32;
        all.push(sum);
    }
    all
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
