//! Letters as evidence of language: which alphabet a Cyrillic text is written in.
//!
//! Counts only; `corpus.language` weighs them. Letters of each case are counted alike, combining marks and
//! everything that is not a letter are passed over. A word here is a maximal run of letters.

use super::chars::is_space;
use super::lines::char_count;

/// Names of the counts, in the order of `evidence`'s result.
pub const NAMES: [&str; 16] = [
    "letters",
    "cyrillic",
    "latin",
    "russian",
    "dotted_i",
    "ukrainian",
    "belarusian",
    "serbian_macedonian",
    "turkic_mongolian",
    "tajik",
    "other_cyrillic",
    "prereform",
    "hard_sign_inside",
    "hard_sign_final",
    "words",
    "mixed_words",
];

const LETTERS: usize = 0;
const CYRILLIC: usize = 1;
const LATIN: usize = 2;
const RUSSIAN: usize = 3;
const DOTTED_I: usize = 4;
const UKRAINIAN: usize = 5;
const BELARUSIAN: usize = 6;
const SERBIAN: usize = 7;
const TURKIC: usize = 8;
const TAJIK: usize = 9;
const OTHER: usize = 10;
const PREREFORM: usize = 11;
const HARD_INSIDE: usize = 12;
const HARD_FINAL: usize = 13;
const WORDS: usize = 14;
const MIXED: usize = 15;

/// Which group a Cyrillic letter counts in. і is a group of its own: Ukrainian, Belarusian, Kazakh and Russian
/// before 1918 share it. Tajik's ғ and қ count with the Turkic letters.
fn group(c: char) -> usize {
    match c {
        'А'..='я' | 'ё' | 'Ё' => RUSSIAN,
        'і' | 'І' => DOTTED_I,
        'ї' | 'Ї' | 'є' | 'Є' | 'ґ' | 'Ґ' => UKRAINIAN,
        'ў' | 'Ў' => BELARUSIAN,
        'ј' | 'Ј' | 'љ' | 'Љ' | 'њ' | 'Њ' | 'ћ' | 'Ћ' | 'ђ' | 'Ђ' | 'џ' | 'Џ' | 'ѓ' | 'Ѓ' | 'ќ' | 'Ќ'
        | 'ѕ' | 'Ѕ' => SERBIAN,
        'ә' | 'Ә' | 'ғ' | 'Ғ' | 'қ' | 'Қ' | 'ң' | 'Ң' | 'ө' | 'Ө' | 'ү' | 'Ү' | 'ұ' | 'Ұ' | 'һ' | 'Һ'
        | 'җ' | 'Җ' => TURKIC,
        'ҷ' | 'Ҷ' | 'ҳ' | 'Ҳ' | 'ӣ' | 'Ӣ' | 'ӯ' | 'Ӯ' => TAJIK,
        'ѣ' | 'Ѣ' | 'ѳ' | 'Ѳ' | 'ѵ' | 'Ѵ' => PREREFORM,
        _ => OTHER,
    }
}

fn is_cyrillic(c: char) -> bool {
    matches!(c as u32, 0x400..=0x52F | 0x1C80..=0x1C8F | 0x2DE0..=0x2DFF | 0xA640..=0xA69F)
        && c.is_alphabetic()
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (matches!(c as u32, 0xC0..=0x24F | 0x1E00..=0x1EFF | 0xFF21..=0xFF3A | 0xFF41..=0xFF5A)
            && c.is_alphabetic())
}

/// State of the word being read.
#[derive(Default)]
struct Run {
    letters: usize,
    cyrillic: bool,
    latin: bool,
    /// The last letter was ъ.
    hard: bool,
}

/// Counts for one text, in the order of `NAMES`.
///
/// `hard_sign_inside` counts ъ before a letter that never follows it in Russian (anything but е ё ю я):
/// Bulgarian writes a vowel with it. `hard_sign_final` counts words of two letters or more that end in ъ:
/// spelling before 1918 ends most consonants so.
pub fn evidence(text: &str) -> [u64; 16] {
    let mut counts = [0; 16];
    let mut run = Run::default();
    for c in text.chars() {
        if ('А'..='я').contains(&c) {
            letter(&mut counts, &mut run, c, RUSSIAN);
        } else if c.is_ascii() && !c.is_ascii_alphabetic() {
            close(&mut counts, &mut run);
        } else if is_cyrillic(c) {
            letter(&mut counts, &mut run, c, group(c));
        } else if c.is_alphabetic() {
            counts[LETTERS] += 1;
            run.letters += 1;
            run.hard = false;
            if is_latin(c) {
                counts[LATIN] += 1;
                run.latin = true;
            }
        } else if !matches!(c as u32, 0x300..=0x36F | 0x483..=0x489 | 0xAD) {
            close(&mut counts, &mut run);
        }
    }
    close(&mut counts, &mut run);
    counts
}

#[inline]
fn letter(counts: &mut [u64; 16], run: &mut Run, c: char, group: usize) {
    counts[LETTERS] += 1;
    counts[CYRILLIC] += 1;
    counts[group] += 1;
    if run.hard && !matches!(c, 'е' | 'Е' | 'ё' | 'Ё' | 'ю' | 'Ю' | 'я' | 'Я') {
        counts[HARD_INSIDE] += 1;
    }
    run.letters += 1;
    run.cyrillic = true;
    run.hard = matches!(c, 'ъ' | 'Ъ');
}

#[inline]
fn close(counts: &mut [u64; 16], run: &mut Run) {
    if run.letters == 0 {
        return;
    }
    counts[WORDS] += 1;
    counts[MIXED] += u64::from(run.cyrillic && run.latin);
    counts[HARD_FINAL] += u64::from(run.hard && run.letters > 1);
    *run = Run::default();
}

/// A bounded piece of `text` for a language model: words from `windows` evenly spaced places (the first at the
/// start, the last at the end), each of at least `chars` characters where there are so many, joined by single
/// spaces, so without line ends. With `cyrillic_only`, only words that hold a Cyrillic letter are looked at:
/// code, links and foreign names do not vote on the language of the rest. Words are cut at white space; of
/// one longer than `chars` characters the beginning is taken.
pub fn sample(text: &str, windows: usize, chars: usize, cyrillic_only: bool) -> String {
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut total = 0;
    let base = text.as_ptr() as usize;
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if cyrillic_only && !word.chars().any(is_cyrillic) {
            continue;
        }
        let start = word.as_ptr() as usize - base;
        let length = word.char_indices().nth(chars).map_or(word.len(), |(at, _)| at);
        words.push((start, start + length));
        total += char_count(&word.as_bytes()[..length]) + 1;
    }
    let mut result = String::new();
    if total <= windows * chars || windows < 2 {
        append(&mut result, text, &words, windows * chars);
        return result;
    }
    // The last window begins where `chars` characters are left.
    let mut left = 0;
    let mut last = words.len();
    while last > 0 && left < chars {
        last -= 1;
        left += char_count(&text.as_bytes()[words[last].0..words[last].1]) + 1;
    }
    let mut done = 0;
    for window in 0..windows {
        let from = (last as u128 * window as u128 / (windows - 1) as u128) as usize;
        done = from.max(done);
        done += append(&mut result, text, &words[done..], chars);
    }
    result
}

/// Appends words until `chars` characters are there; gives the number of words.
fn append(result: &mut String, text: &str, words: &[(usize, usize)], chars: usize) -> usize {
    let mut taken = 0;
    for (count, &(start, end)) in words.iter().enumerate() {
        if taken >= chars {
            return count;
        }
        if !result.is_empty() {
            result.push(' ');
        }
        result.push_str(&text[start..end]);
        taken += char_count(&text.as_bytes()[start..end]) + 1;
    }
    words.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_alphabet_leaves_its_trace() {
        assert_eq!(evidence("Її ґанок і є")[UKRAINIAN], 4);
        assert_eq!(evidence("дзіўны")[BELARUSIAN], 1);
        assert_eq!(evidence("Љубав ћирилица")[SERBIAN], 2);
        assert_eq!(evidence("қазақ")[TURKIC], 2);
        assert_eq!(evidence("ҳамаи")[TAJIK], 1);
        assert_eq!(evidence("хлѣбъ въ домѣ")[PREREFORM], 2);
    }

    #[test]
    fn the_hard_sign_distinguishes_bulgarian_old_spelling_and_russian() {
        let bulgarian = evidence("първият български");
        assert_eq!((bulgarian[HARD_INSIDE], bulgarian[HARD_FINAL]), (2, 0));
        let old = evidence("Онъ пошелъ домой");
        assert_eq!((old[HARD_INSIDE], old[HARD_FINAL]), (0, 2));
        let modern = evidence("объезд, съёмка, адъютант");
        assert_eq!((modern[HARD_INSIDE], modern[HARD_FINAL]), (0, 0));
    }

    #[test]
    fn a_word_of_two_scripts_is_mixed_and_a_compound_is_not() {
        assert_eq!(evidence("Пpивет миp")[MIXED], 2);
        assert_eq!(evidence("iPhone-ом в IT-отделе")[MIXED], 0);
    }

    #[test]
    fn a_sample_takes_start_middle_and_end() {
        let text: Vec<String> = (0..1000).map(|i| format!("ы{i:03}")).collect();
        let cut = sample(&text.join("\n"), 3, 10, false);
        assert_eq!(cut, "ы000 ы001 ы499 ы500 ы998 ы999");
        assert_eq!(sample("мир\n if x:\tмы", 3, 10, true), "мир мы");
        assert_eq!(sample(&"а".repeat(1000), 3, 10, true), "а".repeat(10));
    }

    proptest! {
        #[test]
        fn a_sample_is_bounded_and_has_no_line_end(
            text in "\\PC{0,200}|[а-я\n ]{0,300}", windows in 1usize..5, chars in 1usize..40, only in any::<bool>(),
        ) {
            let cut = sample(&text, windows, chars, only);
            prop_assert!(cut.chars().count() <= windows * (2 * chars + 1));
            prop_assert!(!cut.contains('\n'));
        }

        #[test]
        fn groups_add_up(text in "\\PC{0,100}|[а-яіїўјқҳѣъa-z ]{0,100}") {
            let counts = evidence(&text);
            prop_assert_eq!(counts[CYRILLIC], counts[RUSSIAN..=PREREFORM].iter().sum::<u64>());
            prop_assert!(counts[LETTERS] >= counts[CYRILLIC] + counts[LATIN]);
            prop_assert!(counts[WORDS] >= counts[MIXED].max(counts[HARD_FINAL]));
        }
    }
}
