//! A document: its language, the languages of its lines, and counts of its letters.

use crate::model::Model;
use crate::pass::Pass;
use crate::score::Cache;
use crate::unit::Seen;
use crate::words::read;

/// Names of `Reading::counts`, in order.
pub const COUNTS: [&str; 10] = [
    "letters",
    "cyrillic",
    "latin",
    "russian",
    "dotted_i",
    "prereform",
    "hard_sign_inside",
    "hard_sign_final",
    "words",
    "mixed_words",
];
/// A line, or a part of a long one: its bytes, its letters and the number of its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub start: usize,
    pub end: usize,
    pub letters: u32,
    /// Number of the label among the model's; none where the unit has no letter.
    pub label: Option<usize>,
}

/// What a document is.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Counts, named by `COUNTS`.
    pub counts: [u64; 10],
    /// Numbers of labels and their probabilities, the likeliest first, of the script that decides.
    pub ranked: Vec<(usize, f32)>,
    pub units: Vec<Unit>,
    /// Numbers of labels and their shares of the letters, by units, the largest first.
    pub shares: Vec<(usize, f32)>,
}

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
            seen: vec![Seen::new(); model.sections.len()],
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
