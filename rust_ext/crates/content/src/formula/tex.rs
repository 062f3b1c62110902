//! TeX of single parts of a formula, and TeX of others made plain.

/// Longest formula, in bytes; a longer one is no formula.
const LONGEST: usize = 20_000;

/// Pieces one after another; a command is parted from a letter that follows it.
pub(super) fn join(pieces: &[String]) -> String {
    let mut out = String::new();
    for piece in pieces {
        let is_command = out.rfind('\\').is_some_and(|at| {
            at + 1 < out.len() && out[at + 1..].bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        if is_command && piece.starts_with(|char: char| char.is_alphanumeric()) {
            out.push(' ');
        }
        out.push_str(piece);
    }
    out
}

const FUNCTIONS: [&str; 24] = [
    "sin", "cos", "tan", "tg", "ctg", "cot", "sec", "arcsin", "arccos", "arctan", "sh", "ch", "sinh", "cosh",
    "tanh", "lim", "log", "ln", "lg", "exp", "max", "min", "det", "sup",
];

pub(super) fn identifier(name: &str) -> String {
    if name.chars().count() <= 1 {
        return name.to_owned();
    }
    if FUNCTIONS.contains(&name) {
        return match name {
            // Names that TeX itself does not have.
            "tg" | "ctg" | "sh" | "ch" | "lg" => format!("\\operatorname{{{name}}}"),
            _ => format!("\\{name}"),
        };
    }
    format!("\\mathrm{{{name}}}")
}

pub(super) fn operator(sign: &str) -> String {
    match sign {
        "\u{2061}" | "\u{2062}" | "\u{2063}" | "\u{2064}" => String::new(),
        "−" => "-".to_owned(),
        "{" | "}" | "%" | "#" | "&" => format!("\\{sign}"),
        "lim" | "max" | "min" | "sup" | "log" | "sin" | "cos" => format!("\\{sign}"),
        "∑" => "\\sum".to_owned(),
        "∏" => "\\prod".to_owned(),
        "∫" => "\\int".to_owned(),
        "×" => "\\times ".to_owned(),
        "⋅" | "·" => "\\cdot ".to_owned(),
        "≤" => "\\le ".to_owned(),
        "≥" => "\\ge ".to_owned(),
        "≠" => "\\ne ".to_owned(),
        "→" => "\\to ".to_owned(),
        "∞" => "\\infty ".to_owned(),
        _ => sign.to_owned(),
    }
}

pub(super) fn text(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return " ".to_owned();
    }
    format!("\\text{{{words}}}")
}

pub(super) fn is_large(base: &str) -> bool {
    matches!(
        base.trim(),
        "\\sum" | "\\prod" | "\\int" | "\\lim" | "\\max" | "\\min" | "\\sup" | "⋃" | "⋂" | "⨁" | "∮"
    )
}

pub(super) fn scripts(base: &str, under: &str, over: &str) -> String {
    let mut out = base.to_owned();
    for (sign, script) in [('_', under.trim()), ('^', over.trim())] {
        if !script.is_empty() {
            out.push(sign);
            out.push_str(&braced(script));
        }
    }
    out
}

pub(super) fn braced(script: &str) -> String {
    if script.chars().count() == 1 {
        script.to_owned()
    } else {
        format!("{{{script}}}")
    }
}

pub(super) fn over(base: &str, accent: &str) -> String {
    let command = match accent.trim() {
        "¯" | "‾" | "_" | "\u{304}" | "\u{305}" => "overline",
        "^" | "ˆ" | "\u{302}" => "hat",
        "~" | "˜" | "\u{303}" => "tilde",
        "→" | "\\to" | "⃗" => "vec",
        "˙" | "." => "dot",
        "¨" | ".." => "ddot",
        accent => return format!("\\overset{{{accent}}}{{{base}}}"),
    };
    format!("\\{command}{{{base}}}")
}

/// TeX on one line, without what only says how large it is set or that it is a formula.
pub fn tidy(tex: &str) -> String {
    if tex.len() > LONGEST {
        return String::new();
    }
    let mut tex = tex.split_whitespace().collect::<Vec<_>>().join(" ");
    loop {
        let shorter = stripped(&tex);
        if shorter.len() == tex.len() {
            return tex;
        }
        tex = shorter;
    }
}

fn stripped(tex: &str) -> String {
    const PAIRS: [(&str, &str); 6] = [
        ("$$", "$$"),
        ("$", "$"),
        ("\\(", "\\)"),
        ("\\[", "\\]"),
        ("{\\displaystyle", "}"),
        ("{\\textstyle", "}"),
    ];
    const BEGINNINGS: [&str; 3] = ["\\displaystyle", "\\textstyle", "% "];
    for (begin, end) in PAIRS {
        if let Some(inner) = tex.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end))
            && is_balanced(inner)
        {
            return inner.trim().to_owned();
        }
    }
    for begin in BEGINNINGS {
        if let Some(rest) = tex.strip_prefix(begin)
            && !rest.starts_with(|char: char| char.is_ascii_alphabetic())
        {
            return rest.trim().to_owned();
        }
    }
    tex.to_owned()
}

/// True where no brace closes that was not opened, and all close.
fn is_balanced(tex: &str) -> bool {
    let mut depth = 0i32;
    let mut before = ' ';
    for char in tex.chars() {
        match char {
            '{' if before != '\\' => depth += 1,
            '}' if before != '\\' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
        before = char;
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sets_the_size_goes() {
        assert_eq!(tidy("{\\displaystyle x}"), "x");
        assert_eq!(tidy(" $\\displaystyle\n x^2 $ "), "x^2");
        assert_eq!(
            tidy("{\\displaystyle a}+{\\displaystyle b}"),
            "{\\displaystyle a}+{\\displaystyle b}"
        );
    }
}
