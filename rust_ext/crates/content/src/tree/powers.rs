//! Raised and lowered text in plain characters: exponents and indices.

/// An exponent in Unicode's superscripts where it has them all, else behind `^`; `None` for what is none.
pub(super) fn superscript(said: &str, before: char) -> Option<String> {
    let mapped: Option<String> = said.chars().map(raised).collect();
    if mapped.is_some() {
        return mapped;
    }
    let letters = said.chars().filter(|char| char.is_alphabetic()).count();
    let is_power = said
        .chars()
        .all(|char| char.is_ascii_alphanumeric() || "+-−–*/.,()αβγδλμπωθ ".contains(char));
    let has_sign = said.contains(['+', '-', '−', '–', '*', '/']);
    let has_digit = said.bytes().any(|byte| byte.is_ascii_digit());
    // 1st, 2nd, 3e, 4o are ordinals; TM and the like are marks; а Russian word is a note.
    let ordinal = before.is_ascii_digit()
        && letters == said.chars().count()
        && (letters > 1 || "aeorsnтйя".contains(said));
    if !is_power || ordinal || (letters > 1 && !has_sign && !has_digit) {
        return None;
    }
    let plain = said.replace(['−', '–'], "-");
    let inner = plain.strip_prefix('-').unwrap_or(&plain);
    let is_one = inner.chars().all(char::is_alphanumeric);
    Some(if is_one || inner.starts_with('(') {
        format!("^{plain}")
    } else {
        format!("^({plain})")
    })
}

/// Digits below a digit, which would make one number of two; other subscripts stay as letters do (H2O).
pub(super) fn subscript(said: &str, before: char) -> Option<String> {
    if !before.is_numeric() || !said.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    said.chars()
        .map(|digit| char::from_u32(u32::from(digit) - 0x30 + 0x2080))
        .collect()
}

fn raised(char: char) -> Option<char> {
    Some(match char {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4'..='9' => char::from_u32(u32::from(char) - 0x34 + 0x2074)?,
        '+' => '⁺',
        '-' | '−' | '–' => '⁻',
        '=' => '⁼',
        '(' => '⁽',
        ')' => '⁾',
        'n' => 'ⁿ',
        'i' => 'ⁱ',
        _ => return None,
    })
}
