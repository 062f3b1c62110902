//! A block among others: landmarks, blocks alike, neighbours, windows.

use super::super::analysis::Alike;
use super::super::forest::key;
use super::super::landmarks::Landmark;
use super::super::tree::NONE;
use super::context::{SEEN, sum};
use super::{Rows, Sink};
use crate::scale::{MISSING, log2p, share};

impl Rows<'_> {
    pub(super) fn landmarks(&self, at: usize, sink: &mut Sink) {
        let found = self.found;
        for (name, mark) in [
            ("title", &found.title),
            ("h1", &found.h1),
            ("longest", &found.longest),
            ("best", &found.best),
            ("body", &found.body),
        ] {
            self.landmark(at, name, mark, sink);
        }
        let w = &found.words[at];
        let keys = &found.hashes[w.first as usize..w.last as usize];
        let in_title = found.title_bits.hits(keys) as f32;
        sink.put("title.share", share(in_title, w.words as f32));
        sink.put(
            "title.cover",
            share(in_title, found.title_bits.words as f32).min(2.0),
        );
        sink.put(
            "description.share",
            share(found.description_bits.hits(keys) as f32, w.words as f32),
        );
    }

    fn landmark(&self, at: usize, name: &str, mark: &Landmark, sink: &mut Sink) {
        if mark.node == NONE {
            ["up", "down", "share", "links", "blocks"]
                .iter()
                .for_each(|part| sink.put_at(name, part, MISSING));
            return;
        }
        let node = self.page.blocks[at].node as usize;
        let shared = mark.shared[node] as usize;
        let nodes = &self.page.nodes;
        let sums = &self.found.sums[shared];
        sink.put_at(name, "up", f32::from(nodes[node].depth - nodes[shared].depth));
        sink.put_at(
            name,
            "down",
            f32::from(nodes[mark.node as usize].depth - nodes[shared].depth),
        );
        sink.put_at(name, "share", share(sums.words, self.found.sums[0].words));
        sink.put_at(name, "links", share(sums.link_bytes, sums.bytes));
        let from = if mark.block != NONE {
            at as f32 - mark.block as f32
        } else {
            let node = &nodes[mark.node as usize];
            if (at as u32) < node.first {
                at as f32 - node.first as f32
            } else if at as u32 >= node.last {
                at as f32 - node.last as f32 + 1.0
            } else {
                0.0
            }
        };
        sink.put_at(
            name,
            "blocks",
            if from < 0.0 { -log2p(-from) } else { log2p(from) },
        );
    }

    pub(super) fn likeness(&self, at: usize, sink: &mut Sink) {
        let node = self.page.blocks[at].node as usize;
        let all = self.found.sums[0].words;
        let mut put = |name: &str, a: &Alike| {
            sink.put_at(name, "blocks", log2p(a.blocks));
            sink.put_at(name, "share", share(a.words, all));
            sink.put_at(name, "words", share(a.words, a.blocks));
            sink.put_at(name, "links", share(a.link_bytes, a.bytes));
            sink.put_at(name, "long", share(a.long_words, a.words));
        };
        put(
            "class",
            &self.found.class_alike[self.found.class_of[node] as usize],
        );
        put("path", &self.found.path_alike[self.found.path_of[node] as usize]);
    }

    pub(super) fn neighbours(&self, at: usize, sink: &mut Sink) {
        let blocks = self.seen.len();
        for step in [-3isize, -2, -1, 1, 2, 3] {
            let other = at.checked_add_signed(step).filter(|&other| other < blocks);
            let seen = other.map_or([key(MISSING); SEEN.len()], |other| self.seen[other]);
            let apart = other.map_or(MISSING, |other| {
                f32::from(u8::from(self.home[other] != self.home[at]))
            });
            if sink.names.is_some() {
                SEEN.iter()
                    .zip(seen)
                    .for_each(|(name, key)| sink.put_key(name, step, key));
            } else {
                seen.into_iter().for_each(|key| sink.write_key(key));
            }
            sink.put_at("apart", step, apart);
        }
        for reach in [3usize, 6, 12] {
            let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(blocks));
            self.window("around", reach, from, to, sink);
        }
        self.window("before", 8, at.saturating_sub(8), at, sink);
        self.window("after", 8, at + 1, (at + 9).min(blocks), sink);
    }

    fn window(&self, name: &str, reach: usize, from: usize, to: usize, sink: &mut Sink) {
        let (from, to) = (&self.cumulative[from.min(to)], &self.cumulative[to]);
        let part = |of: usize| to[of] - from[of];
        let label = |what: &str| format!("{name}{reach}.{what}");
        let values = [
            ("words", log2p(part(sum::WORDS))),
            ("links", share(part(sum::LINK_BYTES), part(sum::BYTES))),
            ("long", share(part(sum::LONG_WORDS), part(sum::WORDS))),
            ("ends", share(part(sum::SENTENCE_ENDS), part(sum::WORDS))),
            ("person", share(part(sum::PERSON), part(sum::WORDS))),
            ("lead", share(part(sum::LEAD), part(sum::TOPICAL))),
        ];
        for (what, value) in values {
            sink.write(value);
            if let Some(names) = &mut sink.names {
                names.push(label(what));
            }
        }
    }
}
