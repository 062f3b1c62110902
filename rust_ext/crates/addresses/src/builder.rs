//! Block lists being read.

use std::fmt;

use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;

use crate::domains::Domains;
use crate::lines::{Line, Rule, read_line};
use crate::lists::{Lists, Paths, Word, WordRule, Words};
use crate::url::Address;

/// A line that is no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    pub list: String,
    pub line: usize,
    pub text: String,
    pub why: &'static str,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            list,
            line,
            text,
            why,
        } = self;
        write!(f, "{list}:{line}: {text:?} {why}; correct or remove the line")
    }
}

/// Lists being read; `finish` makes them ready to be asked.
#[derive(Default)]
pub struct Builder {
    domains: Domains,
    exceptions: Domains,
    path_hosts: Domains,
    paths: Paths,
    words: Vec<Word>,
    rules: Vec<WordRule>,
    sources: Vec<(String, String)>,
    unused: usize,
    address: Address,
}

impl Builder {
    /// Adds a list; `name` is what details and errors call it. Stops at the first line that is no rule.
    pub fn add(&mut self, name: &str, text: &[u8]) -> Result<(), RuleError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut source = self.source(name, "")?;
        for (number, line) in text.split(|&b| b == b'\n').enumerate() {
            let error = |why| RuleError {
                list: name.to_owned(),
                line: number + 1,
                text: String::from_utf8_lossy(line).chars().take(80).collect(),
                why,
            };
            let Ok(text) = std::str::from_utf8(line) else {
                if matches!(line.trim_ascii_start(), [b'#' | b'!' | b';', ..]) {
                    continue; // a comment in another charset
                }
                return Err(error("is not UTF-8"));
            };
            match read_line(text.trim()).map_err(error)? {
                Line::Comment => {}
                Line::Unused => self.unused += 1,
                Line::Category(category) => source = self.source(name, &category)?,
                Line::Rules(rules) => {
                    for rule in rules {
                        self.push(rule, source).map_err(error)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn source(&mut self, list: &str, category: &str) -> Result<u16, RuleError> {
        self.sources.push((list.to_owned(), category.to_owned()));
        u16::try_from(self.sources.len() - 1).map_err(|_| RuleError {
            list: list.to_owned(),
            line: 0,
            text: category.to_owned(),
            why: "is more than 65,536 categories",
        })
    }

    fn push(&mut self, rule: Rule, source: u16) -> Result<(), &'static str> {
        let full = "does not fit: the lists hold more than 4 GiB of domains";
        match rule {
            Rule::Domain(domain) => {
                self.address.read(domain.as_bytes());
                self.domains
                    .add(self.address.host(), source)
                    .then_some(())
                    .ok_or(full)
            }
            Rule::Exception(domain) => {
                self.address.read(domain.as_bytes());
                self.exceptions
                    .add(self.address.host(), source)
                    .then_some(())
                    .ok_or(full)
            }
            Rule::Path(place) => {
                self.address.read(place.as_bytes());
                self.path_hosts.add(self.address.host(), 0);
                let paths = self.paths.entry(self.address.host().into()).or_default();
                paths.push((self.address.path().into(), source));
                Ok(())
            }
            Rule::Piece(piece) => {
                let mut small = Address::default();
                small.read(format!("a{piece}").as_bytes());
                let word = Word {
                    letters: small.path().to_vec(),
                    open_before: true,
                    open_after: true,
                    path: true,
                    host: false,
                };
                self.push_words(vec![word], source, piece);
                Ok(())
            }
            Rule::Words(words) => {
                let text = words.join("+");
                let words = words.iter().map(|word| {
                    let (host, word) = match word.strip_prefix('^') {
                        Some(word) => (true, word),
                        None => (false, word.as_str()),
                    };
                    Word {
                        letters: word.trim_matches('*').to_lowercase().into_bytes(),
                        open_before: word.starts_with('*'),
                        open_after: word.ends_with('*'),
                        path: false,
                        host,
                    }
                });
                let words = words.collect();
                self.push_words(words, source, text);
                Ok(())
            }
        }
    }

    fn push_words(&mut self, words: Vec<Word>, source: u16, text: String) {
        let mut numbers = Vec::new();
        for word in words {
            let known = self.words.iter().position(|w| *w == word);
            numbers.push(known.unwrap_or_else(|| {
                self.words.push(word);
                self.words.len() - 1
            }));
        }
        self.rules.push(WordRule {
            words: numbers,
            source,
            text,
        });
    }

    /// The lists, ready to be asked. Err where the words make too large an automaton.
    pub fn finish(self) -> Result<Lists, String> {
        let letters: Vec<&[u8]> = self.words.iter().map(|w| w.letters.as_slice()).collect();
        let automaton = if letters.is_empty() {
            None
        } else {
            let built = if letters.len() <= 5_000 {
                DFA::builder().prefilter(false).build(letters).map(Words::Few)
            } else {
                NFA::builder().prefilter(false).build(letters).map(Words::Many)
            };
            Some(built.map_err(|e| e.to_string())?)
        };
        let mut first_of = vec![Vec::new(); self.words.len()];
        for (number, rule) in self.rules.iter().enumerate() {
            if let Some(&first) = rule.words.first() {
                first_of[first].push(u32::try_from(number).map_err(|e| e.to_string())?);
            }
        }
        Ok(Lists {
            domains: self.domains,
            exceptions: self.exceptions,
            path_hosts: self.path_hosts,
            paths: self.paths,
            words: self.words,
            first_of,
            rules: self.rules,
            automaton,
            sources: self.sources,
            unused: self.unused,
        })
    }
}
