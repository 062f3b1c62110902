//! Which blocks are the text, given each block's probability.

use super::analysis::{Analysis, FAR};
use super::semantics as sem;
use super::tree::{NONE, Page};

/// What the caller wants of the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Favor {
    Precision,
    #[default]
    Balance,
    Recall,
}

/// What becomes of readers' comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Comments {
    #[default]
    Drop,
    Keep,
    Only,
}

/// Least words of a block whose exact repetition is dropped: shorter lines repeat rightly.
const REPEATED_WORDS: u32 = 6;

/// The threshold of a page: the cut of the best expected F1, but at least `floor`.
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
    let (mut hit, mut taken, mut best, mut cut) = (0.0, 0.0, -1.0, 0.0);
    for &b in &order {
        hit += f64::from(chances[b]) * f64::from(words[b]);
        taken += f64::from(words[b]);
        let f1 = 2.0 * hit / (taken + expected);
        if f1 > best {
            (best, cut) = (f1, chances[b]);
        }
    }
    cut.max(floor)
}

/// The chosen blocks: those at or above the cut, or the best one where none is; repetitions go unless `repeats`
/// says that they may stay.
pub fn choose(found: &Analysis, chances: &[f32], cut: f32, repeats: bool) -> Vec<bool> {
    let mut chosen: Vec<bool> = chances.iter().map(|&p| p >= cut).collect();
    if !chosen.contains(&true) {
        let best = (0..chances.len()).max_by(|&a, &b| chances[a].total_cmp(&chances[b]).then(b.cmp(&a)));
        if let Some(best) = best {
            chosen[best] = true;
        }
    }
    if repeats {
        return chosen;
    }
    let mut seen: super::analysis::ByHash<()> = Default::default();
    for (taken, w) in chosen.iter_mut().zip(&found.words) {
        if *taken && w.words >= REPEATED_WORDS && seen.insert(w.hash, ()).is_some() {
            *taken = false;
        }
    }
    chosen
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
        // One sure long block and doubtful short ones: .3 is below half of the best F1.
        assert_eq!(cut(&[0.9, 0.3, 0.3], &[100, 10, 10], 0.0), 0.9);
        // All doubtful: taking all is best.
        assert_eq!(cut(&[0.3, 0.3, 0.29], &[10, 10, 10], 0.0), 0.29);
        assert_eq!(cut(&[0.3, 0.3, 0.29], &[10, 10, 10], 0.5), 0.5);
        assert_eq!(cut(&[], &[], 0.5), 0.5);
    }

    #[test]
    fn a_repetition_goes_unless_repetitions_may_stay() {
        let html =
            "<p>The call returns the old value.<p>Ignored.<p>The call returns the old value.<p>Ignored.";
        let ready = super::super::prepare(html, None);
        let choose = |repeats| choose(&ready.found, &[0.9, 0.9, 0.8, 0.8], 0.5, repeats);
        assert_eq!(choose(false), [true, true, false, true]);
        assert_eq!(choose(true), [true; 4]);
    }
}
