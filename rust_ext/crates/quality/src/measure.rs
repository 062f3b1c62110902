//! One text to its signals.

use bukvar_text::repetition::Interner;
use bukvar_text::words::{Token, tokens};

use super::known::Known;
use super::lexicon::Lexicon;
use super::limits::{COMPRESSED, NEIGHBOURS, READ};
use super::lines::{Lines, Tok};
use super::names::COUNT;
use super::repeats::{Compression, Seen};
use super::sums::{LowerCounts, Values};
use super::words::Words;

mod lines;
mod topics;
mod words;

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

impl QualityMaker {
    /// `table`: [`NEIGHBOURS`] bytes, 0 for pairs of classes that were not met, else 128 + 16 log(how much
    /// more often than by chance). `known`: the table of [`Known`].
    pub fn new(lexicon: Lexicon, table: Vec<u8>, known: Vec<u8>) -> Result<Self, String> {
        if table.len() != NEIGHBOURS {
            return Err(format!(
                "the table of neighbours has {} bytes, not {NEIGHBOURS}",
                table.len()
            ));
        }
        Ok(Self {
            words: Words::new(lexicon, Some(Known::new(known)?)),
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
}

/// The last character boundary at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::limits::KNOWN;
    use super::super::names;
    use super::*;
    use proptest::prelude::*;

    fn maker() -> QualityMaker {
        let lexicon = Lexicon::read("и в не на он", "[casino]\nказино* рабочее + зеркал*\n").expect("lists");
        QualityMaker::new(lexicon, vec![0; NEIGHBOURS], vec![0; KNOWN]).expect("a table")
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
        let mut maker = QualityMaker::new(lexicon, vec![0; NEIGHBOURS], vec![0; KNOWN]).expect("a table");
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
        assert_eq!(signal("Д. Медведев и Г. Иванов", "address_ratio"), 0.0);
    }

    #[test]
    fn addresses_of_the_web_and_long_numbers_are_neither_broken_letters_nor_phones() {
        assert_eq!(
            signal("смотри site.ru/watch?v=1 и a.aspx?file", "inner_question_ratio"),
            0.0
        );
        assert!(signal("пр?вет, м?р", "inner_question_ratio") > 0.0);
        assert_eq!(signal("число 12345678912345 в байтах", "phone_ratio"), 0.0);
        assert!(signal("звоните 89161234567", "phone_ratio") > 0.0);
    }

    #[test]
    fn ranges_of_numbers_are_no_phones() {
        assert_eq!(
            signal("от -100% до +100%, +5 °C, 1354200000 с", "phone_ratio"),
            0.0
        );
        assert_eq!(
            signal("+7 (495) и +7 495 и 8-495-123-45-67", "phone_ratio"),
            3.0 / 7.0
        );
    }

    #[test]
    fn headlines_are_lines_without_ends_that_do_not_go_on() {
        let list = "Он уехал в Москву\nВ Туле открыли музей\nРечь о доме в «Новостях»\nМэр на озере в лодке";
        assert_eq!(signal(list, "headline_ratio"), 1.0);
        assert_eq!(signal(&list.replace('\n', ".\n"), "headline_ratio"), 0.0);
        assert_eq!(signal(&list.replace('\n', ",\n"), "headline_ratio"), 0.0);
        assert_eq!(signal(&list.to_lowercase(), "headline_ratio"), 0.0);
        assert_eq!(signal(&list.replace(" в ", " | "), "headline_ratio"), 0.0);
    }

    #[test]
    fn function_words_with_a_capital_inside_a_sentence_begin_lines_of_verse() {
        assert_eq!(
            signal("Мороз, И солнце в доме В саду", "inner_start_ratio"),
            2.0 / 3.0
        );
        assert_eq!(signal("На столе. И он. ОН не дом", "inner_start_ratio"), 0.0);
    }

    #[test]
    fn unknown_words_are_few_in_a_text_of_few_words() {
        let (none, all) = (vec![0; KNOWN], vec![255; KNOWN]);
        let at = names()
            .iter()
            .position(|name| name == "unknown_word_ratio")
            .expect("known");
        let ratio = |known: Vec<u8>, text: &str| {
            let lexicon = Lexicon::read("", "").expect("empty lists");
            let maker = QualityMaker::new(lexicon, vec![0; NEIGHBOURS], known);
            maker.expect("tables").measure(text)[at]
        };
        assert_eq!(ratio(none.clone(), "домость Лесость лес x-домость"), 1.0 / 21.0);
        assert_eq!(ratio(none, &"домость ".repeat(60)), 60.0 / 80.0);
        assert_eq!(ratio(all, "домость"), 0.0);
    }

    #[test]
    fn words_of_a_topic_count_by_kinds_in_short_lines() {
        let lexicon = Lexicon::read(
            "и в",
            "[casino]\nказино* ?вулкан* ?бонус*\n[service]\nстраниц* cookie*\n",
        );
        let maker = QualityMaker::new(lexicon.expect("lists"), vec![0; NEIGHBOURS], vec![0; KNOWN]);
        let mut maker = maker.expect("tables");
        let at = |name: &str| names().iter().position(|known| known == name).expect("known");
        let text = "Бонус\nВулкан\nБонус\nВулкан и бонусы в саду.";
        assert_eq!(maker.measure(text)[at("spam_kinds")], 2.0 / 28_f64.sqrt());
        let verse = "Бонус в саду,\nвулкан в саду,\nбонусы в саду,\nвулканы в саду,\n";
        assert_eq!(maker.measure(verse)[at("spam_kinds")], 0.0);
        assert_eq!(
            maker.measure(&format!("{verse}Бонус"))[at("spam_kinds")],
            1.0 / 33_f64.sqrt()
        );
        let text = "Страница страница, страницы cookie.";
        assert_eq!(maker.measure(text)[at("service_kinds")], 3.0 / 24_f64.sqrt());
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
        assert!(QualityMaker::new(lexicon, vec![0; 5], vec![0; KNOWN]).is_err());
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
