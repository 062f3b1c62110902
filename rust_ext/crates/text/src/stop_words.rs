//! Which stop words a text has, whatever their case.

use std::collections::HashMap;

/// Bits of the filter before the exact look-up: with 150 words one in 25 of the others passes.
const FILTER: usize = 4096;

/// Counts the different stop words of a text.
pub struct StopWords {
    /// In lower case, with their numbers.
    words: HashMap<String, usize>,
    filter: [u64; FILTER / 64],
    /// Characters of the longest one.
    longest: usize,
    /// By number: the text in which a word was met last.
    met: Vec<u64>,
    text: u64,
    count: usize,
    lower: String,
}

impl StopWords {
    /// `words` are compared with words of texts in lower case.
    pub fn new(words: &[String]) -> Self {
        let mut numbers = HashMap::new();
        let mut filter = [0; FILTER / 64];
        for word in words.iter().map(|word| word.to_lowercase()) {
            let bit = bit_of(&word);
            filter[bit / 64] |= 1 << (bit % 64);
            let number = numbers.len();
            numbers.entry(word).or_insert(number);
        }
        Self {
            longest: numbers.keys().map(|word| word.chars().count()).max().unwrap_or(0),
            met: vec![0; numbers.len()],
            words: numbers,
            filter,
            text: 0,
            count: 0,
            lower: String::new(),
        }
    }

    /// Begins a text.
    pub fn start(&mut self) {
        self.text += 1;
        self.count = 0;
    }

    /// Takes a word of `chars` characters.
    #[inline]
    pub fn add(&mut self, word: &str, chars: usize) {
        if chars > self.longest {
            return;
        }
        lower(word, &mut self.lower);
        let bit = bit_of(&self.lower);
        if self.filter[bit / 64] >> (bit % 64) & 1 == 0 {
            return;
        }
        if let Some(&number) = self.words.get(&self.lower)
            && self.met[number] != self.text
        {
            self.met[number] = self.text;
            self.count += 1;
        }
    }

    /// How many different stop words the text has so far.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// Where a word stands in the filter: by its length and its first eight bytes.
#[inline]
fn bit_of(word: &str) -> usize {
    let mut first = [0; 8];
    let length = word.len().min(8);
    first[..length].copy_from_slice(&word.as_bytes()[..length]);
    let mixed = (u64::from_le_bytes(first) ^ word.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 52) as usize % FILTER
}

/// `str::to_lowercase` into memory that is kept; ASCII and Russian letters without the tables of Unicode.
fn lower(word: &str, to: &mut String) {
    to.clear();
    for c in word.chars() {
        to.push(match c {
            '\0'..='\x7F' => c.to_ascii_lowercase(),
            'а'..='я' | 'ё' => c,
            'А'..='Я' => char::from_u32(c as u32 + 0x20).unwrap_or(c),
            'Ё' => 'ё',
            _ => {
                to.clear();
                to.push_str(&word.to_lowercase());
                return;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn different_words_are_counted_once_a_text() {
        let mut words = StopWords::new(&["Не".to_owned(), "и".to_owned(), "не".to_owned()]);
        for expected in [2, 0, 2] {
            words.start();
            for word in ["НЕ", "не", "И", "дом"].iter().take(2 * expected) {
                words.add(word, word.chars().count());
            }
            assert_eq!(words.count(), expected);
        }
    }

    proptest! {
        #[test]
        fn small_letters_are_those_of_the_standard_library(word in "\\PC{0,8}|[А-яЁёA-z]{0,8}|[Σσςα]{0,4}") {
            let mut found = String::new();
            lower(&word, &mut found);
            prop_assert_eq!(found, word.to_lowercase());
        }

        #[test]
        fn as_a_set_says(list in prop::collection::vec("[а-еА-Е]{1,2}", 0..6), text in prop::collection::vec("[а-еА-Е]{1,3}", 0..12)) {
            let known: std::collections::HashSet<String> = list.iter().map(|word| word.to_lowercase()).collect();
            let met: std::collections::HashSet<String> = text.iter().map(|word| word.to_lowercase()).collect();
            let mut words = StopWords::new(&list);
            words.start();
            for word in &text {
                words.add(word, word.chars().count());
            }
            prop_assert_eq!(words.count(), known.intersection(&met).count());
        }
    }
}
