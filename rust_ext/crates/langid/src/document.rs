//! A document: its language, the languages of its lines, and counts of its letters.

use crate::model::Model;
use crate::pass::Pass;
use crate::score::Cache;
use crate::unit::Seen;
use crate::words::read;

pub use crate::reading::{COUNTS, Reading, Unit};

/// Reads documents; remembers words from one to the next, which changes no result.
pub struct Reader<'m> {
    model: &'m Model,
    caches: Vec<Cache>,
    seen: Vec<Seen>,
}

impl<'m> Reader<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            caches: model.sections.iter().map(Cache::new).collect(),
            seen: vec![Seen::default(); model.sections.len()],
        }
    }

    /// Reads a text. Cyrillic decides its language where at least `cyrillic` of its letters are so; else the
    /// script of most letters does.
    pub fn read(&mut self, text: &str, cyrillic: f32) -> Reading {
        self.seen.iter_mut().for_each(Seen::clear);
        let mut pass = Pass::new(self.model, &mut self.caches, &mut self.seen);
        read(text, &mut pass);
        pass.finish(cyrillic)
    }
}

/// `text` without its foreign passages: runs of units whose languages are none of `keep`, of at least `letters`
/// letters each; and the letters that went. None where nothing goes.
pub fn trim(text: &str, units: &[Unit], keep: &[usize], letters: u32) -> Option<(String, u64)> {
    let foreign = |unit: &Unit| unit.label.is_some_and(|label| !keep.contains(&label));
    let mut kept = String::new();
    let mut gone = 0u64;
    let mut at = 0;
    while at < units.len() {
        let length = units[at..].iter().take_while(|unit| foreign(unit)).count();
        let run = &units[at..at + length.max(1)];
        let size: u64 = run.iter().map(|unit| u64::from(unit.letters)).sum();
        if length > 0 && size >= u64::from(letters) {
            gone += size;
        } else {
            run.iter()
                .for_each(|unit| kept.push_str(&text[unit.start..unit.end]));
        }
        at += run.len();
    }
    (gone > 0).then(|| (kept.trim().to_owned(), gone))
}
