//! Entities that were escaped twice and so are still to be seen in the text: `&nbsp;`, `&laquo;`, `&#1088;`.
//!
//! Text about HTML shows the same characters and means them. So entities stay in the whole text where one of them
//! stands among markup, in quotes, or on a line that speaks of HTML, XML or escaping; and `&lt;` stays where it would
//! begin a tag.

use super::entity_names::NAMES;

/// The longest entity is `&thetasym;`; numeric ones may have leading zeros.
const LONGEST: usize = 12;
/// Words of text about entities, in lower case.
const ABOUT_ENTITIES: [&str; 9] = [
    "html",
    "xml",
    "entit",
    "escap",
    "unicode",
    "сущност",
    "экранир",
    "мнемоник",
    "кодировк",
];

/// An entity at the start of `text`: its length and character. `&amp;nbsp;` is one entity, escaped once more.
fn entity(text: &str) -> Option<(usize, char)> {
    let mut name_at = 1;
    while text[name_at..].starts_with("amp;") && name_of(&text[name_at + 4..]).is_some() {
        name_at += 4;
    }
    let (length, char) = name_of(&text[name_at..])?;
    Some((name_at + length, char))
}

/// What stands between `&` and `;`, both included in neither: its length with the semicolon, and the character.
fn name_of(text: &str) -> Option<(usize, char)> {
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = &text[..end];
    let char = match name.strip_prefix('#') {
        Some(digits) => numbered(digits)?,
        None => {
            let at = NAMES.binary_search_by_key(&name, |(name, _)| name).ok()?;
            char::from_u32(u32::from(NAMES[at].1))?
        }
    };
    Some((end + 1, char))
}

fn numbered(digits: &str) -> Option<char> {
    let (digits, radix) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code)
        .filter(|&char| code >= 0x20 && code != 0x7F && !('\u{fffe}'..='\u{ffff}').contains(&char))
}

/// True where the entity is shown rather than meant.
fn is_shown(text: &str, at: usize, length: usize, char: char) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + length..].chars().next();
    let quoted = matches!(
        before,
        Some('"' | '\'' | '`' | '«' | '“' | '(' | '[' | '{' | '=' | '/' | '\\')
    ) && matches!(
        after,
        Some('"' | '\'' | '`' | '»' | '”' | ')' | ']' | '}' | ',' | '/' | '\\')
    );
    let tag = char == '<'
        && after.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'));
    quoted || tag
}

fn is_about_entities(line: &str) -> bool {
    let lower = line.to_lowercase();
    line.contains(['<', '>']) || ABOUT_ENTITIES.iter().any(|word| lower.contains(word))
}

/// The text with its entities replaced, and their number; `None` where there is nothing to do.
pub fn repair(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let (mut copied, mut count) = (0, 0);
    for line in text.split_inclusive('\n') {
        let start = line.as_ptr() as usize - text.as_ptr() as usize;
        let mut judged = false;
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'&', &line.as_bytes()[from..]).map(|offset| from + offset) {
            let Some((length, char)) = entity(&line[at..]) else {
                from = at + 1;
                continue;
            };
            if !judged && is_about_entities(line) || is_shown(line, at, length, char) {
                return None;
            }
            judged = true;
            out.push_str(&text[copied..start + at]);
            out.push(char);
            copied = start + at + length;
            count += 1;
            from = at + length;
        }
    }
    (count > 0).then(|| {
        out.push_str(&text[copied..]);
        (out, count)
    })
}
