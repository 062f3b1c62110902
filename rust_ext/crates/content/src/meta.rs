//! What a page states about itself: title, author, date, language, address, and whether it may be used.

use super::entities::clean;
use super::json::{self, Json};
use super::tree::Stated;

/// A page's statements, cleaned; None where it makes none.
#[derive(Debug, Default, Clone)]
pub struct Meta {
    pub title: Option<String>,
    pub author: Option<String>,
    /// ISO 8601 day of publication.
    pub date: Option<String>,
    /// As declared, in lower case (`ru`, `en-us`).
    pub language: Option<String>,
    pub canonical_url: Option<String>,
    pub description: String,
    pub noindex: bool,
    /// `noai`, `noimageai` or a robots directive naming AI training.
    pub noai: bool,
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
/// JSON-LD scripts longer than this are not read (the longest of wcxb has 0.4 MB).
const MAX_SCRIPT: usize = 2 << 20;

fn field(text: &str) -> Option<String> {
    let text: String = clean(&text[..floor_boundary(text, 8 * MAX_FIELD)])
        .chars()
        .take(MAX_FIELD)
        .collect();
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
    let ld = LinkedData::read(stated);
    let first = |names: &[&str]| names.iter().find_map(|name| find(stated, name)).and_then(field);
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
    meta.date = ld.date.as_deref().and_then(day).or_else(|| {
        const DATES: [&str; 10] = [
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
        ];
        DATES
            .iter()
            .find_map(|name| find(stated, name).and_then(day))
            .or_else(|| stated.time.and_then(day))
    });
    meta.language = stated
        .language
        .or_else(|| find(stated, "content-language"))
        .or_else(|| find(stated, "og:locale"))
        .and_then(field)
        .map(|language| language.to_lowercase().replace('_', "-"));
    meta.canonical_url = stated
        .canonical
        .or_else(|| find(stated, "og:url"))
        .and_then(field);
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

/// Reads one directive of a `meta` element or an HTTP header into `meta`.
pub fn opt_out(meta: &mut Meta, name: &str, content: &str) {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "robots" | "x-robots-tag" | "googlebot" => {
            for directive in content.to_ascii_lowercase().split([',', ' ', ':', ';']) {
                meta.noindex |= matches!(directive, "noindex" | "none") && name != "googlebot";
                meta.noai |= matches!(directive, "noai" | "noimageai" | "noml");
            }
        }
        "tdm-reservation" => meta.tdm_reserved |= content.trim() == "1",
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

/// `YYYY-MM-DD` from a date that begins so, or from `DD.MM.YYYY` or `DD/MM/YYYY` where only that order fits.
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let parts: Vec<u32> = text
        .split(|c: char| !c.is_ascii_digit())
        .take(3)
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let [a, b, c] = parts[..] else { return None };
    let dotted = text.contains('.');
    let (year, month, day) = if (1000..3000).contains(&a) {
        (a, b, c)
    } else if (1000..3000).contains(&c) && (dotted || a > 12) {
        (c, b, a)
    } else {
        return None;
    };
    let fits = (1990..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[derive(Default)]
struct LinkedData {
    headline: Option<String>,
    author: Option<String>,
    date: Option<String>,
    body: Option<String>,
    kinds: u32,
}

impl LinkedData {
    fn read(stated: &Stated) -> Self {
        let mut found = LinkedData::default();
        for script in stated.json_ld.iter().filter(|script| script.len() <= MAX_SCRIPT) {
            let json = json::read(script);
            found.item(&json);
            json.walk(&mut |_, value| found.item(value));
        }
        found
    }

    fn item(&mut self, item: &Json) {
        let Some(kind) = item.get("@type") else { return };
        let kinds = match kind {
            Json::Text(kind) => kind_bits(kind),
            Json::List(kinds) => kinds
                .iter()
                .filter_map(Json::text)
                .map(kind_bits)
                .fold(0, |a, b| a | b),
            _ => 0,
        };
        self.kinds |= kinds;
        if kinds & (1 | 8) == 0 {
            return;
        }
        let text = |key: &str| item.get(key).and_then(Json::text).map(str::to_owned);
        self.headline = self.headline.take().or_else(|| text("headline"));
        self.date = self.date.take().or_else(|| text("datePublished"));
        self.author = self.author.take().or_else(|| item.get("author").and_then(person));
        let body = text("articleBody").or_else(|| text("text"));
        if body.as_ref().map_or(0, String::len) > self.body.as_ref().map_or(0, String::len) {
            self.body = body;
        }
    }
}

fn person(value: &Json) -> Option<String> {
    match value {
        Json::Text(name) => Some(name.clone()),
        Json::Map(_) => value.get("name").and_then(person),
        Json::List(people) => {
            let names: Vec<String> = people.iter().take(8).filter_map(person).collect();
            (!names.is_empty()).then(|| names.join(", "))
        }
        _ => None,
    }
}

fn kind_bits(kind: &str) -> u32 {
    match kind {
        "DiscussionForumPosting" | "SocialMediaPosting" | "QAPage" => 8,
        "FAQPage" => 16,
        "ItemList" | "CollectionPage" | "SearchResultsPage" | "Blog" => 4,
        "LocalBusiness" | "Service" | "Organization" => 32,
        _ if kind.ends_with("Article") || matches!(kind, "BlogPosting" | "Report" | "Recipe" | "Review") => 1,
        _ if kind.starts_with("Product") => 2,
        _ => 0,
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

    #[test]
    fn days() {
        assert_eq!(day("2012-1-5 10:00").as_deref(), Some("2012-01-05"));
        assert_eq!(day("31.12.2011").as_deref(), Some("2011-12-31"));
        assert_eq!(day("1/2/2011"), None);
        assert_eq!(day("next week"), None);
    }
}
