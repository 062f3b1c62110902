//! The list of patterns: `corpus/assets/boilerplate_ru.txt`.
//!
//! All patterns as one automaton would have too many states (`.{0,200}` between words, 150 times). Each pattern
//! has words of which one must stand in a line that it matches; one pass over the line finds those words, and
//! only the patterns that they belong to are asked.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_automata::meta;
use regex_syntax::hir::{Hir, HirKind};

/// Kinds that are captions and buttons; a whole sentence is none, whatever its words.
const CAPTIONS: &[&str] = &["read_also", "share", "counter", "login"];

/// One pattern with what its section says of it.
struct Pattern {
    category: usize,
    /// A caption: it does not end like a sentence.
    caption: bool,
    /// Lines of more characters are not looked at.
    limit: usize,
    matcher: meta::Regex,
}

/// The patterns, ready to be asked.
pub struct List {
    /// In the order of the list, which is the order in which they are tried.
    patterns: Vec<Pattern>,
    /// Words that patterns need, and the patterns of each word.
    words: AhoCorasick,
    of_word: Vec<Vec<u16>>,
    /// Patterns that need no word.
    always: Vec<u16>,
    longest: usize,
}

/// Words of which one stands in everything that an expression matches; None where there are none such.
fn needed(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(needed).max_by_key(|words| {
            let shortest = words.iter().map(Vec::len).min().unwrap_or(0);
            (shortest, usize::MAX - words.len())
        }),
        HirKind::Alternation(ways) => {
            let words: Option<Vec<_>> = ways.iter().map(needed).collect();
            words.map(|words| words.concat())
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) | HirKind::Repetition(_) => None,
    }
}

/// Category, whether a pattern is the whole line, and the limit.
type Header<'a> = (&'a str, bool, usize);

fn header(line: &str) -> Option<Header<'_>> {
    let inside = line.strip_prefix('[')?.strip_suffix(']')?;
    let mut words = inside.split(' ');
    let (category, how, limit) = (words.next()?, words.next()?, words.next()?);
    let whole = match how {
        "whole" => true,
        "within" => false,
        _ => return None,
    };
    Some((category, whole, limit.parse().ok()?))
}

impl List {
    /// Reads a list. `categories`: what a section may be of. Errors name what cannot be read.
    pub fn read(list: &str, categories: &[String]) -> Result<Self, String> {
        let mut raw: Vec<(Header<'_>, Vec<&str>)> = Vec::new();
        for line in list.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            match (header(line), raw.last_mut()) {
                (Some(header), _) => raw.push((header, Vec::new())),
                (None, Some((_, patterns))) => patterns.push(line),
                (None, None) => return Err(format!("a pattern before the first section: {line}")),
            }
        }
        let mut read = Self {
            patterns: Vec::new(),
            words: AhoCorasick::new([""; 0]).map_err(|error| error.to_string())?,
            of_word: Vec::new(),
            always: Vec::new(),
            longest: 0,
        };
        let mut words: Vec<Vec<u8>> = Vec::new();
        for ((category, whole, limit), patterns) in raw {
            let number = (categories.iter().position(|c| c == category))
                .ok_or_else(|| format!("no category {category}"))?;
            for pattern in patterns {
                let unread = |error: String| format!("{pattern}: {error}");
                let hir = regex_syntax::parse(pattern).map_err(|e| unread(e.to_string()))?;
                let id = u16::try_from(read.patterns.len()).map_err(|e| unread(e.to_string()))?;
                match needed(&hir) {
                    Some(needs) => {
                        for word in needs {
                            let at = words.iter().position(|w| *w == word).unwrap_or_else(|| {
                                words.push(word);
                                read.of_word.push(Vec::new());
                                words.len() - 1
                            });
                            read.of_word[at].push(id);
                        }
                    }
                    None => read.always.push(id),
                }
                let expression = if whole {
                    format!("^(?:{pattern})$")
                } else {
                    pattern.to_owned()
                };
                read.patterns.push(Pattern {
                    category: number,
                    caption: whole && CAPTIONS.contains(&category),
                    limit,
                    matcher: meta::Regex::new(&expression).map_err(|e| unread(e.to_string()))?,
                });
                read.longest = read.longest.max(limit);
            }
        }
        read.words = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .map_err(|error| error.to_string())?;
        Ok(read)
    }

    /// The number of the category of a line in the form of `normalise`; `chars`: how many characters it has.
    pub fn category(&self, line: &str, chars: usize) -> Option<usize> {
        if chars > self.longest {
            return None;
        }
        let mut asked = vec![0u64; self.patterns.len().div_ceil(64)];
        let mut ask = |ids: &[u16]| {
            for &id in ids {
                asked[usize::from(id) / 64] |= 1 << (id % 64);
            }
        };
        ask(&self.always);
        for found in self.words.find_overlapping_iter(line) {
            ask(&self.of_word[found.pattern().as_usize()]);
        }
        for (at, &bits) in asked.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let pattern = &self.patterns[at * 64 + bits.trailing_zeros() as usize];
                if chars <= pattern.limit
                    && !(pattern.caption && ends_a_sentence(line))
                    && pattern.matcher.is_match(line)
                {
                    return Some(pattern.category);
                }
                bits &= bits - 1;
            }
        }
        None
    }
}

/// Captions do not end like sentences; «Забыли пароль?» is a button all the same.
fn ends_a_sentence(line: &str) -> bool {
    line.strip_suffix(['.', '?', '!', ',', ';', '…'])
        .is_some_and(|rest| !rest.ends_with("пароль"))
}
