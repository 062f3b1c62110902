//! Rules of `patterns.txt`: a trigger in the text, and patterns anchored at it.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};

use crate::chars::{ahead, back};
use crate::kinds::{Found, Kind};
use crate::words::{NUMERALS, PLUS};

const RULES: &str = include_str!("patterns.txt");
/// Characters before a trigger that `before` sees, and from it on that `after` sees where no `reach` is given.
const BEFORE: usize = 96;
const REACH: usize = 400;

struct Rule {
    kind: Kind,
    rank: u8,
    before: Option<Regex>,
    after: Regex,
    deny: Option<Regex>,
    reach: usize,
    /// `before` has a group, which the find begins with.
    from_before: bool,
}

/// The compiled rules, and the automaton that looks for all triggers and numerals at once.
pub struct Patterns {
    rules: Vec<Rule>,
    triggers: AhoCorasick,
    /// Of each pattern of the automaton, the rules it starts; none for a numeral.
    starts: Vec<Vec<u16>>,
}

/// A section of the file as it stands.
#[derive(Default)]
struct Section {
    name: String,
    fields: Vec<(String, String)>,
}

impl Section {
    fn get(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }
}

fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for line in text
        .lines()
        .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
    {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            found.push(Section {
                name: name.to_owned(),
                fields: Vec::new(),
            });
        } else if let (Some(section), Some((key, value))) = (found.last_mut(), line.split_once(": ")) {
            section.fields.push((key.to_owned(), value.to_owned()));
        }
    }
    found
}

impl Patterns {
    /// Compiles the rules of the kinds that are wanted.
    pub fn new(wanted: &[Kind]) -> Result<Self, String> {
        let all = sections(RULES);
        let (macros, rules) = all.split_first().ok_or("patterns.txt is empty")?;
        let expand = |pattern: &str| {
            let mut text = pattern.to_owned();
            for _ in 0..3 {
                for (name, value) in &macros.fields {
                    text = text.replace(&format!("{{{name}}}"), value);
                }
            }
            text
        };
        let mut made = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut starts: Vec<Vec<u16>> = Vec::new();
        for section in rules {
            let kind = section.get("kind").and_then(Kind::of_name);
            let kind = kind.ok_or_else(|| format!("[{}] has no known kind", section.name))?;
            if !wanted.contains(&kind) {
                continue;
            }
            let compile = |key: &str| -> Result<Option<Regex>, String> {
                let Some(pattern) = section.get(key) else {
                    return Ok(None);
                };
                Regex::new(&expand(pattern))
                    .map(Some)
                    .map_err(|e| format!("[{}] {key}: {e}", section.name))
            };
            let before = compile("before")?;
            let number = u16::try_from(made.len()).map_err(|_| "too many rules")?;
            for word in triggers(section) {
                match words.iter().position(|w| *w == word) {
                    Some(at) => starts[at].push(number),
                    None => {
                        words.push(word);
                        starts.push(vec![number]);
                    }
                }
            }
            made.push(Rule {
                kind,
                rank: section.get("rank").and_then(|r| r.parse().ok()).unwrap_or(50),
                from_before: before.as_ref().is_some_and(|b| b.captures_len() > 1),
                before,
                after: compile("after")?.ok_or_else(|| format!("[{}] has no `after`", section.name))?,
                deny: compile("deny")?,
                reach: section.get("reach").and_then(|r| r.parse().ok()).unwrap_or(REACH),
            });
        }
        for numeral in NUMERALS.iter().map(|&(w, _)| w).chain([PLUS]) {
            for word in cases(numeral) {
                words.push(word);
                starts.push(Vec::new());
            }
        }
        let triggers = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .map_err(|e| e.to_string())?;
        Ok(Self {
            rules: made,
            triggers,
            starts,
        })
    }

    /// Finds of all rules; the starts of numerals go to `numerals`, in order.
    pub fn find(&self, text: &str, found: &mut Vec<Found>, numerals: &mut Vec<usize>) {
        let mut ends = vec![0; self.rules.len()];
        // «pass» and «password» begin at one place: a rule that has both is tried there once.
        let mut tried = vec![usize::MAX; self.rules.len()];
        for hit in self.triggers.find_overlapping_iter(text) {
            let rules = &self.starts[hit.pattern().as_usize()];
            if rules.is_empty() {
                numerals.push(hit.start());
            }
            for &number in rules {
                let number = usize::from(number);
                if hit.start() < ends[number] || tried[number] == hit.start() {
                    continue;
                }
                tried[number] = hit.start();
                if let Some((find, denied)) = self.rules[number].at(text, hit.start()) {
                    // What was denied is decided too: it is not looked at again from within.
                    ends[number] = find.end;
                    if !denied {
                        found.push(find);
                    }
                }
            }
        }
        numerals.sort_unstable();
    }
}

/// The triggers of a rule in every case that is looked for; the automaton takes Latin letters in any case.
fn triggers(section: &Section) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in section.get("triggers").unwrap_or_default().split(' ') {
        for word in cases(&spaces(word)) {
            if !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

/// "_" beside Russian letters, or in `_at_`, `bearer_` and the like, stands for a space.
fn spaces(word: &str) -> String {
    let russian = word.chars().any(|c| matches!(c, 'а'..='я'));
    let edge = matches!(
        word,
        "_at_" | "[_at" | "(_at" | "{_at" | "bearer_" | "-----BEGIN_"
    );
    if russian || edge {
        word.replace('_', " ")
    } else {
        word.to_owned()
    }
}

/// A word in small letters, with a capital first letter, and in capitals.
pub(crate) fn cases(word: &str) -> [String; 3] {
    let mut letters = word.chars();
    let first: String = letters
        .next()
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_default();
    [word.to_owned(), first + letters.as_str(), word.to_uppercase()]
}

impl Rule {
    /// The find whose trigger begins at byte `at`, and whether it is denied.
    fn at(&self, text: &str, at: usize) -> Option<(Found, bool)> {
        // Most triggers lead to nothing: that is seen without counting characters or the places of groups.
        let mut wide = text.len().min(at + 4 * self.reach);
        while !text.is_char_boundary(wide) {
            wide += 1;
        }
        let glance = Input::new(&text[at..wide]).anchored(Anchored::Yes).earliest(true);
        self.after.search_half(&glance)?;
        let from = back(text, at, BEFORE);
        let before = &text[from..at];
        if self
            .before
            .as_ref()
            .is_some_and(|b| !self.from_before && !b.is_match(before))
        {
            return None;
        }
        let to = ahead(text, at, self.reach);
        let rest = &text[at..to];
        let input = Input::new(rest).anchored(Anchored::Yes);
        let (mut start, end) = if self.after.captures_len() > 1 {
            let mut groups = self.after.create_captures();
            self.after.search_captures(&input, &mut groups);
            let whole = groups.get_group(0)?;
            let part = groups.get_group(1).unwrap_or(whole);
            (at + part.start, at + part.end)
        } else {
            let whole = self.after.search(&input)?;
            (at, trimmed(rest, whole.end()) + at)
        };
        if let Some(pattern) = self.before.as_ref().filter(|_| self.from_before) {
            let mut groups = pattern.create_captures();
            pattern.search_captures(&Input::new(before), &mut groups);
            groups.get_group(0)?;
            start = groups.get_group(1).map_or(at, |g| from + g.start);
        }
        let value = &text[start..end];
        let denied = self.deny.as_ref().is_some_and(|deny| deny.is_match(value));
        let find = Found {
            start,
            end,
            kind: self.kind,
            rank: self.rank,
        };
        Some((find, denied))
    }
}

/// The end of a match without the character that only closed it.
fn trimmed(text: &str, end: usize) -> usize {
    let last = text[..end].chars().next_back();
    match last {
        Some(c) if !crate::chars::is_letter(c) && !c.is_ascii_digit() && c != '.' => end - c.len_utf8(),
        _ => end,
    }
}
