//! The bits.

macro_rules! bits {
    ($($name:ident)*) => {
        /// Names of the bits, in order.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        bits!(@number 0; $($name)*);
    };
    (@number $n:expr; $name:ident $($rest:ident)*) => {
        #[allow(missing_docs)] // named like what they stand for
        pub const $name: u64 = 1 << $n;
        bits!(@number $n + 1; $($rest)*);
    };
    (@number $n:expr;) => {};
}

// The order is the model's: append, never insert. The first WORDS come from names, the rest from elements.
bits! {
    COMMENT FOOTER NAV CRUMBS SHARE RELATED SIDEBAR CONTENT ARTICLE POST HEADER META DATE AUTHOR TAGS TITLE
    CAPTION AD PROMO COOKIE MODAL FORM ITEM PRODUCT DESC REVIEW WIDGET MAIN HIDDEN USER PAGER TOOLS TOC QUOTE
    CODE FAQ COLUMN SLIDER WRAP BODY JUNK
    E_NAV E_ASIDE E_HEADER E_FOOTER E_ARTICLE E_MAIN E_SECTION E_FORM E_TABLE E_LIST E_FIGURE E_QUOTE E_FOLD
    E_NOSCRIPT
}

/// How many bits there are.
pub const COUNT: usize = NAMES.len();
const _: () = assert!(COUNT <= 64);

/// Names that stand for anything but the text of the page.
pub const BAD: u64 = COMMENT
    | FOOTER
    | NAV
    | SHARE
    | RELATED
    | SIDEBAR
    | AD
    | PROMO
    | COOKIE
    | MODAL
    | HIDDEN
    | E_NAV
    | E_ASIDE
    | E_FOOTER
    | JUNK;
/// Names that stand for the text.
pub const GOOD: u64 = BODY | CONTENT | ARTICLE | POST | E_ARTICLE | E_MAIN | MAIN;
