//! One pass over a document's words: sums of scores of its units and of the whole, and what they amount to.

mod finish;
mod trial;

use crate::letters::{SCRIPTS, Script, is_russian};
use crate::model::Model;
use crate::score::Cache;
use crate::unit::{Draft, REMEMBERED, Seen, Tally, insert, is_repeated};
use crate::words::{Break, Visitor, Word};

/// A unit is a line; within a line, a sentence ends one that has this many letters.
const UNIT_LETTERS: u32 = 150;

/// Lines of at least so many letters say which languages a document is in; shorter ones follow them.
const TELLING_LETTERS: u32 = 40;

/// Units after which short lines are joined, so that a document of one-letter lines takes bounded memory.
const MANY_UNITS: usize = 20_000;

/// A unit's language is plain where the best score leads by `PLAIN` (in nats) after a multiple of `ASKED_WORDS`
/// words, or where the language that the document has shown so far leads by `LIKELY` after any word from
/// `LIKELY_WORDS` on. The unit's other words are not scored then: in running text most are not.
const ASKED_WORDS: u32 = 4;
const PLAIN: f32 = 6.0;
const LIKELY_WORDS: u32 = 3;
const LIKELY: f32 = 2.0;

/// In a document that has surely shown its language, words of more than `SHORT` letters are put aside: short ones are
/// mostly remembered and mostly enough. Those put aside are scored at the unit's end, where its language is not
/// plain by then, or when there are `ASIDE` of them.
const SHORT: usize = 6;

/// A document has shown its language after a multiple of `SHOWN_WORDS` words that count, where the best score leads
/// by `SHOWN`; then it is asked again after each `AGAIN_WORDS`. A proof may be tried from the first time on; the
/// whole model relies on the language after `AGAIN_WORDS`: of short lines in another one it would lose .002 before.
const SHOWN_WORDS: u64 = 8;
const AGAIN_WORDS: u64 = 24;
const SHOWN: f32 = 4.0;

const LETTERS: usize = 0;
const CYRILLIC: usize = 1;
const LATIN: usize = 2;
const RUSSIAN: usize = 3;
const DOTTED_I: usize = 4;
const PREREFORM: usize = 5;
const HARD_INSIDE: usize = 6;
const HARD_FINAL: usize = 7;
const WORDS: usize = 8;
const MIXED: usize = 9;

/// What is known of a document up to a word.
pub struct Pass<'m, 'c> {
    model: &'m Model,
    caches: &'c mut [Cache],
    seen: &'c mut [Seen],
    unit: Tally,
    sums: Vec<Vec<i64>>,
    words: Vec<u64>,
    letters: [u64; SCRIPTS],
    counts: [u64; 10],
    hard: bool,
    /// The label of each section that the document has shown so far.
    shown: Vec<Option<usize>>,
    start: usize,
    /// Where the last sentence or line ended.
    at: usize,
    drafts: Vec<Draft>,
    /// Sums and words of Russian units before the document had shown its language, and words of units that were
    /// proved Russian: each of these counts in the document's score as one of the former on average.
    own_sums: Vec<i64>,
    own_words: u64,
    proved_words: u64,
}

impl Visitor for Pass<'_, '_> {
    #[inline]
    fn letter(&mut self, letter: u32, script: Script) {
        self.unit.letters[script as usize] += 1;
        if script != Script::Cyrillic {
            self.hard = false;
            return;
        }
        if is_russian(letter) {
            self.counts[RUSSIAN] += 1;
        } else {
            self.unit.alien += 1;
            if letter == 0x456 {
                self.counts[DOTTED_I] += 1;
            } else if matches!(letter, 0x463 | 0x473 | 0x475) {
                self.counts[PREREFORM] += 1;
            }
        }
        if self.hard && !matches!(letter, 0x435 | 0x451 | 0x44E | 0x44F) {
            self.counts[HARD_INSIDE] += 1;
        }
        self.hard = letter == 0x44A;
    }

    #[inline]
    fn russian(&mut self, letters: &[u32]) {
        self.unit.letters[Script::Cyrillic as usize] += letters.len() as u32;
        self.counts[RUSSIAN] += letters.len() as u64;
    }

    #[inline]
    fn word(&mut self, word: &Word<'_>) {
        self.counts[WORDS] += 1;
        self.counts[MIXED] += u64::from(word.mixed);
        let hard = self.hard && word.letters > 1;
        self.counts[HARD_FINAL] += u64::from(hard);
        self.unit.alien += u32::from(hard);
        self.hard = false;
        let section = word.script as usize;
        if section < self.caches.len() && !(section == 0 && self.is_tried(word.folded)) {
            self.take(section, word.folded);
        }
    }

    fn end(&mut self, kind: Break, at: usize) {
        self.at = at;
        let letters = self.unit.all_letters();
        if letters == 0 {
            // Lines without letters belong to the unit before, at the beginning to the one after.
            if let Some(last) = self.drafts.last_mut().filter(|_| kind == Break::Line) {
                last.end = at;
                self.start = at;
            }
            return;
        }
        // Grows with the number of units: a document of n short lines has the order of the root of n units.
        let fewest = (self.drafts.len() / MANY_UNITS * TELLING_LETTERS as usize) as u32;
        let closes = match kind {
            Break::Line => letters >= fewest,
            Break::Sentence => letters >= UNIT_LETTERS.max(fewest),
            Break::None => false,
        };
        if closes {
            self.close(at, letters);
        }
    }
}

impl<'m, 'c> Pass<'m, 'c> {
    pub fn new(model: &'m Model, caches: &'c mut [Cache], seen: &'c mut [Seen]) -> Self {
        Self {
            model,
            caches,
            seen,
            unit: Tally::new(&model.sections),
            sums: model.sections.iter().map(|s| vec![0; s.width]).collect(),
            words: vec![0; model.sections.len()],
            letters: [0; SCRIPTS],
            counts: [0; 10],
            hard: false,
            shown: vec![None; model.sections.len()],
            start: 0,
            at: 0,
            drafts: Vec::new(),
            own_sums: vec![0; model.sections.first().map_or(0, |s| s.width)],
            own_words: 0,
            proved_words: 0,
        }
    }

    /// Scores a word now or puts it aside, where the unit's language is not plain.
    fn take(&mut self, section: usize, word: &[u32]) {
        if self.unit.plain[section] {
            return;
        }
        let shown = self.surely_shown(section);
        let aside = &mut self.unit.aside[section];
        if shown.is_none() || word.len() <= SHORT || aside.full {
            self.score(section, word);
        } else {
            aside.push(word);
            if aside.full {
                self.score_aside(section);
            }
        }
    }

    /// The label that the document has shown, from enough words for the whole model to rely on it.
    fn surely_shown(&self, section: usize) -> Option<usize> {
        self.shown[section].filter(|_| self.words[section] >= AGAIN_WORDS)
    }

    /// Adds a word to the unit's sums, and asks whether the unit's language is plain now.
    fn score(&mut self, section: usize, word: &[u32]) {
        let shown = self.surely_shown(section);
        let (cache, unit) = (&mut self.caches[section], &mut self.unit);
        let (model, sums) = (&self.model.sections[section], &mut unit.sums[section]);
        cache.add(model, word, sums);
        unit.words[section] += 1;
        if is_repeated(&mut self.seen[section], word) {
            cache.add(model, word, &mut unit.repeated[section]);
            unit.repeated_words[section] += 1;
        }
        let words = unit.words[section];
        let likely =
            shown.is_some_and(|shown| words >= LIKELY_WORDS && model.lead_of(shown, sums, words) >= LIKELY);
        unit.plain[section] =
            likely || words.is_multiple_of(ASKED_WORDS) && lead(&model.scores(sums, words)).1 >= PLAIN;
    }

    /// Scores the words that were put aside, until the unit's language is plain.
    fn score_aside(&mut self, section: usize) {
        let mut words = std::mem::take(&mut self.unit.aside[section].words);
        for (word, length) in words.drain(..) {
            if !self.unit.plain[section] {
                self.score(section, &word[..length]);
            }
        }
        self.unit.aside[section].words = words;
    }

    fn close(&mut self, at: usize, letters: u32) {
        let is_proved = self.is_proved();
        for section in 0..self.words.len() {
            self.score_aside(section);
            self.unit.aside[section].full = false;
        }
        let best = self.best_of_unit(is_proved);
        self.drafts.push(Draft {
            start: self.start,
            end: at,
            letters,
            best,
        });
        self.start = at;
        let proof = self.model.proof.as_ref();
        let is_own = proof.is_some_and(|p| usize::from(best[0].0) == p.label);
        for section in 0..self.words.len() {
            let is_own = is_own && section == 0 && self.shown[0].is_none();
            let mut words = self.add_unit(section, is_own);
            if is_proved && section == 0 {
                words += self.add_proved();
            }
            self.words[section] += words;
            // Looked at when the words pass a multiple: most units change nothing.
            let (now, before) = (self.words[section], self.words[section] - words);
            let step = if self.shown[section].is_none() {
                SHOWN_WORDS
            } else {
                AGAIN_WORDS
            };
            if now / step != before / step {
                let (best, lead) = lead(&self.scores(section));
                self.shown[section] = (lead >= SHOWN).then_some(best);
            }
        }
        self.unit.trial.clear();
        self.unit.alien = 0;
        self.unit.plain.fill(false);
        for (whole, part) in self.letters.iter_mut().zip(&mut self.unit.letters) {
            *whole += u64::from(std::mem::take(part));
        }
    }

    /// The best labels of the unit, and their scores.
    fn best_of_unit(&self, is_proved: bool) -> [(u16, f32); REMEMBERED] {
        let mut best = [(0, f32::NEG_INFINITY); REMEMBERED];
        let script = most(&self.unit.letters);
        if let Some(proof) = self.model.proof.as_ref()
            && is_proved
            && script == 0
        {
            best[0] = (proof.label as u16, 0.0);
            return best;
        }
        let first = self.model.first(script.min(self.model.sections.len()));
        match self.model.sections.get(script) {
            Some(section) => {
                let scores = section.scores(&self.unit.sums[script], self.unit.words[script]);
                for (label, &score) in scores.iter().enumerate() {
                    insert(&mut best, ((first + label) as u16, score));
                }
            }
            None => best[0] = ((first + script) as u16, 0.0),
        }
        best
    }

    /// Adds the unit's sums to the document's, and to those of Russian units where it `is_own`; returns its words
    /// that count.
    fn add_unit(&mut self, section: usize, is_own: bool) -> u64 {
        let words = std::mem::take(&mut self.unit.words[section]);
        if words == 0 {
            return 0;
        }
        let repeated = std::mem::take(&mut self.unit.repeated_words[section]);
        let sums = &mut self.unit.sums[section];
        if repeated > 0 {
            for (sum, part) in sums.iter_mut().zip(&mut self.unit.repeated[section]) {
                *sum -= std::mem::take(part);
            }
        }
        let words = u64::from(words - repeated);
        if is_own {
            self.own_words += words;
            add(&mut self.own_sums, sums);
        }
        add(&mut self.sums[section], sums);
        sums.fill(0);
        words
    }

    /// Scores of a section from all words that were scored. Sums of a very long text are halved with its words,
    /// until they go into an i32.
    fn scores(&self, section: usize) -> Vec<f32> {
        let mut words = self.words[section];
        let mut sums = self.sums[section].clone();
        if section == 0 && self.proved_words > 0 {
            let by = self.proved_words as f64 / self.own_words as f64;
            for (sum, &own) in sums.iter_mut().zip(&self.own_sums) {
                *sum += (own as f64 * by) as i64;
            }
        }
        while sums.iter().any(|s| s.unsigned_abs() > i32::MAX as u64) {
            sums.iter_mut().for_each(|s| *s /= 2);
            words = words.div_ceil(2);
        }
        let sums: Vec<i32> = sums.into_iter().map(|s| s as i32).collect();
        self.model.sections[section].scores(&sums, u32::try_from(words).unwrap_or(u32::MAX))
    }
}

fn add(whole: &mut [i64], part: &[i32]) {
    for (whole, &part) in whole.iter_mut().zip(part) {
        *whole += i64::from(part);
    }
}

/// The script of most letters; of two with as many, the first.
fn most(letters: &[u32; SCRIPTS]) -> usize {
    (0..SCRIPTS)
        .rev()
        .max_by_key(|&script| letters[script])
        .unwrap_or(0)
}

/// Which score is best (the first of equal ones), and how far it is before the next.
fn lead(scores: &[f32]) -> (usize, f32) {
    let (mut best, mut first, mut second) = (0, f32::NEG_INFINITY, f32::NEG_INFINITY);
    for (label, &score) in scores.iter().enumerate() {
        if score > first {
            (best, first, second) = (label, score, first);
        } else if score > second {
            second = score;
        }
    }
    (best, first - second)
}
