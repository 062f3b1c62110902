//! What a page or its HTTP head declares of its charset and language.

use memchr::memmem;

use super::charsets::SINGLE_BYTE;
use super::limits::HEAD;

/// Whether the HTTP head or the first bytes declare a Cyrillic charset or Russian as the language.
pub fn declares_russian(body: &[u8], http_charset: Option<&str>) -> bool {
    if http_charset.is_some_and(is_cyrillic_label) {
        return true;
    }
    let head = body[..body.len().min(HEAD)].to_ascii_lowercase();
    let value = |at: usize| {
        let value = head[at..].trim_ascii_start();
        let value = value
            .strip_prefix(b"\"")
            .or(value.strip_prefix(b"'"))
            .unwrap_or(value);
        let end = value
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
        &value[..end.unwrap_or(value.len())]
    };
    let charsets = memmem::find_iter(&head, b"charset=").map(|at| value(at + 8));
    let mut languages = memmem::find_iter(&head, b"lang=").map(|at| value(at + 5));
    charsets.flat_map(std::str::from_utf8).any(is_cyrillic_label)
        || languages.any(|v| v == b"ru" || v.starts_with(b"ru-") || v.starts_with(b"ru_"))
}

fn is_cyrillic_label(label: &str) -> bool {
    let encoding = encoding_rs::Encoding::for_label(label.trim().as_bytes());
    encoding.is_some_and(|e| SINGLE_BYTE.iter().any(|(_, known)| *known == e) || e == encoding_rs::KOI8_R)
}
