//! Block lists, and what they say of an address.

use std::collections::HashMap;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;

use crate::domains::{Domains, LABELS, Probe};
use crate::url::Address;

/// Why an address is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    pub list: String,
    pub category: String,
    pub rule: String,
}

/// A word and where it may be part of a longer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) letters: Vec<u8>,
    pub(crate) open_before: bool,
    pub(crate) open_after: bool,
    /// A piece of the path instead of a word.
    pub(crate) path: bool,
    /// Looked for in the host alone.
    pub(crate) host: bool,
}

pub(crate) struct WordRule {
    pub(crate) words: Vec<usize>,
    pub(crate) source: u16,
    pub(crate) text: String,
}

/// Paths below a host, each with the number of its source.
pub(crate) type Paths = HashMap<Box<[u8]>, Vec<(Box<[u8]>, u16)>>;

/// Lists, ready to be asked.
pub struct Lists {
    pub(crate) domains: Domains,
    pub(crate) exceptions: Domains,
    pub(crate) path_hosts: Domains,
    pub(crate) paths: Paths,
    pub(crate) words: Vec<Word>,
    /// Of each word, the rules that it is the first of.
    pub(crate) first_of: Vec<Vec<u32>>,
    pub(crate) rules: Vec<WordRule>,
    pub(crate) automaton: Option<Words>,
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) unused: usize,
}

/// The automaton of all words. A DFA of many words would take gigabytes; an NFA is half as fast.
pub(crate) enum Words {
    Few(DFA),
    Many(NFA),
}

/// Addresses that are looked up together.
const TOGETHER: usize = 16;

/// Buffers of `Lists::check`, kept between addresses.
#[derive(Default)]
pub struct Scratch {
    pub(crate) addresses: [Address; TOGETHER],
    pub(crate) probes: [Probe; TOGETHER],
    pub(crate) tags: [[u8; LABELS]; TOGETHER],
    pub(crate) hits: Vec<usize>,
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
        let mut host = if self.path_hosts.is_empty() {
            &[]
        } else {
            address.host()
        };
        while let Some((domain, _)) = self.path_hosts.covering(host) {
            if let Some(found) = self.by_path(domain, address) {
                return Some(found);
            }
            let above = domain.iter().position(|&b| b == b'.').map(|dot| dot + 1);
            host = &domain[above.unwrap_or(domain.len())..];
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::builder::Builder;

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
    fn paths_of_a_domain_hold_below_it_beside_those_of_its_own() {
        let lists = lists("a.ru/x\nb.a.ru/y\nru/z\n");
        for (url, expected) in [
            ("http://c.b.a.ru/y", Some("b.a.ru/y")),
            ("http://c.b.a.ru/x", Some("a.ru/x")),
            ("http://c.b.a.ru/z", Some("ru/z")),
            ("http://a.ru/y", None),
            ("http://b.a.ru/w", None),
        ] {
            assert_eq!(rule(&lists, url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_comment_may_be_in_another_charset() {
        let mut builder = Builder::default();
        for mark in ["#", "!", ";", " # "] {
            let list = [mark.as_bytes(), b" \xef\xf0\nA.ru\n"].concat();
            builder.add("list", &list).unwrap();
        }
        assert!(builder.add("list", b"\xef.ru\n").is_err());
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
