//! HTML elements as small numbers, with what the light tree needs to know of each.

use std::sync::LazyLock;

/// An element's number: an index into [`TAGS`].
pub type Tag = u8;

/// Ends the running block of text when it opens and when it closes, and gets a node of the tree.
pub const BLOCK: u16 = 1;
/// Has no content and no end tag.
pub const VOID: u16 = 2;
/// Its content is raw text, up to its own end tag.
pub const RAW: u16 = 4;
/// Text inside never reaches a block.
pub const SKIP: u16 = 8;
/// Closes an open paragraph when it opens.
pub const CLOSES_P: u16 = 16;
/// Prints bold.
pub const BOLD: u16 = 32;
/// Stops the search for the element that an end tag closes (HTML's "scope").
pub const SCOPE: u16 = 64;

macro_rules! tags {
    ($($name:ident $text:literal $flags:expr;)*) => {
        /// Name and flags of each element, by number.
        pub const TAGS: &[(&str, u16)] = &[$(($text, $flags)),*];
        tags!(@number 0; $($name)*);
    };
    (@number $n:expr; $name:ident $($rest:ident)*) => {
        #[allow(missing_docs)] // the names are those of HTML
        pub const $name: Tag = $n;
        tags!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

// Numbers are features of the model: append, never insert.
tags! {
    UNKNOWN "" 0;
    CUSTOM "-" BLOCK;
    HTML "html" BLOCK; BODY "body" BLOCK; HEAD "head" BLOCK;
    P "p" BLOCK | CLOSES_P;
    DIV "div" BLOCK | CLOSES_P; SECTION "section" BLOCK | CLOSES_P; ARTICLE "article" BLOCK | CLOSES_P;
    MAIN "main" BLOCK | CLOSES_P; CENTER "center" BLOCK | CLOSES_P; BLOCKQUOTE "blockquote" BLOCK | CLOSES_P;
    PRE "pre" BLOCK | CLOSES_P; ADDRESS "address" BLOCK | CLOSES_P;
    FIGURE "figure" BLOCK | CLOSES_P; FIGCAPTION "figcaption" BLOCK | CLOSES_P;
    DETAILS "details" BLOCK | CLOSES_P; SUMMARY "summary" BLOCK | CLOSES_P; DIALOG "dialog" BLOCK | CLOSES_P;
    H1 "h1" BLOCK | CLOSES_P | BOLD; H2 "h2" BLOCK | CLOSES_P | BOLD; H3 "h3" BLOCK | CLOSES_P | BOLD;
    H4 "h4" BLOCK | CLOSES_P | BOLD; H5 "h5" BLOCK | CLOSES_P | BOLD; H6 "h6" BLOCK | CLOSES_P | BOLD;
    HGROUP "hgroup" BLOCK | CLOSES_P; HR "hr" BLOCK | VOID | CLOSES_P;
    UL "ul" BLOCK | CLOSES_P; OL "ol" BLOCK | CLOSES_P; LI "li" BLOCK | CLOSES_P;
    MENU "menu" BLOCK | CLOSES_P; DIR "dir" BLOCK | CLOSES_P;
    DL "dl" BLOCK | CLOSES_P; DT "dt" BLOCK | CLOSES_P; DD "dd" BLOCK | CLOSES_P;
    TABLE "table" BLOCK | SCOPE; CAPTION "caption" BLOCK | SCOPE; THEAD "thead" BLOCK; TBODY "tbody" BLOCK;
    TFOOT "tfoot" BLOCK; TR "tr" BLOCK; TD "td" BLOCK | SCOPE; TH "th" BLOCK | SCOPE | BOLD;
    NAV "nav" BLOCK | CLOSES_P; ASIDE "aside" BLOCK | CLOSES_P; HEADER "header" BLOCK | CLOSES_P;
    FOOTER "footer" BLOCK | CLOSES_P; FORM "form" BLOCK | CLOSES_P; FIELDSET "fieldset" BLOCK | CLOSES_P;
    LEGEND "legend" BLOCK; SEARCH "search" BLOCK | CLOSES_P; BUTTON "button" BLOCK;
    NOSCRIPT "noscript" BLOCK; FRAMESET "frameset" BLOCK; SLOT "slot" 0;
    BR "br" VOID; WBR "wbr" VOID; IMG "img" VOID; INPUT "input" VOID; META "meta" VOID; LINK "link" VOID;
    BASE "base" VOID; AREA "area" VOID; COL "col" VOID; EMBED "embed" VOID; SOURCE "source" VOID;
    TRACK "track" VOID; PARAM "param" VOID; FRAME "frame" VOID;
    SCRIPT "script" RAW; STYLE "style" RAW; TEXTAREA "textarea" RAW; TITLE "title" RAW; IFRAME "iframe" RAW;
    NOEMBED "noembed" RAW; NOFRAMES "noframes" RAW; XMP "xmp" RAW;
    SELECT "select" BLOCK | SKIP; DATALIST "datalist" BLOCK | SKIP; TEMPLATE "template" BLOCK | SKIP;
    SVG "svg" SKIP; AUDIO "audio" SKIP; VIDEO "video" SKIP; CANVAS "canvas" SKIP; OBJECT "object" 0;
    OPTION "option" 0; OPTGROUP "optgroup" 0;
    A "a" 0; B "b" BOLD; STRONG "strong" BOLD; EM "em" 0; I "i" 0; U "u" 0; S "s" 0; SPAN "span" 0; FONT "font" 0;
    SMALL "small" 0; BIG "big" 0; CODE "code" 0; TT "tt" 0; KBD "kbd" 0; SAMP "samp" 0; VAR "var" 0; CITE "cite" 0;
    Q "q" 0; SUB "sub" 0; SUP "sup" 0; TIME "time" 0; LABEL "label" 0; MARK "mark" 0; INS "ins" 0; DEL "del" 0;
    ABBR "abbr" 0; DFN "dfn" 0; STRIKE "strike" 0; PICTURE "picture" 0; MAP "map" 0; MATH "math" 0;
}

/// How many numbers there are.
pub const COUNT: usize = TAGS.len();

const SLOTS: usize = 1024; // ten times the names: a probe nearly always meets its own slot

fn pack(name: &[u8]) -> Option<u128> {
    if name.is_empty() || name.len() > 10 {
        return None;
    }
    let mut key = 0u128;
    for &byte in name {
        key = key << 8 | u128::from(byte.to_ascii_lowercase());
    }
    Some(key)
}

fn slot(key: u128) -> usize {
    let mixed = (key as u64) ^ ((key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize % SLOTS
}

static NAMES: LazyLock<Vec<(u128, Tag)>> = LazyLock::new(|| {
    let mut table = vec![(0u128, UNKNOWN); SLOTS];
    for (number, (name, _)) in TAGS.iter().enumerate().skip(2) {
        let Some(key) = pack(name.as_bytes()) else {
            continue;
        };
        let mut at = slot(key);
        while table[at].0 != 0 {
            at = (at + 1) % SLOTS;
        }
        table[at] = (key, number as Tag);
    }
    table
});

/// The number of an element's name, in any letter case; names with a hyphen are [`CUSTOM`].
pub fn tag_of(name: &[u8]) -> Tag {
    if let Some(key) = pack(name) {
        let table = &*NAMES;
        let mut at = slot(key);
        while table[at].0 != 0 {
            if table[at].0 == key {
                return table[at].1;
            }
            at = (at + 1) % SLOTS;
        }
    }
    if memchr::memchr(b'-', name).is_some() {
        CUSTOM
    } else {
        UNKNOWN
    }
}

/// The flags of an element.
#[inline]
pub fn flags(tag: Tag) -> u16 {
    TAGS[tag as usize].1
}

/// 1 to 6 for a heading, else 0.
#[inline]
pub fn heading(tag: Tag) -> u8 {
    if (H1..=H6).contains(&tag) { tag - H1 + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (number, (name, _)) in TAGS.iter().enumerate().skip(2) {
            assert_eq!(tag_of(name.to_uppercase().as_bytes()), number as Tag, "{name}");
        }
        assert_eq!(tag_of(b"my-element"), CUSTOM);
        assert_eq!(tag_of(b"blink"), UNKNOWN);
    }
}
