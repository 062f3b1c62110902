//! Host and path of an address in one writing.

use crate::punycode;

/// Bytes of an address that are looked at: what stands after them is no name of anything.
const LONGEST: usize = 4096;

/// An address as rules see it: small letters, host without port and last dot, path with percent-encoding
/// resolved. Kept between addresses, so that nothing is allocated for each.
#[derive(Debug, Default, Clone)]
pub struct Address {
    /// Host, then path (with its slash and query), one after the other.
    bytes: Vec<u8>,
    host: usize,
}

impl Address {
    /// The host, in small letters and punycode resolved.
    pub fn host(&self) -> &[u8] {
        &self.bytes[..self.host]
    }

    /// The path with the query, from its slash on; empty where there is none.
    pub fn path(&self) -> &[u8] {
        &self.bytes[self.host..]
    }

    /// Host and path together.
    pub fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads an address: with a scheme, without, or beginning with `//`.
    pub fn read(&mut self, url: &[u8]) {
        let url = &url[..url.len().min(LONGEST)];
        self.bytes.clear();
        let rest = after_scheme(url.trim_ascii());
        // One pass: where the authority ends, and the last @ and : in it.
        let (mut end, mut from, mut port) = (rest.len(), 0, None);
        for (at, &byte) in rest.iter().enumerate() {
            match byte {
                b'/' | b'?' | b'#' | b'\\' => {
                    end = at;
                    break;
                }
                b'@' => (from, port) = (at + 1, None),
                b':' => port = Some(at),
                _ => {}
            }
        }
        let host = match port {
            Some(at) if rest[at + 1..end].iter().all(u8::is_ascii_digit) && rest[from] != b'[' => {
                &rest[from..at]
            }
            _ => &rest[from..end],
        };
        push_small(&mut self.bytes, host);
        while self.bytes.last() == Some(&b'.') {
            self.bytes.pop();
        }
        if has_punycode(&self.bytes) {
            self.bytes = unicode(&self.bytes);
        }
        self.host = self.bytes.len();
        push_small(&mut self.bytes, &rest[end..]);
    }
}

fn after_scheme(url: &[u8]) -> &[u8] {
    let scheme = url.iter().take(12).position(|&b| b == b':');
    if let Some(at) = scheme
        && url[at + 1..].starts_with(b"//")
    {
        return &url[at + 3..];
    }
    url.strip_prefix(b"//").unwrap_or(url)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|d| d as u8)
}

/// Adds bytes with percent-encoding resolved and Latin and Russian capitals as small letters (in UTF-8).
fn push_small(out: &mut Vec<u8>, part: &[u8]) {
    let from = out.len();
    out.extend_from_slice(part);
    let mut odd = false;
    for byte in &mut out[from..] {
        odd |= !byte.is_ascii() | (*byte == b'%');
        byte.make_ascii_lowercase();
    }
    if !odd {
        return;
    }
    out.truncate(from);
    let mut at = 0;
    while at < part.len() {
        let mut byte = part[at];
        at += 1;
        if byte == b'%'
            && let (Some(high), Some(low)) = (
                part.get(at).copied().and_then(hex),
                part.get(at + 1).copied().and_then(hex),
            )
        {
            byte = high << 4 | low;
            at += 2;
        }
        // А..Я are D0 90..AF, а..п D0 B0..BF, р..я D1 80..8F; Ё is D0 81, ё D1 91.
        if let Some(last) = out.last_mut().filter(|last| **last == 0xd0) {
            match byte {
                0x90..=0x9f => byte += 0x20,
                0xa0..=0xaf => {
                    *last = 0xd1;
                    byte -= 0x20;
                }
                0x81 => {
                    *last = 0xd1;
                    byte = 0x91;
                }
                _ => {}
            }
        }
        out.push(byte.to_ascii_lowercase());
    }
}

fn has_punycode(host: &[u8]) -> bool {
    // Few hosts have two hyphens in a row, and that is cheap to see.
    host.windows(2).any(|w| w == b"--") && host.split(|&b| b == b'.').any(|label| label.starts_with(b"xn--"))
}

fn unicode(host: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(host.len() * 2);
    for (n, label) in host.split(|&b| b == b'.').enumerate() {
        if n > 0 {
            out.push(b'.');
        }
        match label.strip_prefix(b"xn--").and_then(punycode::decode) {
            Some(letters) => out.extend_from_slice(letters.as_bytes()),
            None => out.extend_from_slice(label),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (String, String) {
        let mut address = Address::default();
        address.read(url.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(address.host()), text(address.path()))
    }

    #[test]
    fn one_address_has_one_writing() {
        for url in [
            "http://Пример.РФ./Путь",
            "https://xn--e1afmkfd.xn--p1ai:8080/%D0%9F%D1%83%D1%82%D1%8C",
            "//user:pass@XN--E1AFMKFD.xn--p1ai/Путь",
            "  пример.рф/путь ",
        ] {
            assert_eq!(parts(url), ("пример.рф".into(), "/путь".into()), "{url}");
        }
    }

    #[test]
    fn odd_addresses_are_read_as_far_as_they_go() {
        assert_eq!(parts(""), (String::new(), String::new()));
        assert_eq!(parts("http://"), (String::new(), String::new()));
        assert_eq!(parts("http://a.ru?x=%zz%4"), ("a.ru".into(), "?x=%zz%4".into()));
        assert_eq!(parts("http://[2001:db8::1]:80/x").0, "[2001:db8::1]:80");
        assert_eq!(parts("http://xn--a!.ru/"), ("xn--a!.ru".into(), "/".into()));
    }
}
