//! A byte tokenizer for HTML: tags, attributes and text as ranges of the input, in one pass.
//!
//! It keeps HTML5's rules where pages depend on them (quotes in attributes, comments, raw text) and is
//! lenient where a browser would swallow the rest of the page. Every look-ahead that fails is remembered,
//! so no input makes it read the same bytes again and again.

use memchr::{memchr, memmem};

use bukvar_html::comment_end;

use super::tags::{self, Tag};

/// Attributes kept of one tag; a page of a million attributes costs no memory.
const MAX_ATTRIBUTES: usize = 48;

const SECTION_START: &[u8] = b"<![CDATA[";
const SECTION_END: &[u8] = b"]]>";

/// One attribute: name as written, value without its quotes, character references not decoded.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

/// What the scanner meets; `Start` leaves its attributes in [`Scanner::attributes`].
pub enum Token<'a> {
    /// Text between tags, character references not decoded.
    Text(&'a str),
    /// A start tag.
    Start(Tag),
    /// An end tag.
    End(Tag),
}

/// The state of one pass over one page.
pub struct Scanner<'a> {
    html: &'a str,
    at: usize,
    pub attributes: Vec<Attribute<'a>>,
    /// Where the name of the last tag stands.
    name: (usize, usize),
    /// Whether the last start tag ended in `/>`.
    pub self_closing: bool,
    no_comment_end: bool,
    /// Where the `]]>` of the CDATA section stands that was entered last; 0 where it is read.
    section_end: usize,
    no_section_end: bool,
    no_double_quote: bool,
    no_single_quote: bool,
    unclosed: [bool; tags::COUNT],
}

fn is_space(byte: u8) -> bool {
    byte <= b' '
}

impl<'a> Scanner<'a> {
    pub fn new(html: &'a str) -> Self {
        Scanner {
            html,
            at: 0,
            attributes: Vec::with_capacity(MAX_ATTRIBUTES),
            name: (0, 0),
            self_closing: false,
            no_comment_end: false,
            section_end: 0,
            no_section_end: false,
            no_double_quote: false,
            no_single_quote: false,
            unclosed: [false; tags::COUNT],
        }
    }

    /// Where the scanner stands: the bytes before it are read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The name of the last tag, as written.
    pub fn name(&self) -> &'a str {
        self.html.get(self.name.0..self.name.1).unwrap_or("")
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or("")
    }

    /// Moves ahead by bytes of [`Self::rest`], which end where a tag does or begins.
    pub fn pass(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.html.len());
    }

    /// The next token, or None at the end. (Every cut is at an ASCII byte, so slices are valid UTF-8.)
    pub fn next_token(&mut self) -> Option<Token<'a>> {
        let token = self.token()?;
        Some(if self.section_end > 0 {
            self.without_section_end(token)
        } else {
            token
        })
    }

    /// The token without the `]]>` of a CDATA section, where that stands in it.
    fn without_section_end(&mut self, token: Token<'a>) -> Token<'a> {
        let Token::Text(text) = token else {
            return token;
        };
        let start = self.at - text.len();
        let end = self.section_end;
        if self.at <= end {
            return token;
        }
        self.section_end = 0;
        if start > end {
            return token; // it stood in a tag or in raw text
        }
        self.at = end + SECTION_END.len();
        Token::Text(&self.html[start..end])
    }

    fn token(&mut self) -> Option<Token<'a>> {
        let bytes = self.html.as_bytes();
        let start = self.at;
        let mut from = start;
        loop {
            let Some(offset) = memchr(b'<', &bytes[from..]) else {
                self.at = bytes.len();
                return (start < bytes.len()).then(|| Token::Text(&self.html[start..]));
            };
            let open = from + offset;
            let next = bytes.get(open + 1).copied().unwrap_or(b' ');
            if !(next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?')) {
                from = open + 1; // a lone less-than sign is text
                continue;
            }
            if open > start {
                self.at = open;
                return Some(Token::Text(&self.html[start..open]));
            }
            self.at = open;
            if let Some(token) = self.markup(next) {
                return Some(token);
            }
            return self.next_after_skip();
        }
    }

    fn next_after_skip(&mut self) -> Option<Token<'a>> {
        // Comments in a row are skipped without recursion: each turn moves ahead by at least two bytes.
        let bytes = self.html.as_bytes();
        while self.at + 1 < bytes.len() && bytes[self.at] == b'<' {
            let next = bytes[self.at + 1];
            if !matches!(next, b'/' | b'!' | b'?') {
                break;
            }
            if let Some(token) = self.markup(next) {
                return Some(token);
            }
        }
        if self.at >= bytes.len() {
            return None;
        }
        Some(Token::Text("")) // the caller asks again; the next call stands on text or a start tag
    }

    fn markup(&mut self, next: u8) -> Option<Token<'a>> {
        let bytes = self.html.as_bytes();
        match next {
            b'!' if bytes[self.at..].starts_with(b"<!--") => {
                self.skip_comment();
                None
            }
            b'/' if bytes.get(self.at + 2).is_some_and(u8::is_ascii_alphabetic) => Some(self.end_tag()),
            b'!' if self.enters_section() => None,
            b'!' | b'?' | b'/' => {
                self.at = self.past_bracket(self.at + 2);
                None
            }
            _ => Some(self.start_tag()),
        }
    }

    /// Moves past `<![CDATA[`, where a `]]>` follows: what is between is read as the page's, as writers of XHTML and
    /// of feeds mean it. (A browser takes it, in HTML, for a comment up to the next `>`.)
    fn enters_section(&mut self) -> bool {
        let bytes = self.html.as_bytes();
        if self.no_section_end || !bytes[self.at..].starts_with(SECTION_START) {
            return false;
        }
        let from = self.at + SECTION_START.len();
        if self.section_end < from {
            let Some(offset) = memmem::find(&bytes[from..], SECTION_END) else {
                self.no_section_end = true;
                return false;
            };
            self.section_end = from + offset;
        }
        self.at = from;
        true
    }

    fn past_bracket(&self, from: usize) -> usize {
        let bytes = self.html.as_bytes();
        let from = from.min(bytes.len());
        memchr(b'>', &bytes[from..]).map_or(bytes.len(), |offset| from + offset + 1)
    }

    fn skip_comment(&mut self) {
        let bytes = self.html.as_bytes();
        let from = (self.at + 4).min(bytes.len());
        let is_empty = bytes[from..].starts_with(b">") || bytes[from..].starts_with(b"->");
        if is_empty || !self.no_comment_end {
            let end = comment_end(bytes, from);
            if let Some(end) = end {
                self.at = end;
                return;
            }
            self.no_comment_end = true;
        }
        // A browser would drop the rest of the page; the markup declaration alone is dropped here.
        self.at = self.past_bracket(from);
    }

    fn end_tag(&mut self) -> Token<'a> {
        let bytes = self.html.as_bytes();
        let start = self.at + 2;
        let end = name_end(bytes, start);
        self.at = self.past_bracket(end);
        self.name = (start, end);
        Token::End(tags::tag_of(&bytes[start..end]))
    }

    fn start_tag(&mut self) -> Token<'a> {
        let bytes = self.html.as_bytes();
        let start = self.at + 1;
        let end = name_end(bytes, start);
        self.at = end;
        self.name = (start, end);
        self.attributes.clear();
        self.self_closing = false;
        self.read_attributes();
        Token::Start(tags::tag_of(&bytes[start..end]))
    }

    fn read_attributes(&mut self) {
        let bytes = self.html.as_bytes();
        let mut at = self.at;
        loop {
            while at < bytes.len() && is_space(bytes[at]) {
                at += 1;
            }
            match bytes.get(at) {
                None => break,
                Some(b'>') => {
                    at += 1;
                    break;
                }
                Some(b'/') => {
                    self.self_closing = bytes.get(at + 1) == Some(&b'>');
                    at += 1;
                    continue;
                }
                Some(_) => {}
            }
            let name_start = at;
            at += 1; // a stray '=' may open a name
            while at < bytes.len() && !is_space(bytes[at]) && !matches!(bytes[at], b'=' | b'>' | b'/') {
                at += 1;
            }
            let name = name_start..at;
            while at < bytes.len() && is_space(bytes[at]) {
                at += 1;
            }
            let mut value = 0..0;
            if bytes.get(at) == Some(&b'=') {
                (value, at) = self.value(at + 1);
            }
            if self.attributes.len() < MAX_ATTRIBUTES {
                let (Some(name), Some(value)) = (self.html.get(name), self.html.get(value)) else {
                    continue;
                };
                self.attributes.push(Attribute { name, value });
            }
        }
        self.at = at;
    }

    /// The range of an attribute's value that starts after `=`, and where it ends.
    fn value(&mut self, mut at: usize) -> (std::ops::Range<usize>, usize) {
        let bytes = self.html.as_bytes();
        while at < bytes.len() && is_space(bytes[at]) {
            at += 1;
        }
        let quote = bytes.get(at).copied().unwrap_or(b'>');
        if quote == b'"' || quote == b'\'' {
            let missing = if quote == b'"' {
                &mut self.no_double_quote
            } else {
                &mut self.no_single_quote
            };
            if !*missing {
                if let Some(offset) = memchr(quote, &bytes[at + 1..]) {
                    return (at + 1..at + 1 + offset, at + 2 + offset);
                }
                *missing = true;
            }
        }
        let start = at;
        while at < bytes.len() && !is_space(bytes[at]) && bytes[at] != b'>' {
            at += 1;
        }
        (start..at, at)
    }

    /// The raw text of the element just opened, and moves past its end tag. An element that is never
    /// closed gives the rest of the page when it is a script or a style, and nothing otherwise.
    pub fn raw_text(&mut self, tag: Tag) -> &'a str {
        let bytes = self.html.as_bytes();
        let start = self.at;
        let name = tags::TAGS[tag as usize].0.as_bytes();
        let mut from = start;
        while !self.unclosed[tag as usize] {
            let Some(offset) = memmem::find(&bytes[from..], b"</") else {
                break;
            };
            let close = from + offset;
            let end = close + 2 + name.len();
            if end <= bytes.len() && bytes[close + 2..end].eq_ignore_ascii_case(name) {
                self.at = self.past_bracket(end);
                return &self.html[start..close];
            }
            from = close + 2;
        }
        self.unclosed[tag as usize] = true;
        if matches!(tag, tags::SCRIPT | tags::STYLE) {
            self.at = bytes.len();
            return &self.html[start..];
        }
        ""
    }

    /// The value of an attribute of the last start tag; names are compared in any letter case.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes
            .iter()
            .find(|a| a.name.eq_ignore_ascii_case(name))
            .map(|a| a.value)
    }
}

fn name_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < bytes.len() && !is_space(bytes[end]) && !matches!(bytes[end], b'>' | b'/') {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(html: &str) -> String {
        let mut scanner = Scanner::new(html);
        let mut out = String::new();
        while let Some(token) = scanner.next_token() {
            match token {
                Token::Text(text) => out.push_str(text),
                Token::Start(tag) => {
                    out.push_str(&format!("<{}", tags::TAGS[tag as usize].0));
                    for a in &scanner.attributes {
                        out.push_str(&format!(" {}={}", a.name, a.value));
                    }
                    out.push('>');
                    if tags::flags(tag) & tags::RAW != 0 {
                        out.push_str(&format!("[{}]", scanner.raw_text(tag)));
                    }
                }
                Token::End(tag) => out.push_str(&format!("</{}>", tags::TAGS[tag as usize].0)),
            }
        }
        out
    }

    #[test]
    fn quotes_hide_brackets_and_case_is_folded() {
        assert_eq!(
            shape("<DIV title='a>b' x=1 y>t</DiV >"),
            "<div title=a>b x=1 y=>t</div>"
        );
    }

    #[test]
    fn comments_and_declarations_vanish() {
        assert_eq!(
            shape("<!doctype html><!-- a > b --><!--> x --><p>1</p>"),
            " x --><p>1</p>"
        );
        assert_eq!(shape("<!-- a --!>b<!-- -- -! ---->c<!---->d<!--e--!-->f"), "bcdf");
    }

    #[test]
    fn the_signs_of_a_cdata_section_vanish_and_its_content_stays() {
        assert_eq!(
            shape("<p>1<![CDATA[2 < 3 <b>4</b>]]>5]]>6</p>"),
            "<p>12 < 3 <b>4</b>5]]>6</p>"
        );
        assert_eq!(shape("a<![CDATA[]]><![CDATA[b]]>c"), "abc");
        assert_eq!(shape("<![CDATA[ a > b <i>c"), " b <i>c");
        assert_eq!(shape("<![CDATA[x<a title=']]>'>y]]>z"), "x<a title=]]>>y]]>z");
        assert_eq!(shape("<![CDATA[<?php echo 1; ?>x]]>y"), "xy");
        assert_eq!(shape(&"<![CDATA[".repeat(3)), "");
        let many = "<![CDATA[".repeat(300_000); // the end is looked for once
        assert_eq!(shape(&format!("{many}x]]>y")), "xy");
    }

    #[test]
    fn an_unclosed_comment_costs_one_tag_only() {
        assert_eq!(shape("<!-- a <b> c"), " c");
    }

    #[test]
    fn scripts_are_raw_and_lone_signs_are_text() {
        assert_eq!(
            shape("1 < 2<script>if (a</b/.x) '</p>'</SCRIPT>z"),
            "1 < 2<script>[if (a</b/.x) '</p>']z"
        );
    }

    #[test]
    fn an_unclosed_title_does_not_swallow_the_page() {
        assert_eq!(shape("<title>x<p>y"), "<title>[]x<p>y");
    }
}
