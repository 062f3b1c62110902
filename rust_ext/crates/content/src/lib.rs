//! Main text of a page, by one learned classifier of its blocks.
//!
//! `tree` parses in one pass; `analysis` sums up; `rows` and `page_row` write each block's features; `model`
//! scores them; `select` chooses; `render` prints. `docs/measured/content.md` has the measurements.

pub mod align;
pub mod analysis;
pub mod dates;
pub mod embedded;
pub mod entities;
pub mod forest;
pub mod formula;
pub mod json;
mod kinds;
pub mod landmarks;
pub mod linked;
pub mod meta;
pub mod model;
pub mod page_row;
pub mod render;
pub mod rows;
pub mod scale;
pub mod scan;
pub mod select;
pub mod semantics;
pub mod strength;
pub mod sums;
pub mod tables;
pub mod tags;
pub mod topic;
pub mod tree;
pub mod words;

use std::sync::LazyLock;

use analysis::{Analysis, analyse};
use bukvar_trees::probability;
use forest::{Columns, LANES, Slots, WIDTH, key, value};
pub use kinds::KINDS;
use meta::Meta;
use model::Model;
use rows::{Rows, Sink};
pub use select::{Comments, Favor};
use tables::Tables;
use tree::Page;

/// What [`extract`] was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    pub url: Option<&'a str>,
    pub favor: Favor,
    pub comments: Comments,
}

/// The main text of a page and what the page states.
#[derive(Debug, Default)]
pub struct Content {
    pub text: String,
    pub meta: Meta,
    /// Index into [`KINDS`].
    pub kind: usize,
    /// Expected F1 of the text, 0 to 1: the model's own estimate from the blocks' probabilities.
    pub confidence: f32,
    /// Whether the text comes from data embedded in the page.
    pub embedded: bool,
}

/// A page with everything that its rows are made from.
pub struct Prepared<'a> {
    pub page: Page<'a>,
    pub meta: Meta,
    pub found: Analysis,
    pub page_row: Vec<f32>,
}

/// Parses and analyses a page.
pub fn prepare<'a>(html: &'a str, url: Option<&str>) -> Prepared<'a> {
    let page = tree::parse(html);
    let mut meta = meta::read(&page.stated, url);
    let found = analyse(&page, meta.title.as_deref().unwrap_or(""), &meta.description);
    let page_row = page_row::page_row(&page, &found, &meta, html.len());
    if meta.date.is_none() {
        meta.date = dates::find(&page, &found);
    }
    Prepared {
        page,
        meta,
        found,
        page_row,
    }
}

/// Whether a page's tree and text are within what its length allows: what fuzzing asserts of memory.
pub fn is_bounded(ready: &Prepared, html_bytes: usize) -> bool {
    let page = &ready.page;
    page.text.len() <= 2 * html_bytes
        && page.nodes.len() <= html_bytes / 3 + 2
        && page.blocks.len() <= html_bytes + 1
}

/// Names of the features of a block's row, the page's part last.
pub fn feature_names() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let ready = prepare("<p>a</p>", None);
        let (mut names, mut columns) = (Vec::new(), columns());
        let mut sink = Sink::new(&mut columns, 0);
        sink.names = Some(&mut names);
        Rows::new(&ready.page, &ready.found).block(0, &mut sink);
        names.extend(page_row::NAMES.iter().map(|name| (*name).to_owned()));
        names
    });
    &NAMES
}

/// Reads a model fitted to this build's features.
pub fn read_model(bytes: &[u8]) -> Result<Model, String> {
    Model::read(bytes, feature_names(), page_row::NAMES.len())
}

/// All rows of a page, block after block, as the trees know them (`forest::value`).
pub fn rows(ready: &Prepared) -> Vec<f32> {
    let rows = Rows::new(&ready.page, &ready.found);
    let mut values = Vec::with_capacity(ready.page.blocks.len() * feature_names().len());
    let mut columns = columns();
    for block in 0..ready.page.blocks.len() {
        let mut sink = Sink::new(&mut columns, 0);
        rows.block(block, &mut sink);
        let own = sink.at;
        values.extend(columns[..own].iter().map(|column| value(column[0])));
        values.extend(ready.page_row.iter().map(|&v| value(key(v))));
    }
    values
}

fn columns() -> Box<Columns> {
    Box::new([[0; LANES]; WIDTH])
}

/// What the model says of a page.
pub struct Verdict {
    /// Probability of each block.
    pub chances: Vec<f32>,
    /// Probability of each of [`KINDS`].
    pub kinds: [f32; KINDS.len()],
}

/// Scores a page's blocks, a few at a time, so that memory does not grow with the page.
pub fn judge(ready: &Prepared, model: &Model) -> Verdict {
    let kinds = page_kinds(ready, model);
    let mut chances = Vec::with_capacity(ready.page.blocks.len());
    let (Some(blocks), count) = (model.of_blocks("block"), ready.page.blocks.len()) else {
        return Verdict { chances, kinds };
    };
    // The article expert speaks in proportion to how sure it is that the page is of its kind.
    let weight = kinds[0] + kinds[6];
    let expert = model
        .of_blocks("expert")
        .filter(|_| weight > model.parameter("expert.least", 0.1));
    let writer = Rows::new(&ready.page, &ready.found);
    let (mut columns, mut slots) = (columns(), Slots::default());
    let own = feature_names().len() - ready.page_row.len();
    for (column, &value) in columns[own..].iter_mut().zip(&ready.page_row) {
        *column = [key(value); LANES];
    }
    for first in (0..count).step_by(LANES) {
        let here = LANES.min(count - first);
        for lane in 0..here {
            writer.block(first + lane, &mut Sink::new(&mut columns, lane));
        }
        let margins = blocks.score(&columns, &mut slots);
        let second = expert.map(|expert| expert.score(&columns, &mut slots));
        for lane in 0..here {
            let chance = probability(margins[lane]);
            chances.push(second.map_or(chance, |s| chance + weight * (probability(s[lane]) - chance)));
        }
    }
    Verdict { chances, kinds }
}

fn page_kinds(ready: &Prepared, model: &Model) -> [f32; KINDS.len()] {
    let mut kinds = [0f32; KINDS.len()];
    for (kind, name) in kinds.iter_mut().zip(KINDS) {
        let margin = model
            .of_page(&format!("kind.{name}"))
            .map_or(0.0, |ensemble| ensemble.score(&ready.page_row));
        *kind = f64::from(margin).exp() as f32;
    }
    let sum: f32 = kinds.iter().sum();
    kinds.map(|kind| if sum > 0.0 { kind / sum } else { 0.0 })
}

/// Extracts the main text of a page.
pub fn extract(html: &str, options: &Options, model: &Model) -> Content {
    let ready = prepare(html, options.url);
    let verdict = judge(&ready, model);
    let kind = (0..KINDS.len())
        .rev()
        .max_by(|&a, &b| verdict.kinds[a].total_cmp(&verdict.kinds[b]))
        .unwrap_or(0);
    let tables = Tables::of(&ready.page);
    let chosen = completed(&ready, &verdict, &tables, options, model);
    let mut text = render::render(&ready.page, &tables, &chosen);
    let words: u32 = ready
        .found
        .words
        .iter()
        .zip(&chosen)
        .map(|(w, &taken)| if taken { w.words } else { 0 })
        .sum();
    let short = (words as f32) < model.parameter("embedded.below", 100.0);
    let data = (short && options.comments != Comments::Only)
        .then(|| embedded::text(&ready.page.stated, &ready.meta))
        .flatten()
        .filter(|other| other.split_whitespace().count() > 3 * words as usize);
    let embedded = data.is_some();
    if let Some(other) = data {
        text = other;
    }
    let confidence = expected_f1(&ready, &verdict.chances, &chosen);
    Content {
        text,
        meta: ready.meta,
        kind,
        confidence,
        embedded,
    }
}

/// A block of a page and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub text: String,
    /// Probability of being main text.
    pub chance: f32,
    /// Whether it is part of the text that [`extract`] gives, unless that is the page's embedded data.
    pub chosen: bool,
}

/// All blocks of a page in their order, with what [`extract`] decides on each.
pub fn decide(html: &str, options: &Options, model: &Model) -> Vec<Decision> {
    let ready = prepare(html, options.url);
    let verdict = judge(&ready, model);
    let chosen = completed(&ready, &verdict, &Tables::of(&ready.page), options, model);
    (verdict.chances.iter().zip(chosen).enumerate())
        .map(|(block, (&chance, chosen))| Decision {
            text: ready.page.block_text(block).to_owned(),
            chance,
            chosen,
        })
        .collect()
}

/// The blocks chosen, and the rest of the tables that they stand in.
fn completed(
    ready: &Prepared,
    verdict: &Verdict,
    tables: &Tables,
    options: &Options,
    model: &Model,
) -> Vec<bool> {
    let mut chosen = selection(ready, verdict, options, model);
    if options.comments == Comments::Drop {
        let words: Vec<u32> = ready.found.words.iter().map(|w| w.words).collect();
        tables::complete(&ready.page, tables, &words, &mut chosen);
    }
    chosen
}

/// Which blocks are chosen, by the options.
pub fn selection(ready: &Prepared, verdict: &Verdict, options: &Options, model: &Model) -> Vec<bool> {
    let words: Vec<u32> = ready.found.words.iter().map(|w| w.words).collect();
    // Articles have sharp edges: the surer the page is one, the surer its blocks must be.
    let floor = model.parameter("article.floor", 0.7) * verdict.kinds[0] * verdict.kinds[0];
    let cut = select::cut(&verdict.chances, &words, floor) * model.cut_of_kinds(&verdict.kinds);
    let cut = match options.favor {
        Favor::Precision => cut.max(0.5) + 0.5 * (1.0 - cut.max(0.5)) * 0.6,
        Favor::Balance => cut,
        Favor::Recall => cut * 0.4,
    };
    let mut chosen = select::choose(&verdict.chances, cut);
    if options.favor != Favor::Precision {
        select::fill_gaps(&ready.page, &verdict.chances, cut, &mut chosen);
    }
    // Documentation says some lines once for each function or step, and rightly so.
    if verdict.kinds[6] < model.parameter("repeat.documentation", 2.0) {
        select::drop_copies(&ready.page, &ready.found, &mut chosen);
    }
    if options.comments == Comments::Drop {
        return chosen;
    }
    let forum = verdict.kinds[1] > 0.5;
    let comments = select::comment_blocks(&ready.page, &ready.found);
    let blocks = &ready.page.blocks;
    let readable = |b: usize| words[b] > 1 && blocks[b].link_bytes * 2 < blocks[b].end - blocks[b].start;
    (0..blocks.len())
        .map(|b| match options.comments {
            Comments::Only => comments[b] && readable(b) || forum && chosen[b],
            _ => chosen[b] || comments[b] && readable(b),
        })
        .collect()
}

fn expected_f1(ready: &Prepared, chances: &[f32], chosen: &[bool]) -> f32 {
    let (mut hit, mut taken, mut all) = (0.0, 0.0, 0.0);
    for ((w, &p), &taken_here) in ready.found.words.iter().zip(chances).zip(chosen) {
        let words = w.words as f32;
        all += p * words;
        if taken_here {
            taken += words;
            hit += p * words;
        }
    }
    if taken + all > 0.0 {
        2.0 * hit / (taken + all)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_names_agree_and_fit() {
        let ready = prepare(
            "<h1>Title</h1><p>One, two.</p><ul><li><a href=x>three</a></ul>",
            Some("https://a.ru/b"),
        );
        assert_eq!(
            rows(&ready).len(),
            ready.page.blocks.len() * feature_names().len()
        );
        assert_eq!(ready.page_row.len(), page_row::NAMES.len());
        assert!(feature_names().len() <= WIDTH);
    }
}
