//! HTTP response heads as archives hold them (RFC 9112), read leniently.

use super::header::{fields, head_length, text};

/// What of an HTTP head matters to a reader of pages.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub content_type: String,
    pub charset: Option<String>,
    pub chunked: bool,
    /// Content codings in the order in which they were applied, in lower case.
    pub codings: Vec<String>,
    /// X-Robots-Tag values, joined by ", ".
    pub robots: Option<String>,
}

/// Longest HTTP head that is read; browsers and servers stop at 8 to 256 KiB.
const MAX_HEAD: usize = 256 << 10;

/// Reads the head at the beginning of a block; returns it with the offset of the body. None where the block
/// does not begin with a status line or its head does not end.
pub fn parse(block: &[u8]) -> Option<(Response, usize)> {
    let status = status_line(block)?;
    let searched = &block[..block.len().min(MAX_HEAD)];
    // A response without any body may end right behind its last header line.
    let length = head_length(searched).or((block.len() < MAX_HEAD).then_some(block.len()))?;
    let mut response = Response {
        status,
        ..Response::default()
    };
    fields(&block[..length], |name, value| header(&mut response, name, value));
    response.charset = charset(&response.content_type);
    Some((response, length))
}

fn status_line(block: &[u8]) -> Option<u16> {
    let line = block[..block.len().min(512)].split(|&b| b == b'\n').next()?;
    if !line.starts_with(b"HTTP/") && !line.starts_with(b"ICY ") && !line.starts_with(b"HTTP ") {
        return None;
    }
    let code = line
        .split(|b| b.is_ascii_whitespace())
        .filter(|w| !w.is_empty())
        .nth(1)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

fn header(response: &mut Response, name: &[u8], value: &[u8]) {
    if name.eq_ignore_ascii_case(b"content-type") {
        if response.content_type.is_empty() {
            response.content_type = text(value);
        }
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        response.chunked |= text(value).to_ascii_lowercase().contains("chunked");
    } else if name.eq_ignore_ascii_case(b"content-encoding") {
        let value = text(value).to_ascii_lowercase();
        let codings = value.split(',').map(str::trim).filter(|c| !c.is_empty());
        response.codings.extend(codings.map(str::to_owned));
    } else if name.eq_ignore_ascii_case(b"x-robots-tag") {
        let value = text(value);
        response.robots = Some(match response.robots.take() {
            Some(before) => format!("{before}, {value}"),
            None => value,
        });
    }
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
        assert_eq!(head.robots.as_deref(), Some("noai, noindex"));
        assert_eq!(head.codings, ["gzip", "br"]);
        assert_eq!(media_type(&head.content_type), "text/html");
    }

    #[test]
    fn what_is_no_response_is_told_apart() {
        assert_eq!(parse(b"<html>"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"HTTP/1.1 \r\n\r\n"), None);
        assert_eq!(parse(b"HTTP/1.0 404").unwrap().0.status, 404);
    }
}
