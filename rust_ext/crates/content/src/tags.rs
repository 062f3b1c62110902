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
/// Can't stand in SVG or MathML: its start tag closes them (HTML's list of elements that break out).
pub const BREAKS_OUT: u16 = 128;

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
    HTML "html" BLOCK; BODY "body" BLOCK | BREAKS_OUT; HEAD "head" BLOCK | BREAKS_OUT;
    P "p" BLOCK | CLOSES_P | BREAKS_OUT;
    DIV "div" BLOCK | CLOSES_P | BREAKS_OUT; SECTION "section" BLOCK | CLOSES_P | BREAKS_OUT; ARTICLE "article" BLOCK | CLOSES_P | BREAKS_OUT;
    MAIN "main" BLOCK | CLOSES_P | BREAKS_OUT; CENTER "center" BLOCK | CLOSES_P | BREAKS_OUT; BLOCKQUOTE "blockquote" BLOCK | CLOSES_P | BREAKS_OUT;
    PRE "pre" BLOCK | CLOSES_P | BREAKS_OUT; ADDRESS "address" BLOCK | CLOSES_P;
    FIGURE "figure" BLOCK | CLOSES_P | BREAKS_OUT; FIGCAPTION "figcaption" BLOCK | CLOSES_P;
    DETAILS "details" BLOCK | CLOSES_P; SUMMARY "summary" BLOCK | CLOSES_P; DIALOG "dialog" BLOCK | CLOSES_P;
    H1 "h1" BLOCK | CLOSES_P | BOLD | BREAKS_OUT; H2 "h2" BLOCK | CLOSES_P | BOLD | BREAKS_OUT; H3 "h3" BLOCK | CLOSES_P | BOLD | BREAKS_OUT;
    H4 "h4" BLOCK | CLOSES_P | BOLD | BREAKS_OUT; H5 "h5" BLOCK | CLOSES_P | BOLD | BREAKS_OUT; H6 "h6" BLOCK | CLOSES_P | BOLD | BREAKS_OUT;
    HGROUP "hgroup" BLOCK | CLOSES_P; HR "hr" BLOCK | VOID | CLOSES_P | BREAKS_OUT;
    UL "ul" BLOCK | CLOSES_P | BREAKS_OUT; OL "ol" BLOCK | CLOSES_P | BREAKS_OUT; LI "li" BLOCK | CLOSES_P | BREAKS_OUT;
    MENU "menu" BLOCK | CLOSES_P | BREAKS_OUT; DIR "dir" BLOCK | CLOSES_P;
    DL "dl" BLOCK | CLOSES_P | BREAKS_OUT; DT "dt" BLOCK | CLOSES_P | BREAKS_OUT; DD "dd" BLOCK | CLOSES_P | BREAKS_OUT;
    TABLE "table" BLOCK | SCOPE | BREAKS_OUT; CAPTION "caption" BLOCK | SCOPE; THEAD "thead" BLOCK | BREAKS_OUT; TBODY "tbody" BLOCK | BREAKS_OUT;
    TFOOT "tfoot" BLOCK; TR "tr" BLOCK | BREAKS_OUT; TD "td" BLOCK | SCOPE | BREAKS_OUT; TH "th" BLOCK | SCOPE | BOLD | BREAKS_OUT;
    NAV "nav" BLOCK | CLOSES_P | BREAKS_OUT; ASIDE "aside" BLOCK | CLOSES_P | BREAKS_OUT; HEADER "header" BLOCK | CLOSES_P | BREAKS_OUT;
    FOOTER "footer" BLOCK | CLOSES_P | BREAKS_OUT; FORM "form" BLOCK | CLOSES_P | BREAKS_OUT; FIELDSET "fieldset" BLOCK | CLOSES_P;
    LEGEND "legend" BLOCK; SEARCH "search" BLOCK | CLOSES_P; BUTTON "button" BLOCK;
    NOSCRIPT "noscript" BLOCK; FRAMESET "frameset" BLOCK; SLOT "slot" 0;
    BR "br" VOID | BREAKS_OUT; WBR "wbr" VOID; IMG "img" VOID | BREAKS_OUT; INPUT "input" VOID; META "meta" VOID | BREAKS_OUT; LINK "link" VOID;
    BASE "base" VOID; AREA "area" VOID; COL "col" VOID; EMBED "embed" VOID | BREAKS_OUT; SOURCE "source" VOID;
    TRACK "track" VOID; PARAM "param" VOID; FRAME "frame" VOID;
    SCRIPT "script" RAW; STYLE "style" RAW; TEXTAREA "textarea" RAW; TITLE "title" RAW; IFRAME "iframe" RAW;
    NOEMBED "noembed" RAW; NOFRAMES "noframes" RAW; XMP "xmp" RAW;
    SELECT "select" BLOCK | SKIP; DATALIST "datalist" BLOCK | SKIP; TEMPLATE "template" BLOCK | SKIP;
    SVG "svg" SKIP; AUDIO "audio" SKIP; VIDEO "video" SKIP; CANVAS "canvas" SKIP; OBJECT "object" 0;
    OPTION "option" 0; OPTGROUP "optgroup" 0;
    A "a" 0; B "b" BOLD | BREAKS_OUT; STRONG "strong" BOLD | BREAKS_OUT; EM "em" BREAKS_OUT; I "i" BREAKS_OUT; U "u" BREAKS_OUT; S "s" BREAKS_OUT; SPAN "span" BREAKS_OUT; FONT "font" 0;
    SMALL "small" BREAKS_OUT; BIG "big" BREAKS_OUT; CODE "code" BREAKS_OUT; TT "tt" BREAKS_OUT; KBD "kbd" 0; SAMP "samp" 0; VAR "var" BREAKS_OUT; CITE "cite" 0;
    Q "q" 0; SUB "sub" BREAKS_OUT; SUP "sup" BREAKS_OUT; TIME "time" 0; LABEL "label" 0; MARK "mark" 0; INS "ins" 0; DEL "del" 0;
    ABBR "abbr" 0; DFN "dfn" 0; STRIKE "strike" BREAKS_OUT; PICTURE "picture" 0; MAP "map" 0; MATH "math" 0;
    FOREIGN "foreignobject" 0;
}

/// How many numbers there are.
pub const COUNT: usize = TAGS.len();

const SLOTS: usize = 1024; // ten times the names: a probe nearly always meets its own slot

fn pack(name: &[u8]) -> Option<u128> {
    if name.is_empty() || name.len() > 16 {
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
