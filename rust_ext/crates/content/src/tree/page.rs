//! A parsed page: its nodes, its blocks of text, and what its head states.

use super::super::tags::Tag;

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
    /// What its own tag, class, id, role and itemprop say ([`crate::semantics`]).
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
    /// What the inline elements around its text say ([`crate::semantics`]).
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
