//! One pass over a document's words: sums of scores of its units and of the whole, and what they amount to.

use crate::letters::{SCRIPTS, Script};
use crate::model::Model;
use crate::reading::{Reading, Unit};
use crate::score::{Cache, softmax};
use crate::unit::{Draft, REMEMBERED, Seen, Tally, insert, is_repeated};
use crate::words::{Break, Visitor, Word};

/// A unit is a line; within a line, a sentence ends one that has this many letters.
const UNIT_LETTERS: u32 = 150;

/// Lines of at least so many letters say which languages a document is in; shorter ones follow them.
const TELLING_LETTERS: u32 = 40;

/// A language that no telling line is in has this share of the document all the same.
const UNSEEN: f32 = 0.01;

/// Times that it is counted which languages a document is in: at first each line is named by itself, later with
/// what was counted before, so that a few names in a Russian document do not make it partly Tajik.
const ROUNDS: usize = 3;

/// Units after which short lines are joined, so that a document of one-letter lines takes bounded memory.
const MANY_UNITS: usize = 20_000;

/// A unit's language is plain where the best score leads by `PLAIN` (in nats) after a multiple of `ASKED_WORDS`
/// words, or where the language that the document has shown so far leads by `LIKELY` after any word from
/// `LIKELY_WORDS` on. The unit's other words are not scored then: in running text most are not.
const ASKED_WORDS: u32 = 4;
const PLAIN: f32 = 6.0;
const LIKELY_WORDS: u32 = 3;
const LIKELY: f32 = 2.0;

/// In a document that has shown its language, words of more than `SHORT` letters are put aside: short ones are
/// mostly remembered and mostly enough. Those put aside are scored at the unit's end, where its language is not
/// plain by then, or when there are `ASIDE` of them.
const SHORT: usize = 6;

/// A document has shown its language after this many scored words, where the best score leads by `SHOWN`.
const SHOWN_WORDS: u64 = 24;
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
}

impl Visitor for Pass<'_, '_> {
    #[inline]
    fn letter(&mut self, letter: u32, script: Script) {
        self.unit.letters[script as usize] += 1;
        if script != Script::Cyrillic {
            self.hard = false;
            return;
        }
        // Small letters, since they are folded: а to я, and ё.
        if matches!(letter, 0x430..=0x44F | 0x451) {
            self.counts[RUSSIAN] += 1;
        } else if letter == 0x456 {
            self.counts[DOTTED_I] += 1;
        } else if matches!(letter, 0x463 | 0x473 | 0x475) {
            self.counts[PREREFORM] += 1;
        }
        if self.hard && !matches!(letter, 0x435 | 0x451 | 0x44E | 0x44F) {
            self.counts[HARD_INSIDE] += 1;
        }
        self.hard = letter == 0x44A;
    }

    #[inline]
    fn word(&mut self, word: &Word<'_>) {
        self.counts[WORDS] += 1;
        self.counts[MIXED] += u64::from(word.mixed);
        self.counts[HARD_FINAL] += u64::from(self.hard && word.letters > 1);
        self.hard = false;
        let section = word.script as usize;
        if section >= self.caches.len() || self.unit.plain[section] {
            return;
        }
        let aside = &mut self.unit.aside[section];
        if self.shown[section].is_none() || word.folded.len() <= SHORT || aside.full {
            self.score(section, word.folded);
        } else {
            aside.push(word.folded);
            if aside.full {
                self.score_aside(section);
            }
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
        }
    }

    /// Adds a word to the unit's sums, and asks whether the unit's language is plain now.
    fn score(&mut self, section: usize, word: &[u32]) {
        let (cache, unit) = (&mut self.caches[section], &mut self.unit);
        let (model, sums) = (&self.model.sections[section], &mut unit.sums[section]);
        cache.add(model, word, sums);
        unit.words[section] += 1;
        if is_repeated(&mut self.seen[section], word) {
            cache.add(model, word, &mut unit.repeated[section]);
            unit.repeated_words[section] += 1;
        }
        let words = unit.words[section];
        let likely = self.shown[section]
            .is_some_and(|shown| words >= LIKELY_WORDS && model.lead_of(shown, sums, words) >= LIKELY);
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
        for section in 0..self.words.len() {
            self.score_aside(section);
            self.unit.aside[section].full = false;
        }
        let mut best = [(0, f32::NEG_INFINITY); REMEMBERED];
        if letters > 0 {
            let script = most(&self.unit.letters);
            match self.model.sections.get(script) {
                Some(section) => {
                    let first = self.model.first(script);
                    let scores = section.scores(&self.unit.sums[script], self.unit.words[script]);
                    for (label, &score) in scores.iter().enumerate() {
                        insert(&mut best, ((first + label) as u16, score));
                    }
                }
                None => best[0] = ((self.model.first(self.model.sections.len()) + script) as u16, 0.0),
            }
        }
        self.drafts.push(Draft {
            start: self.start,
            end: at,
            letters,
            best,
        });
        self.start = at;
        for section in 0..self.words.len() {
            let parts = self.unit.sums[section].iter_mut();
            for (whole, part) in self.sums[section].iter_mut().zip(parts) {
                *whole += i64::from(std::mem::take(part));
            }
            let repeated = std::mem::take(&mut self.unit.repeated_words[section]);
            if repeated > 0 {
                let parts = self.unit.repeated[section].iter_mut();
                for (whole, part) in self.sums[section].iter_mut().zip(parts) {
                    *whole -= i64::from(std::mem::take(part));
                }
            }
            let words = u64::from(std::mem::take(&mut self.unit.words[section]) - repeated);
            self.words[section] += words;
            // Looked at when the words pass a multiple: most units change nothing.
            let (now, before) = (self.words[section], self.words[section] - words);
            if now / SHOWN_WORDS != before / SHOWN_WORDS {
                let (best, lead) = lead(&self.scores(section));
                self.shown[section] = (lead >= SHOWN).then_some(best);
            }
        }
        self.unit.plain.fill(false);
        for (whole, part) in self.letters.iter_mut().zip(&mut self.unit.letters) {
            *whole += u64::from(std::mem::take(part));
        }
    }

    /// What the document is; its text has been read. Cyrillic decides as in `Reader::read`.
    pub fn finish(mut self, cyrillic: f32) -> Reading {
        let rest = self.unit.all_letters();
        if rest > 0 {
            // Short lines were being joined.
            self.close(self.at, rest);
        }
        let letters: u64 = self.letters.iter().sum();
        self.counts[LETTERS] = letters;
        self.counts[CYRILLIC] = self.letters[Script::Cyrillic as usize];
        self.counts[LATIN] = self.letters[Script::Latin as usize];
        let mut reading = Reading {
            counts: self.counts,
            ..Reading::default()
        };
        if letters == 0 {
            return reading;
        }
        reading.ranked = self.ranked(cyrillic, letters);
        (reading.units, reading.shares) = self.told(letters);
        reading
    }

    /// The labels of the deciding script by probability.
    fn ranked(&self, cyrillic: f32, letters: u64) -> Vec<(usize, f32)> {
        let share = self.letters[Script::Cyrillic as usize] as f32 / letters as f32;
        let of = |&script: &usize| self.letters[script];
        let mut script = (0..SCRIPTS).rev().max_by_key(of).unwrap_or(0);
        if share > 0.0 && share >= cyrillic {
            script = Script::Cyrillic as usize;
        } else if script == Script::Cyrillic as usize {
            script = (1..SCRIPTS).rev().max_by_key(of).unwrap_or(1);
        }
        if script >= self.model.sections.len() {
            return vec![(self.model.first(self.model.sections.len()) + script, 1.0)];
        }
        let chances = softmax(&self.scores(script));
        let first = self.model.first(script);
        let mut ranked: Vec<(usize, f32)> = chances
            .into_iter()
            .enumerate()
            .map(|(l, p)| (first + l, p))
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// Scores of a section from all words that were scored. Sums of a very long text are halved with its words,
    /// until they go into an i32.
    fn scores(&self, section: usize) -> Vec<f32> {
        let mut words = self.words[section];
        let mut sums = self.sums[section].clone();
        while sums.iter().any(|s| s.unsigned_abs() > i32::MAX as u64) {
            sums.iter_mut().for_each(|s| *s /= 2);
            words = words.div_ceil(2);
        }
        let sums: Vec<i32> = sums.into_iter().map(|s| s as i32).collect();
        self.model.sections[section].scores(&sums, u32::try_from(words).unwrap_or(u32::MAX))
    }

    /// Units with their languages, and the languages' shares: long lines decide alone which languages there are,
    /// each with the others in mind, then every line is identified with that in mind.
    fn told(&self, letters: u64) -> (Vec<Unit>, Vec<(usize, f32)>) {
        let labels = self.model.labels.len();
        let telling = |d: &&Draft| d.letters >= TELLING_LETTERS;
        let fewest = if self.drafts.iter().any(|d| telling(&d)) {
            TELLING_LETTERS
        } else {
            1
        };
        let mut expected = vec![0f32; labels];
        for _ in 0..ROUNDS {
            let mut seen = vec![0u64; labels];
            for draft in self.drafts.iter().filter(|d| d.letters >= fewest) {
                seen[draft.label(&expected)] += u64::from(draft.letters);
            }
            let whole = seen.iter().sum::<u64>().max(1) as f32;
            expected = seen.iter().map(|&n| (UNSEEN + n as f32 / whole).ln()).collect();
        }
        let mut shares = vec![0u64; labels];
        let mut units = Vec::with_capacity(self.drafts.len());
        for draft in &self.drafts {
            let label = (draft.letters > 0).then(|| draft.label(&expected));
            if let Some(label) = label {
                shares[label] += u64::from(draft.letters);
            }
            units.push(Unit {
                start: draft.start,
                end: draft.end,
                letters: draft.letters,
                label,
            });
        }
        let mut shares: Vec<(usize, f32)> = shares
            .into_iter()
            .enumerate()
            .filter(|&(_, n)| n > 0)
            .map(|(label, n)| (label, n as f32 / letters as f32))
            .collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        (units, shares)
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
        second = second.max(score.min(first));
        if score > first {
            (best, first) = (label, score);
        }
    }
    (best, first - second)
}
