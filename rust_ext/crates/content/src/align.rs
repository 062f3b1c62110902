//! Labels for fitting: which words of a page are the words of its gold text.
//!
//! A chain of equal words, in order in both texts, is chosen to be worth most: a match gives 2, a new run
//! costs 4, gaps are free. So scattered stop words of a menu are not matched, while a page's paragraphs are,
//! whatever stands between them.

use std::collections::HashMap;

const MATCH: i32 = 2;
const RUN: i32 = 4;
/// Matches followed of one page; a page past it is aligned on its rarer words only.
const MAX_MATCHES: usize = 30_000_000;

/// Best chain that ends at each place of the gold text: a Fenwick tree of prefix maxima.
struct Best {
    tree: Vec<(i32, u32)>,
}

impl Best {
    fn raise(&mut self, place: usize, entry: (i32, u32)) {
        let mut at = place + 1;
        while at < self.tree.len() {
            // Of equal chains the older one stays: the result does not depend on anything but the texts.
            if self.tree[at].0 < entry.0 {
                self.tree[at] = entry;
            }
            at += at & at.wrapping_neg();
        }
    }

    fn before(&self, place: usize) -> (i32, u32) {
        let (mut at, mut best) = (place, (0, u32::MAX));
        while at > 0 {
            if self.tree[at].0 > best.0 {
                best = self.tree[at];
            }
            at -= at & at.wrapping_neg();
        }
        best
    }
}

/// For each word of `page` (as hashes), its place in `gold`, or `u32::MAX`.
pub fn align(page: &[u32], gold: &[u32]) -> Vec<u32> {
    let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
    for (at, &word) in gold.iter().enumerate() {
        places.entry(word).or_default().push(at as u32);
    }
    let matches: usize = page.iter().map(|word| places.get(word).map_or(0, Vec::len)).sum();
    if matches > MAX_MATCHES {
        let limit = (MAX_MATCHES / page.len().max(1)).max(1);
        places.retain(|_, at| at.len() <= limit);
    }
    let mut best = Best {
        tree: vec![(0, u32::MAX); gold.len() + 1],
    };
    // Every chain end: (page word, gold word, the end before it).
    let mut ends: Vec<(u32, u32, u32)> = Vec::new();
    let mut previous: HashMap<u32, (i32, u32)> = HashMap::new();
    let mut top = (0, u32::MAX);
    for (at, word) in page.iter().enumerate() {
        let mut current: HashMap<u32, (i32, u32)> = HashMap::new();
        let mut found: Vec<(u32, i32, u32)> = Vec::new();
        for &place in places.get(word).map_or(&[][..], Vec::as_slice) {
            let (worth, from) = best.before(place as usize);
            let mut choice = (worth + MATCH - RUN, from);
            let run = place
                .checked_sub(1)
                .and_then(|before| previous.get(&before))
                .copied();
            if let Some((run, end)) = run.filter(|(run, _)| run + MATCH >= choice.0) {
                choice = (run + MATCH, end);
            }
            found.push((place, choice.0, choice.1));
        }
        for (place, worth, from) in found {
            let end = ends.len() as u32;
            ends.push((at as u32, place, from));
            current.insert(place, (worth, end));
            if worth > 0 {
                best.raise(place as usize, (worth, end));
            }
            if worth > top.0 {
                top = (worth, end);
            }
        }
        previous = current;
    }
    let mut places = vec![u32::MAX; page.len()];
    let mut end = top.1;
    while end != u32::MAX {
        let (word, place, from) = ends[end as usize];
        places[word as usize] = place;
        end = from;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_matched_and_scattered_words_are_not() {
        let page = [7, 1, 9, 8, 1, 2, 3, 4, 9, 5, 6, 7, 8, 3];
        let gold = [1, 2, 3, 4, 5, 6, 7, 8];
        let x = u32::MAX;
        assert_eq!(align(&page, &gold), [x, x, x, x, 0, 1, 2, 3, x, 4, 5, 6, 7, x]);
    }

    #[test]
    fn nothing_in_common_gives_nothing() {
        assert_eq!(align(&[1, 2], &[3]), [u32::MAX; 2]);
        assert!(align(&[], &[3]).is_empty());
    }
}
