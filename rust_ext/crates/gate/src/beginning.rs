//! Is it sure by the beginning of a page that the rest of it need not be read? Asked where `extract.gate = "quick"`.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memmem};

use super::declared::declares_russian;
use super::survey::survey;
use super::text::{ascii_letters, lead_bytes, outside_tags_of_beginning};
use super::verdict::Verdict;
use super::wide::wide_charset;

/// Letters of other scripts that a beginning must hold outside tags and in its descriptions, so that it is text that
/// was judged and not the scripts and styles before it: a title, a description, a menu. Chosen on the pages of
/// docs/measured/extract.md, "Quick": with 400 letters outside tags alone, two thirds of all bytes would still be read.
const ENOUGH_FOREIGN: u32 = 100;
/// Top-level domains of countries in which Russian is an official language or widely written, and of Russian
/// cities. Those in Cyrillic (xn--) are recognised by their form.
const TOP_LEVEL: [&str; 13] = [
    "ru", "su", "by", "kz", "ua", "kg", "uz", "tj", "tm", "md", "am", "moscow", "tatar",
];
/// Names of the language in hosts ("ru.example.org") and paths ("example.org/ru/page").
const NAMES: [&str; 5] = ["ru", "rus", "russian", "ru-ru", "ru_ru"];
/// Cyrillic as scripts and addresses write it: `\u0440`, `%D1%80`; and Russian as the language of other pages.
const TRACES: [&[u8]; 7] = [b"\\u04", b"%D0%", b"%D1%", b"%d0%", b"%d1%", b"ru_RU", b"ru-RU"];
static FIND_TRACES: LazyLock<[Finder<'static>; 7]> = LazyLock::new(|| TRACES.map(Finder::new));
static FIND_META: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("<meta"));

/// What the beginning of a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// No trace of Cyrillic in its bytes, address or declarations, and enough text in another script: to be dropped.
    Foreign(Verdict),
    /// No trace of Cyrillic, but too little text of any kind yet.
    Silent,
    /// The whole page has to be judged.
    Open,
}

/// Judges the beginning of a page.
pub fn judge_beginning(beginning: &[u8], url: &str, http_charset: Option<&str>) -> Beginning {
    let seen = survey(beginning);
    let any = seen.cyrillic > 0 || seen.broken > 0 || seen.entities;
    if any
        || has_trace(beginning)
        || names_russian(url)
        || declares_russian(beginning, http_charset)
        || wide_charset(beginning).is_some()
    {
        return Beginning::Open;
    }
    let foreign = foreign_letters(beginning);
    if foreign < ENOUGH_FOREIGN {
        return Beginning::Silent;
    }
    Beginning::Foreign(Verdict {
        keep: false,
        cyrillic: 0,
        latin: foreign,
        charset: "utf-8",
        pair_cost: 0,
    })
}

fn has_trace(text: &[u8]) -> bool {
    FIND_TRACES.iter().any(|trace| trace.find(text).is_some())
}

/// ASCII letters and characters above ASCII outside tags and in descriptions, up to the run of text that brings
/// enough.
fn foreign_letters(beginning: &[u8]) -> u32 {
    let count = |text: &[u8]| ascii_letters(text) + lead_bytes(text);
    let mut letters = descriptions(beginning).map(count).sum();
    outside_tags_of_beginning(beginning, |run| {
        letters += count(run);
        letters < ENOUGH_FOREIGN
    });
    letters
}

/// What `<meta name="description" content="...">` and its like (og:title, twitter:description) say.
fn descriptions(beginning: &[u8]) -> impl Iterator<Item = &[u8]> {
    FIND_META.find_iter(beginning).filter_map(|at| {
        let tag = &beginning[at..];
        let tag = &tag[..memchr(b'>', tag)?];
        let is_text = [b"description".as_slice(), b"title"]
            .iter()
            .any(|n| memmem::find(tag, n).is_some());
        let value = &tag[memmem::find(tag, b"content=").filter(|_| is_text)? + 8..];
        let (quote, value) = value.split_first().filter(|(q, _)| matches!(q, b'"' | b'\''))?;
        Some(&value[..memchr(*quote, value).unwrap_or(value.len())])
    })
}

/// Whether a page's address says that it may be Russian.
fn names_russian(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_ascii_lowercase();
    let top = host.rsplit('.').next().unwrap_or_default();
    let is_named = |part: &str| NAMES.iter().any(|name| part.eq_ignore_ascii_case(name));
    TOP_LEVEL.contains(&top)
        || top.starts_with("xn--")
        || !top.is_ascii()
        || host.split('.').any(is_named)
        || path.split(['/', '?', '#', '&', '=']).any(is_named)
        || has_trace(path.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_may_be_russian_are_recognised() {
        for url in [
            "http://a.example.ru/",
            "https://u:p@a.example.RU:8080?x",
            "http://example.by",
            "http://xn--e1afmkfd.xn--p1ai/",
            "http://пример.рф/",
            "https://ru.example.org/wiki",
            "https://example.org/RU/page",
            "https://example.org/page?lang=ru&x=1",
            "https://example.org/wiki/%D0%9C",
        ] {
            assert!(names_russian(url), "{url}");
        }
        for url in [
            "",
            "http://example.com/",
            "https://rut.example.org/drums/rue?q=true",
        ] {
            assert!(!names_russian(url), "{url}");
        }
    }

    #[test]
    fn a_beginning_is_judged_by_its_text_alone_and_only_where_there_is_enough() {
        let seen = |page: &str| judge_beginning(page.as_bytes(), "http://example.com/", None);
        let judged = |page: &str| matches!(seen(page), Beginning::Foreign(_));
        let english = "Plain words of English. ".repeat(40);
        assert!(judged(&english));
        assert!(judged(&"中文字".repeat(200)));
        assert_eq!(seen(&english[..80]), Beginning::Silent);
        let described = |name: &str| format!("<meta {name}=1 content='{english}' /><script>");
        assert!(judged(&described("name='description'")) && judged(&described("property=\"og:title\"")));
        assert!(!judged(&described("name=keywords")));
        // A script that is cut off is no text.
        assert_eq!(seen(&format!("<script>{english}")), Beginning::Silent);
        assert_eq!(seen(&format!("<!-- {english}")), Beginning::Silent);
        for trace in [
            "я",
            "&#1088;",
            "\\u0440",
            "%D1%80",
            "<html lang=ru>",
            "<meta charset=koi8-r>",
            "og:locale=ru_RU",
        ] {
            assert_eq!(seen(&format!("{trace} {english}")), Beginning::Open, "{trace}");
        }
        let legacy = [english.as_bytes(), b"\xf0\xe5\xe3"].concat();
        assert_eq!(judge_beginning(&legacy, "", None), Beginning::Open);
        let declared = judge_beginning(english.as_bytes(), "", Some("windows-1251"));
        assert_eq!(declared, Beginning::Open);
    }
}
