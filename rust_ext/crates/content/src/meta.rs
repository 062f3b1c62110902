//! What a page states about itself: title, author, date, language, address, and whether it may be used.

use super::dates::day;
use super::entities::{clean, clean_attribute};
use super::linked::LinkedData;
use super::tree::Stated;

mod opt_outs;

pub use opt_outs::{OptOuts, TRAINING_BOTS, opt_out};

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
    pub opt_outs: OptOuts,
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
        opt_out(&mut meta.opt_outs, name, content);
    }
    meta
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
        assert_eq!(
            (
                meta.opt_outs.noindex,
                meta.opt_outs.noai,
                meta.opt_outs.tdm_reserved
            ),
            (true, true, true)
        );
        let meta = of("<meta name=robots content='index, follow'>");
        assert_eq!(
            (
                meta.opt_outs.noindex,
                meta.opt_outs.noai,
                meta.opt_outs.tdm_reserved
            ),
            (false, false, false)
        );
    }
}
