//! Text that a page holds only as data for its own program: JSON-LD's articleBody, Discourse's preloaded
//! topic, Next.js's props.

use super::entities;
use super::json::{self, Json};
use super::meta::Meta;
use super::render::render;
use super::tables::Tables;
use super::tags;
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

/// HTML, escaped HTML or text as lines.
fn plain(html: &str) -> String {
    let lines = lines(html);
    // What was escaped is still HTML once it is unescaped.
    if has_tags(&lines) && !has_tags(html) {
        self::lines(&lines)
    } else {
        lines
    }
}

fn lines(html: &str) -> String {
    let page = parse(html);
    if page.nodes.len() > 1 || page.blocks.len() > 1 {
        return render(&page, &Tables::of(&page), &vec![true; page.blocks.len()]);
    }
    if has_tags(html) {
        // Inline elements only: the lines are the text's own.
        let lines = html.lines().map(|line| {
            let page = parse(line);
            render(&page, &Tables::default(), &vec![true; page.blocks.len()])
        });
        return lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
    }
    html.lines()
        .map(entities::clean)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// True where a tag of HTML closes, or one stands that has no end tag: `a < b` has none.
fn has_tags(text: &str) -> bool {
    memchr::memchr_iter(b'<', text.as_bytes()).any(|at| {
        let rest = &text.as_bytes()[at + 1..];
        let name = rest.strip_prefix(b"/").unwrap_or(rest);
        let end = name
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let closes = name.len() < rest.len() && name.get(end) == Some(&b'>');
        let stands_alone = matches!(name.get(end), Some(b'>' | b' ' | b'/'));
        let tag = tags::tag_of(&name[..end.min(16)]);
        end > 0 && tag != tags::UNKNOWN && (closes || stands_alone && tags::flags(tag) & tags::VOID != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta;

    #[test]
    fn a_body_may_be_html_escaped_html_or_text() {
        assert_eq!(
            plain("<p>One</p><p>two &amp; <b>three</b></p>"),
            "One\ntwo & three"
        );
        assert_eq!(
            plain("&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two &amp;amp; three&lt;/p&gt;"),
            "One\ntwo & three"
        );
        assert_eq!(
            plain("One <b>two</b>\n\nthree <a href='/x'>four</a>."),
            "One two\nthree four."
        );
        assert_eq!(plain("One &lt;em&gt;two&lt;/em&gt;\nthree"), "One two\nthree");
        assert_eq!(plain("if a < b and\nc > d &nbsp;e"), "if a < b and\nc > d e");
    }

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
