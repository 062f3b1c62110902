//! Signals of words, marks and roles.

use crate::facts::is;
use crate::sums::{FEW, MarkSums, VARIETY, Values, WordSums};

use super::QualityMaker;

impl QualityMaker {
    pub(super) fn word_signals(&mut self, values: &mut Values) {
        let mut sums = WordSums::default();
        self.lower.start();
        for token in &self.tokens {
            let info = self.words.info(token.id);
            sums.dashes += usize::from(info.is(is::DASH));
            if !info.is(is::WORD) {
                continue;
            }
            let times = self.lower.count(info.lower);
            if sums.words > 0 && sums.words.is_multiple_of(VARIETY) {
                sums.close_window();
                self.lower.window += 1;
            }
            sums.words += 1;
            sums.window_kinds += usize::from(self.lower.is_new(info.lower));
            sums.add(info, times);
        }
        if sums.words.is_multiple_of(VARIETY) && sums.words > 0 {
            sums.close_window();
        }
        let (count, words) = (sums.letters_of_words, sums.words);
        values.ratio(count, self.tokens.len() - sums.dashes);
        values.ratio(sums.flag(is::FUNCTION), count);
        values.push(if count == 0 {
            0.0
        } else {
            sums.kinds as f64 / (count as f64).sqrt()
        });
        values.ratio(sums.latin, count);
        for flag in [is::MIXED, is::BROKEN_CASE, is::NO_VOWEL, is::UPPER] {
            values.ratio(sums.flag(flag), count);
        }
        values.ratio(words - count, words);
        values.ratio(sums.letter_digits, words);
        values.ratio(sums.lone, count);
        values.ratio(sums.long, count);
        values.ratio(sums.odd, sums.letters);
        if sums.windows == 0 {
            values.ratio(sums.window_kinds, words);
        } else {
            values.ratio(sums.closed_kinds, sums.windows * VARIETY);
        }
        values.ratio(sums.top as usize, words);
        values.ratio(sums.unknown, sums.plain + FEW);
    }

    pub(super) fn run_signals(&self, values: &mut Values) {
        let (mut longest, mut run, mut bare, mut count, mut inner) = (0, 0, 0, 0, 0);
        let (mut functions, mut starts) = (0, 0);
        for line in &self.lines.list {
            bare += if line.functions == 0 {
                line.letters as usize
            } else {
                0
            };
            let (mut after_word, mut after_comma) = (false, false);
            for token in line.tokens(&self.tokens) {
                if token.is(is::LETTERS) {
                    count += 1;
                    run = if token.is(is::FUNCTION) { 0 } else { run + 1 };
                    longest = longest.max(run);
                    inner += usize::from(token.is(is::CAPITAL) && after_word);
                    // Of «Вы» a capital says that it is polite.
                    if token.is(is::FUNCTION) && !token.is(is::SECOND) {
                        functions += 1;
                        let capital = token.flags & (is::CAPITAL | is::UPPER) == is::CAPITAL;
                        starts += usize::from(capital && (after_word || after_comma));
                    }
                }
                after_word = token.is(is::WORD);
                after_comma = token.is(is::COMMA);
            }
        }
        values.ratio(bare, count);
        values.push(f64::from(longest));
        values.ratio(inner, count);
        values.ratio(starts, functions);
    }

    pub(super) fn mark_signals(&self, values: &mut Values) {
        let mut sums = MarkSums::default();
        for line in &self.lines.list {
            let row = line.tokens(&self.tokens);
            for (at, token) in row.iter().enumerate() {
                if !token.is(is::WORD) {
                    let info = self.words.info(token.id);
                    let left = at.checked_sub(1).map(|at| &row[at]);
                    sums.add(&self.words, *token, info, left, row.get(at + 1));
                }
            }
        }
        let words = self.word_count();
        for count in sums.marks {
            values.ratio(count, words);
        }
        values.ratio(sums.inner, words);
        values.ratio(sums.glued, words);
        values.ratio(sums.after, sums.marks[1]);
    }

    pub(super) fn role_signals(&self, values: &mut Values) {
        const ROLES: [u64; 9] = [
            is::PAST,
            is::INFINITIVE,
            is::IMPERATIVE,
            is::ADJECTIVE,
            is::ABSTRACT,
            is::NAME,
            is::FIRST,
            is::SECOND,
            is::THIRD,
        ];
        let mut counts = [0; ROLES.len()];
        let mut letters = 0;
        for token in &self.tokens {
            if token.is(is::LETTERS) {
                letters += 1;
                for (count, role) in counts.iter_mut().zip(ROLES) {
                    *count += usize::from(token.is(role));
                }
            }
        }
        for count in counts {
            values.ratio(count, letters);
        }
    }
}
