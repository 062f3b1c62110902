//! A light tree of block elements and, in document order, the blocks of text between their boundaries.
//!
//! Only block elements become nodes; inline elements colour the text that passes through them (links, bold,
//! class names). HTML5's tree rules are kept where real pages lean on them: paragraphs, list items, cells and
//! rows close by themselves, end tags close only within their scope, a formatting end tag never closes a block.
//!
//! Everything is bounded: depth, open elements, nodes, blocks, kept metadata; past a bound text still
//! arrives, it only joins the nearest node or the running block.

use super::scan::{Scanner, Token};
use super::semantics::Classes;
use super::tags::{self, BLOCK, BOLD, RAW, Tag, VOID, flags};
use attributes::{Role, Said};

mod attributes;
mod closing;
mod inline;
mod states;
mod text;

/// Nodes deeper than this join their ancestor (browsers stop at 512; real pages stay under 100).
const MAX_DEPTH: u16 = 256;
/// Open elements, inline ones included.
const MAX_OPEN: usize = 768;
/// Nodes of one page (a page of 80 KB has about 800).
const MAX_NODES: usize = 1 << 18;
/// Blocks of one page; further text joins blocks of at least [`LATE_BLOCK`] bytes.
const MAX_BLOCKS: usize = 100_000;
const LATE_BLOCK: usize = 4096;
/// Kept `meta` elements and embedded scripts.
const MAX_METAS: usize = 128;
const MAX_SCRIPTS: usize = 32;
const MAX_DATES: usize = 64;

/// No node, no block.
pub const NONE: u32 = u32::MAX;

/// A block element. Its blocks are `first..last`.
#[derive(Clone, Debug)]
pub struct Node {
    pub parent: u32,
    pub first: u32,
    pub last: u32,
    pub depth: u16,
    pub tag: Tag,
    /// What its own tag, class, id, role and itemprop say ([`sem`]).
    pub sem: u64,
    /// Tag and class: the elements of one template share it, and no other.
    pub sig: u32,
    pub images: u16,
    pub inputs: u16,
}

/// A run of text without a block boundary inside.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Range of [`Page::text`].
    pub start: u32,
    pub end: u32,
    pub node: u32,
    pub link_bytes: u32,
    pub bold_bytes: u32,
    pub links: u16,
    /// Images since the block before.
    pub images: u16,
    /// Whether a `br` stands before it rather than a block boundary.
    pub after_break: bool,
    /// What the inline elements around its text say ([`sem`]).
    pub inline: u64,
}

/// What the head and the attributes state; all of it raw, read by `meta.rs`.
#[derive(Default)]
pub struct Stated<'a> {
    pub title: Option<&'a str>,
    pub language: Option<&'a str>,
    pub canonical: Option<&'a str>,
    /// (name, property, itemprop or http-equiv; content)
    pub metas: Vec<(&'a str, &'a str)>,
    pub json_ld: Vec<&'a str>,
    /// State of a page's own program: `__NEXT_DATA__`, Discourse's `data-preloaded` (still escaped).
    pub next_data: Option<&'a str>,
    pub preloaded: Option<&'a str>,
    /// Days that elements state, the first ones.
    pub dates: Vec<Dated<'a>>,
    /// `time` elements with a `datetime`.
    pub times: u32,
    /// What the body's own class says.
    pub body: u64,
}

/// A day stated by an attribute.
pub struct Dated<'a> {
    pub value: &'a str,
    /// How much it is believed to be the day of publication: see `dates`.
    pub strength: i32,
    /// The block that follows, and the node around.
    pub block: u32,
    pub node: u32,
    /// By the `datetime` of a `time` element.
    pub is_time: bool,
}

/// A parsed page.
pub struct Page<'a> {
    pub text: String,
    pub nodes: Vec<Node>,
    pub blocks: Vec<Block>,
    pub stated: Stated<'a>,
    /// Nodes that are line numbers beside code, in order: no cells of their rows.
    pub gutters: Vec<u32>,
    /// Cells of several columns or rows, in order of their nodes.
    pub spans: Vec<Span>,
}

/// How many columns and rows a cell takes.
pub struct Span {
    pub node: u32,
    pub columns: u16,
    pub rows: u16,
}

impl Page<'_> {
    /// The text of a block.
    pub fn block_text(&self, block: usize) -> &str {
        let block = &self.blocks[block];
        &self.text[block.start as usize..block.end as usize]
    }
}

struct Open {
    tag: Tag,
    node: u32,
    sem: u64,
    role: Role,
    /// Nothing inside is text.
    hides: bool,
    /// Where the text of a `sup` or `sub` begins.
    from: Option<usize>,
}

struct Builder<'a> {
    page: Page<'a>,
    open: Vec<Open>,
    counts: [u16; tags::COUNT],
    overflow: u32,
    node: u32,
    block_start: usize,
    running: Block,
    space: bool,
    /// Where the text of the open link begins.
    link_start: usize,
    /// Where the last link's text ended.
    link_end: usize,
    /// What the names of the last link say.
    link_sem: u64,
    skip: u32,
    links: u32,
    bold: u32,
    pre: u32,
    inline: u64,
    classes: Classes<'a>,
    /// Role of each class, by its number.
    roles: Vec<Role>,
    /// The white space before what comes next ends a line of the source.
    line_ended: bool,
    /// Where the last formula ended.
    formula_end: usize,
    /// A formula that MathJax drew, until its source comes.
    drawn: Option<String>,
    /// Where the next `</math` stands, if it was looked for and found.
    math_end: Option<usize>,
    no_math_end: bool,
    /// Bytes that may still be looked at for line numbers, beside the pass itself.
    gutter_budget: usize,
}

/// Parses a page in one pass, in time linear in its length.
pub fn parse(html: &str) -> Page<'_> {
    let mut builder = Builder::new(html.len());
    let mut scanner = Scanner::new(html);
    while let Some(token) = scanner.next_token() {
        match token {
            Token::Text(text) => builder.text(text),
            Token::Start(tag) => builder.start(tag, &mut scanner),
            Token::End(tag) => builder.end(tag),
        }
    }
    builder.finish()
}

impl<'a> Builder<'a> {
    fn new(length: usize) -> Self {
        let root = Node {
            parent: 0,
            first: 0,
            last: 0,
            depth: 0,
            tag: tags::BODY,
            sem: 0,
            sig: 0,
            images: 0,
            inputs: 0,
        };
        let page = Page {
            text: String::with_capacity(length / 4),
            nodes: vec![root],
            blocks: Vec::with_capacity(256),
            stated: Stated::default(),
            gutters: Vec::new(),
            spans: Vec::new(),
        };
        Builder {
            page,
            open: Vec::with_capacity(64),
            counts: [0; tags::COUNT],
            overflow: 0,
            node: 0,
            block_start: 0,
            running: Block::default(),
            space: false,
            link_start: 0,
            link_end: 0,
            link_sem: 0,
            skip: 0,
            links: 0,
            bold: 0,
            pre: 0,
            inline: 0,
            classes: Classes::default(),
            roles: vec![Role::None],
            line_ended: false,
            formula_end: 0,
            drawn: None,
            math_end: None,
            no_math_end: false,
            gutter_budget: length,
        }
    }

    fn finish(mut self) -> Page<'a> {
        self.flush(false);
        let last = self.page.blocks.len() as u32;
        while let Some(open) = self.open.pop() {
            if open.node != NONE {
                self.page.nodes[open.node as usize].last = last;
            }
        }
        self.page.nodes[0].last = last;
        self.page
    }

    fn start(&mut self, tag: Tag, scanner: &mut Scanner<'a>) {
        let flags = flags(tag);
        match tag {
            tags::HTML | tags::BODY | tags::HEAD => return self.document(tag, scanner),
            tags::META => return self.meta(scanner),
            tags::LINK => return self.link(scanner),
            tags::BR => {
                if self.pre > 0 {
                    return self.push_preformatted("\n");
                }
                return self.flush(true);
            }
            tags::IMG => {
                self.running.images = self.running.images.saturating_add(1);
                self.break_out(tag);
                self.formula_image(scanner);
            }
            tags::MATH => return self.math(scanner),
            _ => self.break_out(tag),
        }
        if flags & RAW != 0 {
            return self.raw(tag, scanner);
        }
        let in_sentence = tag == tags::CUSTOM && (self.skip > 0 || self.is_in_sentence(scanner));
        let is_block = flags & BLOCK != 0 && !in_sentence;
        if is_block {
            self.flush(false);
            self.close_implied(tag, flags);
        } else if matches!(tag, tags::A | tags::OPTION) && self.counts[tag as usize] > 0 {
            self.end_inline(tag);
        }
        if flags & VOID != 0 {
            let node = &mut self.page.nodes[self.node as usize];
            match tag {
                tags::IMG => node.images = node.images.saturating_add(1),
                tags::INPUT => node.inputs = node.inputs.saturating_add(1),
                _ => {}
            }
            return;
        }
        if tag == tags::SVG && scanner.self_closing {
            return;
        }
        let said = self.read_attributes(tag, scanner);
        if said.role == Role::Gutter && self.skip == 0 && self.pass_gutter(scanner) && is_block {
            self.page.gutters.push(self.page.nodes.len() as u32);
        }
        if matches!(tag, tags::TD | tags::TH) {
            self.span(scanner);
        }
        if is_block {
            self.push_block(tag, flags, &said);
        } else {
            self.push_inline(tag, flags, &said);
        }
    }

    fn push_block(&mut self, tag: Tag, flags: u16, said: &Said) {
        let Said { sem, class, role, .. } = *said;
        let depth = self.page.nodes[self.node as usize].depth;
        if depth >= MAX_DEPTH || self.open.len() >= MAX_OPEN || self.page.nodes.len() >= MAX_NODES {
            self.overflow += 1;
            return;
        }
        let first = self.page.blocks.len() as u32;
        // Classes have numbers below 2^24: as many would need 160 MB of a page.
        let sig = class << 8 | u32::from(tag);
        let number = self.page.nodes.len() as u32;
        self.page.nodes.push(Node {
            parent: self.node,
            first,
            last: first,
            depth: depth + 1,
            tag,
            sem,
            sig,
            images: 0,
            inputs: 0,
        });
        self.node = number;
        self.opened(
            Open {
                tag,
                node: number,
                sem: 0,
                role,
                hides: self.hides(tag, said),
                from: None,
            },
            flags,
        );
    }

    fn push_inline(&mut self, tag: Tag, flags: u16, said: &Said) {
        if self.open.len() >= MAX_OPEN - 256 {
            return; // inline elements that nobody closes must not keep blocks from opening
        }
        if tag == tags::A {
            self.running.links = self.running.links.saturating_add(1);
            let length = self.page.text.len();
            // Two links side by side are parted by the page's style where no space does it.
            self.space |= self.pre == 0 && self.link_end == length && length > self.block_start;
            self.link_start = length;
            self.link_sem = said.sem;
        }
        self.inline |= said.sem;
        let open = Open {
            tag,
            node: NONE,
            sem: said.sem,
            role: said.role,
            hides: self.hides(tag, said),
            from: (matches!(tag, tags::SUP | tags::SUB) && self.pre == 0 && !self.space)
                .then_some(self.page.text.len()),
        };
        self.opened(open, flags);
    }

    fn opened(&mut self, open: Open, flags: u16) {
        let tag = open.tag;
        self.counts[tag as usize] += 1;
        self.skip += u32::from(open.hides);
        self.bold += u32::from(flags & BOLD != 0);
        self.links += u32::from(tag == tags::A);
        self.pre += u32::from(tag == tags::PRE);
        self.open.push(open);
    }

    fn closed(&mut self, open: &Open) {
        let (tag, flags) = (open.tag, flags(open.tag));
        self.counts[tag as usize] -= 1;
        self.skip -= u32::from(open.hides);
        self.bold -= u32::from(flags & BOLD != 0);
        self.links -= u32::from(tag == tags::A);
        if tag == tags::A {
            self.link_end = self.page.text.len();
        }
        self.pre -= u32::from(tag == tags::PRE);
        if open.from.is_some() && self.skip == 0 {
            self.set_script(open);
        }
        if open.node != NONE {
            let node = &mut self.page.nodes[open.node as usize];
            node.last = self.page.blocks.len() as u32;
            self.node = node.parent;
        }
        if open.sem != 0 {
            self.inline = self.open.iter().fold(0, |bits, open| bits | open.sem);
        }
    }

    fn pop_to(&mut self, length: usize) {
        while self.open.len() > length {
            if let Some(open) = self.open.pop() {
                self.closed(&open);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(html: &str) -> Vec<String> {
        let page = parse(html);
        (0..page.blocks.len())
            .map(|b| page.block_text(b).to_owned())
            .collect()
    }

    #[test]
    fn links_side_by_side_are_words_and_a_counter_before_a_paragraph_is_none() {
        let page =
            "<h1>Новый автомобиль<a>Новинки</a><a>Концепт</a></h1><p><a href=#comments>10</a>Компания</p>";
        assert_eq!(blocks(page), ["Новый автомобильНовинки Концепт", "Компания"]);
        let page = "<p><a>2011</a>г. был <a>10</a>Год<p><a>12</a> Стульев<p><a>a</a>Б";
        assert_eq!(blocks(page), ["2011г. был 10Год", "12 Стульев", "aБ"]);
        assert_eq!(blocks("<pre><a>x</a><a>y</a></pre>"), ["xy"]);
        // A link whose class says that it counts comments.
        let page = "<p><a name=p1></a><a class='comments_count'>0</a>- слово<p><a class=comments>12</a> «Слово» \
                    <a class=comments>7</a><p><a class=comments>0</a><p><a class=comments>a</a>б";
        assert_eq!(blocks(page), ["- слово", "«Слово» 7", "aб"]);
        let page = "<h1>Заголовок<a class=count-comments>Комментарии:&nbsp;<span>45</span></a></h1>\
                    <h2><a class=comments>Комментарии</a></h2><h2>О <a class=x>слове</a></h2>";
        assert_eq!(blocks(page), ["Заголовок", "Комментарии", "О слове"]);
    }

    #[test]
    fn blocks_break_at_block_elements_and_line_breaks() {
        assert_eq!(
            blocks("<p>a <b>b</b>\n c<br>d<div>e</div>f"),
            ["a b c", "d", "e", "f"]
        );
    }

    #[test]
    fn references_and_odd_spaces_are_normal() {
        assert_eq!(
            blocks("<p>a&nbsp;b\u{a0}c&shy;d\u{ad}e \0 &amp; f"),
            ["a b cde & f"]
        );
    }

    #[test]
    fn hidden_machinery_gives_no_text() {
        let html =
            "<script>x</script><style>y</style><select><option>z</select><svg><title>t</title>w</svg><p>ok";
        assert_eq!(blocks(html), ["ok"]);
        assert_eq!(blocks("<select><option>a<div>after"), ["after"]);
    }

    #[test]
    fn cells_rows_and_items_close_by_themselves() {
        let page = parse("<table><tr><td>a<td>b<tr><td>c</table><ul><li>d<li>e<ul><li>f</ul></ul>g");
        let depths: Vec<u16> = page
            .blocks
            .iter()
            .map(|b| page.nodes[b.node as usize].depth)
            .collect();
        assert_eq!(depths, [3, 3, 3, 2, 2, 4, 0]);
    }

    #[test]
    fn an_end_tag_does_not_reach_out_of_its_cell() {
        let page = parse("<div><table><tr><td>a</div>b</td></tr></table>c</div>d");
        let depths: Vec<u16> = page
            .blocks
            .iter()
            .map(|b| page.nodes[b.node as usize].depth)
            .collect();
        assert_eq!(depths, [4, 4, 1, 0]);
    }

    #[test]
    fn preformatted_text_keeps_its_lines() {
        assert_eq!(blocks("<pre>\na\n  b &lt;\n</pre>c"), ["a\n  b <", "c"]);
    }

    #[test]
    fn link_and_bold_bytes_are_counted() {
        let page = parse("<p>ab <a href=x><b>cd</b></a> e");
        assert_eq!(
            (
                page.blocks[0].link_bytes,
                page.blocks[0].bold_bytes,
                page.blocks[0].links
            ),
            (3, 3, 1)
        );
    }

    #[test]
    fn depth_is_bounded() {
        let html = "<div>".repeat(100_000) + "deep" + &"</div>".repeat(100_000) + "<p>after";
        let page = parse(&html);
        assert_eq!(page.blocks.len(), 2);
        assert_eq!(page.nodes[page.blocks[1].node as usize].depth, 1);
    }
}
