//! Signals of sentences and lines, and of what repeats in them.

use crate::facts::is;
use crate::lines::{Line, Shape, runs, sentences};
use crate::sums::{Values, spread};
use crate::words::Info;

use super::QualityMaker;

impl QualityMaker {
    pub(super) fn sentence_signals(&mut self, text: &str, values: &mut Values) {
        let (mut sizes, mut bare, mut words) = (Vec::new(), 0, 0);
        let (mut repeated, mut starts, mut doubled) = (0, 0, 0);
        self.repeats.starts.start();
        self.repeats.sentences.start();
        for line in &self.lines.list {
            for sentence in sentences(line.tokens(&self.tokens)) {
                let size = sentence.iter().filter(|token| token.is(is::WORD)).count();
                if size == 0 {
                    continue;
                }
                sizes.push(size as u64);
                words += size;
                if size >= 3 && !sentence.iter().any(|token| token.is(is::FUNCTION)) {
                    bare += size;
                }
                if size >= 4 {
                    let mut lowers = sentence
                        .iter()
                        .filter(|token| token.is(is::WORD))
                        .map(|token| token.lower);
                    let key = lowers
                        .by_ref()
                        .take(2)
                        .fold(0, |key, lower| key << 32 | u64::from(lower));
                    starts += 1;
                    repeated += usize::from(self.repeats.starts.add(key));
                }
                if size >= 5 {
                    let (from, to) = (sentence[0].start, sentence[sentence.len() - 1].end);
                    let sentences = &mut self.repeats.sentences;
                    let (_, new) = sentences.id(text.as_bytes(), from as usize, to as usize);
                    doubled += if new { 0 } else { size };
                }
            }
        }
        values.ratio(words, sizes.len());
        values.push(spread(&sizes));
        values.ratio(bare, words);
        values.ratio(repeated, starts);
        values.ratio(doubled, words);
    }

    pub(super) fn line_signals(&self, values: &mut Values) {
        let list = &self.lines.list;
        let (n, words) = (list.len(), self.word_count());
        let words_of = |belongs: &dyn Fn(&Line) -> bool| -> usize {
            list.iter()
                .filter(|line| belongs(line))
                .map(|line| line.words as usize)
                .sum()
        };
        let first = |line: &Line| self.tokens[line.first];
        let lines_of = |belongs: &dyn Fn(&Line) -> bool| list.iter().filter(|line| belongs(line)).count();
        values.ratio(words_of(&|line| !line.closed), words);
        values.ratio(words, n);
        values.push(spread(
            &list.iter().map(|line| u64::from(line.words)).collect::<Vec<_>>(),
        ));
        values.ratio(lines_of(&|line| line.words <= 3), n);
        let lengths = || runs(list, Line::is_open).map(|(start, end)| end - start);
        values.ratio(lengths().filter(|&length| length >= 5).sum(), n);
        values.push(lengths().max().unwrap_or(0) as f64);
        let menu = |line: &Line| line.shape == Shape::Label && line.numbers == 0;
        let in_menus = runs(list, menu)
            .filter(|(start, end)| end - start >= 4)
            .flat_map(|(start, end)| &list[start..end])
            .map(|line| line.words as usize)
            .sum();
        values.ratio(in_menus, words);
        values.ratio(lines_of(&|line| first(line).is(is::LOWER_START)), n);
        let digit = is::WORD | is::DIGIT;
        values.ratio(lines_of(&|line| first(line).flags & digit == digit), n);
        values.ratio(lines_of(&|line| self.shouts(line)), n);
        values.ratio(lines_of(&|line| self.teases(line)), n);
        for shape in [
            Shape::Verse,
            Shape::Play,
            Shape::Dialogue,
            Shape::Code,
            Shape::Table,
            Shape::List,
            Shape::Label,
            Shape::Prose,
        ] {
            values.ratio(words_of(&|line| line.shape == shape), words);
        }
        values.ratio(self.headline_words(), words);
    }

    /// Words of headlines where four or more stand in a run of lines that end no sentence and do not go on.
    fn headline_words(&self) -> usize {
        let list = &self.lines.list;
        let alone = |line: &Line| {
            let last = &self.tokens[line.last - 1];
            let starts = !self.tokens[line.first].is(is::LOWER_START);
            starts && !line.closed && last.is(is::WORD | is::CLOSING)
        };
        let plain = |line: &&Line| matches!(line.shape, Shape::Label | Shape::Prose) && line.code == 0;
        let headline = |line: &&Line| plain(line) && (4..=20).contains(&line.words) && line.letters >= 3;
        runs(list, alone)
            .map(|(start, end)| list[start..end].iter().filter(headline))
            .filter(|headlines| headlines.clone().count() >= 4)
            .flatten()
            .map(|line| line.words as usize)
            .sum()
    }

    /// All words are in capitals, and one of them is longer than a letter.
    fn shouts(&self, line: &Line) -> bool {
        let mut letters = line
            .tokens(&self.tokens)
            .iter()
            .map(|token| self.words.info(token.id))
            .filter(|info| info.is(is::LETTERS));
        let any = letters.clone().any(|info| info.is(is::UPPER));
        any && letters.all(|info| info.is(is::UPPER) || info.chars == 1)
    }

    /// Ends in an ellipsis or asks to read more.
    fn teases(&self, line: &Line) -> bool {
        let last = self.words.info(self.tokens[line.last - 1].id);
        let dots = last.first == '.' && last.chars == 3 && !last.is(is::WORD);
        last.first == '…' || dots || last.is(is::MORE)
    }

    pub(super) fn repeat_signals(&mut self, values: &mut Values) {
        let repeats = &mut self.repeats;
        repeats.templates.start();
        repeats.arena.clear();
        let mut repeated = 0;
        for line in self.lines.list.iter().filter(|line| line.last - line.first >= 3) {
            let start = repeats.arena.len();
            for token in line.tokens(&self.tokens) {
                write_template(self.words.info(token.id), &mut repeats.arena);
            }
            let (_, new) = repeats.templates.id(&repeats.arena, start, repeats.arena.len());
            if !new {
                repeats.arena.truncate(start);
                repeated += line.words as usize;
            }
        }
        repeats.grams.start();
        let (mut key, mut words, mut again) = (0_u64, 0, 0);
        for token in &self.tokens {
            if token.is(is::WORD) {
                key = (key << 21 | u64::from(token.lower)) & ((1 << 63) - 1);
                words += 1;
                again += usize::from(words >= 3 && repeats.grams.add(key));
            }
        }
        values.ratio(repeated, words);
        values.ratio(again, words.saturating_sub(2));
    }
}

/// The class of a token in the template of a line, ended by a byte that no class holds.
fn write_template(info: &Info, arena: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    if !info.is(is::WORD) {
        arena.extend_from_slice(info.first.encode_utf8(&mut buffer).as_bytes());
    } else if !info.is(is::LETTERS) {
        arena.push(b'0');
    } else if info.is(is::FUNCTION) {
        arena.push(1);
        arena.extend_from_slice(&info.lower.to_le_bytes());
    } else {
        arena.push(if info.is(is::CAPITAL) { b'A' } else { b'a' });
    }
    arena.push(0);
}
