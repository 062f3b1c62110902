//! Text that a page holds only as data for its own program: JSON-LD's articleBody, Discourse's preloaded
//! topic, Next.js's props.

use super::entities;
use super::json::{self, Json};
use super::meta::Meta;
use super::render::render;
use super::tree::{Stated, parse};

/// Longest data read of one page.
const MAX_DATA: usize = 8 << 20;
/// Keys under which programs keep HTML or text of a document.
const KEYS: [&str; 10] = [
    "cooked",
    "articleBody",
    "body",
    "content",
    "html",
    "text",
    "bodyHtml",
    "body_html",
    "contentHtml",
    "story",
];
/// Fewest words of a string that counts as text.
const LEAST_WORDS: usize = 30;

/// The longest text that the page's data holds, or nothing.
pub fn text(stated: &Stated, meta: &Meta) -> Option<String> {
    let linked = meta.article_body.as_deref().map(plain);
    let topic = stated
        .preloaded
        .filter(|data| data.len() <= MAX_DATA)
        .and_then(preloaded);
    let props = stated
        .next_data
        .filter(|data| data.len() <= MAX_DATA)
        .and_then(|data| best_of(&json::read(data)));
    [topic, linked, props]
        .into_iter()
        .flatten()
        .max_by_key(|text| text.split_whitespace().count())
}

/// Discourse escapes a map whose values are JSON texts themselves; the posts are its "cooked" strings.
fn preloaded(data: &str) -> Option<String> {
    let outer = json::read(&entities::clean(data));
    let Json::Map(pairs) = &outer else { return None };
    let topic = pairs
        .iter()
        .find(|(key, _)| key.starts_with("topic_") && key != "topic_list")?;
    let posts = json::read(topic.1.text()?);
    let mut all: Vec<String> = Vec::new();
    posts.walk(&mut |key, value| {
        if let (true, Some(post)) = (key == "cooked", value.text()) {
            all.push(plain(post));
        }
    });
    (!all.is_empty()).then(|| all.join("\n"))
}

fn best_of(json: &Json) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    json.walk(&mut |key, value| {
        if let (true, Some(text)) = (KEYS.contains(&key), value.text()) {
            let words = text.split_whitespace().take(100_000).count();
            if words >= LEAST_WORDS && best.is_none_or(|(most, _)| words > most) {
                best = Some((words, text));
            }
        }
    });
    best.map(|(_, text)| plain(text))
}

/// HTML or text as lines.
fn plain(html: &str) -> String {
    let page = parse(html);
    if page.nodes.len() > 1 || page.blocks.len() > 1 {
        return render(&page, &vec![true; page.blocks.len()]);
    }
    html.lines()
        .map(entities::clean)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta;

    #[test]
    fn a_preloaded_topic_gives_its_posts() {
        let html = r#"<div data-preloaded="{&quot;topic_7&quot;:&quot;{\&quot;posts\&quot;:[{\&quot;cooked\&quot;:\&quot;&lt;p&gt;One two&lt;/p&gt;\&quot;},{\&quot;cooked\&quot;:\&quot;three\&quot;}]}&quot;}"></div>"#;
        let page = parse(html);
        assert_eq!(
            text(&page.stated, &meta::read(&page.stated, None)).as_deref(),
            Some("One two\nthree")
        );
    }
}
