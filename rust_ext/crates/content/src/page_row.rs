//! The features of a page as a whole: what kind of page it is, and what every block of it should know.

use super::analysis::Analysis;
use super::meta::Meta;
use super::scale::{MISSING, log2p};
use super::semantics as sem;
use super::tags;
use super::tree::{NONE, Page};

/// Names of the values of [`page_row`], in order.
pub const NAMES: [&str; 48] = [
    "page.words",
    "page.blocks",
    "page.link_share",
    "page.long_share",
    "page.cyrillic",
    "page.best_share",
    "page.best_links",
    "page.words_per_block",
    "page.headings",
    "page.h1",
    "page.images",
    "page.inputs",
    "page.p_share",
    "page.li_share",
    "page.cell_share",
    "page.title_at",
    "page.body_share",
    "page.longest",
    "page.articles",
    "page.article_most",
    "page.posts",
    "page.comments",
    "page.comment_share",
    "page.products",
    "page.nav_share",
    "page.item_share",
    "page.times",
    "page.authors",
    "page.code_share",
    "page.stop",
    "page.digits",
    "page.prices",
    "page.depth",
    "page.og_type",
    "page.ld_article",
    "page.ld_product",
    "page.ld_list",
    "page.ld_forum",
    "page.ld_faq",
    "page.ld_local",
    "page.body_bits",
    "page.url_depth",
    "page.url_words",
    "page.url_digits",
    "page.has_date",
    "page.has_author",
    "page.questions",
    "page.text_share",
];

/// The page's values; `html_bytes` is the length of the input.
pub fn page_row(page: &Page, found: &Analysis, meta: &Meta, html_bytes: usize) -> Vec<f32> {
    let all = &found.sums[0];
    let share = |part: f32| if all.words > 0.0 { part / all.words } else { 0.0 };
    let by = Counts::of(page, found);
    let best = &found.sums[found.best.node as usize];
    let body = if found.body.node == NONE {
        MISSING
    } else {
        share(found.sums[found.body.node as usize].words)
    };
    let letters = all.letters.max(1.0);
    let cyrillic: u32 = found.words.iter().map(|w| w.cyrillic).sum();
    let title_at = if found.title.block == NONE {
        MISSING
    } else {
        found.title.block as f32 / all.blocks.max(1.0)
    };
    let (url_depth, url_words, url_digits) = url_shape(meta.url.as_deref());
    let kinds = |bit: u32| f32::from(u8::from(meta.ld_kinds & bit != 0));
    vec![
        log2p(all.words),
        log2p(all.blocks),
        all.link_bytes / all.bytes.max(1.0),
        share(all.long_words),
        cyrillic as f32 / letters,
        share(best.words),
        best.link_bytes / best.bytes.max(1.0),
        all.words / all.blocks.max(1.0),
        log2p(all.headings),
        by.h1,
        all.images / all.blocks.max(1.0),
        log2p(all.inputs),
        share(by.paragraphs),
        share(by.items),
        share(by.cells),
        title_at,
        body,
        if found.longest.block == NONE {
            0.0
        } else {
            log2p(found.words[found.longest.block as usize].words as f32)
        },
        log2p(by.articles),
        share(by.article_most),
        log2p(by.posts),
        log2p(by.comments),
        share(by.comment_words),
        log2p(by.products),
        share(by.nav_words),
        share(by.item_words),
        log2p(page.stated.times as f32),
        log2p(by.authors),
        share(by.code_words),
        share(all.stop),
        all.digits / (letters + all.digits),
        log2p(by.prices),
        by.depth / all.blocks.max(1.0),
        f32::from(meta.og_kind),
        kinds(1),
        kinds(2),
        kinds(4),
        kinds(8),
        kinds(16),
        kinds(32),
        body_bits(page.stated.body),
        url_depth,
        url_words,
        url_digits,
        f32::from(u8::from(meta.says_date)),
        f32::from(u8::from(meta.author.is_some())),
        by.questions / all.blocks.max(1.0),
        all.bytes / (html_bytes as f32).max(1.0),
    ]
}

#[derive(Default)]
struct Counts {
    h1: f32,
    paragraphs: f32,
    items: f32,
    cells: f32,
    code_words: f32,
    articles: f32,
    article_most: f32,
    posts: f32,
    comments: f32,
    comment_words: f32,
    products: f32,
    nav_words: f32,
    item_words: f32,
    authors: f32,
    prices: f32,
    questions: f32,
    depth: f32,
}

impl Counts {
    fn of(page: &Page, found: &Analysis) -> Self {
        let mut by = Counts::default();
        for (node, sums) in page.nodes.iter().zip(&found.sums) {
            let has = |bits: u64| f32::from(u8::from(node.sem & bits != 0));
            by.posts += has(sem::POST);
            by.comments += has(sem::COMMENT);
            by.products += has(sem::PRODUCT);
            by.authors += has(sem::AUTHOR);
            if node.tag == tags::ARTICLE {
                by.articles += 1.0;
                by.article_most = by.article_most.max(sums.words);
            }
        }
        for (block, w) in page.blocks.iter().zip(&found.words) {
            let near = &found.near[block.node as usize];
            let under = |bit: u64| near[bit.trailing_zeros() as usize] < super::analysis::FAR;
            let words = w.words as f32;
            let node = &page.nodes[block.node as usize];
            match node.tag {
                tags::P => by.paragraphs += words,
                tags::LI => by.items += words,
                tags::TD | tags::TH => by.cells += words,
                tags::H1 => by.h1 += 1.0,
                tags::PRE => by.code_words += words,
                _ => {}
            }
            by.comment_words += if under(sem::COMMENT) { words } else { 0.0 };
            by.nav_words += if under(sem::NAV) || under(sem::E_NAV) {
                words
            } else {
                0.0
            };
            by.item_words += if under(sem::ITEM) { words } else { 0.0 };
            by.prices += f32::from(u8::from(w.words < 12 && w.digits > 0 && w.cues[SHOP] > 0));
            by.questions += f32::from(u8::from(w.ends_sentence && w.words < 25 && w.cues[FORUM] > 0));
            by.depth += f32::from(node.depth);
        }
        by
    }
}

/// Indices of cue kinds (`words::CUES`); a test holds them.
const SHOP: usize = 14;
const FORUM: usize = 15;

/// One number for what the body's class says: product 3, article or post 1, list 2, none 0.
fn body_bits(bits: u64) -> f32 {
    if bits & sem::PRODUCT != 0 {
        3.0
    } else if bits & sem::ITEM != 0 {
        2.0
    } else if bits & (sem::ARTICLE | sem::POST) != 0 {
        1.0
    } else {
        0.0
    }
}

/// Segments of the path, words of the last one, digits of the last one; missing without a URL.
fn url_shape(url: Option<&str>) -> (f32, f32, f32) {
    let Some(url) = url else {
        return (MISSING, MISSING, MISSING);
    };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or("");
    let parts: Vec<&str> = path
        .split('/')
        .skip(1)
        .filter(|part| !part.is_empty())
        .take(20)
        .collect();
    let last = parts.last().copied().unwrap_or("");
    let words = last
        .split(['-', '_'])
        .filter(|word| !word.is_empty())
        .take(40)
        .count();
    let digits = last.bytes().filter(u8::is_ascii_digit).take(40).count();
    (parts.len() as f32, words as f32, digits as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::CUES;

    #[test]
    fn cue_numbers_name_the_right_kinds() {
        assert_eq!((CUES[SHOP].0, CUES[FORUM].0), ("shop", "forum"));
    }

    #[test]
    fn url_shapes() {
        assert_eq!(
            url_shape(Some("https://a.ru/2024/05/one-two-3.html?x=/y")),
            (3.0, 3.0, 1.0)
        );
        assert_eq!(url_shape(Some("https://a.ru")), (0.0, 0.0, 0.0));
    }
}
