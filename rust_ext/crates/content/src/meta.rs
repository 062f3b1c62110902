//! What a page states about itself: title, author, date, language, address, and whether it may be used.

use super::dates::day;
use super::entities::{clean, clean_attribute};
use super::linked::LinkedData;
use super::tree::Stated;

/// A page's statements, cleaned; None where it makes none.
#[derive(Debug, Default, Clone)]
pub struct Meta {
    pub title: Option<String>,
    pub author: Option<String>,
    /// ISO 8601 day of publication, stated by data; `dates::find` looks for one in the page itself.
    pub date: Option<String>,
    /// Whether data or a `time` element says a day: a feature.
    pub says_date: bool,
    /// As declared, in lower case (`ru`, `en-us`).
    pub language: Option<String>,
    pub canonical_url: Option<String>,
    pub description: String,
    pub noindex: bool,
    /// `noai`, `noimageai` or `noml`; or `noindex` or `none` for a robot that gathers training data.
    pub noai: bool,
    /// A preference against training: Content-Usage or Content-Signal.
    pub train_ai_disallowed: bool,
    /// `tdm-reservation: 1`.
    pub tdm_reserved: bool,
    /// og:type as a number (0 none, 1 article, 2 product, 3 website, 4 other): a feature.
    pub og_kind: u8,
    /// Kinds of JSON-LD items: 1 article, 2 product, 4 list, 8 forum, 16 questions, 32 business: a feature.
    pub ld_kinds: u32,
    /// JSON-LD articleBody.
    pub article_body: Option<String>,
    /// The page's address: given, else canonical, else og:url.
    pub url: Option<String>,
}

/// Longest title, author or description kept, in characters.
const MAX_FIELD: usize = 500;
/// Names of `meta` elements that state the day of publication.
const DATES: [&str; 20] = [
    "article:published_time",
    "datepublished",
    "date",
    "pubdate",
    "publishdate",
    "dc.date",
    "dc.date.issued",
    "parsely-pub-date",
    "sailthru.date",
    "og:published_time",
    "mediator_published_time",
    "publish_date",
    "publish-date",
    "publication_date",
    "dc.date.created",
    "dcterms.created",
    "dcterms.issued",
    "dcterms.date",
    "citation_publication_date",
    "article.published",
];
/// Those of them, the first ones, that the model's feature counts.
const DATES_OF_THE_MODEL: usize = 10;

fn field(text: &str) -> Option<String> {
    cut(clean(&text[..floor_boundary(text, 8 * MAX_FIELD)]))
}

fn attribute_field(text: &str) -> Option<String> {
    cut(clean_attribute(&text[..floor_boundary(text, 8 * MAX_FIELD)]))
}

fn cut(text: String) -> Option<String> {
    let text: String = text.chars().take(MAX_FIELD).collect();
    (!text.is_empty()).then_some(text)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// Reads the statements of a page.
pub fn read(stated: &Stated, url: Option<&str>) -> Meta {
    let mut meta = Meta::default();
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| find(stated, name))
            .and_then(attribute_field)
    };
    let canonical = stated
        .canonical
        .or_else(|| find(stated, "og:url"))
        .and_then(attribute_field);
    let ld = LinkedData::read(
        stated,
        [url, canonical.as_deref()],
        stated.title.and_then(field).as_deref(),
    );
    meta.title = first(&["og:title", "twitter:title", "dc.title", "title"])
        .or_else(|| ld.headline.as_deref().and_then(field))
        .or_else(|| stated.title.and_then(field));
    meta.author = ld
        .author
        .as_deref()
        .and_then(field)
        .or_else(|| {
            first(&[
                "author",
                "article:author",
                "dc.creator",
                "parsely-author",
                "sailthru.author",
            ])
        })
        .filter(|name| !name.contains("://"));
    let date_of = |names: &[&str]| names.iter().find_map(|name| find(stated, name).and_then(day));
    meta.date = ld.date.as_deref().and_then(day).or_else(|| date_of(&DATES));
    meta.says_date = ld.date.is_some()
        || date_of(&DATES[..DATES_OF_THE_MODEL]).is_some()
        || stated
            .dates
            .iter()
            .any(|date| date.is_time && day(date.value).is_some());
    meta.language = stated
        .language
        .or_else(|| find(stated, "content-language"))
        .or_else(|| find(stated, "og:locale"))
        .and_then(attribute_field)
        .map(|language| language.to_lowercase().replace('_', "-"));
    meta.canonical_url = canonical;
    meta.description = first(&["description", "og:description", "twitter:description"]).unwrap_or_default();
    meta.og_kind = og_kind(find(stated, "og:type"));
    meta.ld_kinds = ld.kinds;
    meta.article_body = ld.body;
    meta.url = url.map(str::to_owned).or_else(|| meta.canonical_url.clone());
    for (name, content) in &stated.metas {
        opt_out(&mut meta, name, content);
    }
    meta
}

/// Reads into `meta` what one `meta` element or HTTP header says of the page's use, by the grammar of each vocabulary:
/// robots (developers.google.com/search/docs/crawling-indexing/robots-meta-tag), TDMRep
/// (w3.org/community/reports/tdmrep), AI Preferences (draft-ietf-aipref-attach) and Content Signals
/// (contentsignals.org). Rules for a single robot say nothing of the page in general and are passed over, those of
/// elements named by a robot ("googlebot") and those behind its name in a header, unless that robot gathers training
/// data (`TRAINING_BOTS`).
pub fn opt_out(meta: &mut Meta, name: &str, content: &str) {
    match name.trim().to_ascii_lowercase().as_str() {
        "robots" => content.split([',', ';']).for_each(|part| directives(meta, part)),
        // Where headers were joined, each stands on its line.
        "x-robots-tag" => content.lines().for_each(|line| robots_header(meta, line)),
        "tdm-reservation" => meta.tdm_reserved |= content.split(',').any(|value| value.trim() == "1"),
        "content-usage" | "content-signal" => content.split(',').for_each(|part| preference(meta, part)),
        name if is_training_bot(name) => content
            .split([',', ';'])
            .for_each(|part| directives_of_training_bot(meta, part)),
        _ => {}
    }
}

/// Robots that gather data for training, in small letters, as their operators describe them; sites name them to refuse
/// that use (the public list github.com/ai-robots-txt/ai.robots.txt has many more, most of which only answer questions).
/// "YandexAdditional" gathers for Yandex's answers, "Google-Extended" and "Applebot-Extended" are names without a crawler.
pub const TRAINING_BOTS: [&str; 24] = [
    "ai2bot",
    "amazonbot",
    "anthropic-ai",
    "applebot-extended",
    "bytespider",
    "ccbot",
    "claude-web",
    "claudebot",
    "cohere-ai",
    "cohere-training-data-crawler",
    "diffbot",
    "facebookbot",
    "google-extended",
    "gptbot",
    "icc-crawler",
    "img2dataset",
    "meta-externalagent",
    "omgili",
    "omgilibot",
    "pangubot",
    "timpibot",
    "webzio-extended",
    "yandexadditional",
    "yandexadditionalbot",
];

fn is_training_bot(name: &str) -> bool {
    TRAINING_BOTS.iter().any(|bot| name.eq_ignore_ascii_case(bot))
}

fn directives_of_training_bot(meta: &mut Meta, part: &str) {
    let mut own = Meta::default();
    directives(&mut own, part);
    meta.noai |= own.noindex || own.noai;
}

/// Robots directives that have a value behind a colon.
const VALUED: [&str; 4] = [
    "max-snippet",
    "max-image-preview",
    "max-video-preview",
    "unavailable_after",
];

/// "noindex, max-snippet: 5", "bingbot: noindex, nofollow": a robot's name holds for what comes behind it.
fn robots_header(meta: &mut Meta, line: &str) {
    let mut agent = "*";
    for part in line.split([',', ';']) {
        let mut rest = part;
        if let Some((name, behind)) = part.split_once(':')
            && is_agent(name.trim())
        {
            agent = name.trim();
            rest = behind;
        }
        if agent == "*" {
            directives(meta, rest);
        } else if is_training_bot(agent) {
            directives_of_training_bot(meta, rest);
        }
    }
}

fn is_agent(name: &str) -> bool {
    let first = name.bytes().next();
    let begins = first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'*');
    begins
        && !name.contains(char::is_whitespace)
        && !VALUED.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Directives between two commas: mostly one, though some pages part them by spaces alone. The value of a directive
/// is none itself ("max-image-preview: none"), and that of `unavailable_after` is a date up to the comma.
fn directives(meta: &mut Meta, part: &str) {
    let mut words = part.split_whitespace();
    while let Some(word) = words.next() {
        if let Some((name, value)) = word.split_once(':') {
            if name.eq_ignore_ascii_case("unavailable_after") {
                return;
            }
            if value.is_empty() {
                words.next();
            }
            continue;
        }
        if word.eq_ignore_ascii_case("unavailable_after") {
            return;
        }
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        meta.noindex |= is(&["noindex", "none"]);
        meta.noai |= is(&["noai", "noimageai", "noml"]);
    }
}

/// "train-ai=n", "ai-train=no", "tdm=n".
fn preference(meta: &mut Meta, part: &str) {
    let Some((category, value)) = part.split_once('=') else {
        return;
    };
    let value = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if !matches!(value.as_str(), "n" | "no" | "?0") {
        return;
    }
    match category.trim().to_ascii_lowercase().as_str() {
        "train-ai" | "ai-train" | "train-genai" | "genai" | "ai" | "bots" => meta.train_ai_disallowed = true,
        "tdm" => meta.tdm_reserved = true,
        _ => {}
    }
}

fn find<'a>(stated: &Stated<'a>, name: &str) -> Option<&'a str> {
    stated
        .metas
        .iter()
        .find(|(key, content)| key.eq_ignore_ascii_case(name) && !content.trim().is_empty())
        .map(|m| m.1)
}

fn og_kind(kind: Option<&str>) -> u8 {
    match kind.map(|kind| kind.trim().to_ascii_lowercase()).as_deref() {
        None => 0,
        Some("article" | "news" | "blog" | "post") => 1,
        Some(kind) if kind.contains("product") => 2,
        Some("website") => 3,
        Some(_) => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    fn of(html: &str) -> Meta {
        read(&parse(html).stated, None)
    }

    #[test]
    fn statements_are_read_in_order_of_trust() {
        let meta = of(
            r#"<html lang=ru_RU><title>A | Site</title><meta property="og:title" content="A &amp; B">
            <link rel=canonical href="https://x.ru/a"><meta name=author content="И. Петров">
            <script type="application/ld+json">{"@graph":[{"@type":"NewsArticle","datePublished":"2024-02-03T10:00",
            "author":[{"name":"Анна"},{"name":"Олег"}],"articleBody":"Текст"}]}</script>"#,
        );
        assert_eq!(meta.title.as_deref(), Some("A & B"));
        assert_eq!(meta.author.as_deref(), Some("Анна, Олег"));
        assert_eq!(meta.date.as_deref(), Some("2024-02-03"));
        assert_eq!(meta.language.as_deref(), Some("ru-ru"));
        assert_eq!(meta.canonical_url.as_deref(), Some("https://x.ru/a"));
        assert_eq!((meta.article_body.as_deref(), meta.ld_kinds), (Some("Текст"), 1));
    }

    #[test]
    fn opt_outs_are_seen() {
        let meta = of("<meta name=ROBOTS content='noindex, NoAI'><meta name=tdm-reservation content=1>");
        assert_eq!((meta.noindex, meta.noai, meta.tdm_reserved), (true, true, true));
        let meta = of("<meta name=robots content='index, follow'>");
        assert_eq!(
            (meta.noindex, meta.noai, meta.tdm_reserved),
            (false, false, false)
        );
    }

    /// noindex, noai, tdm_reserved, and a preference against training as noai of its own vocabulary.
    fn said(name: &str, content: &str) -> (bool, bool, bool) {
        let mut meta = Meta::default();
        opt_out(&mut meta, name, content);
        assert!(!meta.train_ai_disallowed || name.starts_with("Content-"));
        (
            meta.noindex,
            meta.noai || meta.train_ai_disallowed,
            meta.tdm_reserved,
        )
    }

    #[test]
    fn each_vocabulary_is_read_by_its_own_grammar() {
        for (name, content, expected) in [
            ("robots", "NONE", (true, false, false)),
            ("robots", "noindex nofollow", (true, false, false)),
            ("robots", "noarchive;noindex", (true, false, false)),
            ("robots", "max-image-preview:none, index", (false, false, false)),
            ("robots", "max-image-preview: none", (false, false, false)),
            ("robots", "max-snippet:-1 noindex", (true, false, false)),
            (
                "robots",
                "unavailable_after: 25 Jun 2010 none, noai",
                (false, true, false),
            ),
            ("googlebot", "noindex, noai", (false, false, false)),
            ("CCBot", "noindex", (false, true, false)),
            ("gptbot", "nofollow", (false, false, false)),
            (
                "X-Robots-Tag",
                "GPTBot: noindex, bingbot: none",
                (false, true, false),
            ),
            (
                "X-Robots-Tag",
                "bingbot: noindex, GPTBot: nofollow",
                (false, false, false),
            ),
            (
                "X-Robots-Tag",
                "bingbot: noindex, nofollow",
                (false, false, false),
            ),
            (
                "X-Robots-Tag",
                "bingbot: nofollow, otherbot: none",
                (false, false, false),
            ),
            ("X-Robots-Tag", "bingbot: nofollow\nnoindex", (true, false, false)),
            ("X-Robots-Tag", "*: noindex", (true, false, false)),
            (
                "X-Robots-Tag",
                "unavailable_after: Saturday, 25-Jun-2010 15:00:00 PST, noindex",
                (true, false, false),
            ),
            ("X-Robots-Tag", "max-snippet: 5, noai", (false, true, false)),
            ("tdm-reservation", " 1 ", (false, false, true)),
            ("tdm-reservation", "0", (false, false, false)),
            ("tdm-policy", "1", (false, false, false)),
            ("Content-Usage", "search=y, train-ai=n", (false, true, false)),
            ("Content-Usage", "train-ai=y", (false, false, false)),
            ("Content-Signal", "search=yes,ai-train=no", (false, true, false)),
        ] {
            assert_eq!(said(name, content), expected, "{name}: {content}");
        }
    }
}
