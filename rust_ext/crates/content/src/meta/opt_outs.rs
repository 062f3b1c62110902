//! What a page or a header says of its use: robots directives, TDMRep, AI Preferences, Content Signals.

/// What a page asks: each flag by a vocabulary of its own.
#[derive(Debug, Default, Clone)]
pub struct OptOuts {
    pub noindex: bool,
    /// `noai`, `noimageai` or `noml`; or `noindex` or `none` for a robot that gathers training data.
    pub noai: bool,
    /// A preference against training: Content-Usage or Content-Signal.
    pub train_ai_disallowed: bool,
    /// `tdm-reservation: 1`.
    pub tdm_reserved: bool,
}

/// Reads into `found` what one `meta` element or HTTP header says of the page's use, by the grammar of each vocabulary:
/// robots (developers.google.com/search/docs/crawling-indexing/robots-meta-tag), TDMRep
/// (w3.org/community/reports/tdmrep), AI Preferences (draft-ietf-aipref-attach) and Content Signals
/// (contentsignals.org). Rules for a single robot say nothing of the page in general and are passed over, those of
/// elements named by a robot ("googlebot") and those behind its name in a header, unless that robot gathers training
/// data (`TRAINING_BOTS`).
pub fn opt_out(found: &mut OptOuts, name: &str, content: &str) {
    match name.trim().to_ascii_lowercase().as_str() {
        "robots" => content.split([',', ';']).for_each(|part| directives(found, part)),
        // Where headers were joined, each stands on its line.
        "x-robots-tag" => content.lines().for_each(|line| robots_header(found, line)),
        "tdm-reservation" => found.tdm_reserved |= content.split(',').any(|value| value.trim() == "1"),
        "content-usage" | "content-signal" => content.split(',').for_each(|part| preference(found, part)),
        name if is_training_bot(name) => content
            .split([',', ';'])
            .for_each(|part| directives_of_training_bot(found, part)),
        _ => {}
    }
}

/// Robots that gather data for training, in small letters, as their operators describe them; sites name them to refuse
/// that use (the public list github.com/ai-robots-txt/ai.robots.txt has many more, most of which only answer questions).
/// "YandexAdditional" gathers for Yandex's answers, "Google-Extended" and "Applebot-Extended" are names without a crawler.
pub const TRAINING_BOTS: [&str; 24] = [
    "ai2bot",
    "amazonbot",
    "anthropic-ai",
    "applebot-extended",
    "bytespider",
    "ccbot",
    "claude-web",
    "claudebot",
    "cohere-ai",
    "cohere-training-data-crawler",
    "diffbot",
    "facebookbot",
    "google-extended",
    "gptbot",
    "icc-crawler",
    "img2dataset",
    "meta-externalagent",
    "omgili",
    "omgilibot",
    "pangubot",
    "timpibot",
    "webzio-extended",
    "yandexadditional",
    "yandexadditionalbot",
];

fn is_training_bot(name: &str) -> bool {
    TRAINING_BOTS.iter().any(|bot| name.eq_ignore_ascii_case(bot))
}

fn directives_of_training_bot(found: &mut OptOuts, part: &str) {
    let mut own = OptOuts::default();
    directives(&mut own, part);
    found.noai |= own.noindex || own.noai;
}

/// Robots directives that have a value behind a colon.
const VALUED: [&str; 4] = [
    "max-snippet",
    "max-image-preview",
    "max-video-preview",
    "unavailable_after",
];

/// "noindex, max-snippet: 5", "bingbot: noindex, nofollow": a robot's name holds for what comes behind it.
fn robots_header(found: &mut OptOuts, line: &str) {
    let mut agent = "*";
    for part in line.split([',', ';']) {
        let mut rest = part;
        if let Some((name, behind)) = part.split_once(':')
            && is_agent(name.trim())
        {
            agent = name.trim();
            rest = behind;
        }
        if agent == "*" {
            directives(found, rest);
        } else if is_training_bot(agent) {
            directives_of_training_bot(found, rest);
        }
    }
}

fn is_agent(name: &str) -> bool {
    let first = name.bytes().next();
    let begins = first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'*');
    begins
        && !name.contains(char::is_whitespace)
        && !VALUED.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Directives between two commas: mostly one, though some pages part them by spaces alone. The value of a directive
/// is none itself ("max-image-preview: none"), and that of `unavailable_after` is a date up to the comma.
fn directives(found: &mut OptOuts, part: &str) {
    let mut words = part.split_whitespace();
    while let Some(word) = words.next() {
        if let Some((name, value)) = word.split_once(':') {
            if name.eq_ignore_ascii_case("unavailable_after") {
                return;
            }
            if value.is_empty() {
                words.next();
            }
            continue;
        }
        if word.eq_ignore_ascii_case("unavailable_after") {
            return;
        }
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        found.noindex |= is(&["noindex", "none"]);
        found.noai |= is(&["noai", "noimageai", "noml"]);
    }
}

/// "train-ai=n", "ai-train=no", "tdm=n".
fn preference(found: &mut OptOuts, part: &str) {
    let Some((category, value)) = part.split_once('=') else {
        return;
    };
    let value = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if !matches!(value.as_str(), "n" | "no" | "?0") {
        return;
    }
    match category.trim().to_ascii_lowercase().as_str() {
        "train-ai" | "ai-train" | "train-genai" | "genai" | "ai" | "bots" => found.train_ai_disallowed = true,
        "tdm" => found.tdm_reserved = true,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// noindex, noai, tdm_reserved, and a preference against training as noai of its own vocabulary.
    fn said(name: &str, content: &str) -> (bool, bool, bool) {
        let mut found = OptOuts::default();
        opt_out(&mut found, name, content);
        assert!(!found.train_ai_disallowed || name.starts_with("Content-"));
        (
            found.noindex,
            found.noai || found.train_ai_disallowed,
            found.tdm_reserved,
        )
    }

    #[test]
    fn each_vocabulary_is_read_by_its_own_grammar() {
        for (name, content, expected) in [
            ("robots", "NONE", (true, false, false)),
            ("robots", "noindex nofollow", (true, false, false)),
            ("robots", "noarchive;noindex", (true, false, false)),
            ("robots", "max-image-preview:none, index", (false, false, false)),
            ("robots", "max-image-preview: none", (false, false, false)),
            ("robots", "max-snippet:-1 noindex", (true, false, false)),
            (
                "robots",
                "unavailable_after: 25 Jun 2010 none, noai",
                (false, true, false),
            ),
            ("googlebot", "noindex, noai", (false, false, false)),
            ("CCBot", "noindex", (false, true, false)),
            ("gptbot", "nofollow", (false, false, false)),
            (
                "X-Robots-Tag",
                "GPTBot: noindex, bingbot: none",
                (false, true, false),
            ),
            (
                "X-Robots-Tag",
                "bingbot: noindex, GPTBot: nofollow",
                (false, false, false),
            ),
            (
                "X-Robots-Tag",
                "bingbot: noindex, nofollow",
                (false, false, false),
            ),
            (
                "X-Robots-Tag",
                "bingbot: nofollow, otherbot: none",
                (false, false, false),
            ),
            ("X-Robots-Tag", "bingbot: nofollow\nnoindex", (true, false, false)),
            ("X-Robots-Tag", "*: noindex", (true, false, false)),
            (
                "X-Robots-Tag",
                "unavailable_after: Saturday, 25-Jun-2010 15:00:00 PST, noindex",
                (true, false, false),
            ),
            ("X-Robots-Tag", "max-snippet: 5, noai", (false, true, false)),
            ("tdm-reservation", " 1 ", (false, false, true)),
            ("tdm-reservation", "0", (false, false, false)),
            ("tdm-policy", "1", (false, false, false)),
            ("Content-Usage", "search=y, train-ai=n", (false, true, false)),
            ("Content-Usage", "train-ai=y", (false, false, false)),
            ("Content-Signal", "search=yes,ai-train=no", (false, true, false)),
        ] {
            assert_eq!(said(name, content), expected, "{name}: {content}");
        }
    }
}
