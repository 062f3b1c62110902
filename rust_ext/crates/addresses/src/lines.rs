//! Lines of block lists.
//!
//! A line is one of these; the first that fits decides:
//!
//! | line | meaning |
//! |---|---|
//! | `# ...`, `! ...`, `; ...`, `[Adblock ...]` | a comment |
//! | `[name]` | the category of the lines below |
//! | `~^kazino*`, `~1xbet+zerkalo*` | words of host or path (after `^`: of the host), all of them; `*` stands for any letters |
//! | `0.0.0.0 a.ru b.ru` | a hosts file: domains; so `address=/a.ru/0.0.0.0` of dnsmasq |
//! | `\|\|a.ru^`, `\|\|a.ru/path` | AdBlock: a domain, or what lies below a path of it |
//! | `@@\|\|a.ru^`, `@@a.ru` | an exception: nothing below it is blocked |
//! | `/casino/`, `*/casino/*` | a piece of the path |
//! | `a.ru`, `.a.ru`, `*.a.ru`, `a.ru/path`, `http://a.ru/` | a domain with all below it, or a path of it (UT1) |
//!
//! AdBlock lines about parts of pages (`##`, options such as `$third-party`, regular expressions) say nothing of
//! a page's own address: they are counted and not used. Any other line is an error that names list and line.

use std::net::IpAddr;

/// What a line of a list is.
pub enum Line {
    Comment,
    Category(String),
    Unused,
    Rules(Vec<Rule>),
}

pub enum Rule {
    Domain(String),
    Exception(String),
    Path(String),
    Piece(String),
    Words(Vec<String>),
}

/// Reads a line without spaces at its ends.
pub fn read_line(line: &str) -> Result<Line, &'static str> {
    if line.is_empty()
        || line.starts_with(['!', ';'])
        || line.starts_with("[Adblock")
        || line.starts_with("[uBlock")
    {
        return Ok(Line::Comment);
    }
    if line.starts_with("###") || line.starts_with("# ") {
        return Ok(Line::Comment);
    }
    if is_cosmetic(line) || is_option(line) || line.starts_with("%include ") {
        return Ok(Line::Unused);
    }
    if line.starts_with('#') {
        return Ok(Line::Comment);
    }
    if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
        return Ok(Line::Category(name.trim().to_owned()));
    }
    if let Some(words) = line.strip_prefix('~') {
        return words_of(words);
    }
    if let Some(names) = dnsmasq_line(line) {
        return names;
    }
    let line = line.split(" #").next().unwrap_or(line).trim();
    if let Some(names) = hosts_line(line) {
        return names;
    }
    if line.contains(char::is_whitespace) {
        return Err("has a space and is no line of a hosts file");
    }
    adblock_or_plain(line)
}

/// A rule about parts of a page: «##», «#@#», «#?#», «#$#», «#%#», «$$».
fn is_cosmetic(line: &str) -> bool {
    let marks = line.match_indices('#').any(|(at, _)| {
        let rest = line[at + 1..].trim_start_matches(['@', '?', '$', '%']);
        rest.starts_with('#')
    });
    marks || line.contains("$$")
}

/// AdBlock's options that speak of parts of pages and may hold spaces: «$csp=script-src 'self'».
fn is_option(line: &str) -> bool {
    const LONG: [&str; 8] = [
        "csp=",
        "replace=",
        "removeparam=",
        "permissions=",
        "redirect=",
        "removeheader=",
        "urltransform=",
        "jsonprune=",
    ];
    line.match_indices('$').any(|(at, _)| {
        LONG.iter()
            .any(|option| line[at + 1..].split(',').any(|part| part.starts_with(option)))
    })
}

/// «address=/a.ru/b.ru/0.0.0.0» and «server=/a.ru/» of dnsmasq.
fn dnsmasq_line(line: &str) -> Option<Result<Line, &'static str>> {
    let rest = ["address=/", "server=/", "local=/"]
        .iter()
        .find_map(|key| line.strip_prefix(key))?;
    let (names, _) = rest.rsplit_once('/')?;
    let rules: Result<Vec<Rule>, _> = names
        .split('/')
        .map(|name| domain(name).map(Rule::Domain))
        .collect();
    Some(rules.map(Line::Rules))
}

fn words_of(words: &str) -> Result<Line, &'static str> {
    let words: Vec<String> = words.split('+').map(|w| w.trim().to_owned()).collect();
    let plain = |word: &String| {
        let middle = word.strip_prefix('^').unwrap_or(word).trim_matches('*');
        middle.chars().count() >= 2 && middle.chars().all(char::is_alphanumeric)
    };
    if !words.iter().all(plain) {
        return Err(
            "is no word rule: words have two or more letters or digits, with * at their ends, joined by +",
        );
    }
    Ok(Line::Rules(vec![Rule::Words(words)]))
}

/// A line that begins with an address of numbers; names of the machine itself in it are no rules.
fn hosts_line(line: &str) -> Option<Result<Line, &'static str>> {
    const OWN: [&str; 8] = [
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "ip6-localhost",
        "ip6-loopback",
        "0.0.0.0",
        "ip6-allnodes",
    ];
    let mut parts = line.split_whitespace();
    parts.next()?.split('%').next()?.parse::<IpAddr>().ok()?;
    // A comment may follow a name without a space.
    let names: Vec<&str> = parts
        .map_while(|name| match name.split_once('#') {
            Some(("", _)) => None,
            Some((name, _)) => Some(name),
            None => Some(name),
        })
        .collect();
    if names.is_empty() {
        return None;
    }
    let own = |name: &&str| OWN.contains(name) || name.starts_with("ip6-");
    let rules: Result<Vec<Rule>, &'static str> = names
        .iter()
        .filter(|n| !own(n))
        .map(|name| domain(name).map(Rule::Domain))
        .collect();
    Some(rules.map(Line::Rules))
}

fn adblock_or_plain(line: &str) -> Result<Line, &'static str> {
    let (exception, line) = match line.strip_prefix("@@") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (line, options) = match line.rsplit_once('$') {
        Some((head, options)) if !head.is_empty() => (head, options),
        _ => (line, ""),
    };
    let whole_page = ["", "document", "doc", "all", "important", "popup"];
    if !options.split(',').all(|option| whole_page.contains(&option)) {
        return Ok(Line::Unused);
    }
    // A piece may stand anywhere in a path: stars at its ends say nothing more.
    let open = line.trim_start_matches('*');
    let piece = if open.starts_with('/') { open } else { line }.trim_end_matches('*');
    if piece.starts_with('/') && !piece.starts_with("//") {
        let plain = piece
            .chars()
            .all(|c| c.is_alphanumeric() || "/_.-%=&?".contains(c));
        let usable = plain && !exception && piece.len() >= 4;
        return Ok(if usable {
            Line::Rules(vec![Rule::Piece(piece.to_owned())])
        } else {
            Line::Unused
        });
    }
    let place = line.trim_start_matches('|').trim_end_matches(['|', '^']);
    let place = place.strip_suffix("^*").unwrap_or(place).trim_end_matches('*');
    let place = match place.split_once("://") {
        Some((_, rest)) => rest,
        None => place.strip_prefix("//").unwrap_or(place),
    };
    let place = place
        .strip_prefix("*.")
        .or_else(|| place.strip_prefix('.'))
        .unwrap_or(place);
    // Any piece of an address: «=banner», «&ref=», «.swf?url=», «||name.» of any zone.
    let anchored = line.starts_with('|');
    let piece = place.starts_with(['=', '&', '?', '-', '_', ';', ',', '%'])
        || place.is_empty() && !options.is_empty();
    let open = anchored && place.ends_with('.') && !place.contains('/');
    let host_end = place.find(['/', '?']).unwrap_or(place.len());
    let query = place[..host_end].contains(['=', '&', ',']) || (place[host_end..].starts_with('?'));
    if piece || open || query || place.contains(['*', '^', '|']) {
        return Ok(Line::Unused);
    }
    let (host, path) = match place.find('/') {
        Some(at) if at + 1 < place.len() => (&place[..at], Some(place)),
        Some(at) => (&place[..at], None),
        None => (place, None),
    };
    let host = domain(host)?;
    Ok(Line::Rules(vec![match (exception, path) {
        (true, None) => Rule::Exception(host),
        (false, None) => Rule::Domain(host),
        (false, Some(path)) => Rule::Path(path.to_owned()),
        (true, Some(_)) => return Ok(Line::Unused),
    }]))
}

/// A host as lists write it: labels of letters, digits, hyphens and underscores.
fn domain(name: &str) -> Result<String, &'static str> {
    let host = match name.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => name,
    };
    let host = host.trim_end_matches('.');
    if host.is_empty() || host.len() > 253 {
        return Err("is no domain: it is empty or longer than 253 bytes");
    }
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if !host.split('.').all(label) {
        return Err("is no domain and no rule of another kind");
    }
    Ok(host.to_owned())
}
