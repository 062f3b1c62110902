//! ARC record headers, versions 1 and 2 (<https://archive.org/web/researcher/ArcFileFormat.php>): one line of fields
//! parted by spaces, then the block, then a line end that some writers leave out.
//!
//! version 1: URL IP-address Archive-date Content-type Archive-length
//! version 2: URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename Archive-length
//!
//! Addresses and types with spaces in them are recognised by the fields that can be checked: an IP address, and behind it
//! a date of digits.

use super::header::{self, Head};

/// Longest header line that is read. Here and below, tests use small sizes, so that small inputs meet every boundary.
pub const MAX_LINE: usize = if cfg!(test) { 160 } else { 16 << 10 };
/// Longest name of a scheme before the colon of an address.
const MAX_SCHEME: usize = 16;
/// Fields of version 2 behind the content type.
const BEHIND_TYPE: usize = 6;

/// The fields of a header line that decide what becomes of the record.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    url: &'a [u8],
    date: &'a [u8],
    /// Fields behind the date.
    rest: Vec<&'a [u8]>,
    /// Whether an IP address stands before the date.
    checked: bool,
}

/// The first line of `data` without its end; None where it does not end within `MAX_LINE`.
fn first_line(data: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'\n', &data[..data.len().min(MAX_LINE)])?;
    Some(data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]))
}

/// Whether a header line begins `data`; None where more bytes are needed.
pub fn begins(data: &[u8]) -> Option<bool> {
    match first_line(data) {
        Some(line) => Some(has_scheme(line) && read(line).is_some_and(|line| line.checked)),
        None if data.len() >= MAX_LINE => Some(false),
        None => (!may_have_scheme(data)).then_some(false),
    }
}

/// Whether the beginning of a member, which may end inside of the line, looks like a header line.
pub fn may_begin(data: &[u8]) -> bool {
    let data = data.trim_ascii_start();
    begins(data).unwrap_or_else(|| has_scheme(data) && data.contains(&b' '))
}

/// Length of the header line at the beginning of `data`, with its end, and what it says. A line that is no header
/// may yet be one whose fields are damaged: an address and a date suffice where a record must begin.
pub fn parse(data: &[u8], version: u8) -> Option<(usize, Head)> {
    let line = first_line(data)?;
    if !has_scheme(line) {
        return None;
    }
    let found = read(line)?;
    let length = memchr::memchr(b'\n', data)? + 1;
    let is_description = found.url.starts_with(b"filedesc:");
    let (last, before) = found.rest.split_last()?;
    let of_type = if is_second(version, before) {
        &before[..before.len() - (BEHIND_TYPE - 1)]
    } else {
        before
    };
    let head = Head {
        record_type: if is_description { "warcinfo" } else { "response" }.to_owned(),
        url: header::uri(found.url),
        date: header::date(found.date),
        content_type: header::text(&of_type.join(&b' ')),
        length: header::number(last),
        ..Head::default()
    };
    Some((length, head))
}

/// Whether the fields between date and length are those of version 2. Where the file's description is missing or
/// wrong, a result code and an offset at their places show it.
fn is_second(version: u8, before: &[&[u8]]) -> bool {
    let at = |behind: usize| before.len().checked_sub(behind).map(|at| before[at]);
    let is_number = |field: Option<&[u8]>| {
        field.is_some_and(|field| !field.is_empty() && field.iter().all(u8::is_ascii_digit))
    };
    let fits = before.len() >= BEHIND_TYPE && is_number(at(2));
    fits && (version == 2 || is_number(at(5)) && at(5).is_some_and(|code| code.len() == 3))
}

/// The version that the block of a file's description states: its first line is "2 0 InternetArchive".
pub fn version(block: &[u8]) -> u8 {
    let block = block.trim_ascii_start();
    u8::from(block.starts_with(b"2 ")) + 1
}

fn read(line: &[u8]) -> Option<Line<'_>> {
    let fields: Vec<&[u8]> = line.split(|&b| b == b' ' || b == b'\t').collect();
    let dates = || (1..fields.len().saturating_sub(1)).filter(|&at| is_date(fields[at]));
    let checked = dates().find(|&at| at >= 2 && is_address(fields[at - 1]));
    let at = checked.or_else(|| dates().next())?;
    let end = if checked.is_some() { at - 1 } else { at };
    let url_end = fields[..end].iter().map(|field| field.len() + 1).sum::<usize>() - 1;
    Some(Line {
        url: &line[..url_end],
        date: fields[at],
        rest: fields[at + 1..].to_vec(),
        checked: checked.is_some(),
    })
}

/// 14 digits; writers also gave 12, and up to 18.
fn is_date(field: &[u8]) -> bool {
    (12..=18).contains(&field.len()) && field.iter().all(u8::is_ascii_digit)
}

/// IPv4, IPv6, or what writers give where they know none.
fn is_address(field: &[u8]) -> bool {
    let parts = field.iter().filter(|&&b| b == b'.' || b == b':').count();
    let digits = field
        .iter()
        .all(|&b| b.is_ascii_hexdigit() || b == b'.' || b == b':');
    matches!(field, b"-" | b"" | b"unknown") || digits && parts >= 2 && field.len() <= 45
}

/// Schemes of the addresses of ARC records. Only these: where lines run into one another, or a member begins inside of
/// one, the letters before a colon may be more or fewer than a scheme.
const SCHEMES: [&[u8]; 16] = [
    b"http",
    b"https",
    b"filedesc",
    b"dns",
    b"ftp",
    b"ftps",
    b"file",
    b"gopher",
    b"mms",
    b"news",
    b"nntp",
    b"rtsp",
    b"screenshot",
    b"sftp",
    b"urn",
    b"whois",
];

fn has_scheme(line: &[u8]) -> bool {
    let colon = line.iter().take(MAX_SCHEME).position(|&b| b == b':');
    colon.is_some_and(|colon| {
        SCHEMES
            .iter()
            .any(|name| line[..colon].eq_ignore_ascii_case(name))
    })
}

/// Whether these bytes may be the beginning of an address.
fn may_have_scheme(data: &[u8]) -> bool {
    let name = &data[..data.len().min(MAX_SCHEME)];
    has_scheme(data)
        || SCHEMES.iter().any(|known| {
            known
                .get(..name.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        })
}

/// Whether a header line begins a line of `data`.
pub fn begins_a_line(data: &[u8]) -> bool {
    begins(data) == Some(true)
        || memchr::memchr_iter(b'\n', data).any(|at| begins(&data[at + 1..]) == Some(true))
}

/// Where in `data` the next record begins that does not begin before `from`: a header line at the beginning of a line
/// or, where no line end parts it from what comes before, at the end of one, with an HTTP head behind it.
pub fn find(data: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < data.len() {
        let end = memchr::memchr(b'\n', &data[at..]).map(|end| at + end)?;
        let is_start = at == 0 || data[at - 1] == b'\n';
        if is_start && begins(&data[at..]) == Some(true) {
            return Some(at);
        }
        if let Some(inside) = inside_line(&data[at..end], &data[end + 1..]) {
            return Some(at + inside);
        }
        at = end + 1;
    }
    None
}

/// Where in a line a header begins that ends with it.
fn inside_line(line: &[u8], behind: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.last().is_some_and(u8::is_ascii_digit) || !behind.starts_with(b"HTTP/") {
        return None;
    }
    let tail = line.len().saturating_sub(MAX_LINE);
    let starts = memchr::memmem::find_iter(&line[tail..], b"://").filter_map(|colon| {
        // Of letters run into one another only the known names show where the address begins.
        let before = &line[..tail + colon];
        let name = [b"https".as_slice(), b"http", b"ftp"]
            .into_iter()
            .find(|name| before.ends_with(name))?;
        Some(before.len() - name.len())
    });
    let mut starts = starts.peekable();
    let first = *starts.peek()?;
    let found = read(&line[first..]).filter(|found| found.checked)?;
    // An address may hold another one: the first counts that is one word up to the fields behind it, else the last.
    let odd = |b: &u8| matches!(b, b' ' | b'<' | b'>' | b'"');
    let word = found.url.iter().rposition(odd).map_or(first, |at| first + at + 1);
    let end = first + found.url.len();
    let mut last = None;
    for start in starts.take_while(|&start| start < end) {
        last = Some(start);
        if start >= word {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(line: &str, version: u8) -> Head {
        parse(format!("{line}\nbody").as_bytes(), version)
            .expect("a header")
            .1
    }

    #[test]
    fn both_versions_are_read_with_spaces_in_their_fields() {
        let one = head(
            "http://a.ru/ b 10.0.0.1 20041015060312 text/html; charset=utf-8 12",
            1,
        );
        assert_eq!(one.url, "http://a.ru/%20b");
        assert_eq!((one.date, one.length), (Some(1_097_820_192), Some(12)));
        assert_eq!(one.content_type, "text/html; charset=utf-8");
        let second = "http://a.ru/ 10.0.0.1 20041015060312 text/html; a=b 200 abc - 136 IA-000.arc 12";
        for version in [1, 2] {
            let two = head(second, version);
            assert_eq!(
                (two.content_type.as_str(), two.length),
                ("text/html; a=b", Some(12))
            );
        }
        assert_eq!(
            head("filedesc://x.arc 0.0.0.0 20041015060312 text/plain 76", 1).record_type,
            "warcinfo"
        );
        assert_eq!(
            head("http://a.ru/ ::1 20041015060312 text/html 5", 1).length,
            Some(5)
        );
        assert_eq!(
            head("http://a.ru/ 10.0.0.1 20041015060312 text/html abc", 1).length,
            None
        );
        assert_eq!(version(b"2 0 InternetArchive\n"), 2);
        assert_eq!(version(b"1 0 InternetArchive\n"), 1);
    }

    #[test]
    fn what_is_no_header_is_told_apart() {
        for line in [
            "WARC/1.0",
            "HTTP/1.1 200 OK",
            "Date: Fri, 15 Oct 2004 06:03:12 GMT",
            "see http://a.ru/ 10.0.0.1 20041015060312 text/html 12",
            "http://a.ru/ 10.0.0.1",
            "http://a.ru/ text 20041015060312 text/html 12",
        ] {
            assert_eq!(begins(format!("{line}\n").as_bytes()), Some(false), "{line}");
        }
        assert_eq!(begins(b"http://a.ru/ 10.0.0"), None);
        assert_eq!(begins(b"1 2"), Some(false));
        assert_eq!(begins(&[b'a'; MAX_LINE]), Some(false));
    }

    #[test]
    fn the_next_record_is_found_at_a_line_or_inside_of_one() {
        let line = b"http://a.ru/?u=http://b.ru/ 10.0.0.1 20041015060312 text/html 12\nHTTP/1.1 200 OK\n";
        for before in [
            "",
            "<p>x</p>\n",
            "<p>x</p>",
            "<a href=\"http://x.ru/\">y</a>",
            "<p>x",
        ] {
            let data = [before.as_bytes(), line].concat();
            assert_eq!(find(&data, 0), Some(before.len()), "{before}");
        }
        // A page may show such a line: behind it there is no HTTP head.
        assert_eq!(
            find(b"<p>http://a.ru/ 10.0.0.1 20041015060312 text/html 12\n<p>", 0),
            None
        );
    }
}
