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

pub use page::{Block, Dated, NONE, Node, Page, Span, Stated};

mod attributes;
mod closing;
mod inline;
mod page;
mod powers;
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
mod tests;
