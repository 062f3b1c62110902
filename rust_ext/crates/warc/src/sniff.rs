//! Whether a payload is a page, by its declared type and its first bytes (after the WHATWG's "MIME sniffing").

use super::http::is_media_type;

/// What a payload is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Html,
    Text,
    Other,
}

const TAGS: [&[u8]; 20] = [
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a ",
    b"<style",
    b"<title",
    b"<b>",
    b"<body",
    b"<br",
    b"<p>",
    b"<p ",
    b"<meta",
    b"<link",
    b"<center",
];

/// Beginnings of what is served as text/html by mistake: documents, pictures, archives, media.
const BINARY: [&[u8]; 13] = [
    b"%PDF-",
    b"\x89PNG\r\n",
    b"GIF87a",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"RIFF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\xd0\xcf\x11\xe0",
    b"OggS",
    b"ID3",
    b"\x00\x00\x01\x00",
];

/// Judges by the media type (lower case, no parameters); None where the bytes must decide: no type, one that says
/// nothing, one that is none ("text/html charset=utf-8"), or a name that servers gave HTML by.
pub fn by_type(media: &str) -> Option<Kind> {
    match media {
        _ if !is_media_type(media) => None,
        "text/html" | "application/xhtml+xml" | "application/vnd.wap.xhtml+xml" => Some(Kind::Html),
        "text/plain" => Some(Kind::Text),
        "*/*"
        | "text/*"
        | "unknown/unknown"
        | "application/unknown"
        | "application/octet-stream"
        | "application/xml"
        | "text/xml"
        | "application/x-unknown-content-type"
        | "content/unknown"
        | "none/none"
        | "text/htm"
        | "text/x-html"
        | "text/xhtml"
        | "text/shtml"
        | "text/x-server-parsed-html"
        | "text/php"
        | "html/text"
        | "application/html"
        | "application/xhtml"
        | "application/x-httpd-php" => None,
        _ => Some(Kind::Other),
    }
}

/// Judges a payload whose type says `declared` by its first bytes.
pub fn by_bytes(declared: Option<Kind>, body: &[u8]) -> Kind {
    if BINARY.iter().any(|magic| body.starts_with(magic)) {
        return Kind::Other;
    }
    match declared {
        Some(Kind::Text) if looks_html(body) => Kind::Html,
        Some(kind) => kind,
        None if looks_html(body) => Kind::Html,
        None => Kind::Other,
    }
}

/// Whether one of the tags that begin a page stands among the first bytes (also of XML with a prolog, and of
/// UTF-16 with a byte-order mark).
pub fn looks_html(body: &[u8]) -> bool {
    let first = &body[..body.len().min(1024)];
    let lower: Vec<u8> = first
        .iter()
        .filter(|&&b| b != 0)
        .map(u8::to_ascii_lowercase)
        .collect();
    let begin = lower
        .iter()
        .position(|b| !b.is_ascii_whitespace() && !b"\xef\xbb\xbf\xff\xfe".contains(b));
    let lower = &lower[begin.unwrap_or(lower.len())..];
    if lower.starts_with(b"<?xml") || lower.starts_with(b"<!--") {
        return [b"<html".as_slice(), b"<!doctype html"]
            .iter()
            .any(|t| memchr::memmem::find(lower, t).is_some());
    }
    TAGS.iter().any(|tag| lower.starts_with(tag))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_known_by_type_or_by_first_bytes() {
        assert_eq!(by_bytes(by_type("text/html"), b"anything"), Kind::Html);
        assert_eq!(
            by_bytes(by_type(""), b"\xef\xbb\xbf  <!DOCTYPE HTML>"),
            Kind::Html
        );
        assert_eq!(
            by_bytes(by_type("application/octet-stream"), b"\xff\xfe<\0h\0t\0m\0l\0"),
            Kind::Html
        );
        assert_eq!(
            by_bytes(by_type("text/xml"), b"<?xml version='1.0'?><html>"),
            Kind::Html
        );
        assert_eq!(
            by_bytes(by_type("text/xml"), b"<?xml version='1.0'?><rss>"),
            Kind::Other
        );
        assert_eq!(by_bytes(by_type("text/plain"), b"text"), Kind::Text);
        assert_eq!(by_bytes(by_type("text/html"), b"%PDF-1.4"), Kind::Other);
        assert_eq!(by_bytes(by_type("image/png"), b"<html>"), Kind::Other);
        assert_eq!(by_bytes(by_type(""), b""), Kind::Other);
    }
}
