//! Formulas as TeX: what a page's MathML, its annotation or the alternative text of a picture says.

use bukvar_html::entities::unescape;

use super::scan::{Scanner, Token};
use super::tags;
use tex::{identifier, is_large, join, operator, over, scripts, text};

mod tex;

pub use tex::tidy;

/// Elements inside each other; deeper ones count as their parent's.
const DEEPEST: usize = 64;

/// A formula read from the markup behind `<math ...>`.
pub struct Formula {
    pub tex: String,
    /// Bytes read, the end tag included where there is one.
    pub length: usize,
}

/// An open element of MathML and the TeX of its children.
struct Open<'a> {
    name: &'a str,
    children: Vec<String>,
    /// The annotation's language is TeX.
    is_tex: bool,
    fences: [Option<&'a str>; 3],
}

/// Reads a `math` element from behind its start tag; `alttext` is its attribute of that name, `closed` says that `html`
/// ends with its end tag. An element that never closes, or that an element of HTML breaks off, ends there.
pub fn of_math(html: &str, alttext: Option<&str>, closed: bool) -> Formula {
    let mut scanner = Scanner::new(html);
    let mut stack = vec![open("math", &scanner)];
    let mut tex: Option<String> = None;
    let mut length = html.len();
    loop {
        let before = scanner.position();
        match scanner.next_token() {
            None => break,
            Some(Token::Text(text)) => add_text(&mut stack, text),
            Some(Token::Start(tag)) => {
                let name = scanner.name();
                let inside = closed && stack.iter().any(|open| holds_html(open.name));
                if !inside && tags::flags(tag) & tags::BREAKS_OUT != 0 {
                    length = before;
                    break;
                }
                if scanner.self_closing || stack.len() >= DEEPEST {
                    fold(&mut stack, open(name, &scanner), &mut tex);
                } else {
                    stack.push(open(name, &scanner));
                }
            }
            Some(Token::End(tag)) => {
                if scanner.name().eq_ignore_ascii_case("math") {
                    length = scanner.position();
                    break;
                }
                let inside = closed && stack.iter().any(|open| holds_html(open.name));
                if !inside && tags::flags(tag) & (tags::BLOCK | tags::BREAKS_OUT) != 0 {
                    length = before;
                    break;
                }
                close(&mut stack, scanner.name(), &mut tex);
            }
        }
    }
    while stack.len() > 1 {
        if let Some(top) = stack.pop() {
            fold(&mut stack, top, &mut tex);
        }
    }
    let stated = tex.or_else(|| alttext.map(unescape)).map(|tex| tidy(&tex));
    let tex = match stated {
        Some(tex) if !tex.is_empty() => tex,
        _ => tidy(&join(&stack[0].children)),
    };
    Formula { tex, length }
}

fn open<'a>(name: &'a str, scanner: &Scanner<'a>) -> Open<'a> {
    let encoding = scanner.attribute("encoding").unwrap_or("").to_ascii_lowercase();
    Open {
        name,
        children: Vec::new(),
        is_tex: encoding.contains("tex"),
        fences: ["open", "separators", "close"].map(|name| scanner.attribute(name)),
    }
}

fn holds_html(name: &str) -> bool {
    matches!(name, "mtext" | "annotation-xml" | "annotation")
}

fn add_text(stack: &mut [Open], text: &str) {
    let Some(top) = stack.last_mut() else { return };
    let text = unescape(text);
    if top.name == "annotation" || !text.trim().is_empty() {
        top.children.push(text);
    }
}

fn close(stack: &mut Vec<Open>, name: &str, tex: &mut Option<String>) {
    let Some(at) = stack
        .iter()
        .skip(1)
        .rposition(|open| open.name.eq_ignore_ascii_case(name))
    else {
        return;
    };
    while stack.len() > at + 1 {
        if let Some(top) = stack.pop() {
            fold(stack, top, tex);
        }
    }
}

/// Adds what an element says to the one around it.
fn fold(stack: &mut [Open], element: Open, tex: &mut Option<String>) {
    if element.name.eq_ignore_ascii_case("annotation") {
        if element.is_tex && tex.is_none() {
            *tex = Some(element.children.concat());
        }
        return;
    }
    if element.name.eq_ignore_ascii_case("annotation-xml") {
        return;
    }
    if let Some(top) = stack.last_mut() {
        let said = tex_of(&element);
        // Empty arguments keep their places: `<msub><mi>x</mi><mrow/></msub>`.
        top.children.push(said);
    }
}

fn tex_of(element: &Open) -> String {
    let all = || join(&element.children);
    let child = |at: usize| element.children.get(at).map_or("", String::as_str);
    let name = element.name.to_ascii_lowercase();
    match name.as_str() {
        "mi" => identifier(all().trim()),
        "mn" => all().trim().to_owned(),
        "mo" => operator(all().trim()),
        "mtext" | "ms" => text(&element.children.concat()),
        "mspace" => " ".to_owned(),
        "mphantom" | "none" | "mprescripts" => String::new(),
        "msup" => scripts(child(0), "", child(1)),
        "msub" => scripts(child(0), child(1), ""),
        "msubsup" | "munderover" => scripts(child(0), child(1), child(2)),
        "munder" if is_large(child(0)) => scripts(child(0), child(1), ""),
        "munder" => match child(1) {
            "_" | "¯" | "\u{332}" => format!("\\underline{{{}}}", child(0)),
            under => format!("\\underset{{{under}}}{{{}}}", child(0)),
        },
        "mover" if is_large(child(0)) => scripts(child(0), "", child(1)),
        "mover" => over(child(0), child(1)),
        "mfrac" => format!("\\frac{{{}}}{{{}}}", child(0), child(1)),
        "msqrt" => format!("\\sqrt{{{}}}", all()),
        "mroot" => format!("\\sqrt[{}]{{{}}}", child(1), child(0)),
        "mfenced" => fenced(element),
        "mtd" => all(),
        "mtr" | "mlabeledtr" => element.children.join(" & "),
        "mtable" => format!(
            "\\begin{{matrix}} {} \\end{{matrix}}",
            element.children.join(" \\\\ ")
        ),
        "semantics" => child(0).to_owned(),
        _ => all(),
    }
}

fn fenced(element: &Open) -> String {
    let [open, separators, close] = element.fences;
    let separator = separators.unwrap_or(",").trim().chars().next();
    let separator = separator.map(String::from).unwrap_or_default();
    let inner = element.children.join(&separator);
    format!(
        "{}{inner}{}",
        operator(open.unwrap_or("(")),
        operator(close.unwrap_or(")"))
    )
}

/// TeX of an attribute: the alternative text of a picture of a formula.
pub fn of_attribute(value: &str) -> String {
    tidy(&unescape(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tex(html: &str) -> String {
        of_math(html, None, true).tex
    }

    #[test]
    fn an_annotation_says_it_better_than_the_elements() {
        let html = "<semantics><mrow><mi>E</mi></mrow><annotation encoding='application/x-tex'>{\\displaystyle E=mc^{2}}\
                    </annotation></semantics></math> tail";
        let found = of_math(html, None, true);
        assert_eq!((found.tex.as_str(), &html[found.length..]), ("E=mc^{2}", " tail"));
        assert_eq!(
            of_math("<mi>x</mi></math>", Some("\\alpha &lt; 1"), true).tex,
            "\\alpha < 1"
        );
    }

    #[test]
    fn elements_become_tex() {
        let cases = [
            (
                "<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>",
                "E=mc^2",
            ),
            (
                "<msub><mi>x</mi><mrow><mi>i</mi><mo>+</mo><mn>1</mn></mrow></msub>",
                "x_{i+1}",
            ),
            (
                "<mfrac><mi>a</mi><mrow><mi>b</mi><mo>−</mo><mi>c</mi></mrow></mfrac>",
                "\\frac{a}{b-c}",
            ),
            ("<msqrt><mi>x</mi><mo>+</mo><mi>y</mi></msqrt>", "\\sqrt{x+y}"),
            ("<mroot><mi>x</mi><mn>3</mn></mroot>", "\\sqrt[3]{x}"),
            (
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
                "\\sum_{i=1}^ni",
            ),
            ("<mi>sin</mi><mo>\u{2061}</mo><mi>x</mi>", "\\sin x"),
            ("<mover><mi>v</mi><mo>→</mo></mover>", "\\vec{v}"),
            ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a,b)"),
            (
                "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr><mtr><mtd><mn>0</mn></mtd><mtd><mn>1</mn></mtd></mtr></mtable>",
                "\\begin{matrix} 1 & 0 \\\\ 0 & 1 \\end{matrix}",
            ),
            (
                "<mtext>если</mtext><mi>x</mi><mo>&lt;</mo><mn>0</mn>",
                "\\text{если}x<0",
            ),
        ];
        for (html, meant) in cases {
            assert_eq!(tex(html), meant, "{html}");
        }
    }

    #[test]
    fn an_unclosed_formula_ends_where_html_begins() {
        let html = "<mi>x</mi> <p>Абзац";
        assert_eq!(&html[of_math(html, None, false).length..], "<p>Абзац");
        let html = "<mi>x</mi></p>";
        assert_eq!(&html[of_math(html, None, false).length..], "</p>");
        assert!(of_math(&"<mrow>".repeat(100_000), None, false).tex.is_empty());
    }
}
