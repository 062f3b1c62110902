//! Quality signals of a document: the quantities of Gopher (Rae et al. 2021), C4 (Raffel et al. 2020) and
//! FineWeb (Penedo et al. 2024), as numbers; what to do about them is decided elsewhere.
//!
//! Named as in datatrove's filters and equal to its formulas (release 0.10), with this project's tokens in
//! the place of spaCy's. A ratio with nothing below the line is 0. `tests/oracles/signals.py` is the
//! oracle of this file.

use memchr::memmem;

use super::chars::{ends_sentence, is_space};
use super::interner::Interner;
use super::lines::{char_count, newline_runs, python_lines, strip};
use super::repetition::{Duplicates, MAX_TOKENS, NGramCounter, Word, duplicates};
use super::stop_words::StopWords;
use super::words::tokens;

/// Names of the signals, in the order of `Signals::values`.
pub const NAMES: [&str; 33] = [
    "chars",
    "tokens",
    "words",
    "lines",
    "mean_word_length",
    "hash_ratio",
    "ellipsis_ratio",
    "bullet_line_ratio",
    "ellipsis_line_ratio",
    "alpha_word_ratio",
    "stop_words",
    "dup_line_frac",
    "dup_line_char_frac",
    "dup_para_frac",
    "dup_para_char_frac",
    "top_2_gram_frac",
    "top_3_gram_frac",
    "top_4_gram_frac",
    "dup_5_gram_frac",
    "dup_6_gram_frac",
    "dup_7_gram_frac",
    "dup_8_gram_frac",
    "dup_9_gram_frac",
    "dup_10_gram_frac",
    "line_punct_ratio",
    "short_line_ratio",
    "char_dup_ratio",
    "newline_ratio",
    "c4_terminal_line_ratio",
    "c4_lorem_ipsum",
    "c4_curly_brackets",
    "c4_javascript_lines",
    "c4_policy_lines",
];

/// C4's phrases of policy notices (c4_utils.py of tensorflow/datasets).
const POLICY: [&str; 6] = [
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
];

/// FineWeb calls a line of up to this many characters short.
const SHORT_LINE: usize = 30;

/// Computes signals; holds scratch memory and the stop words.
pub struct SignalMaker {
    stop_words: StopWords,
    interner: Interner,
    n_grams: NGramCounter,
    words: Vec<Word>,
    spans: Vec<(u32, u32)>,
    ids: Vec<u32>,
    lower: Vec<u8>,
    max_tokens: usize,
    lorem: memmem::Finder<'static>,
    javascript: memmem::Finder<'static>,
    policy: Vec<memmem::Finder<'static>>,
    /// One of these stands in every phrase of `POLICY`.
    policy_word: [memmem::Finder<'static>; 3],
    gap: memmem::Finder<'static>,
    dots: memmem::Finder<'static>,
    ellipsis: memmem::Finder<'static>,
}

struct TokenSums {
    tokens: usize,
    words: usize,
    word_chars: usize,
    with_letter: usize,
    stop_words: usize,
}

impl SignalMaker {
    /// `stop_words` are compared with words in lower case.
    pub fn new(stop_words: &[String]) -> Self {
        Self {
            stop_words: StopWords::new(stop_words),
            interner: Interner::default(),
            n_grams: NGramCounter::default(),
            words: Vec::new(),
            spans: Vec::new(),
            ids: Vec::new(),
            lower: Vec::new(),
            max_tokens: MAX_TOKENS,
            lorem: memmem::Finder::new("lorem ipsum"),
            javascript: memmem::Finder::new("javascript"),
            policy: POLICY.iter().map(memmem::Finder::new).collect(),
            policy_word: [
                memmem::Finder::new("cookie"),
                memmem::Finder::new("terms of use"),
                memmem::Finder::new("privacy"),
            ],
            gap: memmem::Finder::new("\n\n"),
            dots: memmem::Finder::new("..."),
            ellipsis: memmem::Finder::new("…"),
        }
    }

    /// The signals of `text`, in the order of `NAMES`.
    pub fn measure(&mut self, text: &str) -> [f64; 33] {
        let chars = char_count(text.as_bytes());
        let sums = self.token_sums(text);
        let grams = self.n_grams.measure(&self.words);
        let bytes = text.as_bytes();
        let hashes = memchr::memchr_iter(b'#', bytes).count();
        let ellipses = self.dots.find_iter(bytes).count() + self.ellipsis.find_iter(bytes).count();
        let newlines = memchr::memchr_iter(b'\n', bytes).count();
        let python = python_line_sums(text);
        let lines = self.line_sums(text);
        let paragraphs = self.paragraphs(text);
        let c4 = self.c4_sums(text);
        let gram = |value: u64| ratio(value as usize, chars);
        [
            chars as f64,
            sums.tokens as f64,
            sums.words as f64,
            lines.total as f64,
            ratio(sums.word_chars, sums.words),
            ratio(hashes, sums.tokens),
            ratio(ellipses, sums.tokens),
            ratio(python.bullets, python.total),
            ratio(python.ellipses, python.total),
            ratio(sums.with_letter, sums.tokens),
            sums.stop_words as f64,
            ratio_if(lines.all_duplicates, lines.all, chars),
            ratio(lines.all_duplicate_chars, chars),
            ratio_if(paragraphs.duplicates, paragraphs.total, chars),
            ratio(paragraphs.chars, chars),
            gram(grams.top[0]),
            gram(grams.top[1]),
            gram(grams.top[2]),
            gram(grams.duplicated[0]),
            gram(grams.duplicated[1]),
            gram(grams.duplicated[2]),
            gram(grams.duplicated[3]),
            gram(grams.duplicated[4]),
            gram(grams.duplicated[5]),
            ratio(lines.punctuated, lines.total),
            ratio(lines.short, lines.total),
            ratio(lines.duplicate_chars, chars - newlines),
            ratio(newlines, sums.tokens),
            ratio(python.terminal, python.total),
            c4.lorem as f64,
            c4.curly as f64,
            c4.javascript as f64,
            c4.policy as f64,
        ]
    }

    /// The tokens of the text last measured, of the first `MAX_TOKENS`: where each stands, and a number that equal
    /// tokens share, in order of first appearance. Of a text above 4 GiB there are none.
    pub fn tokens(&self) -> (&[(u32, u32)], &[u32]) {
        (&self.spans, &self.ids)
    }

    /// Cuts the text, fills `self.words`, and sums what Gopher asks of words.
    fn token_sums(&mut self, text: &str) -> TokenSums {
        let mut sums = TokenSums {
            tokens: 0,
            words: 0,
            word_chars: 0,
            with_letter: 0,
            stop_words: 0,
        };
        self.stop_words.start();
        self.interner.start();
        self.words.clear();
        self.spans.clear();
        self.ids.clear();
        let short = u32::try_from(text.len()).is_ok();
        for token in tokens(text) {
            sums.tokens += 1;
            sums.words += usize::from(token.is_word);
            sums.word_chars += if token.is_word { token.chars } else { 0 };
            sums.with_letter += usize::from(token.has_letter);
            if sums.tokens > self.max_tokens {
                continue;
            }
            let (id, new) = self.interner.id(text.as_bytes(), token.start, token.end);
            self.words.push(Word {
                id,
                chars: token.chars as u32,
            });
            if short {
                self.spans.push((token.start as u32, token.end as u32));
                self.ids.push(id);
            }
            if new && token.has_letter {
                self.stop_words.add(&text[token.start..token.end], token.chars);
            }
        }
        sums.stop_words = self.stop_words.count();
        sums
    }

    /// What FineWeb asks of the lines that are not blank, and what Gopher asks of all between runs of line ends.
    fn line_sums(&mut self, text: &str) -> LineSums {
        let mut sums = LineSums::default();
        let base = text.as_ptr() as usize;
        self.interner.start();
        for line in newline_runs(text, 1) {
            let start = line.as_ptr() as usize - base;
            let chars = char_count(line.as_bytes());
            let again = !self.interner.id(text.as_bytes(), start, start + line.len()).1;
            sums.all += 1;
            sums.all_duplicates += usize::from(again);
            sums.all_duplicate_chars += if again { chars } else { 0 };
            if line.chars().all(is_space) {
                continue;
            }
            sums.total += 1;
            sums.punctuated += usize::from(line.chars().next_back().is_some_and(ends_sentence));
            sums.short += usize::from(chars <= SHORT_LINE);
            sums.duplicate_chars += if again { chars } else { 0 };
        }
        sums
    }

    /// Duplicated paragraphs; a text of one paragraph is not read for it.
    fn paragraphs(&mut self, text: &str) -> Duplicates {
        let text = strip(text);
        if self.gap.find(text.as_bytes()).is_none() {
            return Duplicates {
                total: 1,
                ..Duplicates::default()
            };
        }
        duplicates(&mut self.interner, text, newline_runs(text, 2))
    }

    fn c4_sums(&mut self, text: &str) -> C4Sums {
        self.lower.clear();
        self.lower
            .extend(text.as_bytes().iter().map(u8::to_ascii_lowercase));
        let lower = &self.lower;
        let mut policy: Vec<usize> = Vec::new();
        if self.policy_word.iter().any(|word| word.find(lower).is_some()) {
            policy.extend(self.policy.iter().flat_map(|phrase| phrase.find_iter(lower)));
        }
        policy.sort_unstable();
        C4Sums {
            lorem: self.lorem.find_iter(lower).count(),
            curly: memchr::memchr_iter(b'{', lower).count(),
            javascript: lines_with(text, self.javascript.find_iter(lower)),
            policy: lines_with(text, policy.into_iter()),
        }
    }
}

#[derive(Default)]
struct LineSums {
    all: usize,
    all_duplicates: usize,
    all_duplicate_chars: usize,
    total: usize,
    punctuated: usize,
    short: usize,
    duplicate_chars: usize,
}

struct C4Sums {
    lorem: usize,
    curly: usize,
    javascript: usize,
    policy: usize,
}

#[derive(Default)]
struct PythonLineSums {
    total: usize,
    bullets: usize,
    ellipses: usize,
    terminal: usize,
}

fn python_line_sums(text: &str) -> PythonLineSums {
    let mut sums = PythonLineSums::default();
    for line in python_lines(text) {
        let line = strip(line);
        sums.total += 1;
        sums.bullets += usize::from(line.starts_with('•') || line.starts_with('-'));
        sums.ellipses += usize::from(line.ends_with("...") || line.ends_with('…'));
        sums.terminal += usize::from(line.ends_with(['.', '?', '!', '"', '\'']) && !line.ends_with("..."));
    }
    sums
}

/// Number of lines (ends as in `python_lines`) that hold one of the ascending byte positions `hits`.
fn lines_with(text: &str, hits: impl Iterator<Item = usize>) -> usize {
    let (mut count, mut end) = (0, 0);
    for hit in hits.map(|hit| hit + 1) {
        if hit <= end {
            continue;
        }
        // No phrase holds a line end, so what follows the hit up to the first end is the rest of its line.
        let rest = python_lines(&text[hit - 1..]).next().map_or(0, str::len);
        count += 1;
        end = hit - 1 + rest;
    }
    count
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// A ratio that is 0 for an empty text, whose one line or paragraph is nothing.
fn ratio_if(part: usize, whole: usize, chars: usize) -> f64 {
    if chars == 0 { 0.0 } else { ratio(part, whole) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signal(text: &str, name: &str) -> f64 {
        let values = SignalMaker::new(&["и".into(), "в".into()]).measure(text);
        values[NAMES.iter().position(|&n| n == name).expect("a known signal")]
    }

    #[test]
    fn words_and_symbols_are_counted_apart() {
        let text = "Дом, и сад... В 5-й раз!";
        assert_eq!(signal(text, "tokens"), 9.0);
        assert_eq!(signal(text, "words"), 6.0);
        assert_eq!(signal(text, "alpha_word_ratio"), 6.0 / 9.0);
        assert_eq!(signal(text, "stop_words"), 2.0);
        assert_eq!(signal(text, "ellipsis_ratio"), 1.0 / 9.0);
    }

    #[test]
    fn a_repeated_line_counts_once_less_than_it_occurs() {
        let text = "одна строка\nдругая строка\nодна строка";
        assert_eq!(signal(text, "dup_line_frac"), 1.0 / 3.0);
        assert_eq!(signal(text, "char_dup_ratio"), 11.0 / 35.0);
    }

    #[test]
    fn two_phrases_on_one_line_are_one_policy_line() {
        let text = "Privacy Policy and Terms of Use\nтекст\nWe use cookies; cookie policy";
        assert_eq!(signal(text, "c4_policy_lines"), 2.0);
    }

    #[test]
    fn an_empty_text_has_zero_signals() {
        assert!(
            SignalMaker::new(&[])
                .measure("")
                .iter()
                .all(|&value| value == 0.0)
        );
    }

    #[test]
    fn only_the_first_tokens_enter_n_grams() {
        let mut maker = SignalMaker::new(&[]);
        maker.max_tokens = 5;
        let values = maker.measure("а б в г д а б в г д а б в г д");
        assert_eq!(values[18], 0.0);
        assert_eq!(values[1], 15.0);
    }

    proptest! {
        #[test]
        fn any_text_has_finite_signals(texts in prop::collection::vec("\\PC{0,60}|[а-д \n.…•\\-{#]{0,200}|[\u{0}-\u{10FFFF}]{0,60}", 1..4)) {
            let mut maker = SignalMaker::new(&["в".into()]);
            for text in &texts {
                let again = SignalMaker::new(&["в".into()]).measure(text);
                let values = maker.measure(text);
                prop_assert_eq!(values, again);
                prop_assert!(values.iter().all(|value| value.is_finite() && *value >= 0.0));
                prop_assert_eq!(values[0] as usize, text.chars().count());
            }
        }
    }
}
