//! What a page says about its own charset: byte order mark, HTTP header, XML declaration, `<meta>`.

use bukvar_html::comment_end;
use encoding_rs::Encoding;
use memchr::{memchr, memchr_iter};

/// A charset label, as declared, and what it stands for; `None` for a label that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The charset's name where the label is known, the label in lower case where it is not.
    pub name: String,
    /// What decodes it.
    pub encoding: Option<&'static Encoding>,
}

/// A label longer than this is no label; the longest that WHATWG's table knows has 19 bytes.
const LONGEST_LABEL: usize = 40;
/// A tag whose end is further away than this is not read as a declaration.
const LONGEST_TAG: usize = 1024;

/// Reads a label as people write it: in any case, quoted, with spaces, `cp-1251` for `cp1251`.
pub fn label(raw: &[u8]) -> Option<Label> {
    let trimmed = raw.trim_ascii();
    let unquoted: Vec<u8> = trimmed
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'"' | b'\''))
        .take(LONGEST_LABEL)
        .collect();
    let text = unquoted.trim_ascii().to_ascii_lowercase();
    if text.is_empty() || !text.iter().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let plain: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'-' | b'_'))
        .collect();
    let encoding = Encoding::for_label(&text).or(match plain.as_slice() {
        b"cp1251" | b"win1251" | b"windows1251" | b"1251" => Some(encoding_rs::WINDOWS_1251),
        b"cp866" | b"866" | b"dos" => Some(encoding_rs::IBM866),
        b"koi8" | b"koi8r" => Some(encoding_rs::KOI8_R),
        b"koi8u" | b"koi8ru" => Some(encoding_rs::KOI8_U),
        b"utf8" => Some(encoding_rs::UTF_8),
        b"maccyrillic" => Some(encoding_rs::X_MAC_CYRILLIC),
        _ => None,
    });
    let name = match encoding {
        Some(known) => super::names::name_of(known),
        None => String::from_utf8_lossy(&text).into_owned(),
    };
    Some(Label { name, encoding })
}

/// Every declaration inside the body, in the order in which they count: XML, then each `<meta>`.
pub fn in_body(body: &[u8]) -> Vec<Label> {
    let mut found: Vec<Label> = xml(body).into_iter().collect();
    let mut from = 0;
    // Looked for only as long as there is one, or a page of comment openings would cost its square.
    let mut comments_end = true;
    while let Some(at) = memchr(b'<', &body[from..]).map(|offset| from + offset) {
        let rest = &body[at..];
        if starts_with(rest, b"<!--") {
            // A comment that never ends hides nothing: what follows it is still looked at.
            let end = if comments_end { comment_end(rest, 4) } else { None };
            comments_end = end.is_some();
            from = end.map_or(at + 4, |end| at + end);
            continue;
        }
        if starts_with(rest, b"<meta")
            && let Some(label) = meta(tag(rest))
            && !found.contains(&label)
        {
            found.push(label);
            if found.len() == MOST_LABELS {
                break;
            }
        }
        from = at + 1;
    }
    found
}

/// Pages that declare more charsets than this declare none in earnest.
const MOST_LABELS: usize = 4;

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.len() >= prefix.len() && text[..prefix.len()].eq_ignore_ascii_case(prefix)
}

fn tag(rest: &[u8]) -> &[u8] {
    let window = &rest[..rest.len().min(LONGEST_TAG)];
    &window[..memchr(b'>', window).unwrap_or(window.len())]
}

fn xml(body: &[u8]) -> Option<Label> {
    let text = body.trim_ascii_start();
    if !starts_with(text, b"<?xml") {
        return None;
    }
    after_equals(tag(text), b"encoding").and_then(label)
}

/// `charset=...` of a `<meta>` tag, in the attribute of that name or inside `content`.
fn meta(tag: &[u8]) -> Option<Label> {
    after_equals(tag, b"charset").and_then(label)
}

/// The value after `name =`, up to what can't be in a charset label.
fn after_equals<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = memchr_iter(name[0], tag)
        .chain(memchr_iter(name[0].to_ascii_uppercase(), tag))
        .filter(|&at| starts_with(&tag[at..], name))
        .min()?;
    let rest = tag[at + name.len()..]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let rest = rest
        .strip_prefix(b"\"")
        .or_else(|| rest.strip_prefix(b"'"))
        .unwrap_or(rest)
        .trim_ascii_start();
    let end = rest
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.')))
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(body: &str) -> Vec<String> {
        in_body(body.as_bytes())
            .into_iter()
            .map(|label| label.name)
            .collect()
    }

    #[test]
    fn declarations_are_read_in_every_spelling() {
        assert_eq!(names("<meta charset=windows-1251>"), ["windows-1251"]);
        assert_eq!(
            names("<META Http-Equiv=x CONTENT='text/html; CharSet = \"KOI8-R\"'/>"),
            ["koi8-r"]
        );
        assert_eq!(names("<meta content=\"text/html;charset=cp-866\">"), ["cp866"]);
        assert_eq!(
            names(" <?xml version='1.0' encoding = 'x-mac-cyrillic'?>"),
            ["mac-cyrillic"]
        );
        assert_eq!(names("<meta charset=\"klingon\">"), ["klingon"]);
    }

    #[test]
    fn a_late_declaration_is_found_and_one_in_a_comment_is_not() {
        let page = format!(
            "<!-- <meta charset=koi8-r> -->{}<meta charset=cp1251>",
            " ".repeat(100_000)
        );
        assert_eq!(names(&page), ["windows-1251"]);
    }

    #[test]
    fn many_comment_openings_take_linear_time() {
        assert_eq!(names(&"<!--".repeat(200_000)), Vec::<String>::new());
    }
}
