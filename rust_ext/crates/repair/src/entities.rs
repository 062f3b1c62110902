//! Entities that were escaped twice and so are still to be seen in the text: `&nbsp;`, `&laquo;`, `&#1088;`.
//!
//! Text about HTML shows the same characters and means them. So entities stay in the whole text where one of them
//! stands among markup, in quotes, or on a line that speaks of HTML, XML or escaping; and `&lt;` stays where it would
//! begin a tag.

use bukvar_html::entities::{LONGEST, named};

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

/// An entity found in text.
#[derive(Clone, Copy)]
struct Entity {
    length: usize,
    first: char,
    /// `\0` where it is one character.
    second: char,
    /// HTML 4.01 has it, or it is a number.
    common: bool,
}

/// An entity at the start of `text`. `&amp;nbsp;` is one entity, escaped once more.
fn entity(text: &str) -> Option<Entity> {
    let mut name_at = 1;
    while text[name_at..].starts_with("amp;") && name_of(&text[name_at + 4..]).is_some() {
        name_at += 4;
    }
    let found = name_of(&text[name_at..])?;
    Some(Entity {
        length: name_at + found.length,
        ..found
    })
}

/// What stands between `&` and `;`, with the semicolon's length.
fn name_of(text: &str) -> Option<Entity> {
    let end = text.bytes().take(LONGEST + 1).position(|byte| byte == b';')?;
    let length = end + 1;
    if let Some(digits) = text[..end].strip_prefix('#') {
        let (first, second) = (numbered(digits)?, '\0');
        return Some(Entity {
            length,
            first,
            second,
            common: true,
        });
    }
    let name = named(&text.as_bytes()[..end])?;
    Some(Entity {
        length,
        first: name.first,
        second: name.second,
        common: name.html4,
    })
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
fn is_shown(text: &str, at: usize, entity: Entity) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + entity.length..].chars().next();
    // `p = &map;` is the address of a variable.
    if !entity.common && text[..at].trim_end_matches(' ').ends_with(['=', '(', ',']) {
        return true;
    }
    let quoted = matches!(
        before,
        Some('"' | '\'' | '`' | '«' | '“' | '(' | '[' | '{' | '=' | '/' | '\\')
    ) && matches!(
        after,
        Some('"' | '\'' | '`' | '»' | '”' | ')' | ']' | '}' | ',' | '/' | '\\')
    );
    let tag = entity.first == '<'
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
            let Some(entity) = entity(&line[at..]) else {
                from = at + 1;
                continue;
            };
            if !judged && is_about_entities(line) || is_shown(line, at, entity) {
                return None;
            }
            judged = true;
            out.push_str(&text[copied..start + at]);
            out.push(entity.first);
            out.extend((entity.second != '\0').then_some(entity.second));
            copied = start + at + entity.length;
            count += 1;
            from = at + entity.length;
        }
    }
    (count > 0).then(|| {
        out.push_str(&text[copied..]);
        (out, count)
    })
}
