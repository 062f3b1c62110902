//! JSON-LD: what a page's own article says of itself, among the other items that the page lists.

use std::cell::Cell;
use std::collections::HashMap;

use super::json::{self, Json};
use super::tree::Stated;

/// JSON-LD scripts longer than this are not read (the longest of wcxb has 0.4 MB).
const MAX_SCRIPT: usize = 2 << 20;
/// Keys under which stand other items than the page itself.
const LISTS: [&str; 13] = [
    "itemListElement",
    "relatedLink",
    "relatedContent",
    "related",
    "hasPart",
    "mentions",
    "citation",
    "blogPost",
    "blogPosts",
    "comment",
    "review",
    "suggestedAnswer",
    "isBasedOn",
];
/// Steps from value to value, along `@id` and into lists, that are followed for an author.
const MOST_STEPS: u16 = 200;
/// Authors kept of a page.
const MOST_AUTHORS: usize = 8;

/// What the page's own article says, and the kinds of all items.
#[derive(Debug, Default)]
pub struct LinkedData {
    pub headline: Option<String>,
    pub author: Option<String>,
    pub date: Option<String>,
    /// The article's body: text, or HTML.
    pub body: Option<String>,
    /// Kinds of items: see `Meta::ld_kinds`.
    pub kinds: u32,
}

/// Items by their `@id`, and the steps that may still be made among them.
#[derive(Default)]
struct Graph<'a> {
    by_id: HashMap<&'a str, &'a Json>,
    steps: Cell<u16>,
}

/// An article among the page's items.
struct Item<'a> {
    item: &'a Json,
    listed: bool,
}

impl LinkedData {
    /// Reads the page's scripts. `addresses` are the page's own, `title` is that of its head.
    pub fn read(stated: &Stated, addresses: [Option<&str>; 2], title: Option<&str>) -> Self {
        let scripts: Vec<Json> = stated
            .json_ld
            .iter()
            .filter(|script| script.len() <= MAX_SCRIPT)
            .map(|script| json::read_script(script))
            .collect();
        let mut found = LinkedData::default();
        let mut articles: Vec<Item> = Vec::new();
        let mut graph = Graph::default();
        for script in &scripts {
            found.visit(script, false, &mut articles, &mut graph);
        }
        let addresses: Vec<&str> = addresses.into_iter().flatten().map(bare_address).collect();
        let best = (articles.iter().enumerate())
            .map(|(at, article)| (likeness(article, &addresses, title), at))
            .max_by_key(|&(score, at)| (score, std::cmp::Reverse(at)))
            .filter(|&(score, _)| score >= 0);
        if let Some((_, at)) = best {
            found.take(articles[at].item, &graph);
        }
        found
    }

    fn visit<'a>(
        &mut self,
        value: &'a Json,
        listed: bool,
        articles: &mut Vec<Item<'a>>,
        graph: &mut Graph<'a>,
    ) {
        match value {
            Json::List(items) => {
                for item in items {
                    self.visit(item, listed, articles, graph);
                }
            }
            Json::Map(pairs) => {
                if let Some(kinds) = value.get("@type").map(kinds_of) {
                    self.kinds |= kinds;
                    if kinds & (ARTICLE | FORUM) != 0 {
                        articles.push(Item { item: value, listed });
                    }
                }
                if let Some(id) = value.get("@id").and_then(Json::text)
                    && pairs.len() > 1
                {
                    graph.by_id.entry(id).or_insert(value);
                }
                for (key, inner) in pairs {
                    self.visit(inner, listed || LISTS.contains(&key.as_str()), articles, graph);
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, item: &Json, graph: &Graph) {
        graph.steps.set(MOST_STEPS);
        let text = |key: &str| item.get(key).and_then(plain_value).map(str::to_owned);
        self.headline = text("headline").or_else(|| text("name"));
        self.date = text("datePublished").or_else(|| text("dateCreated"));
        self.author = ["author", "creator"]
            .iter()
            .find_map(|key| person(item.get(key)?, graph));
        self.body = text("articleBody").or_else(|| text("text"));
    }
}

/// How much an article seems to be the page's own; below 0 it is not.
fn likeness(article: &Item, addresses: &[&str], title: Option<&str>) -> i32 {
    let item = article.item;
    let mut score = if article.listed { -1 } else { 1 };
    let own = ["url", "@id", "mainEntityOfPage"].iter().any(|key| {
        let value = item.get(key);
        let address = value.and_then(|v| v.text().or_else(|| v.get("@id").and_then(Json::text)));
        address.is_some_and(|address| is_address(address) && addresses.contains(&bare_address(address)))
    });
    let headline = item.get("headline").and_then(plain_value).unwrap_or("").trim();
    let named = headline.chars().count() >= 8
        && title.is_some_and(|title| title.to_lowercase().contains(&headline.to_lowercase()));
    score += 4 * i32::from(own) + 3 * i32::from(named);
    score += i32::from(item.get("articleBody").is_some()) + i32::from(item.get("datePublished").is_some());
    if article.listed && !own && !named {
        -1
    } else {
        score
    }
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.starts_with('/')
}

/// An address without scheme, `www.`, fragment and closing slash.
fn bare_address(address: &str) -> &str {
    let address = address.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.strip_prefix("www.").unwrap_or(address);
    address.split('#').next().unwrap_or(address).trim_end_matches('/')
}

/// A text, or `@value` of a text with its language, or the first of several.
fn plain_value(value: &Json) -> Option<&str> {
    match value {
        Json::Text(text) => Some(text),
        Json::Map(_) => value.get("@value").and_then(Json::text),
        Json::List(items) => items.first().and_then(plain_value),
        _ => None,
    }
}

/// The name of a person or of several, wherever the graph has it.
fn person(value: &Json, graph: &Graph) -> Option<String> {
    graph.steps.set(graph.steps.get().checked_sub(1)?);
    match value {
        Json::Text(text) => match graph.by_id.get(text.as_str()) {
            Some(known) => person(known, graph),
            None => Some(text.clone()).filter(|name| !name.trim().is_empty() && !name.starts_with('#')),
        },
        Json::Map(_) => {
            let part = |key: &str| value.get(key).and_then(plain_value).map(str::trim);
            let parts: Vec<&str> = [part("givenName"), part("additionalName"), part("familyName")]
                .into_iter()
                .flatten()
                .filter(|part| !part.is_empty())
                .collect();
            value
                .get("name")
                .and_then(|name| person(name, graph))
                .or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
                .or_else(|| value.get("@value").and_then(|name| person(name, graph)))
                .or_else(|| {
                    let known = graph.by_id.get(value.get("@id")?.text()?)?;
                    (!std::ptr::eq(*known, value)).then(|| person(known, graph))?
                })
                .or_else(|| part("alternateName").map(str::to_owned))
        }
        Json::List(people) => {
            let mut names: Vec<String> = Vec::new();
            for name in people.iter().filter_map(|one| person(one, graph)) {
                if !names.contains(&name) && names.len() < MOST_AUTHORS {
                    names.push(name);
                }
            }
            (!names.is_empty()).then(|| names.join(", "))
        }
        _ => None,
    }
}

const ARTICLE: u32 = 1;
const FORUM: u32 = 8;

fn kinds_of(kind: &Json) -> u32 {
    match kind {
        Json::Text(kind) => kind_bits(kind),
        Json::List(kinds) => kinds
            .iter()
            .filter_map(Json::text)
            .map(kind_bits)
            .fold(0, |a, b| a | b),
        _ => 0,
    }
}

fn kind_bits(kind: &str) -> u32 {
    let kind = kind.rsplit(['/', ':', '#']).next().unwrap_or(kind);
    match kind {
        "DiscussionForumPosting" | "SocialMediaPosting" | "QAPage" => FORUM,
        "FAQPage" => 16,
        "ItemList" | "CollectionPage" | "SearchResultsPage" | "Blog" => 4,
        "LocalBusiness" | "Service" | "Organization" => 32,
        _ if kind.ends_with("Article") || matches!(kind, "BlogPosting" | "Report" | "Recipe" | "Review") => {
            ARTICLE
        }
        _ if kind.starts_with("Product") => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    fn read(scripts: &[&str], url: Option<&str>, title: Option<&str>) -> LinkedData {
        let html: String = scripts
            .iter()
            .map(|script| format!("<script type='application/ld+json'>{script}</script>"))
            .collect();
        LinkedData::read(&parse(&html).stated, [url, None], title)
    }

    #[test]
    fn the_pages_own_article_speaks_and_a_listed_one_does_not() {
        let list = r#"{"@type":"ItemList","itemListElement":[{"@type":"ListItem","item":{"@type":"NewsArticle",
            "headline":"Чужая новость","datePublished":"2020-01-01"}}]}"#;
        let own = r#"{"@type":"NewsArticle","headline":"Своя новость","datePublished":"2024-02-03"}"#;
        assert_eq!(read(&[list, own], None, None).date.as_deref(), Some("2024-02-03"));
        assert_eq!(read(&[list], None, None).date, None);
        assert_eq!(
            read(&[list], None, Some("Чужая новость | Сайт")).date.as_deref(),
            Some("2020-01-01")
        );
        let two = r#"[{"@type":"NewsArticle","url":"https://x.ru/1","datePublished":"2020-01-01"},
            {"@type":"NewsArticle","mainEntityOfPage":{"@id":"https://www.x.ru/2/"},"datePublished":"2021-01-01"}]"#;
        assert_eq!(
            read(&[two], Some("http://x.ru/2"), None).date.as_deref(),
            Some("2021-01-01")
        );
    }

    #[test]
    fn authors_are_found_by_id_and_put_together_from_parts() {
        let graph = r##"{"@graph":[{"@type":"Article","author":[{"@id":"#p"},{"@type":"Person","givenName":"Анна",
            "familyName":"Белова"},"Олег"]},{"@type":"Person","@id":"#p","name":"Мария"}]}"##;
        assert_eq!(
            read(&[graph], None, None).author.as_deref(),
            Some("Мария, Анна Белова, Олег")
        );
        let circle =
            r##"{"@graph":[{"@type":"Article","author":{"@id":"#a"}},{"@id":"#a","name":{"@id":"#a"}}]}"##;
        assert_eq!(read(&[circle], None, None).author, None);
        let elsewhere = r##"{"@id":"#p","name":["Мария Сидорова"]}"##;
        let by_text = r##"{"@type":"Article","author":"#p"}"##;
        assert_eq!(
            read(&[by_text, elsewhere], None, None).author.as_deref(),
            Some("Мария Сидорова")
        );
    }
}
