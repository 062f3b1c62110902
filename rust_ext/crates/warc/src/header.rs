//! WARC record headers (ISO 28500), read leniently: bare line feeds, folded lines, any case, versions 0.17
//! to 1.x, brackets and spaces in the target URI.

use std::borrow::Cow;

/// Longest record header that is read; real ones have below 2 KiB.
pub const MAX_HEAD: usize = 64 << 10;

/// The fields of a record header that decide what becomes of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Head {
    pub record_type: String,
    pub url: String,
    pub record_id: String,
    /// Seconds since 1970 UTC.
    pub date: Option<i64>,
    pub content_type: String,
    pub length: Option<u64>,
    /// What WARC-Truncated says: "length", "time", "disconnect", "unspecified", or a word of the writer's.
    pub truncated: Option<String>,
    /// WARC-Segment-Number: the block is one of several parts of a record.
    pub is_segment: bool,
}

/// Length of a header with its closing blank line at the beginning of `data`; None where it does not end.
pub fn head_length(data: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', data).find_map(|at| match data.get(at + 1..) {
        Some([b'\n', ..]) => Some(at + 2),
        Some([b'\r', b'\n', ..]) => Some(at + 3),
        _ => None,
    })
}

/// Calls `field` with the name and value of each header line; a folded line extends the value before it.
pub fn fields(head: &[u8], mut field: impl FnMut(&[u8], &[u8])) {
    let mut current: Option<(&[u8], Cow<'_, [u8]>)> = None;
    for line in head.split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = current.as_mut() {
                value.to_mut().push(b' ');
                value.to_mut().extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        if let Some((name, value)) = current.take() {
            field(name, &value);
        }
        if let Some(colon) = memchr::memchr(b':', line) {
            let value = Cow::Borrowed(line[colon + 1..].trim_ascii());
            current = Some((line[..colon].trim_ascii(), value));
        }
    }
    if let Some((name, value)) = current {
        field(name, &value);
    }
}

/// Reads a record header that begins with "WARC/".
pub fn parse(head: &[u8]) -> Head {
    let mut result = Head::default();
    fields(head, |name, value| {
        if name.eq_ignore_ascii_case(b"warc-type") {
            result.record_type = text(value).to_ascii_lowercase();
        } else if name.eq_ignore_ascii_case(b"warc-target-uri") {
            result.url = uri(value);
        } else if name.eq_ignore_ascii_case(b"warc-record-id") {
            result.record_id = text(bare(value));
        } else if name.eq_ignore_ascii_case(b"warc-date") {
            result.date = date(value);
        } else if name.eq_ignore_ascii_case(b"content-type") {
            result.content_type = text(value);
        } else if name.eq_ignore_ascii_case(b"content-length") {
            result.length = number(value);
        } else if name.eq_ignore_ascii_case(b"warc-truncated") {
            result.truncated = word(value);
        } else if name.eq_ignore_ascii_case(b"warc-segment-number") {
            result.is_segment = true;
        }
    });
    result
}

/// Header bytes as text: UTF-8 where valid, else latin-1.
pub fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().map(|&b| char::from(b)).collect(),
    }
}

fn bare(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"<")
        .and_then(|v| v.strip_suffix(b">"))
        .unwrap_or(value)
}

/// The target URI without the brackets that wget writes, with spaces escaped, as warcio does.
pub fn uri(value: &[u8]) -> String {
    let text = text(bare(value.trim_ascii()));
    if text.contains(' ') {
        text.replace(' ', "%20")
    } else {
        text
    }
}

/// The first word of a value, in lower case, of letters, digits and hyphens; None where it is empty.
fn word(value: &[u8]) -> Option<String> {
    const LONGEST: usize = 32;
    let kept = value
        .iter()
        .take_while(|&&b| b.is_ascii_alphanumeric() || b == b'-')
        .take(LONGEST);
    let word: String = kept.map(|b| char::from(b.to_ascii_lowercase())).collect();
    let said = !value.is_empty();
    said.then(|| {
        if word.is_empty() {
            "unspecified".to_owned()
        } else {
            word
        }
    })
}

pub fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Seconds since 1970 UTC of "2024-05-18T01:58:10Z", with or without a fraction, an offset, or of the
/// 14 digits of older files.
pub fn date(value: &[u8]) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| -> Option<i64> {
        let part = value.get(range)?;
        part.iter().try_fold(0i64, |sum, b| {
            b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0'))
        })
    };
    if value.len() >= 14 && value[..14].iter().all(u8::is_ascii_digit) {
        return seconds(
            [digits(0..4)?, digits(4..6)?, digits(6..8)?],
            [digits(8..10)?, digits(10..12)?, digits(12..14)?],
        );
    }
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if separators.iter().any(|&(at, b)| value.get(at) != Some(&b))
        || !matches!(value.get(10), Some(b'T' | b't' | b' '))
    {
        return None;
    }
    let day = [digits(0..4)?, digits(5..7)?, digits(8..10)?];
    let time = [digits(11..13)?, digits(14..16)?, digits(17..19)?];
    Some(seconds(day, time)? - zone(&value[19..])?)
}

/// Offset from UTC in seconds of what follows the seconds of a date.
fn zone(rest: &[u8]) -> Option<i64> {
    let fraction = if rest.first() == Some(&b'.') {
        1 + rest[1..].iter().take_while(|b| b.is_ascii_digit()).count()
    } else {
        0
    };
    let rest = rest.get(fraction..)?;
    let (sign, rest) = match rest.split_first() {
        None | Some((b'Z' | b'z', [])) => return Some(0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let digits: Vec<i64> = rest
        .iter()
        .filter(|&&b| b != b':')
        .map(|&b| i64::from(b) - 48)
        .collect();
    match digits[..] {
        [a, b, c, d] if digits.iter().all(|d| (0..10).contains(d)) => {
            Some(sign * ((a * 10 + b) * 3600 + (c * 10 + d) * 60))
        }
        _ => None,
    }
}

/// Seconds since 1970 of a Gregorian day and time (days from civil, H. Hinnant's algorithm).
fn seconds([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<i64> {
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !valid {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Host of an absolute URL in lower case, without user, port and brackets of IPv6; None where there is none.
pub fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    let host = host.trim_end_matches('.').to_lowercase();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_writer_are_read() {
        assert_eq!(date(b"1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(date(b"2024-05-18T01:58:10Z"), Some(1_715_997_490));
        assert_eq!(date(b"2024-05-18T01:58:10.123456Z"), Some(1_715_997_490));
        assert_eq!(date(b"2024-05-18T04:58:10+03:00"), Some(1_715_997_490));
        assert_eq!(date(b"2024-05-17T18:58:10-0700"), Some(1_715_997_490));
        assert_eq!(date(b"20240518015810"), Some(1_715_997_490));
        assert_eq!(date(b"2000-02-29T00:00:00Z"), Some(951_782_400));
        for bad in [
            "",
            "2008-10-294T05:21:46-0700",
            "yesterday",
            "2024-13-01T00:00:00Z",
            "2024-05-18",
        ] {
            assert_eq!(date(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn headers_are_read_in_any_case_folded_and_with_bare_line_feeds() {
        let head =
            b"WARC/1.0\nWARC-TYPE: Response\ncontent-length: 12\nWARC-Target-URI:\n <http://a b/>\n\nrest";
        let length = head_length(head).unwrap();
        assert_eq!(&head[length..], b"rest");
        let parsed = parse(&head[..length]);
        assert_eq!(
            (parsed.record_type.as_str(), parsed.length),
            ("response", Some(12))
        );
        assert_eq!(parsed.url, "http://a%20b/");
    }

    #[test]
    fn hosts_lose_user_port_and_case() {
        assert_eq!(
            host("http://u:p@WWW.Пример.РФ:8080/a?b@c").as_deref(),
            Some("www.пример.рф")
        );
        assert_eq!(host("https://[::1]:443/").as_deref(), Some("::1"));
        assert_eq!(host("dns:example.com"), None);
        assert_eq!(host("http:///x"), None);
    }
}
