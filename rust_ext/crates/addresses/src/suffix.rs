//! Registered domains by the public suffix list (publicsuffix.org, MPL-2.0).

use crate::domains::Domains;

const RULE: u16 = 0;
const WILDCARD: u16 = 1;
const EXCEPTION: u16 = 2;

/// The rules of a public suffix list.
pub struct Suffixes {
    rules: Domains,
    wildcards: Domains,
    exceptions: Domains,
}

impl Suffixes {
    /// Reads the list as it is published: a rule a line, `//` comments, `*.` and `!`.
    pub fn read(text: &str) -> Self {
        let mut found = Self {
            rules: Domains::new(),
            wildcards: Domains::new(),
            exceptions: Domains::new(),
        };
        for line in text.lines() {
            let rule = line.split_whitespace().next().unwrap_or_default();
            if rule.is_empty() || rule.starts_with("//") {
                continue;
            }
            let rule = rule.to_lowercase();
            if let Some(exception) = rule.strip_prefix('!') {
                found.exceptions.add(exception.as_bytes(), EXCEPTION);
            } else if let Some(above) = rule.strip_prefix("*.") {
                found.wildcards.add(above.as_bytes(), WILDCARD);
            } else {
                found.rules.add(rule.as_bytes(), RULE);
            }
        }
        found
    }

    /// The domain that somebody registered: the public suffix and one label. The host itself where it is a
    /// suffix, an address of numbers, or has no dot. `host` as `url::Address` writes it.
    pub fn registered<'a>(&self, host: &'a [u8]) -> &'a [u8] {
        let numbers = host.iter().all(|&b| b.is_ascii_digit() || b == b'.') || host.starts_with(b"[");
        if numbers {
            return host;
        }
        if let Some((exception, _)) = self.exceptions.covering(host) {
            return exception;
        }
        let rule = self.rules.covering(host).map_or(0, |(domain, _)| domain.len());
        let wild = self.wildcards.covering(host).map_or(0, |(above, _)| {
            label_before(host, host.len() - above.len()).map_or(0, |at| host.len() - at)
        });
        let suffix = match rule.max(wild) {
            // "*" is the rule where none fits: the last label.
            0 => host.iter().rev().take_while(|&&b| b != b'.').count(),
            longest => longest,
        };
        label_before(host, host.len() - suffix).map_or(host, |at| &host[at..])
    }
}

/// The start of the label that ends with the dot before byte `at`; `None` where nothing stands there.
fn label_before(host: &[u8], at: usize) -> Option<usize> {
    let dot = at.checked_sub(1)?;
    Some(host[..dot].iter().rposition(|&b| b == b'.').map_or(0, |n| n + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases of the list's own test file, and Russian ones.
    #[test]
    fn registered_domains_are_found() {
        let list = "// comment\ncom\nru\nmsk.ru\nuk\nco.uk\n*.ck\n!www.ck\nрф\njp\nac.jp\n*.kawasaki.jp\n!city.kawasaki.jp\n";
        let suffixes = Suffixes::read(list);
        for (host, expected) in [
            ("www.example.com", "example.com"),
            ("example.com", "example.com"),
            ("com", "com"),
            ("a.b.msk.ru", "b.msk.ru"),
            ("msk.ru", "msk.ru"),
            ("b.example.co.uk", "example.co.uk"),
            ("a.b.ck", "a.b.ck"),
            ("x.a.b.ck", "a.b.ck"),
            ("www.ck", "www.ck"),
            ("a.www.ck", "www.ck"),
            ("a.city.kawasaki.jp", "city.kawasaki.jp"),
            ("a.почта.рф", "почта.рф"),
            ("host.unknown", "host.unknown"),
            ("a.host.unknown", "host.unknown"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
            ("", ""),
        ] {
            assert_eq!(
                suffixes.registered(host.as_bytes()),
                expected.as_bytes(),
                "{host}"
            );
        }
    }
}
