//! The features of a page and of each of its blocks: what the trees see.
//!
//! A row is the block's own part followed by the page's part, which every block of a page repeats. Names
//! come from the same code that writes the values, so they cannot drift apart.

use super::analysis::{Analysis, container};
use super::forest::{Columns, KEYS, LANES, WIDTH, key};
use super::scale::{MISSING, log2p, share};
use super::semantics::{COUNT as SEM, NAMES};
use super::tags;
use super::topic::Topic;
use super::tree::Page;
use super::words::{CUES, STOP, Words};
use context::{
    CUMULATIVE, NODE_NAMES, OF_NODE, SECTION, SEEN, cumulative, distances, has_price, is_stamp, node_keys,
    runs, sections, seen_keys, sum,
};

mod around;
mod context;

/// Containers looked at: the block's own node and five wider ones.
const LEVELS: usize = 6;
/// Receives the values of one row, and their names when asked for.
pub struct Sink<'a> {
    columns: &'a mut Columns,
    lane: usize,
    /// Values so far.
    pub at: usize,
    pub names: Option<&'a mut Vec<String>>,
}

impl<'a> Sink<'a> {
    /// For the row that is lane `lane` of a group.
    pub fn new(columns: &'a mut Columns, lane: usize) -> Self {
        Sink {
            columns,
            lane,
            at: 0,
            names: None,
        }
    }

    #[inline]
    fn put(&mut self, name: &str, value: f32) {
        self.write(value);
        if let Some(names) = &mut self.names {
            names.push(name.to_owned());
        }
    }

    #[inline]
    fn put_at(&mut self, name: &str, at: impl std::fmt::Display, value: f32) {
        self.write(value);
        if let Some(names) = &mut self.names {
            names.push(format!("{name}.{at}"));
        }
    }

    #[inline]
    fn put_key(&mut self, name: &str, at: impl std::fmt::Display, key: i16) {
        self.write_key(key);
        if let Some(names) = &mut self.names {
            names.push(format!("{name}.{at}"));
        }
    }

    #[inline]
    fn write(&mut self, value: f32) {
        self.write_key(key(value));
    }

    #[inline]
    fn write_key(&mut self, key: i16) {
        self.columns[self.at % WIDTH][self.lane % LANES] = key; // a test holds that rows fit
        self.at += 1;
    }
}

/// What rows need besides the analysis: running sums by block and the values of each node.
pub struct Rows<'a> {
    page: &'a Page<'a>,
    found: &'a Analysis,
    of_node: Vec<[i16; OF_NODE]>,
    seen: Vec<[i16; SEEN.len()]>,
    cumulative: Vec<[f32; CUMULATIVE]>,
    topic: Topic,
    since: Vec<[u32; SINCE.len()]>,
    until: Vec<[u32; SINCE.len()]>,
    run: Vec<(u32, u32)>,
    prices: Vec<bool>,
    /// The container of each block.
    home: Vec<u32>,
    section: Vec<u8>,
}

/// Cue kinds and levels after which the distance in blocks is a feature.
const SINCE: [&str; 7] = [
    "comment",
    "related",
    "tags",
    "share",
    "heading",
    "subscribe",
    "stamp",
];
const COMMENT: usize = 0;
const HEADING: usize = 4;
const STAMP: usize = 6;
/// Of these the distance to the next one is a feature too.
const UNTIL: [usize; 3] = [COMMENT, HEADING, STAMP];
/// A cue counts as a line of its own in a block of at most this many words.
const CUE_LINE: u32 = 6;

/// Which of [`SINCE`] each block is.
fn since_kinds(page: &Page, found: &Analysis, stamps: &[bool]) -> Vec<[bool; SINCE.len()]> {
    let kinds = SINCE.map(|name| CUES.iter().position(|(cue, _)| *cue == name));
    let of_block = |(at, w): (usize, &Words)| {
        let mut hits = kinds.map(|kind| kind.is_some_and(|kind| w.words <= CUE_LINE && w.cues[kind] > 0));
        hits[HEADING] = tags::heading(page.nodes[page.blocks[at].node as usize].tag) > 0;
        hits[STAMP] = stamps[at];
        hits
    };
    found.words.iter().enumerate().map(of_block).collect()
}

fn distance(blocks: u32) -> f32 {
    if blocks == u32::MAX {
        MISSING
    } else {
        log2p(blocks as f32)
    }
}

impl<'a> Rows<'a> {
    /// Rows of a page's blocks.
    pub fn new(page: &'a Page<'a>, found: &'a Analysis) -> Self {
        let of_node = found
            .sums
            .iter()
            .zip(&found.scores)
            .map(|(s, &score)| node_keys(s, score, found))
            .collect();
        let topic = Topic::of(page, found);
        let stamps: Vec<bool> = (0..page.blocks.len())
            .map(|b| is_stamp(page, &found.words[b], b))
            .collect();
        let marks = since_kinds(page, found, &stamps);
        let mut rows = Rows {
            page,
            found,
            of_node,
            seen: seen_keys(page, &found.words),
            home: page
                .blocks
                .iter()
                .map(|b| container(&page.nodes, b.node))
                .collect(),
            cumulative: cumulative(page, &found.words, &topic, &stamps),
            topic,
            since: distances(marks.iter()),
            until: distances(marks.iter().rev()),
            run: runs(page),
            prices: Vec::new(),
            section: sections(page, &found.words),
        };
        rows.until.reverse();
        rows.prices = (0..page.blocks.len())
            .map(|b| has_price(page, &found.words[b], b))
            .collect();
        rows
    }

    /// Appends the own part of block `at`.
    pub fn block(&self, at: usize, sink: &mut Sink) {
        self.own_text(at, sink);
        self.element(at, sink);
        self.containers(at, sink);
        self.semantics(at, sink);
        self.position(at, sink);
        self.landmarks(at, sink);
        self.likeness(at, sink);
        self.neighbours(at, sink);
        self.cues(at, sink);
    }

    fn own_text(&self, at: usize, sink: &mut Sink) {
        let (w, block) = (&self.found.words[at], &self.page.blocks[at]);
        let bytes = (block.end - block.start) as f32;
        let (words, chars) = (w.words as f32, w.chars as f32);
        sink.put("words", words);
        sink.put("chars", chars);
        sink.put("word_length", share(w.letters as f32, words));
        sink.put("link_share", share(block.link_bytes as f32, bytes));
        sink.put("links", f32::from(block.links));
        sink.put("digits", share(w.digits as f32, chars));
        sink.put("upper", share(w.upper as f32, w.letters as f32));
        sink.put("capitals", share(w.capitals as f32, words));
        sink.put("numbers", share(w.numbers as f32, words));
        sink.put("commas", w.commas as f32);
        sink.put("ends", w.ends as f32);
        sink.put("marks_share", share((w.commas + w.ends) as f32, words));
        sink.put("other_marks", share(w.other as f32, chars));
        sink.put("stop", share(f32::from(w.cues[STOP]), words));
        sink.put("long_words", share(w.long_words as f32, words));
        sink.put("cyrillic", share(w.cyrillic as f32, w.letters as f32));
        sink.put("bold", share(block.bold_bytes as f32, bytes));
        sink.put("starts_upper", f32::from(u8::from(w.starts_upper)));
        sink.put("starts_digit", f32::from(u8::from(w.starts_digit)));
        sink.put("ends_sentence", f32::from(u8::from(w.ends_sentence)));
        sink.put("ends_colon", f32::from(u8::from(w.ends_colon)));
        sink.put("images", f32::from(block.images));
        sink.put("price", f32::from(u8::from(self.prices[at])));
        let (copies, again) = self.found.copies[at];
        sink.put("copies", f32::from(copies));
        sink.put("again", f32::from(u8::from(again)));
    }

    fn element(&self, at: usize, sink: &mut Sink) {
        let (block, nodes) = (&self.page.blocks[at], &self.page.nodes);
        let node = &nodes[block.node as usize];
        let parent = &nodes[node.parent as usize];
        sink.put("tag", f32::from(node.tag));
        sink.put("tag.parent", f32::from(parent.tag));
        sink.put("tag.grandparent", f32::from(nodes[parent.parent as usize].tag));
        sink.put("heading", f32::from(tags::heading(node.tag)));
        sink.put("after_break", f32::from(u8::from(block.after_break)));
        let next_breaks = self.page.blocks.get(at + 1).is_some_and(|b| b.after_break);
        sink.put("before_break", f32::from(u8::from(next_breaks)));
        sink.put("depth", f32::from(node.depth));
        let (before, after) = self.run[at];
        sink.put("run.before", before as f32);
        sink.put("run.after", after as f32);
    }

    fn containers(&self, at: usize, sink: &mut Sink) {
        let mut node = self.page.blocks[at].node;
        for level in 0..LEVELS {
            let values = &self.of_node[node as usize];
            if sink.names.is_some() {
                NODE_NAMES
                    .iter()
                    .zip(values)
                    .for_each(|(name, &key)| sink.put_key(name, level, key));
            } else {
                values.iter().for_each(|&key| sink.write_key(key));
            }
            let n = &self.page.nodes[node as usize];
            sink.put_at(
                "place",
                level,
                share((at as u32 - n.first) as f32, (n.last - n.first) as f32),
            );
            node = self.found.wider[node as usize];
        }
    }

    fn semantics(&self, at: usize, sink: &mut Sink) {
        let block = &self.page.blocks[at];
        let near = &self.found.near[block.node as usize];
        for bit in 0..SEM {
            let inline = block.inline >> bit & 1 == 1;
            let distance = if inline {
                key(-1.0)
            } else {
                KEYS[usize::from(near[bit])]
            };
            if sink.names.is_some() {
                sink.put_key("near", NAMES[bit], distance);
            } else {
                sink.write_key(distance);
            }
        }
        let (bad, good) = (near[SEM], near[SEM + 1]);
        sink.put("near.bad", f32::from(bad));
        sink.put("near.good", f32::from(good));
        sink.put("near.good_minus_bad", f32::from(good) - f32::from(bad));
    }

    fn position(&self, at: usize, sink: &mut Sink) {
        let blocks = self.page.blocks.len() as f32;
        let total = self.cumulative[self.page.blocks.len()];
        let before = self.cumulative[at];
        sink.put("position", share(at as f32, blocks));
        sink.put("position.words", share(before[sum::WORDS], total[sum::WORDS]));
        sink.put(
            "position.long",
            share(before[sum::LONG_WORDS], total[sum::LONG_WORDS]),
        );
        sink.put("index", log2p(at as f32));
        sink.put("index.end", log2p(blocks - at as f32));
        let section = self.section[at];
        for (slot, name) in SECTION.iter().enumerate() {
            sink.put_at("section", name, f32::from(section >> slot & 1));
        }
        for (slot, name) in SINCE.iter().enumerate() {
            sink.put_at("since", name, distance(self.since[at][slot]));
        }
        for slot in UNTIL {
            sink.put_at("until", SINCE[slot], distance(self.until[at][slot]));
        }
        let (from, to) = (at.saturating_sub(10), (at + 11).min(self.page.blocks.len()));
        sink.put(
            "stamps.around10",
            self.cumulative[to][sum::STAMPS] - self.cumulative[from][sum::STAMPS],
        );
        sink.put("stamps.page", log2p(total[sum::STAMPS]));
    }

    fn cues(&self, at: usize, sink: &mut Sink) {
        let w = &self.found.words[at];
        for (kind, (name, _)) in CUES.iter().enumerate().take(STOP) {
            sink.put_at("cue", name, share(f32::from(w.cues[kind]), w.words as f32));
        }
        let topical = w.topical as f32;
        sink.put("topic.words", topical);
        sink.put("topic.lead", share(self.topic.lead[at] as f32, topical));
        sink.put("topic.shared", share(self.topic.shared[at] as f32, topical));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_monotone_and_exact_at_powers() {
        assert_eq!(
            (log2p(0.0), log2p(1.0), log2p(3.0), log2p(1023.0)),
            (0.0, 1.0, 2.0, 10.0)
        );
        assert!((0..5000).all(|x| log2p(x as f32) < log2p(x as f32 + 1.0)));
    }
}
