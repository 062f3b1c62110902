//! Function words and words by topic, read from their lists.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Topics in the order of their bits; the first [`SPAM`] are what spam advertises.
pub const TOPICS: [&str; 20] = [
    "casino",
    "betting",
    "escort",
    "essay_mill",
    "loan",
    "pharmacy",
    "occult",
    "earnings",
    "shop",
    "navigation",
    "service",
    "reporting",
    "law",
    "science",
    "recipe",
    "manual",
    "review",
    "question",
    "encyclopedia",
    "news",
];
/// How many topics, the first ones, are of spam.
pub const SPAM: usize = 8;
/// Bits of words that other texts have too, of the spam topics in their order: `?word` in the list.
pub const WEAK: usize = TOPICS.len();
/// Bits that a word may have.
pub const BITS: usize = WEAK + SPAM;
/// The bit of what stands in menus.
pub const NAVIGATION: u32 = 1 << 9;
/// The bit of what error pages, cookie notices and captchas say.
pub const SERVICE: u32 = 1 << 10;
/// The topic that speaks against spam: an article about it names courts, ministers and researchers.
pub const REPORTING: usize = 11;

/// FNV-1a: the keys are short and come from our own lists, so speed is worth more than protection.
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// A pattern of the lists: the topics it tells alone.
#[derive(Clone, Copy, Default)]
struct Pattern {
    id: u32,
    topics: u32,
    in_pairs: bool,
}

/// The lists, ready to be asked about words in lower case.
pub struct Lexicon {
    function: Map<String, ()>,
    patterns: Map<String, Pattern>,
    pairs: Map<(u32, u32), u32>,
    longest: usize,
}

/// What the lists know of a word.
#[derive(Default)]
pub struct Found {
    pub topics: u32,
    /// Patterns that stand in pairs.
    pub parts: Vec<u32>,
}

impl Lexicon {
    /// Reads both lists. `function`: words, `#` begins a comment line. `topics`: `[topic]` lines, then words,
    /// `stem*`, `a + b` and `?weak`, as assets/quality/topics_ru.txt explains.
    pub fn read(function: &str, topics: &str) -> Result<Self, String> {
        let mut lexicon = Lexicon {
            function: words(function).map(|word| (word.replace('ё', "е"), ())).collect(),
            patterns: Map::default(),
            pairs: Map::default(),
            longest: 0,
        };
        let mut topic = None;
        for (number, line) in topics.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                let name = name.trim_end().trim_end_matches(']');
                let at = TOPICS.iter().position(|&topic| topic == name);
                topic = Some(at.ok_or_else(|| format!("line {}: no topic is named {name:?}", number + 1))?);
                continue;
            }
            let topic =
                topic.ok_or_else(|| format!("line {}: words stand before the first [topic]", number + 1))?;
            lexicon
                .add_line(line, topic)
                .map_err(|error| format!("line {}: {error}", number + 1))?;
        }
        Ok(lexicon)
    }

    fn add_line(&mut self, line: &str, topic: usize) -> Result<(), String> {
        let items: Vec<&str> = line.split_whitespace().collect();
        let mut at = 0;
        while at < items.len() {
            let (first, bit) = match items[at].strip_prefix('?') {
                Some(word) if topic < SPAM => (word, 1 << (WEAK + topic)),
                Some(word) => return Err(format!("?{word}: only topics of spam have weak words")),
                None => (items[at], 1 << topic),
            };
            if first == "+" || first.is_empty() {
                return Err("a pair is written a + b, in one line".to_owned());
            }
            if items.get(at + 1) == Some(&"+") && at + 2 < items.len() {
                let pair = (self.pattern(first), self.pattern(items[at + 2]));
                for id in [first, items[at + 2]] {
                    if let Some(pattern) = self.patterns.get_mut(id) {
                        pattern.in_pairs = true;
                    }
                }
                *self.pairs.entry(pair).or_default() |= bit;
                at += 3;
            } else {
                self.pattern(first);
                if let Some(pattern) = self.patterns.get_mut(first) {
                    pattern.topics |= bit;
                }
                at += 1;
            }
        }
        Ok(())
    }

    /// The number of a pattern, which is added where it is new.
    fn pattern(&mut self, text: &str) -> u32 {
        self.longest = self.longest.max(text.len());
        let next = Pattern {
            id: self.patterns.len() as u32,
            ..Pattern::default()
        };
        self.patterns.entry(text.to_owned()).or_insert(next).id
    }

    /// Whether a word in lower case is a function word.
    pub fn is_function(&self, lower: &str) -> bool {
        self.function.contains_key(lower)
    }

    /// The topics of a word in lower case, and its patterns that stand in pairs.
    pub fn find(&self, lower: &str) -> Found {
        let mut found = Found::default();
        let mut take = |pattern: Option<&Pattern>| {
            if let Some(pattern) = pattern {
                found.topics |= pattern.topics;
                if pattern.in_pairs {
                    found.parts.push(pattern.id);
                }
            }
        };
        take(self.patterns.get(lower));
        let mut stem = String::with_capacity(lower.len() + 1);
        for c in lower.chars() {
            stem.push(c);
            if stem.len() >= self.longest {
                break;
            }
            stem.push('*');
            take(self.patterns.get(&stem));
            stem.pop();
        }
        found
    }

    /// The topics that two neighbouring words tell together.
    pub fn of_pair(&self, first: &[u32], second: &[u32]) -> u32 {
        let mut topics = 0;
        for &a in first {
            for &b in second {
                topics |= self.pairs.get(&(a, b)).copied().unwrap_or(0);
            }
        }
        topics
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_matches_beginnings_a_word_itself_and_a_pair_neighbours() {
        let lexicon = Lexicon::read("и не", "[casino]\nказино* спин игровой + автомат*\n").expect("a list");
        assert!(lexicon.is_function("не") && !lexicon.is_function("дом"));
        assert_eq!(lexicon.find("казиношный").topics, 1);
        assert_eq!(lexicon.find("спин").topics, 1);
        assert_eq!(lexicon.find("спина").topics, 0);
        let (first, second) = (lexicon.find("игровой").parts, lexicon.find("автоматы").parts);
        assert_eq!(lexicon.of_pair(&first, &second), 1);
        assert_eq!(lexicon.of_pair(&second, &first), 0);
    }

    #[test]
    fn a_weak_word_has_a_bit_of_its_own_and_a_broken_pair_says_where() {
        let lexicon = Lexicon::read("", "[betting]\n?ставк* ?ставки + на\n").expect("a list");
        assert_eq!(lexicon.find("ставка").topics, 1 << (WEAK + 1));
        let (first, second) = (lexicon.find("ставки").parts, lexicon.find("на").parts);
        assert_eq!(lexicon.of_pair(&first, &second), 1 << (WEAK + 1));
        let error = Lexicon::read("", "[casino]\n+ автомат*\n").err();
        assert_eq!(
            error.as_deref(),
            Some("line 2: a pair is written a + b, in one line")
        );
        assert!(Lexicon::read("", "[news]\n?глава\n").is_err());
    }

    #[test]
    fn a_list_with_an_unknown_topic_says_where() {
        let error = Lexicon::read("", "# words\n[casio]\n").err();
        assert_eq!(error.as_deref(), Some("line 2: no topic is named \"casio\""));
    }
}
