//! HTTP response heads as archives hold them (RFC 9112), read leniently.

use super::header::{fields, head_length, number, text};

/// What of an HTTP head matters to a reader of pages.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The last Content-Type that is a media type, else the first one.
    pub content_type: String,
    pub charset: Option<String>,
    pub chunked: bool,
    /// Transfer codings but "chunked", then content codings, each the last one first, as they are undone; in lower
    /// case.
    pub codings: Vec<String>,
    pub content_length: Option<u64>,
    /// First byte, last byte and, where it is known, length of the whole that a Content-Range states.
    pub range: Option<(u64, u64, Option<u64>)>,
    /// Headers by which a server says what the page may be used for, in lower case, with their values.
    pub rights: Vec<(&'static str, String)>,
}

/// Longest HTTP head that is read; browsers and servers stop at 8 to 256 KiB.
const MAX_HEAD: usize = 256 << 10;
/// Heads that are passed over before a response: informational ones, a proxy's, those of redirects.
const MAX_BEFORE: usize = 16;
/// Headers of `Response::rights`.
const RIGHTS: [&str; 4] = [
    "x-robots-tag",
    "tdm-reservation",
    "content-usage",
    "content-signal",
];

/// Reads the head at the beginning of a block; returns it with the offset of the body. None where the block
/// does not begin with a status line or its head does not end. A head behind which another one begins at once is
/// no page's: the one before it is a proxy's ("200 Connection established"), informational (100, 103) or another
/// hop's.
pub fn parse(block: &[u8]) -> Option<(Response, usize)> {
    let (mut response, mut length) = parse_one(block)?;
    for _ in 0..MAX_BEFORE {
        let rest = &block[length..];
        let begin = rest
            .iter()
            .take(8)
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        let Some((next, more)) = parse_one(&rest[begin..]) else {
            break;
        };
        (response, length) = (next, length + begin + more);
    }
    Some((response, length))
}

fn parse_one(block: &[u8]) -> Option<(Response, usize)> {
    let status = status_line(block)?;
    let searched = &block[..block.len().min(MAX_HEAD)];
    // A response without any body may end right behind its last header line.
    let length = head_length(searched).or((block.len() < MAX_HEAD).then_some(block.len()))?;
    let mut response = Response {
        status,
        ..Response::default()
    };
    let mut found = Found::default();
    fields(&block[..length], |name, value| {
        header(&mut response, &mut found, name, value)
    });
    found.content.append(&mut found.transfer);
    found.content.reverse();
    response.codings = found.content;
    (response.content_type, response.charset) = content_type(&found.types);
    Some((response, length))
}

fn status_line(block: &[u8]) -> Option<u16> {
    let line = block[..block.len().min(512)].split(|&b| b == b'\n').next()?;
    let begins = |name: &[u8]| {
        line.get(..name.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    };
    if !begins(b"HTTP/") && !line.starts_with(b"ICY ") && !line.starts_with(b"HTTP ") {
        return None;
    }
    let code = line
        .split(|b| b.is_ascii_whitespace())
        .filter(|w| !w.is_empty())
        .nth(1)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

/// Values that say something only together; codings in the order of their use.
#[derive(Default)]
struct Found {
    types: Vec<String>,
    content: Vec<String>,
    transfer: Vec<String>,
}

fn header(response: &mut Response, found: &mut Found, name: &[u8], value: &[u8]) {
    let name = name.to_ascii_lowercase();
    match name.as_slice() {
        b"content-type" => found.types.push(text(value)),
        b"transfer-encoding" => {
            let (chunked, others): (Vec<_>, Vec<_>) = codings(value).partition(|coding| coding == "chunked");
            response.chunked |= !chunked.is_empty();
            found.transfer.extend(others);
        }
        b"content-encoding" => found.content.extend(codings(value)),
        b"content-length" => response.content_length = response.content_length.or(number(value)),
        b"content-range" => response.range = range(&text(value)),
        _ => {
            if let Some(name) = RIGHTS.into_iter().find(|known| known.as_bytes() == name) {
                response.rights.push((name, text(value)));
            }
        }
    }
}

/// Names in a list of codings, without quotes and parameters, in lower case.
fn codings(value: &[u8]) -> impl Iterator<Item = String> {
    let value = text(value).to_ascii_lowercase();
    let names = value.split(',').filter_map(|coding| {
        let name = coding.split(';').next().unwrap_or_default();
        let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        (!name.is_empty()).then(|| name.to_owned())
    });
    names.collect::<Vec<_>>().into_iter()
}

/// "bytes 0-99/1234", "bytes 0-99/*".
fn range(value: &str) -> Option<(u64, u64, Option<u64>)> {
    let (bounds, whole) = value.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = bounds.split_once('-')?;
    Some((
        first.trim().parse().ok()?,
        last.trim().parse().ok()?,
        whole.trim().parse().ok(),
    ))
}

/// The last of several values (or parts of one, between commas) that is a media type counts, and keeps the charset
/// of one of the same type before it ("extract a MIME type" of the WHATWG's Fetch). Where none is, the first.
fn content_type(values: &[String]) -> (String, Option<String>) {
    let mut chosen: Option<(&str, Option<String>)> = None;
    for part in values.iter().flat_map(|value| value.split(',')) {
        let media = media_type(part);
        if !is_media_type(&media) || media == "*/*" {
            continue;
        }
        let before = chosen
            .take()
            .filter(|(before, _)| media_type(before) == media)
            .and_then(|(_, charset)| charset);
        chosen = Some((part.trim(), charset(part).or(before)));
    }
    match chosen {
        Some((part, charset)) => (part.to_owned(), charset),
        None => {
            let first = values.iter().find(|value| !value.trim().is_empty());
            let first = first.cloned().unwrap_or_default();
            let charset = charset(&first);
            (first, charset)
        }
    }
}

/// Whether this is a type and a subtype, each of the characters that RFC 9110 allows.
pub fn is_media_type(media: &str) -> bool {
    let is_token = |part: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !part.is_empty() && part.bytes().all(allowed)
    };
    media
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// The media type before any parameter, in lower case.
pub fn media_type(content_type: &str) -> String {
    let media = content_type.split([';', ',']).next().unwrap_or_default();
    media.trim().to_ascii_lowercase()
}

/// The charset parameter of a Content-Type, in lower case, without quotes.
pub fn charset(content_type: &str) -> Option<String> {
    let lower = content_type.to_ascii_lowercase();
    let (_, rest) = lower.split_once("charset")?;
    let value = rest
        .trim_start()
        .strip_prefix('=')?
        .trim_start()
        .trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| matches!(c, '"' | '\'' | ';' | ',') || c.is_whitespace());
    let value = &value[..end.unwrap_or(value.len())];
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_careless_servers_are_read() {
        let block =
            b"HTTP/1.1 200 OK\nContent-type: text/html; charset=\"Windows-1251\"\nX-Robots-Tag: noai\n\
                      x-robots-tag: noindex\nTransfer-Encoding: Chunked\nContent-Encoding: GZIP, br\n\n<p>";
        let (head, body) = parse(block).unwrap();
        assert_eq!(&block[body..], b"<p>");
        assert_eq!((head.status, head.chunked), (200, true));
        assert_eq!(head.charset.as_deref(), Some("windows-1251"));
        let said: Vec<_> = head.rights.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(said, ["noai", "noindex"]);
        assert_eq!(head.codings, ["br", "gzip"]);
        assert_eq!(media_type(&head.content_type), "text/html");
    }

    #[test]
    fn heads_before_the_response_are_passed_over() {
        let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>";
        for before in [
            "HTTP/1.0 200 Connection established\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n",
        ] {
            let block = format!("{before}{page}");
            let (head, body) = parse(block.as_bytes()).unwrap();
            assert_eq!((head.status, &block[body..]), (200, "<p>"), "{before}");
            assert_eq!(head.content_type, "text/html");
        }
        assert_eq!(parse(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap().0.status, 100);
    }

    #[test]
    fn of_several_types_the_last_that_is_one_counts() {
        let of = |values: &[&str]| {
            let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
            let (media, charset) = content_type(&values);
            (media_type(&media), charset.unwrap_or_default())
        };
        let expect = |media: &str, charset: &str| (media.to_owned(), charset.to_owned());
        assert_eq!(
            of(&["text/plain", "text/html; charset=koi8-r"]),
            expect("text/html", "koi8-r")
        );
        assert_eq!(
            of(&["text/html; charset=utf-8,text/html"]),
            expect("text/html", "utf-8")
        );
        assert_eq!(
            of(&["image/png", "text/html charset=utf-8"]),
            expect("image/png", "")
        );
        assert_eq!(
            of(&["text/html charset=utf-8"]),
            expect("text/html charset=utf-8", "utf-8")
        );
        assert_eq!(of(&[]), expect("", ""));
        for media in [
            "",
            "text",
            "text/",
            "text/html charset=x",
            "\"text/html\"",
            "text/html/x",
        ] {
            assert!(!is_media_type(media), "{media}");
        }
    }

    #[test]
    fn codings_come_in_the_order_in_which_they_are_undone() {
        let block = b"HTTP/1.1 200 OK\r\nContent-Encoding: br, \"deflate\"\r\nTransfer-Encoding: gzip;q=1, chunked\r\n\r\n";
        let head = parse(block).unwrap().0;
        assert_eq!(
            (head.chunked, head.codings.join(" ")),
            (true, "gzip deflate br".to_owned())
        );
    }

    #[test]
    fn what_is_no_response_is_told_apart() {
        assert_eq!(parse(b"<html>"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"HTTP/1.1 \r\n\r\n"), None);
        assert_eq!(parse(b"HTTP/1.0 404").unwrap().0.status, 404);
    }
}
