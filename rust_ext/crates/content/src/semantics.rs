//! What class names, ids, roles and itemprops say of an element, as a set of bits.
//!
//! A name such as `entry-content__mainText` is cut at punctuation and case changes into words; a word that
//! is not known whole is read as known words run together (`leftcol` = left + col). Sets are remembered by the
//! whole attribute (`semantics::names`), because pages repeat a few dozen class strings hundreds of times.

use super::tags::{self, Tag};

mod bits;
mod names;
mod read;
mod words;

pub use bits::*;
pub use names::{Classes, of_name};

/// The bits an element has by its own name.
pub fn of_tag(tag: Tag) -> u64 {
    match tag {
        tags::NAV | tags::MENU => E_NAV,
        tags::ASIDE => E_ASIDE,
        tags::HEADER => E_HEADER,
        tags::FOOTER => E_FOOTER,
        tags::ARTICLE => E_ARTICLE,
        tags::MAIN => E_MAIN,
        tags::SECTION => E_SECTION,
        tags::FORM | tags::FIELDSET | tags::SEARCH | tags::BUTTON => E_FORM,
        tags::TABLE => E_TABLE,
        tags::UL | tags::OL | tags::DL => E_LIST,
        tags::FIGURE | tags::FIGCAPTION => E_FIGURE,
        tags::BLOCKQUOTE => E_QUOTE,
        tags::DETAILS | tags::DIALOG => E_FOLD,
        tags::NOSCRIPT => E_NOSCRIPT,
        tags::PRE => CODE,
        tags::TIME => DATE,
        _ => 0,
    }
}

/// The bits of a WAI-ARIA role.
pub fn of_role(role: &str) -> u64 {
    match role.trim() {
        "main" => E_MAIN,
        "navigation" | "menu" | "menubar" => E_NAV,
        "banner" => E_HEADER,
        "contentinfo" => E_FOOTER,
        "complementary" => E_ASIDE,
        "search" | "form" => E_FORM,
        "dialog" | "alertdialog" => MODAL,
        "article" => E_ARTICLE,
        "tabpanel" => FAQ,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_punctuation_case_and_known_words() {
        assert_eq!(of_name("leftCol"), COLUMN);
        assert_ne!(of_name("sidebarleft") & SIDEBAR, 0);
        assert_ne!(of_name("entry-content") & BODY, 0);
        assert_ne!(of_name("articleBody") & BODY, 0);
        assert_eq!(of_name("related-article-content") & BODY, 0);
        assert_eq!(of_name("x17 qq"), 0);
    }
}
