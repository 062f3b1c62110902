//! What is more than text between blocks: formulas, superscripts, SVG, custom elements, line numbers of code.

use super::super::formula;
use super::super::scan::Scanner;
use super::super::tags::{self, BLOCK, BREAKS_OUT, SKIP, Tag, flags};
use super::attributes::{Role, Said};
use super::powers::{subscript, superscript};
use super::{Builder, Open};

/// Longest `math` element, in bytes.
const LONGEST_MATH: usize = 200_000;
/// Longest superscript that is an exponent or a note's number, in characters.
const LONGEST_SCRIPT: usize = 12;
/// Bytes looked at for the end of a custom element that holds a few words.
const SHORT_ELEMENT: usize = 256;
/// Bytes of line numbers beside code, at most.
const LONGEST_GUTTER: usize = 64 * 1024;

impl<'a> Builder<'a> {
    /// Closes SVG where an element begins that can't stand in it. (Of `math` this is `formula::of_math`'s part.)
    pub(super) fn break_out(&mut self, tag: Tag) {
        if self.counts[tags::SVG as usize] == 0 || flags(tag) & BREAKS_OUT == 0 {
            return;
        }
        let svg = self.open.iter().rposition(|open| open.tag == tags::SVG);
        let html = self.open.iter().rposition(|open| open.tag == tags::FOREIGN);
        if let Some(at) = svg
            && html.is_none_or(|html| html < at)
        {
            self.pop_to(at);
        }
    }

    /// True for a custom element that stands in a sentence: in a paragraph or heading, behind text on the same line,
    /// or before text with a few words inside.
    pub(super) fn is_in_sentence(&self, scanner: &Scanner<'a>) -> bool {
        let around = self.page.nodes[self.node as usize].tag;
        if matches!(around, tags::P | tags::DT | tags::FIGCAPTION | tags::CAPTION)
            || tags::heading(around) > 0
        {
            return true;
        }
        if self.page.text.len() > self.block_start
            && !self.line_ended
            && self.link_end != self.page.text.len()
        {
            return true;
        }
        let rest = scanner.rest().as_bytes();
        let rest = &rest[..rest.len().min(SHORT_ELEMENT)];
        let Some(end) = memchr::memchr(b'<', rest).filter(|&at| at > 0) else {
            return false;
        };
        let name = scanner.name().as_bytes();
        let Some(after) = rest[end..]
            .strip_prefix(b"</")
            .and_then(|rest| rest.strip_prefix(name))
        else {
            return false;
        };
        let after = after.strip_prefix(b">").unwrap_or(b"<");
        let next = after.iter().find(|&&byte| byte != b' ');
        next.is_some_and(|&byte| !matches!(byte, b'<' | b'\n' | b'\r'))
    }

    /// Reads a `math` element, whose start tag is read, and prints it.
    pub(super) fn math(&mut self, scanner: &mut Scanner<'a>) {
        let rest = scanner.rest();
        let from = scanner.position();
        if self.math_end.is_none_or(|end| end < from) && !self.no_math_end {
            self.math_end = memchr::memmem::find(rest.as_bytes(), b"</math").map(|at| from + at);
            self.no_math_end = self.math_end.is_none();
        }
        let end = self
            .math_end
            .filter(|&end| end >= from && end - from < LONGEST_MATH);
        let slice = match end {
            Some(end) => {
                let past = memchr::memchr(b'>', &rest.as_bytes()[end - from..]);
                &rest[..past.map_or(rest.len(), |at| end - from + at + 1)]
            }
            None => rest,
        };
        let alttext = scanner.attribute("alttext");
        let found = formula::of_math(slice, alttext, end.is_some());
        scanner.pass(found.length);
        self.formula(&found.tex);
    }

    /// Prints a formula once.
    pub(super) fn formula(&mut self, tex: &str) {
        if tex.is_empty() {
            return;
        }
        if self.skip > 0 {
            // Inside of what MathJax drew; a script with the source may follow.
            if self.open.iter().any(|open| open.role == Role::Drawn) {
                self.drawn = Some(tex.to_owned());
            }
            return;
        }
        self.drawn = None;
        if self.formula_end == self.page.text.len()
            && self.page.text[self.block_start..].ends_with(&format!("${tex}$"))
        {
            return;
        }
        if self.pre > 0 {
            self.page.text.push_str(tex);
        } else {
            self.put(&format!("${tex}$"));
        }
        self.formula_end = self.page.text.len();
    }

    /// Prints a formula that MathJax drew and of which no source followed.
    pub(super) fn settle_formula(&mut self) {
        if self.skip == 0
            && let Some(tex) = self.drawn.take()
        {
            self.formula(&tex);
        }
    }

    /// Prints a picture of a formula by its alternative text.
    pub(super) fn formula_image(&mut self, scanner: &Scanner<'a>) {
        let Some(alt) = scanner.attribute("alt").filter(|alt| !alt.is_empty()) else {
            return;
        };
        let class = scanner.attribute("class").unwrap_or("");
        let is_named = class.split_ascii_whitespace().any(|name| {
            matches!(
                name,
                "tex" | "latex" | "ql-img-inline-formula" | "ql-img-displayed-equation"
            ) || name.starts_with("mwe-math-fallback")
        });
        let drawn_by = |src: &str| {
            [
                "latex.php",
                "codecogs.com/",
                "mathtex.cgi",
                "mimetex.cgi",
                "/math/render/",
            ]
            .iter()
            .any(|maker| src.contains(maker))
        };
        if is_named || scanner.attribute("src").is_some_and(drawn_by) {
            let stands = self.formula_end == self.page.text.len() && self.formula_end > self.block_start;
            if !stands {
                self.formula(&formula::of_attribute(alt));
            }
        }
    }

    /// True where an element only repeats the formula before it.
    pub(super) fn repeats_formula(&self) -> bool {
        self.formula_end == self.page.text.len() && self.formula_end > self.block_start
    }

    /// Moves past an element of line numbers; false where it holds anything else.
    pub(super) fn pass_gutter(&mut self, scanner: &mut Scanner<'a>) -> bool {
        let rest = scanner.rest();
        let window = &rest.as_bytes()[..rest.len().min(LONGEST_GUTTER).min(self.gutter_budget)];
        let name = scanner.name().as_bytes();
        let (mut at, mut depth, mut digits) = (0, 1, 0);
        let found = loop {
            match window.get(at) {
                Some(byte) if byte.is_ascii_digit() => digits += 1,
                Some(byte) if byte.is_ascii_whitespace() || matches!(byte, b'.' | b':' | b'|') => {}
                Some(b'<') => {
                    let Some(length) = memchr::memchr(b'>', &window[at..]) else {
                        break None;
                    };
                    let tag = &window[at + 1..at + length];
                    let closing = tag.first() == Some(&b'/');
                    let tag_name = if closing { &tag[1..] } else { tag };
                    let same = tag_name
                        .get(..name.len())
                        .is_some_and(|begin| begin.eq_ignore_ascii_case(name))
                        && !tag_name.get(name.len()).is_some_and(u8::is_ascii_alphanumeric);
                    depth += match (same, closing) {
                        (true, true) => -1,
                        (true, false) => 1,
                        _ => 0,
                    };
                    if depth == 0 {
                        break Some(at);
                    }
                    at += length;
                }
                Some(b'&') if window[at..].starts_with(b"&nbsp;") => at += 5,
                _ => break None,
            }
            at += 1;
        };
        self.gutter_budget -= at.min(self.gutter_budget);
        let Some(end) = found else { return false };
        // An empty one is a gutter only where the number is an attribute.
        if digits == 0
            && scanner.attribute("data-line-number").is_none()
            && scanner.attribute("data-lineno").is_none()
        {
            return false;
        }
        scanner.pass(end);
        true
    }

    /// Sets what a `sup` or `sub` element said apart from what it stands behind: 10⁶, not 106.
    pub(super) fn set_script(&mut self, open: &Open) {
        let Some(from) = open
            .from
            .filter(|&from| from > self.block_start && from < self.page.text.len())
        else {
            return;
        };
        let said = self.page.text[from..].trim();
        let Some(before) = self.page.text[..from].chars().next_back() else {
            return;
        };
        if said.chars().count() > LONGEST_SCRIPT
            || !(before.is_alphanumeric() || matches!(before, ')' | ']' | '²' | '³'))
        {
            return;
        }
        let set = if open.tag == tags::SUP {
            superscript(said, before)
        } else {
            subscript(said, before)
        };
        if let Some(set) = set {
            let ends_link = self.link_end == self.page.text.len();
            self.page.text.truncate(from);
            self.page.text.push_str(&set);
            if ends_link {
                self.link_end = self.page.text.len();
            }
        }
    }

    /// True where nothing inside an element is text.
    pub(super) fn hides(&self, tag: Tag, said: &Said) -> bool {
        match said.role {
            _ if flags(tag) & SKIP != 0 => !said.is_shadow_root,
            Role::Drawn => matches!(tag, tags::SPAN | tags::CUSTOM | tags::DIV),
            Role::Copy => self.repeats_formula(),
            _ => false,
        }
    }

    /// True where the nearest open custom element stands in a sentence.
    pub(super) fn ends_in_sentence(&self, tag: Tag) -> bool {
        flags(tag) & BLOCK != 0
            && self
                .open
                .iter()
                .rev()
                .find(|open| open.tag == tag)
                .is_some_and(|open| open.node == super::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn text(html: &str) -> String {
        let page = parse(html);
        (0..page.blocks.len())
            .map(|b| page.block_text(b))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn powers_are_set_apart() {
        let cases = [
            ("10<sup>6</sup> человек, 5 м<sup>2</sup>.", "10⁶ человек, 5 м²."),
            (
                "10<sup>-3</sup>, 2<sup>n</sup>, x<sup>k</sup>, e<sup>-x</sup>",
                "10⁻³, 2ⁿ, x^k, e^-x",
            ),
            ("2<sup>k+1</sup>, 10<sup>6,5</sup>", "2^(k+1), 10^(6,5)"),
            (
                "1<sup>st</sup>, 2<sup>e</sup>, Имя<sup>TM</sup>, 20<sup>°</sup>",
                "1st, 2e, ИмяTM, 20°",
            ),
            (
                "слово<sup>[1]</sup> и слово<sup><a href=#n>2</a></sup><sup><a>3</a></sup>",
                "слово[1] и слово²³",
            ),
            ("H<sub>2</sub>O, 101<sub>2</sub>, x<sub>i</sub>", "H2O, 101₂, xi"),
            ("<sup>1</sup> Сноска", "1 Сноска"),
        ];
        for (html, meant) in cases {
            assert_eq!(text(&format!("<p>{html}")), meant, "{html}");
        }
    }

    #[test]
    fn svg_that_never_closes_ends_at_a_paragraph() {
        assert_eq!(text("<p>a</p><svg><path d='M0'><p>b</p><p>c"), "a\nb\nc");
        assert_eq!(
            text("<svg><foreignObject><p>x</p></foreignObject></svg><p>b"),
            "b"
        );
        assert_eq!(text("<p>a <svg><title>t</title><g><a>x</a></g></svg> b"), "a b");
        assert_eq!(text("<p>a <svg><path> </p><div>b</div>"), "a\nb");
        assert_eq!(text("<p>a <math><mi>x</mi><p>b"), "a $x$\nb");
    }

    #[test]
    fn custom_elements_in_sentences_do_not_break_them() {
        assert_eq!(
            text("<p>Слово <x-hint>подсказка</x-hint> и <my-t>термин</my-t> тут."),
            "Слово подсказка и термин тут."
        );
        assert_eq!(text("<div>Слово <x-a><b>б</b></x-a>, в.</div>"), "Слово б, в.");
        assert_eq!(
            text("<ul><li><x-a>Термин</x-a> — слово<li>б</ul>"),
            "Термин — слово\nб"
        );
        assert_eq!(
            text("<my-card><my-title>А</my-title><my-text>Б</my-text></my-card>"),
            "А\nБ"
        );
        assert_eq!(
            text("<div>А\n<my-text>Б</my-text>\n<my-text>В</my-text></div>"),
            "А\nБ\nВ"
        );
    }

    #[test]
    fn a_shadow_root_is_shown() {
        let html = "<my-a><template shadowrootmode=open><style>p{}</style><p>Тень</p><slot></slot></template><p>Свет</my-a>";
        assert_eq!(text(html), "Тень\nСвет");
        assert_eq!(text("<template><p>x</template><p>y"), "y");
    }

    #[test]
    fn a_formula_stands_once() {
        let math = "<math><semantics><mrow><mi>x</mi></mrow><annotation encoding='application/x-tex'>x^2</annotation></semantics></math>";
        let katex = format!(
            "<p>Пусть <span class=katex><span class=katex-mathml>{math}</span><span class=katex-html aria-hidden=true><span>x2</span></span></span> верно"
        );
        assert_eq!(text(&katex), "Пусть $x^2$ верно");
        let wiki = format!(
            "<p>Пусть <span><span style='display:none'>{math}</span><img class='mwe-math-fallback-image-inline' alt='{{\\displaystyle x^2}}'></span> верно"
        );
        assert_eq!(text(&wiki), "Пусть $x^2$ верно");
        assert_eq!(
            text("<p>Пусть <img class=tex alt='x^2'> верно"),
            "Пусть $x^2$ верно"
        );
        let jax = "<p>Пусть <span class=MathJax_Preview>x2</span><span class=MathJax><nobr>x2</nobr></span>\
                   <script type='math/tex'>x^2</script> верно";
        assert_eq!(text(jax), "Пусть $x^2$ верно");
        let jax3 = format!(
            "<p>Пусть <mjx-container class=MathJax><mjx-math><mjx-mi>x</mjx-mi></mjx-math><mjx-assistive-mml>{math}</mjx-assistive-mml></mjx-container> верно"
        );
        assert_eq!(text(&jax3), "Пусть $x^2$ верно");
        assert_eq!(text("<p>x</p><span class=katex-html>x2</span>"), "x\nx2");
    }

    #[test]
    fn line_numbers_go() {
        let table = "<table><tr><td class=linenos><pre>1\n2</pre></td><td class=code><pre>a\nb</pre></td></tr></table>";
        assert_eq!(text(table), "a\nb");
        assert_eq!(
            text("<pre><span class=lineno>1 </span>a\n<span class=lineno>2 </span>b</pre>"),
            "a\nb"
        );
        assert_eq!(text("<div class=gutter><div>1</div><div>2</div></div><p>a"), "a");
        assert_eq!(text("<div class='row gutter'><p>1 a</p></div>"), "1 a");
        assert_eq!(text("<td class='blob-num' data-line-number=1></td>"), "");
    }

    #[test]
    fn odd_nesting_takes_linear_time() {
        for html in [
            "<math>",
            "<span class=gutter>",
            "<svg>",
            "<x-a>t",
            "<sup>1",
            "<span class=MathJax><math>",
        ] {
            let page = parse(&html.repeat(100_000)).blocks.len();
            assert!(page <= 100_000);
        }
    }
}
