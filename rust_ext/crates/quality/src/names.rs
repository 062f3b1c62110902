//! The signals by name, in the order of the columns.

use super::lexicon::{SPAM, TOPICS};

/// Number of signals.
pub const COUNT: usize = OTHERS.len() + TOPICS.len() + SPAM + LAST.len();

const OTHERS: [&str; 77] = [
    "letter_word_ratio",
    "function_word_ratio",
    "function_word_kinds",
    "latin_word_ratio",
    "mixed_script_ratio",
    "broken_case_ratio",
    "no_vowel_ratio",
    "upper_word_ratio",
    "number_ratio",
    "letter_digit_ratio",
    "lone_letter_ratio",
    "long_word_ratio",
    "odd_letter_ratio",
    "word_variety",
    "top_word_ratio",
    "unknown_word_ratio",
    "bare_line_ratio",
    "longest_bare_run",
    "inner_capital_ratio",
    "inner_start_ratio",
    "comma_ratio",
    "stop_ratio",
    "exclamation_ratio",
    "question_ratio",
    "dash_ratio",
    "colon_ratio",
    "quote_ratio",
    "bracket_ratio",
    "code_ratio",
    "emoji_ratio",
    "inner_question_ratio",
    "glued_ratio",
    "lower_after_stop",
    "sentence_words",
    "sentence_spread",
    "bare_sentence_ratio",
    "same_start_ratio",
    "dup_sentence_ratio",
    "open_line_ratio",
    "line_words",
    "line_spread",
    "tiny_line_ratio",
    "open_run_ratio",
    "longest_open_run",
    "menu_ratio",
    "lower_line_ratio",
    "digit_line_ratio",
    "upper_line_ratio",
    "teaser_line_ratio",
    "verse_ratio",
    "play_ratio",
    "dialogue_ratio",
    "code_line_ratio",
    "table_ratio",
    "list_ratio",
    "label_ratio",
    "prose_ratio",
    "headline_ratio",
    "template_line_ratio",
    "dup_3_gram_ratio",
    "compression",
    "pair_score",
    "pair_unseen",
    "pair_lowest",
    "past_ratio",
    "infinitive_ratio",
    "imperative_ratio",
    "adjective_ratio",
    "abstract_ratio",
    "name_ratio",
    "first_person_ratio",
    "second_person_ratio",
    "third_person_ratio",
    "link_ratio",
    "phone_ratio",
    "price_ratio",
    "address_ratio",
];

const LAST: [&str; 6] = [
    "spam_topic",
    "spam_excess",
    "navigation_kinds",
    "menu_kinds",
    "service_kinds",
    "spam_kinds",
];

/// Names of the signals; a topic's is its own behind `topic_` or `excess_`.
pub fn names() -> Vec<String> {
    OTHERS
        .iter()
        .map(|&name| name.to_owned())
        .chain(TOPICS.iter().map(|topic| format!("topic_{topic}")))
        .chain(TOPICS[..SPAM].iter().map(|topic| format!("excess_{topic}")))
        .chain(LAST.iter().map(|&name| name.to_owned()))
        .collect()
}
