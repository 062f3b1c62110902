//! What a page is about, in words: whether a block speaks of what stands under the title, or of what is said
//! nowhere else on the page.

use super::analysis::Analysis;
use super::landmarks::Bloom;
use super::tree::{NONE, Page};
use super::words::is_topical;

/// Topical words that make up the lead: some two paragraphs.
const LEAD_WORDS: u32 = 60;
/// Blocks after the title among which the lead is looked for.
const LEAD_REACH: usize = 60;
/// A block of fewer words is no part of the lead.
const LEAD_BLOCK: u32 = 8;
/// Slots of the table of words, at most: past it words share slots.
const MOST_SLOTS: usize = 1 << 16;

/// Of each block's topical words: how many stand in the lead, and how many in another block.
pub struct Topic {
    pub lead: Vec<u32>,
    pub shared: Vec<u32>,
}

impl Topic {
    /// Counts the topical words of a page.
    pub fn of(page: &Page, found: &Analysis) -> Self {
        let lead = lead(page, found);
        let topical = |block: usize| {
            let w = &found.words[block];
            found.hashes[w.first as usize..w.last as usize]
                .iter()
                .copied()
                .filter(|&key| is_topical(key))
        };
        let slots = (4 * found.hashes.len())
            .next_power_of_two()
            .clamp(1024, MOST_SLOTS);
        let slot = |key: u32| (key.wrapping_mul(0x9E37_79B1) >> 16) as usize & (slots - 1);
        // The block that said the word first, or [`SEVERAL`].
        const SEVERAL: u32 = u32::MAX - 1;
        let mut sayer = vec![NONE; slots];
        for block in 0..found.words.len() {
            for key in topical(block) {
                let said = &mut sayer[slot(key)];
                *said = match *said {
                    NONE => block as u32,
                    before if before == block as u32 => before,
                    _ => SEVERAL,
                };
            }
        }
        let (mut in_lead, mut shared) = (Vec::new(), Vec::new());
        for block in 0..found.words.len() {
            let (mut lead_hits, mut hits) = (0, 0);
            for key in topical(block) {
                lead_hits += u32::from(lead.has(key));
                hits += u32::from(sayer[slot(key)] == SEVERAL);
            }
            in_lead.push(lead_hits);
            shared.push(hits);
        }
        Topic {
            lead: in_lead,
            shared,
        }
    }
}

/// The topical words of the running text under the title, or under the first heading, or from the top.
fn lead(page: &Page, found: &Analysis) -> Bloom {
    let mut bloom = Bloom::default();
    let from = [found.title.block, found.h1.block]
        .into_iter()
        .find(|&block| block != NONE)
        .map_or(0, |block| block as usize);
    let mut read = 0;
    for (at, w) in found.words.iter().enumerate().skip(from).take(LEAD_REACH) {
        let block = &page.blocks[at];
        let is_title = at == from && found.title.block == from as u32;
        if !is_title && (w.words < LEAD_BLOCK || block.link_bytes * 3 > block.end - block.start) {
            continue;
        }
        for &key in &found.hashes[w.first as usize..w.last as usize] {
            if is_topical(key) {
                bloom.add(key);
                read += 1;
            }
        }
        if read >= LEAD_WORDS {
            break;
        }
    }
    bloom
}

#[cfg(test)]
mod tests {
    use crate::prepare;

    use super::*;

    #[test]
    fn words_of_the_lead_and_words_said_twice_are_distinguished() {
        let html = "<title>Букварь напечатали заново</title><h1>Букварь напечатали заново</h1>\
             <p>Типография выпустила старинный букварь тиражом тысяча экземпляров, сообщили читателям вчера.</p>\
             <p>Читателям букварь понравился.</p><p>Завтра пасмурный вторник.</p>";
        let ready = prepare(html, None);
        let topic = Topic::of(&ready.page, &ready.found);
        assert_eq!(topic.lead[2..], [2, 0]);
        assert_eq!(topic.shared[2..], [2, 0]);
    }
}
