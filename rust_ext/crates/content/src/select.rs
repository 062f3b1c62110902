//! Which blocks are the text, given each block's probability.

use super::analysis::{Analysis, FAR, Lookup, Said, container};
use super::semantics as sem;
use super::tree::{NONE, Node, Page};

/// What the caller wants of the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Favor {
    /// Less that is not the text, at the price of some that is.
    Precision,
    /// The best F1.
    #[default]
    Balance,
    /// More of the text, at the price of some that is not.
    Recall,
}

/// What becomes of readers' comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Comments {
    /// They go.
    #[default]
    Drop,
    /// They stay with the text.
    Keep,
    /// They are the text.
    Only,
}

/// Least words of a block whose exact repetition is dropped: shorter lines repeat rightly.
const REPEATED_WORDS: u32 = 6;
/// A block between chosen blocks of its container is chosen from this share of the cut on (docs/measured/content.md).
const GAP_CUT: f32 = 0.4;
/// Blocks of the container, before and after, among which the chosen ones must be.
const GAP_REACH: usize = 50;

/// The threshold of a page, half of its best expected F1, but at least `floor`.
///
/// With blocks in order of falling probability p (n words each), the expected F1 of a prefix S is about
/// 2 sum_S(p n) / (sum_S(n) + sum_all(p n)); the prefix where it is greatest ends where p falls below half of it.
pub fn cut(chances: &[f32], words: &[u32], floor: f32) -> f32 {
    let mut order: Vec<usize> = (0..chances.len()).filter(|&b| words[b] > 0).collect();
    order.sort_by(|&a, &b| chances[b].total_cmp(&chances[a]).then(a.cmp(&b)));
    let expected: f64 = order
        .iter()
        .map(|&b| f64::from(chances[b]) * f64::from(words[b]))
        .sum();
    let (mut hit, mut taken, mut best) = (0.0, 0.0, 0.0f64);
    for &b in &order {
        hit += f64::from(chances[b]) * f64::from(words[b]);
        taken += f64::from(words[b]);
        best = best.max(2.0 * hit / (taken + expected));
    }
    ((best / 2.0) as f32).max(floor)
}

/// The blocks at or above the cut, or the best one where none is.
pub fn choose(chances: &[f32], cut: f32) -> Vec<bool> {
    let mut chosen: Vec<bool> = chances.iter().map(|&p| p >= cut).collect();
    if !chosen.contains(&true) {
        let best = (0..chances.len()).max_by(|&a, &b| chances[a].total_cmp(&chances[b]).then(b.cmp(&a)));
        if let Some(best) = best {
            chosen[best] = true;
        }
    }
    chosen
}

/// Chooses blocks a little below the cut that stand between chosen blocks of the same container: where many
/// blocks are alike and as probable as the cut (the lines of a play), none should be missing here and there.
pub fn fill_gaps(page: &Page, chances: &[f32], cut: f32, chosen: &mut [bool]) {
    let mut by_home: Vec<(u32, usize)> = (page.blocks.iter().enumerate())
        .map(|(at, block)| (container(&page.nodes, block.node), at))
        .collect();
    by_home.sort_unstable();
    for run in by_home.chunk_by(|a, b| a.0 == b.0) {
        let taken: Vec<bool> = run.iter().map(|&(_, b)| chosen[b]).collect();
        for (at, &(_, block)) in run.iter().enumerate() {
            let before = &taken[at.saturating_sub(GAP_REACH)..at];
            let after = &taken[at + 1..(at + 1 + GAP_REACH).min(taken.len())];
            if chances[block] >= GAP_CUT * cut && before.contains(&true) && after.contains(&true) {
                chosen[block] = true;
            }
        }
    }
}

/// Drops chosen blocks that say what a chosen block before them says in another place of the page: the copy for
/// phones, the teaser above the article. Where the path of tags and classes is the same, the page repeats itself
/// as part of its text: a refrain, the notes to each item.
pub fn drop_copies(page: &Page, found: &Analysis, chosen: &mut [bool]) {
    let mut seen: Lookup<Said, u32> = Lookup::default();
    for (at, w) in found.words.iter().enumerate() {
        if chosen[at] && w.words >= REPEATED_WORDS {
            let node = page.blocks[at].node;
            let first = *seen.entry(Said::of(page, &found.words, at)).or_insert(node);
            chosen[at] = same_path(&page.nodes, first, node);
        }
    }
}

/// Whether two nodes have the same tags and classes from the root down.
fn same_path(nodes: &[Node], mut one: u32, mut other: u32) -> bool {
    while one != other {
        let (a, b) = (&nodes[one as usize], &nodes[other as usize]);
        if a.sig != b.sig || a.depth != b.depth {
            return false;
        }
        (one, other) = (a.parent, b.parent);
    }
    true
}

/// Which blocks lie in a section of readers' comments: under a node named so that holds neither the page's
/// title nor most of its words.
pub fn comment_blocks(page: &Page, found: &Analysis) -> Vec<bool> {
    let bit = sem::COMMENT.trailing_zeros() as usize;
    let holds_title = |node: usize| {
        let n = &page.nodes[node];
        [found.title.block, found.h1.block]
            .iter()
            .any(|&b| b != NONE && (n.first..n.last).contains(&b))
    };
    let section: Vec<bool> = (0..page.nodes.len())
        .map(|at| at > 0 && page.nodes[at].sem & sem::COMMENT != 0 && !holds_title(at))
        .collect();
    page.blocks
        .iter()
        .map(|block| {
            let mut node = block.node as usize;
            if found.near[node][bit] == FAR {
                return false;
            }
            while node != 0 {
                if section[node] {
                    return true;
                }
                node = page.nodes[node].parent as usize;
            }
            false
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_maximises_expected_f1() {
        // One sure long block and doubtful short ones: the best F1 is 2 * 90 / (100 + 96), and .3 is below half of it.
        assert_eq!(cut(&[0.9, 0.3, 0.3], &[100, 10, 10], 0.0), (90.0 / 196.0) as f32);
        // All doubtful: taking all is best.
        assert!(cut(&[0.3, 0.3, 0.29], &[10, 10, 10], 0.0) < 0.29);
        assert_eq!(cut(&[0.3, 0.3, 0.29], &[10, 10, 10], 0.5), 0.5);
        assert_eq!(cut(&[], &[], 0.5), 0.5);
    }

    fn copies_dropped(html: &str) -> Vec<bool> {
        let ready = super::super::prepare(html, None);
        let mut chosen = vec![true; ready.page.blocks.len()];
        drop_copies(&ready.page, &ready.found, &mut chosen);
        chosen
    }

    #[test]
    fn a_copy_in_another_place_goes() {
        let line = "One two three four five six.";
        let twice = format!("<div class=a><p>{line}<p>Short.</div><div class=b><p>{line}<p>Short.</div>");
        assert_eq!(copies_dropped(&twice), [true, true, false, true]);
        let song = format!("<p>First verse.<p>{line}<p>Second verse.<p>{line}");
        assert_eq!(copies_dropped(&song), [true; 4]);
        let items = format!("<ul><li><b>A</b><p>{line}<li><b>B</b><p>{line}</ul>");
        assert_eq!(copies_dropped(&items), [true; 4]);
    }

    #[test]
    fn gaps_are_filled_within_a_container_only() {
        let ready = super::super::prepare("<div><p>a<p>b<p>c<p>d</div><p>e", None);
        let filled = |chances: [f32; 5]| {
            let mut chosen = choose(&chances, 0.5);
            fill_gaps(&ready.page, &chances, 0.5, &mut chosen);
            chosen
        };
        assert_eq!(
            filled([0.6, 0.4, 0.1, 0.6, 0.4]),
            [true, true, false, true, false]
        );
        assert_eq!(
            filled([0.4, 0.6, 0.4, 0.4, 0.6]),
            [false, true, false, false, true]
        );
    }
}
