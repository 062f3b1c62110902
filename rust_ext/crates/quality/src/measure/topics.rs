//! Signals of neighbouring word classes, of contacts and of topics.

use crate::facts::is;
use crate::lexicon::{BITS, NAVIGATION, REPORTING, SERVICE, SPAM, TOPICS, WEAK};
use crate::lines::{Line, Shape, Tok};
use crate::neighbours::{SCORES, neighbour_slot};
use crate::sums::{FEW, Values};
use crate::words::Info;

use super::QualityMaker;

/// Pairs of a window of which the worst is a signal, and how far windows are apart.
const WINDOW: usize = 32;
const STEP: usize = 16;

impl QualityMaker {
    pub(super) fn grammar_signals(&mut self, values: &mut Values) {
        self.scores.clear();
        self.scores.reserve(self.tokens.len());
        let mut unseen = 0;
        for line in &self.lines.list {
            let mut classes = line
                .tokens(&self.tokens)
                .iter()
                .map(|token| self.words.info(token.id).class);
            let Some(mut before) = classes.next() else {
                continue;
            };
            self.scores.extend(classes.map(|class| {
                let value = self.table[neighbour_slot(before, class)];
                unseen += usize::from(value == 0);
                before = class;
                SCORES[usize::from(value)]
            }));
        }
        let scores = &self.scores;
        let total: i64 = scores.iter().sum();
        let lowest = scores
            .windows(WINDOW)
            .step_by(STEP)
            .map(|window| window.iter().sum::<i64>())
            .min();
        let mean = |sum: i64, count: usize| {
            if count == 0 {
                0.0
            } else {
                sum as f64 / (16 * count) as f64
            }
        };
        values.push(mean(total, scores.len()));
        values.ratio(unseen, scores.len());
        values.push(lowest.map_or(mean(total, scores.len()), |sum| mean(sum, WINDOW)));
    }

    pub(super) fn contact_signals(&self, values: &mut Values) {
        let (mut links, mut phones, mut prices, mut places) = (0, 0, 0, 0);
        for line in &self.lines.list {
            let row = line.tokens(&self.tokens);
            for (at, token) in row.iter().enumerate() {
                let number = token.flags & (is::WORD | is::LETTERS) == is::WORD;
                if !number && !token.is(is::LINK | is::STOP | is::STREET) {
                    continue;
                }
                let left = at.checked_sub(1).map(|at| &row[at]);
                let touching = left.filter(|other| other.end == token.start);
                let right = row.get(at + 1);
                links += usize::from(token.is(is::LINK));
                links += usize::from(
                    token.is(is::STOP)
                        && touching.is_some_and(|other| other.is(is::LETTERS))
                        && right.is_some_and(|other| other.is(is::LATIN) && other.start == token.end),
                );
                phones += usize::from(token.is(is::PHONE) && number);
                // «+7 900» and «+7 (900)», but neither «+100%» nor «от -10 до +20».
                let plus = |other: &Tok| is_one(self.words.info(other.id), '+');
                let goes_on = |other: &Tok| {
                    other.flags & (is::WORD | is::LETTERS) == is::WORD
                        || is_one(self.words.info(other.id), '(')
                };
                phones += usize::from(
                    number
                        && !token.is(is::PHONE)
                        && touching.is_some_and(plus)
                        && right.is_some_and(goes_on),
                );
                let money = |other: &Tok| other.is(is::MONEY) || self.words.info(other.id).symbol("₽$€");
                prices += usize::from(number && right.is_some_and(money));
                // «ул. Мира», but neither «1812 г.» nor «5 кв. м».
                let counted = left.is_some_and(|other| other.flags & (is::WORD | is::LETTERS) == is::WORD);
                let stop = right.is_some_and(|other| other.is(is::STOP));
                places += usize::from(token.is(is::STREET) && stop && !counted);
            }
        }
        let words = self.word_count();
        for count in [links, phones, prices, places] {
            values.ratio(count, words);
        }
    }

    pub(super) fn topic_signals(&mut self, values: &mut Values) {
        let mut hits = [0_usize; BITS];
        let (mut kinds, mut services) = (0, 0);
        let mut letters = 0;
        self.lower.window += 1;
        for line in &self.lines.list {
            let mut before: &[u32] = &[];
            for token in line.tokens(&self.tokens) {
                let info = self.words.info(token.id);
                add_topics(&mut hits, info.topics, 1);
                letters += usize::from(info.is(is::LETTERS));
                if info.topics & (NAVIGATION | SERVICE) != 0 && self.lower.is_new(info.lower) {
                    kinds += usize::from(info.topics & NAVIGATION != 0);
                    services += usize::from(info.topics & SERVICE != 0);
                }
                if info.is(is::WORD) {
                    let parts = self.words.parts(info);
                    if !before.is_empty() && !parts.is_empty() {
                        add_topics(&mut hits, self.words.lexicon.of_pair(before, parts), 2);
                    }
                    before = parts;
                }
            }
        }
        let (hits, weak) = hits.split_at_mut(WEAK);
        for (strong, weak) in hits.iter_mut().zip(weak) {
            *strong += (*weak).min(2 * *strong);
        }
        let words = self.word_count();
        for &count in &hits[..TOPICS.len()] {
            values.ratio(count, words);
        }
        for &count in &hits[..SPAM] {
            values.ratio(count.saturating_sub(hits[REPORTING]), words);
        }
        let most = hits[..SPAM].iter().copied().max().unwrap_or(0);
        values.ratio(most, words);
        values.ratio(most.saturating_sub(hits[REPORTING]), words);
        let root = |kinds: usize, letters: usize| {
            if letters == 0 {
                0.0
            } else {
                kinds as f64 / (letters as f64).sqrt()
            }
        };
        let (menu, spam) = (self.menu_kinds(), self.spam_kinds());
        for kinds in [kinds, menu] {
            values.push(root(kinds, letters));
        }
        for kinds in [services, spam] {
            values.push(root(kinds, letters + FEW));
        }
    }

    /// Different words of menus in short lines without an end of sentence.
    fn menu_kinds(&mut self) -> usize {
        let mut kinds = 0;
        self.lower.window += 1;
        for line in self.lines.list.iter().filter(|line| line.is_open()) {
            for token in line.tokens(&self.tokens) {
                let info = self.words.info(token.id);
                kinds += usize::from(info.topics & NAVIGATION != 0 && self.lower.is_new(info.lower));
            }
        }
        kinds
    }

    /// Different words of the spam topic that has most, words with other meanings among them, in short lines without
    /// an end of sentence that are no verse.
    fn spam_kinds(&mut self) -> usize {
        const STRONG: u32 = (1 << SPAM) - 1;
        let mut kinds = [0; SPAM];
        self.lower.window += 1;
        let short = |line: &&Line| line.is_open() && line.shape != Shape::Verse;
        for line in self.lines.list.iter().filter(short) {
            for token in line.tokens(&self.tokens) {
                let info = self.words.info(token.id);
                let mut topics = (info.topics | info.topics >> WEAK) & STRONG;
                if topics == 0 || !self.lower.is_new(info.lower) {
                    continue;
                }
                while topics != 0 {
                    kinds[topics.trailing_zeros() as usize] += 1;
                    topics &= topics - 1;
                }
            }
        }
        kinds.into_iter().max().unwrap_or(0)
    }
}

fn add_topics(hits: &mut [usize; BITS], mut mask: u32, weight: usize) {
    while mask != 0 {
        hits[mask.trailing_zeros() as usize] += weight;
        mask &= mask - 1;
    }
}

fn is_one(info: &Info, c: char) -> bool {
    info.first == c && info.chars == 1 && !info.is(is::WORD)
}
