//! The end of a pass: the document's languages from its sums, and its units' from their drafts.

use super::{CYRILLIC, LATIN, LETTERS, Pass, TELLING_LETTERS};
use crate::letters::{SCRIPTS, Script};
use crate::reading::{Reading, Unit};
use crate::score::softmax;
use crate::unit::Draft;

/// A language that no telling line is in has this share of the document all the same.
const UNSEEN: f32 = 0.01;

/// Times that it is counted which languages a document is in: at first each line is named by itself, later with
/// what was counted before, so that a few names in a Russian document do not make it partly Tajik.
const ROUNDS: usize = 3;

impl Pass<'_, '_> {
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
            expected.fill(UNSEEN.ln());
            for (expected, &n) in expected.iter_mut().zip(&seen).filter(|&(_, &n)| n > 0) {
                *expected = (UNSEEN + n as f32 / whole).ln();
            }
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
