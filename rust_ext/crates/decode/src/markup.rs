//! What of a page is markup, roughly: enough to weigh charsets by the text alone.

use std::ops::Range;

/// Elements whose content is no text.
const NO_TEXT: [&[u8]; 2] = [b"script", b"style"];

/// Comments, tags, scripts and style sheets, ascending. Linear: what does not end, ends with the page.
pub fn ranges(body: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = memchr::memchr(b'<', &body[at..]).map(|offset| at + offset) {
        let end = end_of(body, start);
        if let Some(end) = end {
            found.push(start..end);
        }
        at = end.unwrap_or(start + 1);
    }
    found
}

/// Where the markup ends that begins with `<` at `start`; `None` where none begins there.
fn end_of(body: &[u8], start: usize) -> Option<usize> {
    let rest = &body[start + 1..];
    if rest.starts_with(b"!--") {
        return Some(after(body, start + 4, b"-->"));
    }
    let first = *rest.first()?;
    if !(first.is_ascii_alphabetic() || first == b'/' || first == b'!' || first == b'?') {
        return None;
    }
    let end = after(body, start + 1, b">");
    for name in NO_TEXT {
        let opens = rest.len() > name.len()
            && rest[..name.len()].eq_ignore_ascii_case(name)
            && !rest[name.len()].is_ascii_alphanumeric();
        if opens {
            return Some(closed(body, end, name));
        }
    }
    Some(end)
}

/// Behind the next `sign` from `at` on, or the end of the page.
fn after(body: &[u8], at: usize, sign: &[u8]) -> usize {
    let at = at.min(body.len());
    memchr::memmem::find(&body[at..], sign).map_or(body.len(), |offset| at + offset + sign.len())
}

/// Where `</name` begins from `at` on, or the end of the page.
fn closed(body: &[u8], mut at: usize, name: &[u8]) -> usize {
    while let Some(start) = memchr::memmem::find(&body[at..], b"</").map(|offset| at + offset) {
        let rest = &body[start + 2..];
        if rest.len() >= name.len() && rest[..name.len()].eq_ignore_ascii_case(name) {
            return start;
        }
        at = start + 2;
    }
    body.len()
}

/// The union of two ascending lists of ranges, ascending, without overlaps.
pub fn united(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = one.iter().chain(other).cloned().collect();
    all.sort_by_key(|range| range.start);
    let mut found: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for range in all {
        match found.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => found.push(range),
        }
    }
    found
}
