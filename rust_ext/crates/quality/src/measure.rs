//! One text to its signals.

use bukvar_text::repetition::Interner;
use bukvar_text::words::{Token, tokens};

use super::lexicon::{BITS, Lexicon, NAVIGATION, REPORTING, SPAM, TOPICS, WEAK};
use super::limits::{COMPRESSED, NEIGHBOURS, READ};
use super::lines::{Line, Lines, Shape, Tok, runs, sentences};
use super::names::COUNT;
use super::neighbours::SCORES;
use super::repeats::{Compression, Seen};
use super::sums::{LowerCounts, MarkSums, VARIETY, Values, WordSums, spread};
use super::words::{Info, Words, is, neighbour_slot};

/// Pairs of a window of which the worst is a signal, and how far windows are apart.
const WINDOW: usize = 32;
const STEP: usize = 16;

/// Computes signals; holds the lists, the table and scratch memory.
pub struct QualityMaker {
    words: Words,
    table: Vec<u8>,
    tokens: Vec<Tok>,
    lines: Lines,
    /// Numbers of words that were cut before -> numbers of their facts.
    numbers: Vec<u32>,
    repeats: Repeats,
    lower: LowerCounts,
    scores: Vec<i64>,
    compression: Compression,
}

/// Sets of one text.
#[derive(Default)]
struct Repeats {
    grams: Seen,
    starts: Seen,
    sentences: Interner,
    templates: Interner,
    arena: Vec<u8>,
}

/// Counts by lower-case form, of one text and of a window of it.
impl QualityMaker {
    /// `table`: [`NEIGHBOURS`] bytes, 0 for pairs of classes that were not met, else 128 + 16 log(how much
    /// more often than by chance).
    pub fn new(lexicon: Lexicon, table: Vec<u8>) -> Result<Self, String> {
        if table.len() != NEIGHBOURS {
            return Err(format!(
                "the table of neighbours has {} bytes, not {NEIGHBOURS}",
                table.len()
            ));
        }
        Ok(Self {
            words: Words::new(lexicon),
            table,
            tokens: Vec::new(),
            lines: Lines::default(),
            numbers: Vec::new(),
            repeats: Repeats::default(),
            lower: LowerCounts::default(),
            scores: Vec::new(),
            compression: Compression::default(),
        })
    }

    /// The signals of `text`, in the order of `names()`.
    pub fn measure(&mut self, text: &str) -> [f64; COUNT] {
        let text = &text[..boundary(text, READ)];
        self.read(text);
        self.values(text)
    }

    /// The signals of the text that has been read.
    fn values(&mut self, text: &str) -> [f64; COUNT] {
        let mut values = Values::default();
        self.word_signals(&mut values);
        self.run_signals(&mut values);
        self.mark_signals(&mut values);
        self.sentence_signals(text, &mut values);
        self.line_signals(&mut values);
        self.repeat_signals(&mut values);
        let data = &text.as_bytes()[..text.len().min(COMPRESSED)];
        values.ratio(self.compression.bits(data), 8 * data.len());
        self.grammar_signals(&mut values);
        self.role_signals(&mut values);
        self.contact_signals(&mut values);
        self.topic_signals(&mut values);
        values.list
    }

    /// The same signals of a text that has been cut: `spans` are where its tokens stand, `ids` numbers that equal
    /// tokens share, in order of first appearance. Texts above [`READ`] bytes are cut again.
    pub fn measure_cut(&mut self, text: &str, spans: &[(u32, u32)], ids: &[u32]) -> [f64; COUNT] {
        if text.len() > READ {
            return self.measure(text);
        }
        self.read_cut(text, spans, ids);
        self.values(text)
    }

    /// Takes tokens that were cut before into the lines they stand in.
    fn read_cut(&mut self, text: &str, spans: &[(u32, u32)], ids: &[u32]) {
        self.words.start_text();
        self.tokens.clear();
        self.lines.start();
        self.numbers.clear();
        let mut next = 0;
        let firsts = spans.iter().zip(ids).filter(|&(_, &id)| {
            let first = id == next;
            next += u32::from(first);
            first
        });
        self.words
            .look_ahead(firsts.map(|(&(from, to), _)| &text[from as usize..to as usize]));
        let (mut first, mut start) = (0, 0);
        let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
        let mut end = ends.next().unwrap_or(text.len());
        for (&(from, to), &id) in spans.iter().zip(ids) {
            while from as usize >= end {
                self.lines
                    .add(&self.words, text, (start, end), &self.tokens, first);
                (first, start) = (self.tokens.len(), end + 1);
                end = ends.next().unwrap_or(text.len());
            }
            if id as usize == self.numbers.len() {
                let piece = &text[from as usize..to as usize];
                let number = self.words.new_id(id as usize, piece);
                self.numbers.push(number);
            }
            let id = self.numbers[id as usize];
            let info = self.words.info(id);
            self.tokens.push(Tok {
                flags: info.flags,
                lower: info.lower,
                id,
                start: from,
                end: to,
            });
        }
        self.lines
            .add(&self.words, text, (start, end), &self.tokens, first);
        self.lines.shape(&self.words, &self.tokens);
    }

    /// Cuts the text into tokens and lines.
    fn read(&mut self, text: &str) {
        self.words.start_text();
        self.tokens.clear();
        self.lines.start();
        let mut start = 0;
        for line in text.split('\n') {
            let first = self.tokens.len();
            for token in tokens(line) {
                let id = self.words.id(line, &token);
                let Token { start: from, end, .. } = token;
                let info = self.words.info(id);
                self.tokens.push(Tok {
                    flags: info.flags,
                    lower: info.lower,
                    id,
                    start: (start + from) as u32,
                    end: (start + end) as u32,
                });
            }
            let span = (start, start + line.len());
            self.lines.add(&self.words, text, span, &self.tokens, first);
            start += line.len() + 1;
        }
        self.lines.shape(&self.words, &self.tokens);
    }

    fn word_count(&self) -> usize {
        self.lines.list.iter().map(|line| line.words as usize).sum()
    }

    fn word_signals(&mut self, values: &mut Values) {
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
    }

    fn run_signals(&self, values: &mut Values) {
        let (mut longest, mut run, mut bare, mut count, mut inner) = (0, 0, 0, 0, 0);
        for line in &self.lines.list {
            bare += if line.functions == 0 {
                line.letters as usize
            } else {
                0
            };
            let mut after_word = false;
            for token in line.tokens(&self.tokens) {
                if token.is(is::LETTERS) {
                    count += 1;
                    run = if token.is(is::FUNCTION) { 0 } else { run + 1 };
                    longest = longest.max(run);
                    inner += usize::from(token.is(is::CAPITAL) && after_word);
                }
                after_word = token.is(is::WORD);
            }
        }
        values.ratio(bare, count);
        values.push(f64::from(longest));
        values.ratio(inner, count);
    }

    fn mark_signals(&self, values: &mut Values) {
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

    fn sentence_signals(&mut self, text: &str, values: &mut Values) {
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

    fn line_signals(&self, values: &mut Values) {
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

    fn repeat_signals(&mut self, values: &mut Values) {
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

    fn grammar_signals(&mut self, values: &mut Values) {
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

    fn role_signals(&self, values: &mut Values) {
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

    fn contact_signals(&self, values: &mut Values) {
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
                let plus = |other: &Tok| is_one(self.words.info(other.id), '+');
                phones += usize::from(number && touching.is_some_and(plus));
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

    fn topic_signals(&mut self, values: &mut Values) {
        let mut hits = [0_usize; BITS];
        let mut kinds = 0;
        let mut letters = 0;
        self.lower.window += 1;
        for line in &self.lines.list {
            let mut before: &[u32] = &[];
            for token in line.tokens(&self.tokens) {
                let info = self.words.info(token.id);
                add_topics(&mut hits, info.topics, 1);
                letters += usize::from(info.is(is::LETTERS));
                kinds += usize::from(info.topics & NAVIGATION != 0 && self.lower.is_new(info.lower));
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
        let root = |kinds: usize| {
            if letters == 0 {
                0.0
            } else {
                kinds as f64 / (letters as f64).sqrt()
            }
        };
        values.push(root(kinds));
        values.push(root(self.menu_kinds()));
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
}

/// The last character boundary at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;
    use proptest::prelude::*;

    fn maker() -> QualityMaker {
        let lexicon = Lexicon::read("и в не на он", "[casino]\nказино* рабочее + зеркал*\n").expect("lists");
        QualityMaker::new(lexicon, vec![0; NEIGHBOURS]).expect("a table")
    }

    fn signal(text: &str, name: &str) -> f64 {
        let at = names()
            .iter()
            .position(|known| known == name)
            .expect("a known signal");
        maker().measure(text)[at]
    }

    #[test]
    fn names_are_as_many_as_values_and_different() {
        let names = names();
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!((names.len(), different.len()), (COUNT, COUNT));
    }

    #[test]
    fn dashes_of_dialogue_are_no_words() {
        let text = "— Да, — сказал он.\n— Нет, — сказал другой.";
        assert_eq!(signal(text, "letter_word_ratio"), 6.0 / 10.0);
        assert_eq!(signal(text, "dialogue_ratio"), 1.0);
    }

    #[test]
    fn look_alikes_do_not_hide_a_topic_and_a_pair_counts_twice() {
        assert_eq!(signal("Кaзинo и дом", "topic_casino"), 1.0 / 3.0);
        assert_eq!(signal("рабочее зеркало сайта", "topic_casino"), 2.0 / 3.0);
    }

    #[test]
    fn weak_words_count_twice_as_far_as_strong_ones_do() {
        let lexicon = Lexicon::read("и в", "[casino]\nказино* ?вулкан* ?бонус*\n").expect("lists");
        let mut maker = QualityMaker::new(lexicon, vec![0; NEIGHBOURS]).expect("a table");
        let at = names()
            .iter()
            .position(|name| name == "topic_casino")
            .expect("known");
        let mut topic = |text: &str| maker.measure(text)[at];
        assert_eq!(topic("вулкан вулканы лава пепел"), 0.0);
        assert_eq!(topic("казино вулкан бонусы пепел"), 3.0 / 4.0);
        assert_eq!(topic("казино бонус бонус бонус"), 3.0 / 4.0);
    }

    #[test]
    fn years_and_pages_are_no_addresses() {
        assert_eq!(signal("стр. 10, в 1812 г. вышел, 5 кв. м", "address_ratio"), 0.0);
        assert_eq!(signal("г. Тверь, ул. Мира, д. 5", "address_ratio"), 3.0 / 6.0);
    }

    #[test]
    fn a_repeated_template_is_found_through_other_words() {
        let text = "Шкаф Белый, цена 100.\nСтол Синий, цена 250.\nОн не шёл в дом.";
        assert_eq!(signal(text, "template_line_ratio"), 4.0 / 13.0);
    }

    #[test]
    fn a_line_of_fifty_megabytes_is_read_in_part() {
        let text = "слово в дом, ".repeat(2_200_000);
        let mut maker = maker();
        let values = maker.measure(&text);
        assert!(values.iter().all(|value| value.is_finite()));
        assert!(maker.tokens.len() < READ);
    }

    #[test]
    fn a_table_of_another_size_is_refused() {
        let lexicon = Lexicon::read("", "").expect("empty lists");
        assert!(QualityMaker::new(lexicon, vec![0; 5]).is_err());
    }

    proptest! {
        #[test]
        fn what_was_read_before_changes_nothing(texts in prop::collection::vec("\\PC{0,60}|[а-дА-Д \n.…•\\-{#0-9,]{0,200}", 1..4)) {
            let mut used = maker();
            for text in &texts {
                let values = used.measure(text);
                prop_assert_eq!(values, maker().measure(text));
                prop_assert!(values.iter().all(|value| value.is_finite()));
            }
        }
    }
}
