//! Block lists, and what they say of an address.
//!
//! A line is one of these; the first that fits decides:
//!
//! | line | meaning |
//! |---|---|
//! | `# ...`, `! ...`, `[Adblock ...]` | a comment |
//! | `[name]` | the category of the lines below |
//! | `~^kazino*`, `~1xbet+zerkalo*` | words of host or path (after `^`: of the host), all of them; `*` stands for any letters |
//! | `0.0.0.0 a.ru b.ru` | a hosts file: domains |
//! | `\|\|a.ru^`, `\|\|a.ru/path` | AdBlock: a domain, or what lies below a path of it |
//! | `@@\|\|a.ru^`, `@@a.ru` | an exception: nothing below it is blocked |
//! | `/casino/` | a piece of the path |
//! | `a.ru`, `.a.ru`, `*.a.ru`, `a.ru/path`, `http://a.ru/` | a domain with all below it, or a path of it (UT1) |
//!
//! AdBlock lines about parts of pages (`##`, options such as `$third-party`, regular expressions) say nothing of
//! a page's own address: they are counted and not used. Any other line is an error that names list and line.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;

use crate::domains::{Domains, LABELS, Probe};
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

/// Why an address is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    pub list: String,
    pub category: String,
    pub rule: String,
}

/// A word and where it may be part of a longer one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    letters: Vec<u8>,
    open_before: bool,
    open_after: bool,
    /// A piece of the path instead of a word.
    path: bool,
    /// Looked for in the host alone.
    host: bool,
}

struct WordRule {
    words: Vec<usize>,
    source: u16,
    text: String,
}

/// Paths below a host, each with the number of its source.
type Paths = HashMap<Box<[u8]>, Vec<(Box<[u8]>, u16)>>;

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

/// Lists, ready to be asked.
pub struct Lists {
    domains: Domains,
    exceptions: Domains,
    path_hosts: Domains,
    paths: Paths,
    words: Vec<Word>,
    /// Of each word, the rules that it is the first of.
    first_of: Vec<Vec<u32>>,
    rules: Vec<WordRule>,
    automaton: Option<Words>,
    sources: Vec<(String, String)>,
    unused: usize,
}

/// The automaton of all words. A DFA of many words would take gigabytes; an NFA is half as fast.
enum Words {
    Few(DFA),
    Many(NFA),
}

/// Addresses that are looked up together.
const TOGETHER: usize = 16;

/// Buffers of `Lists::check`, kept between addresses.
#[derive(Default)]
pub struct Scratch {
    addresses: [Address; TOGETHER],
    probes: [Probe; TOGETHER],
    tags: [[u8; LABELS]; TOGETHER],
    hits: Vec<usize>,
}

enum Line {
    Comment,
    Category(String),
    Unused,
    Rules(Vec<Rule>),
}

enum Rule {
    Domain(String),
    Exception(String),
    Path(String),
    Piece(String),
    Words(Vec<String>),
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
            let line = std::str::from_utf8(line).map_err(|_| error("is not UTF-8"))?;
            match read_line(line.trim()).map_err(error)? {
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

impl Lists {
    /// Rules in use, and lines of AdBlock lists that say nothing of pages.
    pub fn counts(&self) -> (usize, usize) {
        let paths: usize = self.paths.values().map(Vec::len).sum();
        (
            self.domains.len() + self.exceptions.len() + self.rules.len() + paths,
            self.unused,
        )
    }

    /// Bytes of the domains' table.
    pub fn memory(&self) -> usize {
        self.domains.memory() + self.exceptions.memory() + self.path_hosts.memory()
    }

    /// Why an address is blocked; `None` where it is not.
    pub fn check(&self, url: &[u8], scratch: &mut Scratch) -> Option<Matched> {
        let Scratch { addresses, hits, .. } = scratch;
        let address = &mut addresses[0];
        address.read(url);
        self.judge(address, self.domains.covering(address.host()), hits)
    }

    /// Calls `take` with number and reason of every blocked address, in order.
    pub fn check_all<'a>(&self, urls: impl Iterator<Item = &'a [u8]>, mut take: impl FnMut(usize, Matched)) {
        let mut scratch = Scratch::default();
        let Scratch {
            addresses,
            hits,
            probes,
            tags,
        } = &mut scratch;
        let mut urls = urls.enumerate().peekable();
        while let Some(&(first, _)) = urls.peek() {
            let mut count = 0;
            for (place, (_, url)) in urls.by_ref().take(TOGETHER).enumerate() {
                addresses[place].read(url);
                probes[place].set(addresses[place].host());
                count = place + 1;
            }
            for (tags, probe) in tags.iter_mut().zip(&probes[..count]) {
                *tags = self.domains.tags_of(probe);
            }
            for (place, address) in addresses[..count].iter().enumerate() {
                let domain = self.domains.resolve(address.host(), &probes[place], tags[place]);
                if let Some(matched) = self.judge(address, domain, hits) {
                    take(first + place, matched);
                }
            }
        }
    }

    fn judge(
        &self,
        address: &Address,
        domain: Option<(&[u8], u16)>,
        hits: &mut Vec<usize>,
    ) -> Option<Matched> {
        let (rule, source) = match domain {
            Some((domain, source)) => (String::from_utf8_lossy(domain).into_owned(), source),
            None => self.find(address, hits)?,
        };
        if !self.exceptions.is_empty() && self.exceptions.covering(address.host()).is_some() {
            return None;
        }
        let (list, category) = &self.sources[usize::from(source)];
        Some(Matched {
            list: list.clone(),
            category: category.clone(),
            rule,
        })
    }

    fn find(&self, address: &Address, hits: &mut Vec<usize>) -> Option<(String, u16)> {
        if !self.path_hosts.is_empty()
            && let Some((domain, _)) = self.path_hosts.covering(address.host())
            && let Some(found) = self.by_path(domain, address)
        {
            return Some(found);
        }
        self.by_words(address, hits)
    }

    fn by_path(&self, domain: &[u8], address: &Address) -> Option<(String, u16)> {
        let path = address.path();
        let paths = self.paths.get(domain)?;
        let (rule, source) = paths.iter().find(|(rule, _)| {
            let ends =
                path.get(rule.len()).is_none_or(|b| !b.is_ascii_alphanumeric()) || rule.ends_with(b"/");
            path.starts_with(rule) && ends
        })?;
        let text = [domain, rule].concat();
        Some((String::from_utf8_lossy(&text).into_owned(), *source))
    }

    /// Numbers of the words that stand in the address, each once.
    fn words_in(&self, automaton: &impl Automaton, address: &Address, hits: &mut Vec<usize>) {
        let Ok(mut state) = automaton.start_state(Anchored::No) else {
            return;
        };
        for (at, &byte) in address.whole().iter().enumerate() {
            state = automaton.next_state(Anchored::No, state, byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for n in 0..automaton.match_len(state) {
                    let number = automaton.match_pattern(state, n).as_usize();
                    if !hits.contains(&number) && self.stands_free(number, at + 1, address) {
                        hits.push(number);
                    }
                }
            }
        }
    }

    /// Whether a word that ends at byte `end` is one: nothing goes on where its rule has no `*`, and it stands in
    /// the part of the address that the rule speaks of.
    fn stands_free(&self, number: usize, end: usize, address: &Address) -> bool {
        let word = &self.words[number];
        let (whole, host) = (address.whole(), address.host().len());
        let start = end - word.letters.len();
        let inside = |at: Option<&u8>| at.is_some_and(|&b| b.is_ascii_alphanumeric() || b >= 0x80);
        let before = start.checked_sub(1).and_then(|at| whole.get(at));
        (word.open_before || !inside(before))
            && (word.open_after || !inside(whole.get(end)))
            && !(word.path && start < host || word.host && end > host)
    }

    fn by_words(&self, address: &Address, hits: &mut Vec<usize>) -> Option<(String, u16)> {
        hits.clear();
        match self.automaton.as_ref()? {
            Words::Few(automaton) => self.words_in(automaton, address, hits),
            Words::Many(automaton) => self.words_in(automaton, address, hits),
        }
        let rules = hits.iter().flat_map(|&word| &self.first_of[word]);
        let number = rules
            .filter(|&&rule| {
                self.rules[rule as usize]
                    .words
                    .iter()
                    .all(|word| hits.contains(word))
            })
            .min()?;
        let rule = &self.rules[*number as usize];
        Some((rule.text.clone(), rule.source))
    }
}

fn read_line(line: &str) -> Result<Line, &'static str> {
    let cosmetic = ["##", "#@#", "#?#", "#$#"].iter().any(|mark| line.contains(mark));
    if line.is_empty() || line.starts_with('!') || line.starts_with("[Adblock") || line.starts_with("[uBlock")
    {
        return Ok(Line::Comment);
    }
    if cosmetic && !line.starts_with("###") && !line.starts_with("# ") {
        return Ok(Line::Unused);
    }
    if line.starts_with('#') {
        return Ok(Line::Comment);
    }
    if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
        return Ok(Line::Category(name.trim().to_owned()));
    }
    if let Some(words) = line.strip_prefix('~') {
        return words_of(words);
    }
    let line = line.split(" #").next().unwrap_or(line).trim();
    if let Some(names) = hosts_line(line) {
        return names;
    }
    if line.contains(char::is_whitespace) {
        return Err("has a space and is no line of a hosts file");
    }
    adblock_or_plain(line)
}

fn words_of(words: &str) -> Result<Line, &'static str> {
    let words: Vec<String> = words.split('+').map(|w| w.trim().to_owned()).collect();
    let plain = |word: &String| {
        let middle = word.strip_prefix('^').unwrap_or(word).trim_matches('*');
        middle.chars().count() >= 2 && middle.chars().all(char::is_alphanumeric)
    };
    if !words.iter().all(plain) {
        return Err(
            "is no word rule: words have two or more letters or digits, with * at their ends, joined by +",
        );
    }
    Ok(Line::Rules(vec![Rule::Words(words)]))
}

/// A line that begins with an address of numbers; names of the machine itself in it are no rules.
fn hosts_line(line: &str) -> Option<Result<Line, &'static str>> {
    const OWN: [&str; 8] = [
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "ip6-localhost",
        "ip6-loopback",
        "0.0.0.0",
        "ip6-allnodes",
    ];
    let mut parts = line.split_whitespace();
    parts.next()?.split('%').next()?.parse::<IpAddr>().ok()?;
    let names: Vec<&str> = parts.collect();
    if names.is_empty() {
        return None;
    }
    let own = |name: &&str| OWN.contains(name) || name.starts_with("ip6-");
    let rules: Result<Vec<Rule>, &'static str> = names
        .iter()
        .filter(|n| !own(n))
        .map(|name| domain(name).map(Rule::Domain))
        .collect();
    Some(rules.map(Line::Rules))
}

fn adblock_or_plain(line: &str) -> Result<Line, &'static str> {
    let (exception, line) = match line.strip_prefix("@@") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (line, options) = match line.rsplit_once('$') {
        Some((head, options)) if !head.is_empty() => (head, options),
        _ => (line, ""),
    };
    let whole_page = ["", "document", "doc", "all", "important", "popup"];
    if !options.split(',').all(|option| whole_page.contains(&option)) {
        return Ok(Line::Unused);
    }
    if let Some(piece) = line.strip_prefix('/').filter(|_| !line.starts_with("//")) {
        let plain = piece
            .chars()
            .all(|c| c.is_alphanumeric() || "/_.-%=&?".contains(c));
        let usable = plain && !exception && piece.len() >= 3;
        return Ok(if usable {
            Line::Rules(vec![Rule::Piece(line.to_owned())])
        } else {
            Line::Unused
        });
    }
    let place = line.trim_start_matches('|').trim_end_matches(['|', '^']);
    let place = place.strip_suffix("^*").unwrap_or(place).trim_end_matches('*');
    let place = match place.split_once("://") {
        Some((_, rest)) => rest,
        None => place.strip_prefix("//").unwrap_or(place),
    };
    let place = place
        .strip_prefix("*.")
        .or_else(|| place.strip_prefix('.'))
        .unwrap_or(place);
    if place.contains(['*', '^', '|']) {
        return Ok(Line::Unused);
    }
    let (host, path) = match place.find('/') {
        Some(at) if at + 1 < place.len() => (&place[..at], Some(place)),
        Some(at) => (&place[..at], None),
        None => (place, None),
    };
    let host = domain(host)?;
    Ok(Line::Rules(vec![match (exception, path) {
        (true, None) => Rule::Exception(host),
        (false, None) => Rule::Domain(host),
        (false, Some(path)) => Rule::Path(path.to_owned()),
        (true, Some(_)) => return Ok(Line::Unused),
    }]))
}

/// A host as lists write it: labels of letters, digits, hyphens and underscores.
fn domain(name: &str) -> Result<String, &'static str> {
    let host = match name.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => name,
    };
    let host = host.trim_end_matches('.');
    if host.is_empty() || host.len() > 253 {
        return Err("is no domain: it is empty or longer than 253 bytes");
    }
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if !host.split('.').all(label) {
        return Err("is no domain and no rule of another kind");
    }
    Ok(host.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lists(text: &str) -> Lists {
        let mut builder = Builder::default();
        builder.add("list", text.as_bytes()).unwrap();
        builder.finish().unwrap()
    }

    fn rule(lists: &Lists, url: &str) -> Option<String> {
        lists
            .check(url.as_bytes(), &mut Scratch::default())
            .map(|m| m.rule)
    }

    #[test]
    fn lists_of_every_kind_are_read() {
        let text = "\u{feff}# UT1\nporn.example\n.wide.example\nsite.ru/bad/page\n127.0.0.1 localhost\n\
            0.0.0.0 ads.example two.example # note\n! AdBlock\n[Adblock Plus 2.0]\n||track.example^\n\
            ||third.example^$third-party\nnews.ru##.banner\n/regex\\d+/\n@@||good.porn.example^\nказино.рф\n\
            http://full.example/\n||x.example/dir/*\n";
        let lists = lists(text);
        for (url, expected) in [
            ("http://www.porn.example/x", Some("porn.example")),
            ("http://good.porn.example/", None),
            ("http://notporn.example/", None),
            ("http://a.wide.example", Some("wide.example")),
            ("https://site.ru/bad/page?x=1", Some("site.ru/bad/page")),
            ("https://site.ru/bad/pages", None),
            ("http://two.example", Some("two.example")),
            ("http://localhost/", None),
            ("http://track.example:8080/", Some("track.example")),
            ("http://third.example/", None),
            ("http://xn--80aswg.xn--p1ai/", None),
            ("http://xn--80aaxl4aqr.xn--p1ai/", None),
            ("http://WWW.КАЗИНО.РФ/", Some("казино.рф")),
            ("http://full.example/any", Some("full.example")),
            ("http://x.example/dir/y", Some("x.example/dir/")),
        ] {
            assert_eq!(rule(&lists, url).as_deref(), expected, "{url}");
        }
        assert_eq!(lists.counts().1, 3);
    }

    #[test]
    fn words_are_looked_for_in_host_and_path() {
        let lists = lists("[casino]\n~kazino*\n~^sloty*\n~vulkan*+igr*\n~1xbet+zerkalo*\n~казино\n/slots/\n");
        for (url, expected) in [
            ("http://kazino-vulkan.com/", Some("kazino*")),
            ("http://best.ru/kazino_online", Some("kazino*")),
            ("http://bestkazino.ru/", None),
            ("http://vulkan-klub.ru/igrat-na-dengi", Some("vulkan*+igr*")),
            ("http://vulkan.travel/kamchatka", None),
            ("http://1xbet-zerkalo.ru/", Some("1xbet+zerkalo*")),
            ("http://sport.ru/1xbet", None),
            ("http://a.ru/%D0%BA%D0%B0%D0%B7%D0%B8%D0%BD%D0%BE", Some("казино")),
            ("http://a.ru/КАЗИНО-онлайн", Some("казино")),
            ("http://a.ru/slots/1", Some("/slots/")),
            ("http://sloty-vip.ru/", Some("^sloty*")),
            ("http://a.ru/sloty-vip", None),
        ] {
            assert_eq!(rule(&lists, url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn many_addresses_are_judged_as_one_by_one() {
        let lists = lists("a.ru\nb.c.ru\nd.ru/x\n~kazino*\n@@e.a.ru\n");
        let hosts = [
            "a.ru",
            "e.a.ru",
            "c.ru",
            "x.b.c.ru",
            "d.ru",
            "1.2.3.4.5.6.7.a.ru",
            "kazino.org",
            "",
        ];
        let urls: Vec<String> = (0..100)
            .map(|n| format!("http://{}/{}", hosts[n % 8], ["x", "y"][n / 8 % 2]))
            .collect();
        let mut found = Vec::new();
        lists.check_all(urls.iter().map(String::as_bytes), |n, m| found.push((n, m)));
        let single = |(n, url): (usize, &String)| {
            let matched = lists.check(url.as_bytes(), &mut Scratch::default())?;
            Some((n, matched))
        };
        let expected: Vec<_> = urls.iter().enumerate().filter_map(single).collect();
        assert_eq!(found, expected);
        assert!(expected.len() > 40);
    }

    #[test]
    fn a_broken_line_is_named() {
        for (text, line) in [
            ("a.ru\nb ru c\n", 2),
            ("~a\n", 1),
            ("a..ru\n", 1),
            ("a.ru\n\nhttp:///x\n", 3),
        ] {
            let error = Builder::default().add("my.txt", text.as_bytes()).unwrap_err();
            assert_eq!((error.list.as_str(), error.line), ("my.txt", line), "{error}");
            assert!(error.to_string().starts_with(&format!("my.txt:{line}: ")));
        }
        let error = Builder::default().add("l", b"a.ru\n\xff\n").unwrap_err();
        assert_eq!((error.line, error.why), (2, "is not UTF-8"));
    }
}
